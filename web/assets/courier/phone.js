// Calls and messages. A page cannot see whether anybody answered, so it keeps
// that the courier called before it opens the dialler, and asks how it went when
// he is back, however long that takes.
import { ask } from "./api.js";
import { button, el, icon } from "./draw.js";
import * as outbox from "./outbox.js";
import { offerUndo, sheet } from "./sheet.js";
import { end, text } from "./words.js";

const outcomes = {
  call: ["answered", "no_answer", "busy", "rejected", "failed"],
  message: ["sent", "failed"],
};

const numberWait = 4000; // ms: nobody stands at a door for longer

// call keeps the call, then dials the masked number where there is one. Without
// one, or without a network, the courier dials what is on the label.
export async function call(waybill) {
  const item = await outbox.add(opened("call", waybill, { outcome: "" }));
  let number = "";
  try {
    ({ number } = await ask("POST", `/v1/parcels/${encodeURIComponent(waybill)}/calls`, { headers: { "Idempotency-Key": item.id }, wait: numberWait }));
  } catch {
    // the sheet says what to do
  }
  if (number) location.href = `tel:${number}`;
  askOutcome(item, number ? text("courier.call_masked") : text("courier.call_label"), number ? null : "tel:");
}

// message keeps the message, then leads to the phone's own app.
export async function message(waybill) {
  const item = await outbox.add(opened("message", waybill, { channel: "sms", outcome: "" }));
  askOutcome(item, text("courier.message_label"), "sms:");
}

function opened(kind, waybill, fields) {
  const id = crypto.randomUUID();
  return { id, kind: "evidence", what: kind, waybill, state: "open", body: { id, kind, waybill, occurred_at: new Date().toISOString(), ...fields } };
}

// askOpen asks about the oldest call or message whose outcome nobody said.
export async function askOpen() {
  if (document.querySelector("dialog[open]")) return;
  const open = (await outbox.items()).find((i) => i.state === "open");
  if (open) askOutcome(open, "");
}

function askOutcome(item, hint, app) {
  sheet(text(`courier.how_${item.what}`, { end: end(item.waybill) }), (close) => [
    hint && el("p", { class: "lead" }, hint),
    app && el("a", { class: "button quiet wide", href: app }, icon(item.what === "call" ? "phone" : "message"), text(`courier.open_${item.what}`)),
    el("div", { class: "choices" }, outcomes[item.what].map((outcome) => button(text(`courier.${item.what}_${outcome}`), "quiet wide", () => {
      close();
      say(item, outcome);
    }))),
    button(text(`courier.no_${item.what}`), "danger wide", () => {
      close();
      outbox.drop(item.id);
    }),
  ].filter(Boolean));
}

async function say(item, outcome) {
  const sendAfter = Date.now() + outbox.undoFor;
  await outbox.amend(item.id, (now) => ({ state: "waiting", sendAfter, body: { ...now.body, outcome } }));
  offerUndo({ ...item, sendAfter }, text("courier.done", { what: text(`courier.${item.what}_${outcome}`), end: end(item.waybill) }));
}
