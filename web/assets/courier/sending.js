// Sending: the outbox goes to the server in order, as soon as there is one to
// hear it. One tab sends at a time.
import { ask, Later, Refusal, SignedOut } from "./api.js";
import * as outbox from "./outbox.js";

const every = 15_000; // ms between tries while the page is open
const mostRecords = 100; // of one request

export const news = new EventTarget(); // "sent", "signed-out"

// batches are the requests that take many items, by the items' kind.
const batches = {
  receipt: ["/v1/me/alerts/receipts", "receipts"],
  evidence: ["/v1/me/evidence", "records"],
};

const post = (item, what) => ask("POST", `/v1/parcels/${encodeURIComponent(item.waybill)}/${what}`, { body: item.body, headers: { "Idempotency-Key": item.id } });

const singles = {
  sign_for: (item) => post(item, "sign-for"),
  correction: (item) => post(item, "sign-for/correction"),
  attempt: (item) => post(item, "attempts"),
  feedback: (item) => post(item, `tags/${item.tag}/feedback`),
  photo: (item) => ask("PUT", `/v1/photos/${item.sha256}`, { body: item.blob, type: item.blob.type, wait: 60_000 }),
};

// next are the items to send together: the oldest that may go, and those of its
// kind that follow it.
async function next() {
  const due = outbox.due(await outbox.items());
  if (due.length === 0 || !batches[due[0].kind]) return due.slice(0, 1);
  const others = due.findIndex((i) => i.kind !== due[0].kind);
  return due.slice(0, Math.min(others < 0 ? due.length : others, mostRecords));
}

async function send(list) {
  const batch = batches[list[0].kind];
  if (!batch) {
    await singles[list[0].kind](list[0]);
    return outbox.settle(list[0].id, "sent");
  }
  const [path, name] = batch;
  const { results } = await ask("POST", path, { body: { [name]: list.map((i) => i.body) } });
  for (const [i, verdict] of results.entries())
    await outbox.settle(list[i].id, verdict.status === "rejected" ? "refused" : "sent", verdict.problem);
}

async function sendAll() {
  let any = false;
  for (;;) {
    const list = await next();
    if (list.length === 0) break;
    try {
      await send(list);
    } catch (err) {
      if (err instanceof SignedOut) news.dispatchEvent(new Event("signed-out"));
      if (err instanceof Later) break;
      if (!(err instanceof Refusal)) throw err;
      for (const item of list) await outbox.settle(item.id, "refused", err.problem);
    }
    any = true;
  }
  if (any) news.dispatchEvent(new Event("sent"));
}

// flush sends what may go. Whoever comes while it runs has it run again.
export const flush = () => navigator.locks.request("doorstep outbox", sendAll);

// begin keeps on trying: when the network returns, when the page does, by the
// clock, and when an item may no longer be taken back.
export function begin() {
  let timer;
  const plan = async () => {
    const waits = (await outbox.items()).filter((i) => i.state === "waiting").map((i) => i.sendAfter - Date.now());
    clearTimeout(timer);
    if (waits.length > 0) timer = setTimeout(flush, Math.max(0, Math.min(...waits, every)));
  };
  addEventListener("online", flush);
  addEventListener("visibilitychange", () => { if (!document.hidden) flush(); });
  outbox.changes.addEventListener("change", plan);
  setInterval(flush, every);
  flush();
}
