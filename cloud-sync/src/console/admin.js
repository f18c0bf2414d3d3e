
/* Sites, permits and tariffs, for those who look after them. */
const ONLINE_MS = 90000;
let chosen = null, shown = [], siteNames = "", laneNames = "";

const words = (text) => text.split(/[\s,]+/).filter(Boolean);
const whole = (text) => text.trim() === "" ? null : Number(text);
const moment = (text) => text ? new Date(text).toISOString() : null;
const fen = (text) => Math.round(Number(text) * 100);
const yuan = (amount) => amount === null ? "" : (amount / 100).toFixed(2);
const part = encodeURIComponent;
function cell(content, className) { return el("td", className, content); }
/** A row of a table without any. */
function nothing(text, columns) {
  const none = el("td", "empty", text);
  none.colSpan = columns;
  return el("tr", "", none);
}

/* Sections. */
const tabs = [...document.querySelectorAll("[role=tab]")];
const selected = () => tabs.find((tab) => tab.getAttribute("aria-selected") === "true");
const named = () => tabs.find((tab) => tab.id === `tab-${location.hash.slice(1)}`) ?? tabs[0];
function show(tab) {
  for (const each of tabs) {
    const isIt = each === tab;
    each.setAttribute("aria-selected", isIt);
    each.tabIndex = isIt ? 0 : -1;
    $(each.getAttribute("aria-controls")).hidden = !isIt;
  }
}
/** Asks for what a section shows beside what is read again and again. */
function load(tab) {
  if (tab.id === "tab-access") search();
  if (tab.id === "tab-tariffs") showTariffs();
}
function select(tab) {
  show(tab);
  // Going to a fragment would take the focus from the tab.
  if (named() !== tab) history.pushState(null, "", `#${tab.id.slice(4)}`);
  load(tab);
}
addEventListener("hashchange", () => { if (named() !== selected()) select(named()); });
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

/** What stands in a site's row: texts, each with its class. */
function siteCells(site, alerts) {
  const days = site.room_days, raised = alerts.filter((alert) => alert.site === site.name).length;
  const waiting = site.backlog === null ? "–" : String(site.backlog);
  return [siteState(site), [waiting, site.backlog > 0 ? "number waiting" : "number"],
    [String(site.acked_through), "number"], [String(site.inside), "number"],
    [days === null ? "–" : String(days), days !== null && days < SHORT_OF_ROOM_DAYS ? "number bad" : "number"],
    [String(raised), raised ? "number bad" : "number"], listState(site), [site.version ?? "–", ""]];
}

/** Rows are kept by site and changed in place, so that what has the focus keeps it. */
const sitesShown = new Map();
function siteTableRow(site, alerts) {
  const texts = siteCells(site, alerts);
  let row = sitesShown.get(site.site_id);
  if (!row) {
    const settings = action("settings", `Settings of ${site.name}`, () => showSettings(site));
    const name = el("td", "", el("div", "", site.name), el("div", "soft", site.site_id));
    row = el("tr", "", name, ...texts.map(() => el("td")), cell(settings));
    sitesShown.set(site.site_id, row);
  }
  texts.forEach(([text, className], at) => {
    const place = row.children[at + 1];
    if (place.textContent !== text) place.textContent = text;
    place.className = className;
  });
  return row;
}

function showSites(sites, alerts) {
  const rows = sites.map((site) => siteTableRow(site, alerts)), table = $("site-rows");
  const isSame = rows.length > 0 && rows.length === table.children.length && rows.every((row, at) => row === table.children[at]);
  if (!isSame) table.replaceChildren(...(rows.length ? rows : [nothing("None yet: cloud-sync site add", 10)]));
  shown = sites;
  const names = JSON.stringify(sites.map((site) => [site.site_id, site.name]));
  if (names === siteNames) return;
  siteNames = names;
  for (const list of document.querySelectorAll(".of-site")) {
    const all = [...list.options].filter((option) => option.value === ""), before = list.value;
    list.replaceChildren(...all, ...sites.map((site) => new Option(site.name, site.site_id)));
    if (sites.some((site) => site.site_id === before)) list.value = before;
  }
  load(selected());
}

const siteName = (id) => shown.find((site) => site.site_id === id)?.name ?? id;

/** The lanes that were heard of lately, to choose from. */
function showLanes(passages) {
  const lanes = [...new Set(passages.map((passage) => passage.lane).filter(Boolean))].sort();
  if (lanes.join() === laneNames) return;
  laneNames = lanes.join();
  $("lane-names").replaceChildren(...lanes.map((lane) => new Option(lane, lane)));
}

async function showSettings(site) {
  chosen = site.site_id;
  $("site-title").textContent = `Settings of ${site.name}`;
  $("site-settings").hidden = false;
  const form = $("parameters"), told = form.querySelector(".told");
  form.reset();
  tell(told, "");
  tell($("opening").querySelector(".told"), "");
  try {
    const set = await call("GET", `sites/${part(chosen)}/parameters`);
    const list = (values) => values === null ? "" : values.length ? values.join(", ") : "-";
    for (const name of ["places", "grace_minutes", "cooldown_s", "look_alikes"]) form[name].value = set[name] ?? "";
    form.public_lanes.value = list(set.public_lanes);
    form.regions.value = list(set.regions);
    form.places.focus();
  } catch (problem) {
    $("site-settings").hidden = true;
    if (problem.status === 401) askToSignIn(problem.message); else tellProblem(told, problem);
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

/** Longer than a lane may be opened from here, with what the site then has to say of it. */
const OPENED_WITHIN_MS = 15000, ASK_AGAIN_MS = 500;

onSend("opening", async (data) => {
  const site = part(chosen), lane = data.get("lane");
  const { directive } = await call("POST", `sites/${site}/lanes/${part(lane)}/open`);
  for (let waited = 0; waited < OPENED_WITHIN_MS; waited += ASK_AGAIN_MS) {
    const { done, reason } = await call("GET", `sites/${site}/directives/${directive}`);
    if (done) return `${lane} opens: ${reason}`;
    if (done === false) throw problem(`${lane} stays closed: ${reason}`);
    await new Promise((later) => setTimeout(later, ASK_AGAIN_MS));
  }
  throw problem("The site was not reached in time. Nothing opens.");
});

/* Permits and denials. */
function valid(entry) {
  const day = (time) => new Date(time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  if (entry.revoked) return [`revoked ${day(entry.valid_until)}`, "bad"];
  const from = entry.valid_from ? `from ${day(entry.valid_from)} ` : "";
  const until = entry.valid_until ? `until ${day(entry.valid_until)}` : "";
  const over = entry.valid_until && new Date(entry.valid_until) < new Date();
  return [from + until || (entry.kind === "permit" ? "always" : ""), over ? "bad" : ""];
}

/** A denial has neither dates nor lanes. */
function showKind() {
  const form = $("access-form"), isPermit = form.kind.value === "permit";
  for (const label of form.querySelectorAll(".of-permit")) label.hidden = !isPermit;
}
$("access-form").kind.onchange = showKind;

function edit(entry) {
  const form = $("access-form"), local = (time) => time
    ? new Date(new Date(time) - new Date(time).getTimezoneOffset() * 60000).toISOString().slice(0, 16) : "";
  for (const name of ["site", "kind", "plate", "about", "note"]) form[name].value = entry[name];
  form.valid_from.value = local(entry.valid_from);
  form.valid_until.value = entry.revoked ? "" : local(entry.valid_until);
  form.lanes.value = entry.lanes.join(", ");
  tell(form.querySelector(".told"), "");
  showKind();
  form.about.focus();
}

async function takeAway(entry) {
  const question = entry.kind === "permit" ? `Revoke the permit of ${entry.plate}?` : `Deny ${entry.plate} no longer?`;
  if (!confirm(question)) return;
  try {
    await call("DELETE", `access/${part(entry.site)}/${entry.kind}/${part(entry.plate)}`);
    search();
  } catch (problem) {
    tellProblem($("access-count"), problem);
  }
}

function accessRow(entry) {
  const [time, timeClass] = valid(entry);
  const actions = el("td", "actions for-admins", action("edit", `Edit ${entry.plate}`, () => edit(entry)));
  if (!entry.revoked) {
    const text = entry.kind === "permit" ? "revoke" : "lift";
    actions.append(action(text, `${text} ${entry.plate}`, () => takeAway(entry)));
  }
  const kind = entry.kind === "permit" ? cell("permit", "good") : cell("denied", "bad");
  const about = el("td", "text", el("div", "", entry.about), el("div", "soft", entry.note));
  const lanes = entry.lanes.length ? `at ${entry.lanes.join(", ")}` : "";
  return el("tr", "", cell(entry.plate, "plate"), kind, about, cell(siteName(entry.site)),
    el("td", "", el("div", timeClass, time), el("div", "soft", lanes)), actions);
}

let asked = 0;
async function search(more = false) {
  const mine = ++asked, data = new FormData($("access-search")), query = new URLSearchParams(data);
  const rows = $("access-rows"), told = $("access-count");
  const skip = more ? rows.children.length : 0;
  query.set("skip", skip);
  try {
    const found = await call("GET", `access?${query}`);
    if (mine !== asked) return;
    const made = found.entries.map(accessRow);
    if (more) rows.append(...made); else rows.replaceChildren(...made);
    tell(told, `${found.total} found`);
    $("access-more").hidden = skip + made.length >= found.total;
    await showHistory(data.get("site") || shown[0]?.site_id, data.get("plate"));
  } catch (problem) {
    if (mine === asked) tellProblem(told, problem);
  }
}

async function showHistory(site, plate) {
  if (!site) return;
  $("history-title").textContent = `Who changed what at ${siteName(site)}`;
  const { changes } = await call("GET", `access/${part(site)}/history?plate=${part(plate)}`);
  const what = (change) => `${change.plate}: ${change.kind} ${change.what === "put" ? "saved" : change.what}`;
  const row = (change) => el("div", "row", el("div", "", el("div", "", what(change)),
    el("div", "soft", change.by ?? "command line")), el("div", "soft", when(change.at)));
  fill("access-history", changes.slice(0, 12).map(row), plate ? "Nothing of exactly this plate." : "Nothing yet.");
}

$("access-search").onsubmit = (event) => { event.preventDefault(); search(); };
$("access-search").oninput = settled(() => search());
$("access-more").onclick = () => search(true);

onSend("access-form", async (data, form) => {
  const entry = Object.fromEntries(["site", "kind", "plate", "about", "note"].map((name) => [name, data.get(name)]));
  const isPermit = entry.kind === "permit";
  const times = isPermit ? { valid_from: moment(data.get("valid_from")), valid_until: moment(data.get("valid_until")) } : {};
  const lanes = isPermit ? words(data.get("lanes")) : [];
  await call("POST", "access", JSON.stringify({ ...entry, ...times, lanes }));
  for (const name of ["plate", "about", "note"]) form[name].value = "";
  search();
  return `${entry.plate} is saved. The site is told at once, or when it is back.`;
});

onSend("access-import", async (data, form) => {
  const path = `access/${part(data.get("site"))}/${data.get("kind")}/import?replace=${data.has("replace")}`;
  const what = `everything of ${siteName(data.get("site"))} that the file has no line for`;
  if (data.has("replace") && !confirm(`Take away ${what}?`)) return "Nothing was changed.";
  const done = await call("POST", path, data.get("file"), "text/csv");
  if (done.problems.length) {
    const lines = done.problems.map((wrong) => `line ${wrong.line}: ${wrong.problem}`);
    throw problem(["Nothing was changed.", ...lines].join("\n"));
  }
  form.file.value = "";
  search();
  return `${done.lines} lines, ${done.changed} changed`;
});

/* Tariffs. */
function tariffRow(tariff) {
  const remove = async () => {
    if (!confirm(`Take ${tariff.name} out of use? Stays that began by it keep it.`)) return;
    try {
      await call("DELETE", `tariffs/${tariff.id}`);
      showTariffs();
    } catch (problem) {
      tellProblem($("tariffs-told"), problem);
    }
  };
  const name = tariff.members ? `${tariff.name} (members, at the cloud alone)` : tariff.name;
  const most = tariff.daily_max_fee_fen;
  return el("tr", "", cell(name, "text"), cell(siteName(tariff.site)), cell(tariff.area === null ? "all" : String(tariff.area)),
    cell(`${tariff.free_minutes} min`, "number"), cell(`¥${yuan(tariff.base_fee_fen)} for ${tariff.base_seconds / 60} min`, "number"),
    cell(`¥${yuan(tariff.hourly_rate_fen)}`, "number"), cell(most === null ? "–" : `¥${yuan(most)}`, "number"),
    cell(action("remove", `Remove ${tariff.name}`, remove), "actions for-admins"));
}

async function showTariffs() {
  try {
    const { tariffs } = await call("GET", "tariffs");
    const none = nothing("None: parking costs what the sites' configuration files say.", 8);
    $("tariff-rows").replaceChildren(...(tariffs.length ? tariffs.map(tariffRow) : [none]));
    tell($("tariffs-told"), "");
  } catch (problem) {
    tellProblem($("tariffs-told"), problem);
  }
}

onSend("tariff-form", async (data, form) => {
  const tariff = { site: data.get("site"), area: whole(data.get("area")), name: data.get("name"), rule: data.get("rule"),
    free_minutes: whole(data.get("free_minutes")) ?? 0, base_fee_fen: fen(data.get("base_fee")),
    base_seconds: Math.round(Number(data.get("base_minutes")) * 60), hourly_rate_fen: fen(data.get("hourly_rate")),
    daily_max_fee_fen: data.get("daily_max") ? fen(data.get("daily_max")) : null };
  await call("POST", "tariffs", JSON.stringify(tariff));
  form.reset();
  form.site.value = tariff.site;
  showTariffs();
  return `${tariff.name} holds for stays that begin from now on.`;
});

showPerson();
show(named());
watch();
refresh();
