
"use strict";
const $ = (id) => document.getElementById(id);
const POLL_MS = 2000;
/* Who is at it, and the token: for as long as the tab is open. */
let person = JSON.parse(sessionStorage.getItem("person") ?? "null"), lanesShown = "", cabinetsShown = "";

/** An element with text, never markup: everything shown comes from devices and people. */
function el(tag, className, ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

function tell(place, text, isBad = false) {
  place.classList.toggle("bad", isBad);
  place.textContent = text;
}

/** Asks the site; what it refuses is told in its own words. */
async function call(path, body) {
  const headers = { Authorization: `Bearer ${person.token}` };
  const sent = body ? { method: "POST", body: JSON.stringify({ ...body, by: person.by }) } : {};
  const answer = await fetch(`/console/${path}`, { ...sent, headers }).catch(() => {
    throw new Error("The site's computer cannot be reached.");
  });
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 401 && sessionStorage.getItem("person")) signOut("The operator's token has changed.");
  if (!answer.ok) throw new Error(told.reason ?? `refused: ${answer.status}`);
  return told;
}

/** Does one thing at a time, and says what became of it. */
function act(place, ask) {
  let busy = false;
  return async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    tell(place, "…");
    try {
      tell(place, await ask());
    } catch (problem) {
      tell(place, problem.message, true);
    }
    busy = false;
  };
}

function onSend(id, ask) {
  const form = $(id);
  form.onsubmit = act(form.querySelector(".told"), () => ask(new FormData(form), form));
}

function showLanes(lanes) {
  if (lanes.join() === lanesShown) return;
  lanesShown = lanes.join();
  $("lanes").replaceChildren(...lanes.map((lane) => {
    const open = el("button", "do", "Open");
    open.type = "button";
    open.setAttribute("aria-label", `Open ${lane}`);
    open.onclick = act($("lanes-told"), async () => {
      const { reason } = await call(`lanes/${encodeURIComponent(lane)}/open`, {});
      return `${lane}: ${reason}`;
    });
    return el("div", "row", el("span", "", lane), open);
  }));
}

function showCabinets(cabinets) {
  $("lockers").hidden = !cabinets.length;
  if (cabinets.join() === cabinetsShown) return;
  cabinetsShown = cabinets.join();
  $("cabinets").replaceChildren(...cabinets.map((cabinet) => new Option(cabinet, cabinet)));
}

/** What is said of the site, line by line; what is not as it should be stands out. */
function lines({ running, journal, clock, unwritten }) {
  const told = [];
  const line = (name, text, isBad = false) => told.push([name, text, isBad]);
  if (running) {
    line("gate", running.gate, !running.ready);
    line("cloud", running.replay);
    for (const all of [running.controllers, running.cameras]) {
      for (const [name, state] of Object.entries(all)) line(name, state, state !== "online");
    }
    for (const [name, fault] of Object.entries(running.faults)) line(name, fault, true);
  }
  if (journal) {
    line("waits for the cloud", `${journal.backlog} events`);
    line("room", `${journal.room.days_left} days`, journal.room.days_left < 14);
  } else {
    line("journal", "cannot be read", true);
  }
  if (unwritten) line("disk", `takes nothing: ${unwritten} facts wait in memory`, true);
  if (clock.quality !== "synchronised") line("clock", "not set by a time source", true);
  return told;
}

async function refresh() {
  if (!person) return;
  try {
    const status = await call("status");
    $("site").textContent = `Gatehouse at ${status.site}`;
    showLanes(status.lanes);
    showCabinets(status.cabinets);
    $("state").replaceChildren(...lines(status).flatMap(([name, text, isBad]) =>
      [el("dt", "", name), el("dd", isBad ? "bad" : "", text)]));
    live("connected");
  } catch (problem) {
    live(problem.message, true);
  }
}

function live(text, isOff = false) {
  if ($("live").textContent !== text) $("live").textContent = text;
  $("live").className = isOff ? "off" : "";
}

function show() {
  for (const part of document.querySelectorAll(".inside")) part.hidden = !person;
  $("lockers").hidden = true;
  $("sign-in").hidden = person !== null;
  $("sign-out").hidden = person === null;
  $("who").textContent = person?.by ?? "";
  if (!person) live("not signed in");
}

function signOut(why = "") {
  person = null;
  sessionStorage.clear();
  $("state").replaceChildren();
  if (why) tell($("sign-in-why"), why, true);
  show();
}

onSend("sign-in-form", async (data, form) => {
  person = { by: data.get("by").trim(), token: data.get("token").trim() };
  try {
    await call("status");
  } catch (problem) {
    person = null;
    throw problem;
  }
  sessionStorage.setItem("person", JSON.stringify(person));
  form.reset();
  show();
  refresh();
  return "";
});
onSend("paid", async (data, form) => {
  const amount_fen = Math.round(Number(data.get("amount")) * 100);
  const { reason } = await call("paid", { plate: data.get("plate"), amount_fen, method: data.get("method") });
  form.reset();
  return `${data.get("plate")}: ${reason}`;
});
onSend("cabinet", async (data, form) => {
  const { reason } = await call("lockers/open", { cabinet: data.get("cabinet") });
  form.reset();
  return `${data.get("cabinet")}: ${reason}`;
});
$("sign-out").onclick = () => signOut();
show();
setInterval(refresh, POLL_MS);
refresh();
