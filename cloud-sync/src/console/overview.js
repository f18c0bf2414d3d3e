
/* What happens at the sites. */
const POLL_MS = 2000, RETRY_MS = 5000, PAUSE_MS = 300, FRAME_SHAPE = 16 / 10;
const PLATES = 12, MOST_PLATES = 240, SESSIONS = 8, SITES = 12;
let socket = null, timer = 0, loading = false, again = false, heard = null, wasAsked = false;
let looked = "", wanted = PLATES, alertsShown = "";

/** Cards are kept by plate, so that a picture is fetched once and does not flicker. */
const cards = new Map();
function card(plate) {
  const key = JSON.stringify(plate);
  const known = cards.get(plate.id);
  if (known?.key === key) return known.element;
  const frame = el("div", "frame", plate.picture ? "" : "no picture yet");
  if (plate.picture) showPicture(frame, plate);
  const sure = `${Math.round(plate.confidence * 100)} %`;
  const by = plate.processed_by === "local" ? sure : `${sure}, ${plate.processed_by}`;
  const where = [plate.site, plate.lane, plate.movement].filter(Boolean).join(" · ");
  const element = el("figure", "", frame, el("figcaption", "", el("div", "plate", plate.plate || "unread"),
    el("div", "soft", `${when(plate.read_at)} · ${by}`), el("div", "soft", where)));
  cards.set(plate.id, { key, element });
  return element;
}

async function showPicture(frame, plate) {
  let answer;
  try {
    answer = await fetchApi(plate.picture);
  } catch {
    cards.delete(plate.id);
    return;
  }
  if (!answer.ok) { frame.textContent = "no picture"; return; }
  const image = new Image();
  image.alt = `Vehicle ${plate.plate || "whose plate is unread"}`;
  image.src = URL.createObjectURL(await answer.blob());
  image.onload = () => {
    URL.revokeObjectURL(image.src);
    const [width, height] = [image.naturalWidth, image.naturalHeight];
    const shot = el("div", "shot", image, plateBox(plate.bounds_px, width, height));
    const shape = (width / height) / FRAME_SHAPE;
    const margin = (part) => `${50 * (1 - Math.min(1, part))}%`;
    shot.style.inset = `${margin(1 / shape)} ${margin(shape)}`;
    frame.replaceChildren(shot);
  };
}

/** Where the plate is in its picture. */
function plateBox([left, top, right, bottom], width, height) {
  const box = el("div", "box");
  const share = (px, whole) => `${(100 * px / whole).toFixed(2)}%`;
  Object.assign(box.style, { left: share(left, width), top: share(top, height),
    width: share(right - left, width), height: share(bottom - top, height) });
  return box;
}

function showPlates({ plates, total }, text) {
  const none = text ? `No plate with “${text}” was read. O and 0, I and 1 are told apart.`
    : "None yet. They appear as sites report them.";
  $("plates-title").textContent = text ? "Plates found, newest first" : "Newest plates";
  $("plates-count").textContent = text ? `${total} found` : "";
  $("plates-more").hidden = plates.length >= total || wanted >= MOST_PLATES;
  const made = plates.map(card), shown = $("plates");
  const isSame = made.length > 0 && made.length === shown.children.length && made.every((one, at) => shown.children[at] === one);
  if (!isSame) fill("plates", made, none);
  const kept = new Set(plates.map((plate) => plate.id));
  for (const id of cards.keys()) if (!kept.has(id)) cards.delete(id);
}

/** As many rows as fit, and how many more there are. */
function fillSome(id, all, most, row, none) {
  const more = all.length - most;
  const rest = more > 0 ? [el("p", "soft", `and ${more} more`)] : [];
  fill(id, [...all.slice(0, most).map(row), ...rest], none);
}

function siteRow(site) {
  const seen = site.last_seen ? `seen ${ago(site.last_seen)}` : site.enrolled ? "enrolled" : "not enrolled";
  const waiting = site.backlog > 0;
  const state = site.backlog === null ? `${site.acked_through} events here`
    : waiting ? `${site.backlog} events waiting` : "all events here";
  const stateClass = waiting ? "waiting" : site.enrolled ? "good" : "soft";
  return el("div", "row", el("div", "", el("div", "", site.name), el("div", "soft", seen)),
    el("div", stateClass, state));
}

function sessionRow(session) {
  return el("div", "row", el("div", "", el("div", "", session.plate || "unread"),
    el("div", "soft", `${session.site} · ${session.lane}`)), el("div", "soft", `since ${when(session.entered_at)}`));
}

function alertRow(alert) {
  const resolve = action("resolve", `Resolve: ${alert.message}`, async () => {
    try {
      await call("POST", `alerts/${alert.id}/resolve`);
      refresh();
    } catch (problem) {
      tellProblem(told, problem);
    }
  });
  const told = el("p", "told");
  resolve.classList.add("for-admins");
  const where = [alert.site, when(alert.since)].filter(Boolean).join(", ");
  return el("div", "row", el("div", "", el("div", "bad", alert.message), el("div", "soft", where), told), resolve);
}

/** Rows stay as they are while nothing has changed, so that their buttons can be pressed. */
function showAlerts(alerts) {
  const key = JSON.stringify(alerts);
  if (key === alertsShown) return;
  alertsShown = key;
  $("alerts-box").hidden = !alerts.length;
  fill("alerts", alerts.map(alertRow), "None.");
}

function state(text, className) {
  if ($("live").textContent !== text) $("live").textContent = text;
  $("live").className = className;
}

/** Reads everything once; calls that come meanwhile are one more, after a pause. */
async function refresh() {
  if (loading) { again = true; return; }
  loading = true;
  const text = looked, query = new URLSearchParams({ plate: text, limit: wanted });
  try {
    const [view, plates] = await Promise.all([call("GET", "overview"), call("GET", `plates?${query}`)]);
    if (text === looked) showPlates(plates, text);
    $("inside").textContent = view.inside;
    const unlisted = view.inside - view.sessions.length;
    const sessions = view.sessions.concat(Array(Math.max(0, unlisted)));
    fillSome("sessions", sessions, SESSIONS, sessionRow, "Nobody is inside.");
    fillSome("sites", view.sites, SITES, siteRow, "None yet: cloud-sync site add");
    showSites(view.sites, view.alerts);
    showLanes([...view.sessions, ...plates.plates]);
    showAlerts(view.alerts);
    heard = new Date();
    state(socket?.readyState === WebSocket.OPEN ? "live" : "connected", "on");
  } catch (problem) {
    const since = heard ? ` This is from ${when(heard)}.` : "";
    state(problem.status === 401 ? "not signed in" : problem.message + since, "off");
    if (problem.status === 401 && !wasAsked) askToSignIn(problem.message);
    if (problem.status === 401) wasAsked = true;
  }
  setTimeout(() => {
    loading = false;
    if (again) { again = false; refresh(); }
  }, PAUSE_MS);
}

/** What only those may see who are signed in is shown no longer; what was typed stays. */
function forget() {
  wasAsked = false;
  alertsShown = "";
  for (const id of ["plates", "sessions", "sites", "alerts", "access-rows", "access-history", "tariff-rows", "access-count", "tariffs-told"]) {
    $(id).replaceChildren();
  }
  $("inside").textContent = "–";
  $("alerts-box").hidden = $("site-settings").hidden = $("access-more").hidden = $("plates-more").hidden = true;
  sitesShown.clear();
  $("site-rows").replaceChildren();
}

/** Who is signed in is told when something changes; for others, it is asked. */
function watch() {
  const old = socket;
  socket = null;
  old?.close();
  clearInterval(timer);
  timer = setInterval(refresh, POLL_MS);
  if (!person) return;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  // Among the protocols, since a proxy writes addresses into its log.
  const opened = socket = new WebSocket(`${scheme}://${location.host}/ws/system/`, ["gatehouse", `token.${person.token}`]);
  opened.onopen = () => clearInterval(timer);
  opened.onmessage = refresh;
  opened.onclose = () => {
    if (socket !== opened) return;
    socket = null;
    clearInterval(timer);
    timer = setInterval(refresh, POLL_MS);
    setTimeout(() => { if (person && !socket) watch(); }, RETRY_MS);
  };
}

function lookFor() {
  looked = new FormData($("plate-search")).get("plate").trim();
  wanted = PLATES;
  refresh();
}
$("plate-search").onsubmit = (event) => { event.preventDefault(); lookFor(); };
$("plate-search").oninput = settled(lookFor);
$("plates-more").onclick = () => { wanted = Math.min(MOST_PLATES, 2 * wanted); refresh(); };
