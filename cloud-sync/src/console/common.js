"use strict";
const $ = (id) => document.getElementById(id);

/** An element with text, never markup: everything shown comes from cameras and people. */
function el(tag, className, ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

/** Replaces the children, or says that there are none. */
function fill(id, made, none) {
  $(id).replaceChildren(...(made.length ? made : [el("p", "empty", none)]));
}

function action(text, label, act) {
  const button = el("button", "plain", text);
  button.type = "button";
  button.setAttribute("aria-label", label);
  button.onclick = act;
  return button;
}

/** A moment as people tell it: the time alone on the same day. */
function when(time) {
  const at = new Date(time), isToday = at.toDateString() === new Date().toDateString();
  return isToday ? at.toLocaleTimeString() : at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

function ago(time) {
  const s = Math.max(0, Math.round((Date.now() - new Date(time)) / 1000));
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  return s < 172800 ? `${Math.floor(s / 3600)} h ago` : `${Math.floor(s / 86400)} days ago`;
}

/** Has something done once nobody has typed for a moment. */
function settled(act) {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(act, 200); };
}

/* Who is signed in: for as long as the tab is open, and in no cookie. */
let person = JSON.parse(sessionStorage.getItem("person") ?? "null");

/** A problem in words, with the status of the answer. */
function problem(message, status) {
  return Object.assign(new Error(message), { status });
}

async function fetchApi(path, options = {}) {
  const headers = { ...options.headers, ...(person ? { Authorization: `Bearer ${person.token}` } : {}) };
  try {
    return await fetch(path, { ...options, headers });
  } catch {
    throw problem("The service cannot be reached.");
  }
}

/** Calls the console's own interface; what it refuses is told in its own words. */
async function call(method, path, body, type = "application/json") {
  const sent = body === undefined ? {} : { body, headers: { "Content-Type": type } };
  const answer = await fetchApi(`/console/v1/${path}`, { method, ...sent });
  if (answer.status === 204) return null;
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) return told;
  if (answer.status === 401) {
    const words = person ? "You are no longer signed in." : "This needs somebody who is signed in.";
    if (person) become(null);
    throw problem(words, 401);
  }
  throw problem(typeof told.detail === "string" ? told.detail : `refused: ${answer.status}`, answer.status);
}

/** Says what became of something that a person asked for. */
function tell(place, text, isBad = false) {
  place.classList.toggle("bad", isBad);
  place.textContent = text;
}

function tellProblem(place, problem) {
  tell(place, problem.message, true);
  if (problem.status === 401) askToSignIn(problem.message);
}

/** Has a form do something when it is sent, once at a time, and says what became of it. */
function onSend(id, act) {
  const form = $(id), told = form.querySelector(".told");
  let busy = false;
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    tell(told, "…");
    try {
      tell(told, await act(new FormData(form), form));
    } catch (problem) {
      tellProblem(told, problem);
    }
    busy = false;
  };
}

function askToSignIn(why = "") {
  const dialog = $("sign-in-dialog");
  if (dialog.open) return;
  $("sign-in-why").textContent = why;
  tell(dialog.querySelector(".told"), "");
  dialog.showModal();
}

function showPerson() {
  $("who").textContent = person ? `${person.username}, ${person.role}` : "";
  $("sign-in").hidden = person !== null;
  $("sign-out").hidden = person === null;
  document.body.dataset.role = person?.role ?? "";
}

/** Somebody is signed in from now on, or nobody. */
function become(somebody) {
  person = somebody;
  if (person) sessionStorage.setItem("person", JSON.stringify(person)); else sessionStorage.removeItem("person");
  showPerson();
  forget();
  watch();
  refresh();
  if (person) load(selected());
}

$("sign-in").onclick = () => askToSignIn();
$("sign-in-not").onclick = () => $("sign-in-dialog").close();
onSend("sign-in-form", async (data, form) => {
  try {
    const { username, password } = Object.fromEntries(data);
    const signedIn = await call("POST", "sign-in", JSON.stringify({ username, password }));
    form.reset();
    $("sign-in-dialog").close();
    become(signedIn);
    return "";
  } catch (problem) {
    form.password.value = "";
    form.password.focus();
    throw problem;
  }
});
$("sign-out").onclick = async () => {
  try {
    await fetchApi("/api/auth/logout/", { method: "POST" });
  } catch { /* What is kept here is forgotten all the same. */ }
  sessionStorage.clear();
  location.reload();
};
