
// Sites, permits and tariffs, for those who look after them.
const ONLINE_MS = 90000;
let chosen = null, shown = [], siteNames = "";

/** Calls the console's own interface; what it refuses is told in its own words. */
async function call(method, path, body, type = "application/json") {
  const sent = body === undefined ? {} : { body, headers: { "Content-Type": type } };
  const answer = await fetchApi(`/console/v1/${path}`, { method, ...sent });
  if (answer.status === 204) return null;
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 401) throw new Error("a token is needed: cloud-sync token issue");
  if (!answer.ok) throw new Error(typeof told.detail === "string" ? told.detail : `refused: ${answer.status}`);
  return told;
}

/** Has a form do something when it is sent, and says what became of it. */
function onSend(id, act) {
  const form = $(id), told = form.querySelector(".told");
  form.onsubmit = async (event) => {
    event.preventDefault();
    try {
      told.className = "told";
      told.textContent = "…";
      told.textContent = await act(new FormData(form), form);
    } catch (problem) {
      told.className = "told bad";
      told.textContent = problem.message;
    }
  };
}

const words = (text) => text.split(/[\s,]+/).filter(Boolean);
const whole = (text) => text.trim() === "" ? null : Number(text);
const moment = (text) => text ? new Date(text).toISOString() : null;
const fen = (text) => Math.round(Number(text) * 100);
const yuan = (amount) => amount === null ? "" : (amount / 100).toFixed(2);
const part = encodeURIComponent;
function cell(content, className) { return el("td", className, content); }
function action(text, label, act) {
  const button = el("button", "plain", text);
  button.type = "button";
  button.setAttribute("aria-label", label);
  button.onclick = act;
  return button;
}

/* Sections. */
const tabs = [...document.querySelectorAll("[role=tab]")];
function select(tab) {
  for (const each of tabs) {
    const isIt = each === tab;
    each.setAttribute("aria-selected", isIt);
    each.tabIndex = isIt ? 0 : -1;
    $(each.getAttribute("aria-controls")).hidden = !isIt;
  }
  location.hash = tab.id.slice(4);
  if (tab.id === "tab-access") search();
  if (tab.id === "tab-tariffs") showTariffs();
}
tabs.forEach((tab, at) => {
  tab.onclick = () => select(tab);
  tab.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(at + step + tabs.length) % tabs.length];
    next.focus();
    select(next);
  };
});

/* Sites. */
function siteState(site) {
  if (!site.enrolled) return ["not enrolled", "soft"];
  if (!site.last_seen) return ["never seen", "soft"];
  if (Date.now() - new Date(site.last_seen) < ONLINE_MS) return ["online", "good"];
  return [`offline, seen ${ago(site.last_seen)}`, "bad"];
}

function listState(site) {
  if (!site.list_version) return ["none", "soft"];
  if (site.list_at_site === site.list_version) return [`version ${site.list_version}, there as well`, "good"];
  const there = site.list_at_site ? `version ${site.list_at_site} there` : "nothing there yet";
  return [`version ${site.list_version} here, ${there}`, "waiting"];
}

/** Few days of room want looking at, above all while nothing leaves the site. */
const SHORT_OF_ROOM_DAYS = 14;

function showSites(sites, alerts) {
  shown = sites;
  $("site-rows").replaceChildren(...sites.map((site) => {
    const [state, stateClass] = siteState(site), [list, listClass] = listState(site);
    const waiting = site.backlog === null ? "–" : String(site.backlog);
    const days = site.room_days, raised = alerts.filter((alert) => alert.site === site.name).length;
    const name = el("td", "", el("div", "", site.name), el("div", "soft", site.site_id));
    return el("tr", "", name, cell(state, stateClass),
      cell(waiting, site.backlog > 0 ? "number waiting" : "number"), cell(String(site.acked_through), "number"),
      cell(String(site.inside), "number"),
      cell(days === null ? "–" : String(days), days !== null && days < SHORT_OF_ROOM_DAYS ? "number bad" : "number"),
      cell(String(raised), raised ? "number bad" : "number"), cell(list, listClass), cell(site.version ?? "–"),
      cell(action("settings", `Settings of ${site.name}`, () => showSettings(site))));
  }));
  const names = JSON.stringify(sites.map((site) => [site.site_id, site.name]));
  if (names === siteNames) return;
  siteNames = names;
  for (const list of document.querySelectorAll(".of-site")) {
    const all = [...list.options].filter((option) => option.value === "");
    list.replaceChildren(...all, ...sites.map((site) => new Option(site.name, site.site_id)));
  }
}

async function showSettings(site) {
  chosen = site.site_id;
  $("site-title").textContent = site.name;
  $("site-settings").hidden = false;
  const form = $("parameters"), told = form.querySelector(".told");
  form.reset();
  told.textContent = "";
  try {
    const set = await call("GET", `sites/${part(chosen)}/parameters`);
    const list = (values) => values === null ? "" : values.length ? values.join(", ") : "-";
    for (const name of ["places", "grace_minutes", "cooldown_s", "look_alikes"]) form[name].value = set[name] ?? "";
    form.public_lanes.value = list(set.public_lanes);
    form.regions.value = list(set.regions);
    form.places.focus();
  } catch (problem) {
    told.textContent = problem.message;
  }
}

onSend("parameters", async (data) => {
  const list = (text) => text.trim() === "" ? null : words(text).filter((word) => word !== "-");
  const set = { look_alikes: { true: true, false: false }[data.get("look_alikes")] ?? null };
  for (const name of ["places", "grace_minutes", "cooldown_s"]) set[name] = whole(data.get(name));
  for (const name of ["public_lanes", "regions"]) set[name] = list(data.get(name));
  await call("PUT", `sites/${part(chosen)}/parameters`, JSON.stringify(set));
  return "Set. The site is told at once, or when it is back.";
});

onSend("opening", async (data) => {
  await call("POST", `sites/${part(chosen)}/lanes/${part(data.get("lane"))}/open`);
  return "Told. The lane decides; if the site cannot be reached within seconds, nothing opens.";
});

/* Permits and denials. */
function valid(entry) {
  const day = (time) => new Date(time).toLocaleString([], { dateStyle: "short", timeStyle: "short" });
  if (entry.revoked) return [`revoked ${day(entry.valid_until)}`, "bad"];
  const from = entry.valid_from ? `from ${day(entry.valid_from)} ` : "";
  const until = entry.valid_until ? `until ${day(entry.valid_until)}` : "";
  const over = entry.valid_until && new Date(entry.valid_until) < new Date();
  return [from + until || (entry.kind === "permit" ? "always" : ""), over ? "bad" : ""];
}

function edit(entry) {
  const form = $("access-form"), local = (time) => time
    ? new Date(new Date(time) - new Date(time).getTimezoneOffset() * 60000).toISOString().slice(0, 16) : "";
  for (const name of ["site", "kind", "plate", "about", "note"]) form[name].value = entry[name];
  form.valid_from.value = local(entry.valid_from);
  form.valid_until.value = entry.revoked ? "" : local(entry.valid_until);
  form.lanes.value = entry.lanes.join(", ");
  form.about.focus();
}

async function takeAway(entry) {
  const question = entry.kind === "permit" ? `Revoke the permit of ${entry.plate}?` : `Deny ${entry.plate} no longer?`;
  if (!confirm(question)) return;
  await call("DELETE", `access/${part(entry.site)}/${entry.kind}/${part(entry.plate)}`);
  search();
}

function accessRow(entry) {
  const [time, timeClass] = valid(entry);
  const actions = [action("edit", `Edit ${entry.plate}`, () => edit(entry))];
  if (!entry.revoked) {
    const text = entry.kind === "permit" ? "revoke" : "lift";
    actions.push(action(text, `${text} ${entry.plate}`, () => takeAway(entry)));
  }
  const kind = entry.kind === "permit" ? cell("permit", "good") : cell("denied", "bad");
  return el("tr", "", cell(entry.plate, "plate"), kind, cell(entry.about), cell(entry.site), cell(time, timeClass),
    cell(entry.lanes.join(", ") || (entry.kind === "permit" ? "all" : "")), cell(entry.note, "soft"), el("td", "", ...actions));
}

let asked = 0;
async function search(more = false) {
  const mine = ++asked, data = new FormData($("access-search")), query = new URLSearchParams(data);
  const rows = $("access-rows");
  query.set("skip", more ? rows.children.length : 0);
  try {
    const found = await call("GET", `access?${query}`);
    if (mine !== asked) return;
    const made = found.entries.map(accessRow);
    if (more) rows.append(...made); else rows.replaceChildren(...made);
    $("access-count").textContent = `${found.total} found`;
    $("access-more").hidden = rows.children.length >= found.total;
    showHistory(data.get("site") || shown[0]?.site_id, data.get("plate"));
  } catch (problem) {
    $("access-count").textContent = problem.message;
  }
}

async function showHistory(site, plate) {
  if (!site) return;
  const { changes } = await call("GET", `access/${part(site)}/history?plate=${part(plate)}`);
  const row = (change) => el("div", "row", el("div", "", el("div", "", `${change.plate} ${change.kind} ${change.what}`),
    el("div", "soft", change.by ?? "command line")), el("div", "soft", ago(change.at)));
  fill("access-history", changes.slice(0, 12).map(row), plate ? "Nothing of exactly this plate." : "Nothing yet.");
}

$("access-search").onsubmit = (event) => { event.preventDefault(); search(); };
$("access-search").oninput = () => search();
$("access-more").onclick = () => search(true);

onSend("access-form", async (data, form) => {
  const entry = Object.fromEntries(["site", "kind", "plate", "about", "note"].map((name) => [name, data.get(name)]));
  const times = { valid_from: moment(data.get("valid_from")), valid_until: moment(data.get("valid_until")) };
  await call("POST", "access", JSON.stringify({ ...entry, ...times, lanes: words(data.get("lanes")) }));
  for (const name of ["plate", "about", "note"]) form[name].value = "";
  search();
  return `${entry.plate} is saved. The site is told at once, or when it is back.`;
});

onSend("access-import", async (data) => {
  const path = `access/${part(data.get("site"))}/${data.get("kind")}/import?replace=${data.has("replace")}`;
  const done = await call("POST", path, data.get("file"), "text/csv");
  if (done.problems.length) {
    const lines = done.problems.map((wrong) => `line ${wrong.line}: ${wrong.problem}`);
    throw new Error(["Nothing was changed.", ...lines].join("\n"));
  }
  search();
  return `${done.lines} lines, ${done.changed} changed`;
});

/* Tariffs. */
async function showTariffs() {
  const { tariffs } = await call("GET", "tariffs");
  const none = el("td", "empty", "None: parking costs what the sites' configuration files say.");
  none.colSpan = 8;
  const rows = tariffs.map((tariff) => {
    const remove = async () => {
      if (!confirm(`Take ${tariff.name} out of use? Stays that began by it keep it.`)) return;
      await call("DELETE", `tariffs/${tariff.id}`);
      showTariffs();
    };
    const name = tariff.members ? `${tariff.name} (members, at the cloud alone)` : tariff.name;
    return el("tr", "", cell(name), cell(tariff.site), cell(tariff.area === null ? "all" : String(tariff.area)),
      cell(`${tariff.free_minutes} min`, "number"), cell(`¥${yuan(tariff.base_fee_fen)} for ${tariff.base_seconds / 60} min`, "number"),
      cell(`¥${yuan(tariff.hourly_rate_fen)}`, "number"), cell(tariff.daily_max_fee_fen === null ? "–" : `¥${yuan(tariff.daily_max_fee_fen)}`, "number"),
      cell(action("remove", `Remove ${tariff.name}`, remove)));
  });
  $("tariff-rows").replaceChildren(...(rows.length ? rows : [el("tr", "", none)]));
}

onSend("tariff-form", async (data) => {
  const tariff = { site: data.get("site"), area: whole(data.get("area")), name: data.get("name"), rule: data.get("rule"),
    free_minutes: whole(data.get("free_minutes")) ?? 0, base_fee_fen: fen(data.get("base_fee")),
    base_seconds: Math.round(Number(data.get("base_minutes")) * 60), hourly_rate_fen: fen(data.get("hourly_rate")),
    daily_max_fee_fen: data.get("daily_max") ? fen(data.get("daily_max")) : null };
  await call("POST", "tariffs", JSON.stringify(tariff));
  showTariffs();
  return `${tariff.name} holds for stays that begin from now on.`;
});

select(tabs.find((tab) => tab.id === `tab-${location.hash.slice(1)}`) ?? tabs[0]);
