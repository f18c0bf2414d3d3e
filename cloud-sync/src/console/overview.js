"use strict";
const $ = (id) => document.getElementById(id);
const POLL_MS = 2000, RETRY_MS = 5000, SHOWN = 12, FRAME_SHAPE = 16 / 10;
let token = sessionStorage.getItem("token") ?? "", socket = null, timer = 0, loading = false, again = false;

/** An element with text, never markup: everything shown comes from cameras and people. */
function el(tag, className, ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

function fetchApi(path, options = {}) {
  const headers = { ...options.headers, ...(token ? { Authorization: `Token ${token}` } : {}) };
  return fetch(path, { ...options, headers });
}

async function getJson(path) {
  const answer = await fetchApi(path);
  if (answer.status === 401) throw new Error("a token is needed: cloud-sync token issue");
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

const clock = (time) => new Date(time).toLocaleTimeString();
function ago(time) {
  const s = Math.max(0, Math.round((Date.now() - new Date(time)) / 1000));
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  return s < 172800 ? `${Math.floor(s / 3600)} h ago` : `${Math.floor(s / 86400)} days ago`;
}

/** Replaces the children, or says that there are none. */
function fill(id, made, none) {
  $(id).replaceChildren(...(made.length ? made : [el("p", "empty", none)]));
}

/** Cards are kept by plate, so that a picture is fetched once and does not flicker. */
const cards = new Map();
function card(plate) {
  const key = JSON.stringify(plate);
  const known = cards.get(plate.id);
  if (known?.key === key) return known.element;
  const frame = el("div", "frame", plate.image_path ? "" : "no picture yet");
  if (plate.image_path) showPicture(frame, plate);
  const sure = `${Math.round(plate.confidence * 100)} %`;
  const by = plate.processed_by === "local" ? sure : `${sure}, ${plate.processed_by}`;
  const element = el("figure", "", frame, el("figcaption", "",
    el("div", "plate", plate.plate_number), el("div", "soft", `${clock(plate.timestamp)} · ${by}`)));
  cards.set(plate.id, { key, element });
  return element;
}

async function showPicture(frame, plate) {
  const answer = await fetchApi(`/images/${plate.image_path}`);
  if (!answer.ok) { frame.textContent = "no picture"; return; }
  const image = new Image();
  image.alt = `Plate ${plate.plate_number}`;
  image.src = URL.createObjectURL(await answer.blob());
  image.onload = () => {
    URL.revokeObjectURL(image.src);
    const [width, height] = [image.naturalWidth, image.naturalHeight];
    const shot = el("div", "shot", image, plateBox(plate.position, width, height));
    const shape = (width / height) / FRAME_SHAPE;
    const margin = (part) => `${50 * (1 - Math.min(1, part))}%`;
    shot.style.inset = `${margin(1 / shape)} ${margin(shape)}`;
    frame.replaceChildren(shot);
  };
}

/** Where the plate is in its picture. */
function plateBox({ x_min, y_min, x_max, y_max }, width, height) {
  const box = el("div", "box");
  const share = (px, whole) => `${(100 * px / whole).toFixed(2)}%`;
  Object.assign(box.style, { left: share(x_min, width), top: share(y_min, height),
    width: share(x_max - x_min, width), height: share(y_max - y_min, height) });
  return box;
}

function showPlates(plates) {
  fill("plates", plates.map(card), "None yet. They appear as sites report them.");
  const shown = new Set(plates.map((plate) => plate.id));
  for (const id of cards.keys()) if (!shown.has(id)) cards.delete(id);
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
    el("div", "soft", `${session.site} · ${session.lane}`)), el("div", "soft", `since ${clock(session.entered_at)}`));
}

function alertRow(alert) {
  return el("div", "row", el("div", "bad", alert.message),
    el("div", "soft", `${alert.site}, ${ago(alert.since)}`));
}

function state(text, className) {
  $("live").textContent = text;
  $("live").className = className;
}

/** Reads everything once; calls that come meanwhile are one more. */
async function refresh() {
  if (loading) { again = true; return; }
  loading = true;
  try {
    const [view, plates] = await Promise.all(
      [getJson("/console/v1/overview"), getJson(`/api/plates?limit=${SHOWN}`)]);
    showPlates(plates);
    $("inside").textContent = view.inside;
    fill("sessions", view.sessions.slice(0, 8).map(sessionRow), "Nobody is inside.");
    fill("sites", view.sites.map(siteRow), "None yet: cloud-sync site add");
    showSites(view.sites, view.alerts);
    $("alerts-box").hidden = !view.alerts.length;
    fill("alerts", view.alerts.map(alertRow), "None.");
    state(socket?.readyState === WebSocket.OPEN ? "live" : "every 2 s", "on");
  } catch (problem) {
    state(problem instanceof TypeError ? "not reachable" : problem.message, "off");
  }
  loading = false;
  if (again) { again = false; refresh(); }
}

/** With a token the server says when something changes; without, it is asked. */
function watch() {
  clearInterval(timer);
  timer = setInterval(refresh, POLL_MS);
  if (!token) return;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const opened = socket = new WebSocket(`${scheme}://${location.host}/ws/system/?token=${encodeURIComponent(token)}`);
  opened.onopen = () => clearInterval(timer);
  opened.onmessage = refresh;
  opened.onclose = () => {
    if (socket !== opened) return;
    socket = null;
    clearInterval(timer);
    timer = setInterval(refresh, POLL_MS);
    setTimeout(() => { if (token && !socket) watch(); }, RETRY_MS);
  };
}

$("token").value = token;
$("token").onchange = () => {
  token = $("token").value.trim();
  sessionStorage.setItem("token", token);
  const old = socket;
  socket = null;
  old?.close();
  watch();
  refresh();
};
watch();
refresh();
