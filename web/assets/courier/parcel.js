// One parcel: what is wanted at its door, and what the courier does there.
import { ask } from "./api.js";
import { button, chips, el, icon } from "./draw.js";
import * as outbox from "./outbox.js";
import { call, message } from "./phone.js";
import { states } from "./run.js";
import { record, sheet } from "./sheet.js";
import { end, moment, text } from "./words.js";

const needsCode = ["locker", "pickup_point"];
const correctable = 10 * 60_000; // ms after a sign-for has reached the server
const fixWait = 6000; // ms, shorter than the time to take it back

const methods = readList("methods");
const reasons = readList("reasons");

function readList(name) {
  return document.getElementById("app").dataset[name].split(" ");
}

// drawParcel gives a parcel's page. Stop is what the run says of it, items what
// the phone keeps about it.
export function drawParcel(stop, items) {
  const { waybill } = stop;
  const signing = items.findLast((i) => i.kind === "sign_for" && i.state === "sent");
  const refused = items.findLast((i) => i.state === "refused" && i.kind === "sign_for");
  return [
    el("a", { class: "back", href: "#run" }, icon("back"), text("courier.run")),
    el("h1", { tabindex: "-1" }, el("span", { class: "eyebrow" }, text("courier.parcel")), ` …${end(waybill)}`),
    el("p", { class: "code whole" }, waybill),
    stop.do_first !== "none" && el("p", { class: "first" }, icon(stop.do_first === "call" ? "phone" : "message"), text(`courier.first_${stop.do_first}`)),
    stop.instructions.length > 0 && chips(stop.instructions),
    stop.instructions.length > 0 && judge(stop, items),
    stop.note && el("blockquote", {}, stop.note),
    states(stop),
    refused && !stop.signed && gate(stop, refused.problem),
    el("div", { class: "reach" },
      el("div", { class: "pair" },
        button(text("courier.call"), "quiet", () => call(waybill), icon("phone")),
        button(text("courier.message"), "quiet", () => message(waybill), icon("message"))),
      !stop.signed && el("div", { class: "pair" },
        button(text("courier.attempt"), "quiet", () => attempt(stop), icon("return")),
        button(text("courier.sign"), "", () => sign(stop), icon("tick"))),
      stop.signed && signing && Date.now() - signing.settledAt < correctable &&
        button(text("courier.correct"), "quiet wide", () => correct(stop), icon("return"))),
    items.some((i) => i.body?.event !== "shown") && el("section", {}, el("h2", {}, text("courier.did")), ledger(items)),
  ].filter(Boolean);
}

let judged; // the waybill whose instructions the courier judges

// judge asks whether the instructions are right for this door: who stands there
// knows it best. His last word counts.
function judge(stop, items) {
  const verdict = (tag) => items.findLast((i) => i.kind === "feedback" && i.tag === tag && i.state !== "refused")?.body.verdict;
  return el("details", { class: "judge", open: judged === stop.waybill, on: { toggle: (e) => { judged = e.target.open ? stop.waybill : undefined; } } },
    el("summary", {}, text("courier.judge")),
    el("ul", { class: "ledger" }, stop.instructions.map(({ tag, text: words }) => el("li", {},
      el("strong", {}, words),
      el("div", { class: "pair" }, ["right", "wrong"].map((said) => {
        const made = button(text(`courier.judge_${said}`), "quiet small", () => record(
          { kind: "feedback", what: "feedback", waybill: stop.waybill, tag, words: `${words}: ${text(`courier.judge_${said}`)}`, body: { verdict: said } },
          text("courier.done", { what: text(`courier.judge_${said}`), end: end(stop.waybill) })), verdict(tag) === said && icon("tick"));
        made.setAttribute("aria-pressed", String(verdict(tag) === said));
        made.setAttribute("aria-label", `${text(`courier.judge_${said}`)}: ${words}`);
        return made;
      }))))));
}

// correct takes a sign-for back: nothing was handed over, or otherwise, and then it
// is signed for again.
function correct(stop) {
  sheet(text("courier.correct_title", { end: end(stop.waybill) }), (close) => {
    const reason = el("input", { type: "text", maxlength: "500", required: true, autocomplete: "off" });
    return [el("p", { class: "lead" }, text("courier.correct_lead")), el("form", {
      on: {
        submit: async (e) => {
          e.preventDefault();
          close();
          const id = crypto.randomUUID();
          await record({ id, kind: "correction", what: "correction", waybill: stop.waybill, words: reason.value, body: { withdraw: true, reason: reason.value, client_id: id } },
            text("courier.done", { what: text("courier.kind_correction"), end: end(stop.waybill) }));
        },
      },
    }, el("label", { class: "field" }, text("courier.why"), reason), el("button", { class: "wide" }, text("courier.correct")))];
  });
}

// gate explains a refused sign-for and offers what to do next, in the server's
// order. What it cannot do itself it only says.
function gate(stop, problem) {
  const steps = {
    photo: () => sign(stop, problem.missing?.[0]?.method),
    pickup_code: () => sign(stop, problem.missing?.[0]?.method),
    call: () => call(stop.waybill),
    pre_contact: () => askConsignee(stop.waybill),
    return: () => attempt(stop, "no_consent"),
  };
  return el("div", { class: "card gate", role: "group", "aria-label": problem.title },
    el("h2", {}, icon("stop"), problem.title),
    (problem.missing ?? []).map((m) => el("p", {}, m.text)),
    el("div", { class: "choices" }, (problem.next_steps ?? []).map(({ step, text: words }) =>
      steps[step] ? button(words, "quiet wide", steps[step]) : el("p", { class: "hint" }, words))));
}

// askConsignee sends the link by which the consignee chooses. It needs a network:
// a question that waits on the phone helps nobody at the door.
async function askConsignee(waybill) {
  let words;
  try {
    const { sent_at } = await ask("POST", `/v1/parcels/${encodeURIComponent(waybill)}/pre-contact`);
    words = text("courier.asked", { time: moment(sent_at) });
  } catch (err) {
    words = err.problem?.title ?? text("courier.needs_network");
  }
  sheet(text("courier.ask_consignee"), () => [el("p", { class: "lead" }, words)]);
}

function sign(stop, chosen) {
  sheet(text("courier.sign_title", { end: end(stop.waybill) }), (close) => {
    const facility = el("input", { type: "text", maxlength: "200", autocomplete: "off" });
    const code = el("input", { type: "checkbox" });
    const photo = photoField();
    const where = el("div", { hidden: true },
      el("label", { class: "field" }, text("courier.facility"), facility),
      el("label", { class: "switch" }, code, text("courier.code_issued")));
    const choice = (method) => el("label", { class: "choice" },
      el("input", { type: "radio", name: "method", value: method, required: true, checked: method === chosen }),
      el("span", {}, text(`courier.method_${method}`)));
    const form = el("form", {
      on: {
        change: () => { where.hidden = !needsCode.includes(form.elements.method.value); },
        submit: async (e) => {
          e.preventDefault();
          const method = form.elements.method.value;
          const body = { method };
          if (!where.hidden && facility.value.trim()) body.facility = facility.value.trim();
          if (!where.hidden && code.checked) body.pickup_code_issued = true;
          close();
          await happened("sign_for", stop, body, photo.files[0], text(`courier.method_${method}`));
        },
      },
    }, el("fieldset", { class: "choices" }, el("legend", { class: "sr" }, text("courier.how")), methods.map(choice)),
      where, photo.label,
      el("button", { class: "wide" }, text("courier.sign")));
    where.hidden = !needsCode.includes(chosen);
    return [el("p", { class: "lead" }, text("courier.gate")), form];
  });
}

function attempt(stop, chosen) {
  sheet(text("courier.attempt_title", { end: end(stop.waybill) }), (close) => {
    const photo = photoField();
    const form = el("form", {
      on: {
        submit: async (e) => {
          e.preventDefault();
          const reason = form.elements.reason.value;
          close();
          await happened("attempt", stop, { outcome: outcomeOf(reason), reason }, photo.files[0], text(`attempt.${reason}`));
        },
      },
    }, el("fieldset", { class: "choices" }, el("legend", { class: "sr" }, text("courier.why")), reasons.map((reason) => el("label", { class: "choice" },
      el("input", { type: "radio", name: "reason", value: reason, required: true, checked: reason === chosen }),
      el("span", {}, text(`attempt.${reason}`))))),
      photo.label, el("button", { class: "wide" }, text("courier.attempt_keep")));
    return [form];
  });
}

// outcomeOf is what a reason says of the attempt.
const outcomeOf = (reason) => ({ refused_parcel: "refused", asked_for_another_time: "postponed" })[reason] ?? "failed";

function photoField() {
  const input = el("input", { type: "file", accept: "image/*", capture: "environment" });
  return { label: el("label", { class: "field" }, text("courier.photo"), input), get files() { return input.files; } };
}

// happened keeps a sign-for or an attempt with its photo. Where the courier stands
// is added if the phone knows it before it is sent.
async function happened(kind, stop, body, file, words) {
  const id = crypto.randomUUID();
  const photo = file && await (await import("./photo.js")).prepare(file);
  const full = { ...body, client_id: id, at: new Date().toISOString(), ...(photo && { photo_sha256: photo.sha256 }) };
  const item = { id, kind, what: kind, waybill: stop.waybill, words, body: full };
  if (photo) await outbox.add({ kind: "photo", what: "photo", waybill: stop.waybill, at: Date.now() + 1, declaredBy: id, ...photo });
  await record(item, text("courier.done", { what: words, end: end(stop.waybill) }));
  navigator.geolocation?.getCurrentPosition(({ coords: { latitude: lat, longitude: lng, accuracy } }) =>
    outbox.amend(id, (now) => ({ body: { ...now.body, location: { lat, lng, accuracy_m: Math.ceil(accuracy) } } })),
  () => {}, { enableHighAccuracy: true, timeout: fixWait, maximumAge: 30_000 });
}

const marks = { open: ["soon", "ask"], waiting: ["soon", "clock"], sent: ["fine", "tick"], refused: ["late", "stop"] };

// ledger lists items, the newest first, each with what became of it.
export function ledger(items, named = false) {
  return el("ul", { class: "ledger" }, items.filter((i) => i.body?.event !== "shown").toReversed().map((item) => {
    const [look, sign] = marks[item.state];
    return el("li", {},
      el("div", {}, el("strong", {}, wordsOf(item)), el("span", { class: "hint" }, named ? `…${end(item.waybill)} · ` : "", moment(item.at))),
      el("span", { class: `chip-state ${look}` }, icon(sign), text(`courier.state_${item.state}`)),
      item.state === "refused" && el("p", { class: "why" }, item.problem.title),
      item.state === "refused" && el("div", { class: "pair" },
        button(text("courier.again"), "quiet small", () => outbox.again(item.id)),
        button(text("courier.dismiss"), "quiet small", () => outbox.drop(item.id))));
  }));
}

function wordsOf(item) {
  if (item.words) return `${text(`courier.kind_${item.what}`)}: ${item.words}`;
  if (item.body?.outcome) return text(`courier.${item.what}_${item.body.outcome}`);
  return text(`courier.kind_${item.what}`);
}
