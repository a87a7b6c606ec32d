// What rings: the stream while the page is in front, Web Push while it is not.
import { ask, Refusal } from "./api.js";
import * as outbox from "./outbox.js";
import { lang } from "./words.js";

let source;
let after = 0; // the last alert's place in the inbox

async function installID() {
  let id = await outbox.kept("install");
  if (!id) await outbox.keep("install", id = crypto.randomUUID());
  return id;
}

// listen follows the inbox while the page is in front, and tells of each alert.
export async function listen(heard) {
  const id = await installID();
  after = (await outbox.kept("after")) ?? 0;
  const follow = () => {
    source?.close();
    source = null;
    if (document.hidden) return;
    source = new EventSource(`/v1/me/alerts/stream?after=${after}&install_id=${id}`); // returns by itself
    source.addEventListener("alert", (e) => {
      after = Number(e.lastEventId);
      outbox.keep("after", after);
      heard();
    });
  };
  addEventListener("visibilitychange", follow);
  addEventListener("online", follow);
  follow();
}

// canRing says whether this phone could ring and does not yet.
export async function canRing() {
  if (!("PushManager" in window) || Notification.permission !== "default") return false;
  return ask("GET", "/v1/push/webpush-key").then(() => true, () => false);
}

// ring has the phone rung: by a tap only, for browsers ask their owner.
export async function ring() {
  if (await Notification.requestPermission() === "granted") await register();
}

// register tells the server where this browser is rung, also when that changed.
export async function register() {
  if (!("PushManager" in window) || Notification.permission !== "granted") return;
  try {
    const { key } = await ask("GET", "/v1/push/webpush-key");
    const worker = await navigator.serviceWorker.ready;
    const subscription = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    await ask("PUT", `/v1/me/devices/${await installID()}`, { body: { provider: "webpush", address: JSON.stringify(subscription), locale: lang } });
  } catch (err) {
    if (!(err instanceof Refusal)) console.warn("push:", err.name); // without it the stream and the run remain
  }
}

// leave takes this phone off the list, for whoever signs out.
export async function leave() {
  source?.close();
  const worker = await navigator.serviceWorker?.getRegistration();
  const subscription = await worker?.pushManager?.getSubscription();
  await subscription?.unsubscribe();
  if (subscription) await ask("DELETE", `/v1/me/devices/${await installID()}`).catch(() => {}); // its address is dead
}
