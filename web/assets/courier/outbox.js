// The outbox: what the courier did, kept on the phone until the server has it.
// An item is written before anything else happens, and leaves only by a verdict
// or by the courier's own hand.
//
// An item is { id, kind, waybill, at, state, ... }. Its id goes to the server with
// it, so that an item sent twice counts once. States: "open" (its outcome is not
// said yet), "waiting", "sent" and "refused" (with the server's problem).
import { openDB } from "../vendor/idb.js";

export const undoFor = 10_000; // ms in which a slip can be taken back before it is sent
const keepSent = 24 * 60 * 60_000; // ms

export const changes = new EventTarget();

let db;

// open opens one courier's outbox: whoever shares the phone has another.
export async function open(account) {
  db = await openDB(`doorstep ${account}`, 1, {
    upgrade(made) {
      made.createObjectStore("items", { keyPath: "id" });
      made.createObjectStore("kept"); // what was read: the run and the file
    },
  });
  navigator.storage?.persist?.(); // ask the browser not to clear it
  const old = Date.now() - keepSent;
  for (const item of await items()) if (item.state === "sent" && item.at < old) await db.delete("items", item.id);
}

export const keep = (key, value) => db.put("kept", value, key);
export const kept = (key) => db.get("kept", key);

// forget takes all from the phone, for whoever signs out.
export async function forget() {
  for (const name of db.objectStoreNames) await db.clear(name);
}

// items are all, the oldest first.
export async function items() {
  return (await db.getAll("items")).sort((a, b) => a.at - b.at);
}

const tabs = new BroadcastChannel("doorstep outbox"); // one tab sends for all
const tell = () => changes.dispatchEvent(new Event("change"));
tabs.addEventListener("message", tell);

function changed() {
  tell();
  tabs.postMessage("change");
}

// add keeps items, all or none. One that is there already stays as it is.
export async function add(...items) {
  const entries = items.map((item) => ({ id: crypto.randomUUID(), at: Date.now(), state: "waiting", sendAfter: 0, ...item }));
  const tx = db.transaction("items", "readwrite", { durability: "strict" });
  for (const entry of entries) if (!(await tx.store.get(entry.id))) await tx.store.add(entry);
  await tx.done;
  changed();
  return entries[0];
}

// amend changes an item as long as it can be taken back. False if it cannot.
export async function amend(id, change) {
  const tx = db.transaction("items", "readwrite", { durability: "strict" });
  const item = await tx.store.get(id);
  const goes = item && (item.state === "open" || (item.state === "waiting" && item.sendAfter > Date.now()));
  if (goes) await tx.store.put({ ...item, ...change(item) });
  await tx.done;
  changed();
  return goes;
}

// settle writes down what the server said of an item.
export async function settle(id, state, problem) {
  const tx = db.transaction("items", "readwrite");
  const item = await tx.store.get(id);
  if (item) await tx.store.put({ ...item, state, problem, settledAt: Date.now() });
  await tx.done;
  changed();
}

// again puts a refused item back among those that wait.
export async function again(id) {
  const tx = db.transaction("items", "readwrite");
  const item = await tx.store.get(id);
  if (item?.state === "refused") await tx.store.put({ ...item, state: "waiting", sendAfter: 0 });
  await tx.done;
  changed();
}

// drop takes an item back, with the photo that came with it. False if it may be
// on its way: after undoFor, what happened happened.
export async function drop(id) {
  const tx = db.transaction("items", "readwrite");
  const item = await tx.store.get(id);
  const goes = item && (item.state === "open" || item.state === "refused" || (item.state === "waiting" && item.sendAfter > Date.now()));
  if (goes) {
    for (const other of await tx.store.getAll()) if (other.declaredBy === id) tx.store.delete(other.id);
    tx.store.delete(id);
  }
  await tx.done;
  changed();
  return goes;
}

// due are the items that may go now, the oldest first. A photo goes after the
// record that declares it, and waits with it if that was refused.
export const due = (all) => {
  const held = new Set(all.filter((i) => i.state !== "sent").map((i) => i.id));
  return all.filter((i) => i.state === "waiting" && i.sendAfter <= Date.now() && !held.has(i.declaredBy));
};

// unsent are the items that count as the courier's unsent work. That an
// instruction was on the screen is no work of his; a photo of what was refused
// goes nowhere before he says what is to become of that.
export const unsent = (all) => {
  const refused = new Set(all.filter((i) => i.state === "refused").map((i) => i.id));
  return all.filter((i) => (i.state === "waiting" || i.state === "open") && i.body?.event !== "shown" && !refused.has(i.declaredBy));
};
