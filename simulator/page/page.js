// The simulator's page: is told by the stream what goes on, shows it, and passes on what is pressed.
// Whatever comes from outside is set as text, never as markup.

import { Loudspeaker } from "./sound.js";

const LOG_LINES = 300; // that the page keeps
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

const byId = (id) => document.getElementById(id);
const phone = { sid: null, call: null, said: [] };
// What the stream has told: by SID, address or number.
const network = { calls: new Map(), conferences: new Map(), queues: new Map(), endpoints: new Map(), numbers: new Map() };
const loudspeaker = new Loudspeaker();
let logLines = [];

// -- the control door

async function ask(path, method = "GET", body = undefined) {
  const answer = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error ?? `${method} ${path}: ${answer.status}`);
  return found;
}

/** Does what somebody asked for, and shows why it failed. */
async function act(work) {
  loudspeaker.switchOn(byId("sound").checked);
  try {
    await work();
    tell(null);
  } catch (error) {
    tell(error.message);
  }
  show();
}

function tell(problem) {
  byId("problem").hidden = problem === null;
  byId("problem").textContent = problem ?? "";
}

// -- showing

function make(tag, text = "", attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** Keeps the elements of what is still there, so that focus and open details survive. */
function showRows(list, rows, keyOf, create, update) {
  const known = new Map([...list.children].map((child) => [child.dataset.key, child]));
  rows.forEach((row, place) => {
    const key = String(keyOf(row));
    let child = known.get(key);
    if (child === undefined) {
      child = create(row);
      child.dataset.key = key;
    }
    known.delete(key);
    update?.(child, row);
    if (list.children[place] !== child) list.insertBefore(child, list.children[place] ?? null);
  });
  for (const gone of known.values()) gone.remove();
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const TONES = { "in-progress": "good", completed: "", queued: "busy", ringing: "busy", canceled: "" };

function pill(element, status) {
  set(element, status);
  element.dataset.tone = TONES[status] ?? "bad";
}

const isOver = (call) => call.ended_at !== null;
const canAnswer = (call) => call.direction !== "inbound" && ["queued", "ringing"].includes(call.status);
const parties = (call) => `${call.from} → ${call.to}`;
const clock = (ms) => new Date(ms).toLocaleTimeString([], { hour12: false });

// -- the telephone

function showPhone() {
  const { call } = phone;
  const talks = call?.status === "in-progress";
  set(byId("line-parties"), call === null ? "No call on this telephone." : parties(call));
  byId("line-status").hidden = call === null;
  if (call !== null) pill(byId("line-status"), call.status);
  byId("hang-up").disabled = call === null || isOver(call);
  for (const control of byId("keypad").children) control.disabled = !talks;
  for (const control of byId("speak").elements) control.disabled = !talks;
  const sounds = [...(call?.heard ?? []), ...phone.said].sort((one, other) => one.at - other.at);
  const heard = byId("heard");
  const before = heard.childElementCount;
  showRows(heard, sounds, (sound) => `${sound.at} ${sound.verb} ${sound.number ?? ""} ${sound.text}`, (sound) => {
    const line = make("li", "", { "data-verb": sound.verb });
    line.append(make("small", `${clock(sound.at)} ${sound.verb}`), sound.text);
    return line;
  });
  if (heard.childElementCount > before) heard.scrollTop = heard.scrollHeight;
  sound();
}

/** Lets the loudspeaker do what the line does. A last word is not cut off by the end of the call. */
function sound() {
  const { call } = phone;
  if (call === null) return loudspeaker.hush();
  if (["queued", "ringing"].includes(call.status)) return loudspeaker.ring();
  const now = call.heard.find((one) => one.number === call.sounding);
  if (now !== undefined) return loudspeaker.play(`${call.sid} ${now.number}`, now);
  const isLastWord = call.status === "completed" && call.heard.at(-1)?.verb === "Say";
  return isLastWord ? undefined : loudspeaker.hush();
}

function take(sid) {
  if (phone.sid === sid) return;
  Object.assign(phone, { sid, call: network.calls.get(sid) ?? null, said: [] });
  byId("heard").replaceChildren();
}

function press(digits) {
  return act(async () => {
    await ask(`/simulator/calls/${phone.sid}/press`, "POST", { digits });
    remember(`key ${digits}`);
    loudspeaker.keys(digits);
  });
}

/** What was done at this telephone stands among what is heard. */
function remember(text) {
  const last = Math.max(0, ...phone.call.heard.map((sound) => sound.at));
  phone.said.push({ at: last, verb: "You", number: phone.said.length, text });
}

function hangUp(sid) {
  return act(async () => {
    await ask(`/simulator/calls/${sid}/hangup`, "POST");
    if (sid === phone.sid) loudspeaker.hush();
  });
}

function answer(sid) {
  return act(async () => {
    await ask(`/simulator/calls/${sid}/answer`, "POST");
    take(sid);
    if (phone.call === null) await findPhone();
  });
}

// -- calls, phones, queues, conferences

function callRow(call) {
  const row = make("li");
  const name = make("span", "", { class: "name" });
  name.append(make("span", parties(call)), make("small", "", { class: "note" }));
  const reply = make("button", "Answer", { type: "button", class: "go" });
  reply.addEventListener("click", () => answer(call.sid));
  const listen = make("button", "Take", { type: "button", title: "Put this call on the telephone" });
  listen.addEventListener("click", () => act(() => take(call.sid)));
  const end = make("button", "Hang up", { type: "button" });
  end.addEventListener("click", () => hangUp(call.sid));
  for (const button of [reply, listen, end]) {
    button.setAttribute("aria-label", `${button.textContent}: ${parties(call)}`);
  }
  row.append(name, make("span", "", { class: "pill" }), reply, listen, end);
  return row;
}

function updateCall(row, call) {
  const last = call.heard.at(-1);
  const [name, status, reply] = row.children;
  pill(status, call.status);
  reply.hidden = !canAnswer(call);
  row.setAttribute("aria-current", String(call.sid === phone.sid));
  set(name.lastChild, last === undefined ? call.sid : `${last.verb}: ${last.text}`);
}

function endpointRow(endpoint) {
  const row = make("li");
  const name = make("span", endpoint.address, { class: "name" });
  const choice = byId("endpoint").elements.on_ring.cloneNode(true);
  choice.removeAttribute("name");
  choice.setAttribute("aria-label", `When ${endpoint.address} rings`);
  choice.addEventListener("change", () => setEndpoint(endpoint.address, choice.value, row.delay));
  const holder = make("span");
  holder.append(choice);
  const reply = make("button", "Answer", {
    type: "button", class: "go", "aria-label": `Answer at ${endpoint.address}`,
  });
  reply.addEventListener("click", () => answer(row.ringing));
  row.append(name, holder, make("span", "", { class: "note" }), reply);
  return row;
}

function updateEndpoint(row, endpoint, calls) {
  const [, holder, delay, reply] = row.children;
  const ringing = calls.find((call) => canAnswer(call) && bare(call.to) === endpoint.address);
  if (holder.firstChild !== document.activeElement) holder.firstChild.value = endpoint.on_ring;
  row.ringing = ringing?.sid;
  row.delay = endpoint.delay_seconds;
  reply.hidden = ringing === undefined;
  set(delay, endpoint.delay_seconds === null ? "" : `after ${endpoint.delay_seconds} s`);
}

const bare = (address) => address.split("?")[0].split(";")[0];

function setEndpoint(address, onRing, delay) {
  const path = `/simulator/endpoints/${encodeURIComponent(address)}`;
  return act(() => ask(path, "PUT", { on_ring: onRing, delay_seconds: delay }));
}

/** A queue or a conference: its name, a count, and a line for each who is in it. */
function groupRow() {
  const row = make("li");
  const name = make("span", "", { class: "name" });
  name.append(make("strong"), make("span", "", { class: "note" }));
  row.append(name, make("span", "", { class: "pill" }));
  return row;
}

function updateGroup(row, title, state, people) {
  const [name, status] = row.children;
  set(name.firstChild, title);
  set(name.lastChild, people.join(", ") || "nobody");
  set(status, state);
}

function showNetwork() {
  const [calls, conferences, queues, endpoints, numbers] =
    ["calls", "conferences", "queues", "endpoints", "numbers"].map((kind) => [...network[kind].values()]);
  const who = (sid) => {
    const call = network.calls.get(sid);
    if (call === undefined) return sid;
    return call.direction === "inbound" ? call.from : call.to;
  };
  set(byId("calls-count"), String(calls.length));
  showRows(byId("calls"), calls, (call) => call.sid, callRow, updateCall);
  showRows(byId("endpoints"), endpoints, (one) => one.address, endpointRow, (row, one) =>
    updateEndpoint(row, one, calls));
  showRows(byId("queues"), queues, (one) => one.sid, groupRow, (row, one) =>
    updateGroup(row, one.friendly_name, `${one.current_size} waiting`,
      one.members.map((member) => `${member.position}. ${who(member.call_sid)}`)));
  showRows(byId("conferences"), conferences, (one) => one.sid, groupRow, (row, one) =>
    updateGroup(row, one.friendly_name, one.status, one.participants.map((person) =>
      [who(person.call_sid), person.hold && "on hold", person.muted && "muted", person.coaching && "coaching"]
        .filter(Boolean).join(" "))));
  showRows(byId("numbers"), numbers, (one) => one.phone_number, (one) =>
    make("option", "", { value: one.phone_number }));
  const to = byId("dial").elements.to;
  if (to.value === to.defaultValue && to.dataset.filled === undefined && numbers.length > 0) {
    to.value = numbers[0].phone_number;
    to.dataset.filled = "";
  }
}

// -- the log

function logRow(line) {
  const bad = line.error !== null || (line.kind === "webhook" && line.status === null);
  const row = make("li", "", { "data-kind": line.kind, "data-tone": bad ? "bad" : "" });
  const details = make("details");
  const summary = make("summary");
  const what = line.kind === "error"
    ? `${line.error.code} ${line.error.message}` : `${line.method} ${line.url}`;
  summary.append(
    make("span", clock(line.time), { class: "when" }),
    make("span", line.kind, { class: "kind" }),
    make("span", what, { class: "what" }),
    make("span", line.kind === "error" ? "" : String(line.status ?? "no answer"), { class: "result" }),
    make("span", line.duration_ms === null ? "" : `${line.duration_ms} ms`, { class: "took" }),
  );
  const texts = Object.entries(line.parameters).map(([name, value]) => `${name}: ${[value].flat().join(", ")}`);
  if (line.error !== null) texts.push("", `error ${line.error.code}: ${line.error.message}`);
  if (line.answer) texts.push("", line.answer);
  details.append(summary, make("pre", texts.join("\n") || "no parameters"));
  row.append(details);
  return row;
}

function showLog() {
  const { kind, mine } = byId("filter").elements;
  const shown = logLines.filter((line) =>
    (kind.value === "" || line.kind === kind.value || (kind.value === "error" && line.error !== null))
    && (!mine.checked || line.call_sid === phone.sid));
  showRows(byId("log"), shown.reverse(), (line) => line.number, logRow);
}

// -- the stream

/** Shows everything before the browser next paints, however much has come. */
let isShowing = false;
function show() {
  if (isShowing) return;
  isShowing = true;
  requestAnimationFrame(() => {
    isShowing = false;
    showNetwork();
    showPhone();
    showLog();
  });
}

const by = (key, rows) => new Map(rows.map((row) => [row[key], row]));

/** What each event of the stream changes; all carry the whole of what they are about. */
const NEWS = {
  state(state) {
    network.calls = by("sid", state.calls);
    network.conferences = by("sid", state.conferences);
    network.queues = by("sid", state.queues);
    network.endpoints = by("address", state.endpoints);
    network.numbers = by("phone_number", state.numbers);
    logLines = state.log;
    if (phone.sid !== null) findPhone();
  },
  call(call) {
    const known = network.calls.get(call.sid);
    const whole = { ...call, heard: known?.heard ?? [] };
    if (isOver(call)) network.calls.delete(call.sid);
    else network.calls.set(call.sid, whole);
    if (call.sid === phone.sid) phone.call = { ...whole, heard: phone.call?.heard ?? whole.heard };
  },
  heard({ call_sid: sid, ...sound }) {
    for (const call of new Set([network.calls.get(sid), phone.sid === sid ? phone.call : undefined])) {
      if (call === undefined || call === null) continue;
      call.sounding = sound.number;
      if (!call.heard.some((one) => one.number === sound.number)) call.heard = [...call.heard, sound];
    }
  },
  conference(room) {
    if (room.status === "completed") network.conferences.delete(room.sid);
    else network.conferences.set(room.sid, room);
  },
  queue(queue) {
    if (queue.is_deleted) network.queues.delete(queue.sid);
    else network.queues.set(queue.sid, queue);
  },
  endpoint: (endpoint) => network.endpoints.set(endpoint.address, endpoint),
  number: (number) => network.numbers.set(number.phone_number, number),
  log(line) {
    logLines = [...logLines, line].slice(-LOG_LINES);
  },
};

/** The call on this telephone may have ended while the connection was lost. */
async function findPhone() {
  const { sid } = phone;
  try {
    const found = network.calls.get(sid) ?? await ask(`/simulator/calls/${sid}`);
    if (phone.sid === sid) phone.call = found;
  } catch {
    take(null); // the simulator has forgotten it
  }
  show();
}

function connect() {
  const stream = new EventSource(`/simulator/stream?log=${LOG_LINES}`);
  for (const [kind, change] of Object.entries(NEWS)) {
    stream.addEventListener(kind, (event) => {
      change(JSON.parse(event.data));
      show();
    });
  }
  const say = (text, tone) => {
    set(byId("connection"), text);
    byId("connection").dataset.tone = tone;
  };
  stream.addEventListener("open", () => say("connected", "good"));
  stream.addEventListener("error", () => {
    say("not reachable", "bad");
    if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 2000); // it was refused
  });
}

// -- what can be pressed

for (const key of KEYS) {
  const button = make("button", key, { type: "button", "aria-label": `Key ${key}` });
  button.addEventListener("click", () => press(key));
  byId("keypad").append(button);
}

byId("telephone").addEventListener("keydown", (event) => {
  const typing = event.target.matches("input");
  if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey && KEYS.includes(event.key)
    && phone.call?.status === "in-progress") press(event.key);
});

byId("dial").addEventListener("submit", (event) => {
  event.preventDefault();
  const { from, to } = byId("dial").elements;
  act(async () => {
    const order = { from: from.value.trim(), to: to.value.trim() };
    take((await ask("/simulator/calls", "POST", order)).sid);
    if (phone.call === null) await findPhone(); // where it was over at once
  });
});

byId("speak").addEventListener("submit", (event) => {
  event.preventDefault();
  const { text } = byId("speak").elements;
  if (text.value.trim() === "") return;
  act(async () => {
    await ask(`/simulator/calls/${phone.sid}/say`, "POST", { text: text.value });
    remember(text.value);
    text.value = "";
  });
});

byId("endpoint").addEventListener("submit", (event) => {
  event.preventDefault();
  const { address, on_ring: onRing, delay_seconds: delay } = byId("endpoint").elements;
  setEndpoint(address.value.trim(), onRing.value, delay.value === "" ? null : Number(delay.value))
    .then(() => { if (byId("problem").hidden) address.value = ""; });
});

byId("hang-up").addEventListener("click", () => hangUp(phone.sid));
byId("sound").addEventListener("change", (event) => {
  loudspeaker.switchOn(event.target.checked);
  show();
});
byId("filter").addEventListener("change", showLog);
showPhone();
connect();
