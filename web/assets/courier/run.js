// Today's run: as the server last told it, with what the courier has done since.
import { ask } from "./api.js";
import { button, chips, el, icon } from "./draw.js";
import * as outbox from "./outbox.js";
import { end, lang, text } from "./words.js";

let run = { items: [], version: "" }; // as the server told it, in one language

// load shows what the phone knows before anybody is asked.
export async function load() {
  const known = await outbox.kept("run");
  if (known) run = known;
}

// refresh asks for the run, and says whether it is another.
export async function refresh() {
  const headers = run.version && run.lang === lang ? { "If-None-Match": `"${run.version}"` } : {};
  const got = await ask("GET", "/v1/me/run", { headers });
  if (!got) return false;
  run = { ...got, lang, at: Date.now() };
  await outbox.keep("run", run);
  return true;
}

// firstWaybill names a parcel of the run; undefined if there is none.
export const firstWaybill = () => run.items[0]?.waybill;

// stops are the parcels of the run as they stand: what waits on the phone counts
// as done, what the server refused does not.
async function stops() {
  const done = (await outbox.items()).filter((i) => i.state !== "refused" && i.state !== "open");
  const list = run.items.map((stop) => {
    const mine = done.filter((i) => i.waybill === stop.waybill);
    const since = mine.filter((i) => i.state === "waiting" || i.settledAt > run.at); // the server's word does not know of it
    const hand = since.findLast((i) => i.kind === "sign_for" || i.kind === "correction");
    return {
      ...stop,
      acked: stop.acked || mine.some((i) => i.id === `acknowledged ${stop.alert_id}`),
      signed: hand ? hand.kind === "sign_for" : stop.signed,
      attempts: (stop.attempts ?? 0) + since.filter((i) => i.kind === "attempt").length,
    };
  });
  return list.sort((a, b) => Boolean(a.signed) - Boolean(b.signed));
}

// receipt is that an alert was shown or acknowledged: once each, by its id.
function receipt(stop, event) {
  return {
    id: `${event} ${stop.alert_id}`, kind: "receipt", what: event, waybill: stop.waybill,
    body: { alert_id: stop.alert_id, event, at: new Date().toISOString() },
  };
}

export async function drawRun(place) {
  const list = await stops();
  const special = list.filter((s) => s.instructions.length > 0 || s.note);
  const others = list.filter((s) => !special.includes(s));
  const unread = special.filter((s) => s.alert_id && !s.acked && !s.signed);
  place.replaceChildren(...[
    el("h1", { tabindex: "-1" }, text("courier.title")),
    el("p", { class: "lead" }, run.at ? text("courier.counts", { n: list.length, special: special.length, done: list.filter((s) => s.signed).length }) : text("courier.loading")),
    run.at && list.length === 0 && el("p", { class: "banner" }, text("courier.nothing")),
    special.length > 0 && el("ul", { class: "cards stops" }, special.map(card)),
    others.length > 0 && el("section", {}, el("h2", {}, text("courier.others")), el("ul", { class: "rows" }, others.map(row))),
    unread.length > 0 && el("div", { class: "reach" }, button(text("courier.understand", { n: unread.length }), "wide", async () => {
      await outbox.add(...unread.map((stop) => receipt(stop, "acknowledged")));
    }, icon("tick"))),
  ].filter(Boolean));
  if (document.hidden) return;
  const fresh = unread.filter((stop) => !shown.has(stop.alert_id));
  for (const stop of fresh) shown.add(stop.alert_id);
  if (fresh.length > 0) await outbox.add(...fresh.map((stop) => receipt(stop, "shown")));
}

const shown = new Set(); // alerts, while the page is open

function card(stop) {
  return el("li", { class: stop.signed ? "card done" : "card" },
    el("h2", {}, el("a", { href: `#parcel/${stop.waybill}` }, `…${end(stop.waybill)}`)),
    stop.do_first !== "none" && !stop.signed && el("p", { class: "first" }, icon(stop.do_first === "call" ? "phone" : "message"), text(`courier.first_${stop.do_first}`)),
    chips(stop.instructions),
    stop.note && el("blockquote", {}, stop.note),
    states(stop));
}

function row(stop) {
  return el("li", {}, el("a", { href: `#parcel/${stop.waybill}` }, el("span", {}, `…${end(stop.waybill)}`), states(stop), icon("forward")));
}

// states are what is known of a parcel, in words.
export function states(stop) {
  const known = [
    stop.alert_id && stop.acked && ["fine", "tick", text("courier.understood")],
    stop.attempts > 0 && ["soon", "return", text("courier.attempts", { n: stop.attempts })],
    stop.signed && ["fine", "tick", text("courier.signed")],
  ].filter(Boolean);
  return known.length > 0 && el("ul", { class: "chips" }, known.map(([look, sign, words]) => el("li", { class: `chip-state ${look}` }, icon(sign), words)));
}

export async function drawStop(place, waybill) {
  const { drawParcel } = await import("./parcel.js");
  const stop = (await stops()).find((s) => s.waybill === waybill);
  const items = (await outbox.items()).filter((i) => i.waybill === waybill);
  place.replaceChildren(...(stop ? drawParcel(stop, items) : [
    el("a", { class: "back", href: "#run" }, icon("back"), text("courier.run")),
    el("h1", { tabindex: "-1" }, text("courier.not_in_run")),
  ]));
}
