// The courier's own file: what was complained of about his parcels, what the
// records say for and against, and who has looked. It is what his manager sees;
// the consumer's words are not in it.
import { ask, Later } from "./api.js";
import { el, icon } from "./draw.js";
import * as outbox from "./outbox.js";
import { both, end, moment, text } from "./words.js";

// read asks for something and keeps it, so that it can be read without a network.
async function read(path) {
  try {
    const got = await ask("GET", path);
    await outbox.keep(path, got);
    return got;
  } catch (err) {
    const known = err instanceof Later && await outbox.kept(path);
    if (known) return known;
    throw err;
  }
}

const failed = (err) => el("p", { class: "banner warn" }, err.problem?.title ?? text("courier.needs_network"));
const none = (words) => el("p", { class: "hint" }, words);

// logSeen says when the log was last found to be the one that the phone knows.
export const logSeen = (log) => log && !log.other
  ? [icon("tick"), " ", text("courier.log_grown", { n: log.size, time: moment(log.at) })] : [];

const head = (title) => el("h1", { tabindex: "-1" }, title);

export async function drawFile(place) {
  place.replaceChildren(head(text("courier.file")), none(text("courier.loading")));
  try {
    const [cases, notices, log] = await Promise.all([read("/v1/complaints?limit=50"), read("/v1/notices?limit=20"), outbox.kept("witness")]);
    place.replaceChildren(
      head(text("courier.file")),
      el("p", { class: "lead" }, text("courier.file_lead")),
      el("p", { class: "hint", id: "log-seen" }, ...logSeen(log)),
      el("section", {}, el("h2", {}, text("courier.cases")), cases.items.length === 0 ? none(text("courier.no_cases"))
        : el("ul", { class: "cards" }, cases.items.map(caseCard))),
      el("section", {}, el("h2", {}, text("courier.notices")), notices.items.length === 0 ? none(text("courier.no_notices"))
        : el("ul", { class: "ledger" }, notices.items.map(noticeRow))),
    );
  } catch (err) {
    place.replaceChildren(head(text("courier.file")), failed(err));
  }
}

const caseCard = (c) => el("li", { class: "card" },
  el("h3", {}, el("a", { href: `#case/${c.id}` }, `${text(`category.${c.category}`)} …${end(c.waybill)}`)),
  el("p", { class: "hint" }, text("courier.case_filed", { time: moment(c.filed_at), due: moment(c.clocks.promise.due_at) })),
  el("p", { class: "chip-state" }, text(`status.${c.status}`)));

const noticeRow = (n) => el("li", {}, el("div", {},
  el("a", { href: `#case/${n.complaint_id}` }, text("courier.notice", { percent: n.percent, clock: text(`clock.${n.clock}`) })),
  el("span", { class: "hint" }, text("courier.notice_due", { due: moment(n.due_at) }))));

const accessRow = (a) => el("li", {}, el("div", {},
  el("strong", {}, text("courier.access", { who: a.by || text("courier.somebody") })),
  el("span", { class: "hint" }, moment(a.at))));

export async function drawCase(place, id) {
  const back = el("a", { class: "back", href: "#file" }, icon("back"), text("courier.file"));
  place.replaceChildren(back, head(text("courier.case")), none(text("courier.loading")));
  try {
    const [f, accesses] = await Promise.all([
      read(`/v1/complaints/${encodeURIComponent(id)}/evidence`), read(`/v1/access-log?complaint_id=${encodeURIComponent(id)}&limit=20`),
    ]);
    const side = (title, look, facts) => el("section", {}, el("h2", {}, title), facts.length === 0 ? none(text("courier.no_facts"))
      : el("ul", { class: "facts" }, facts.map((fact) => el("li", { class: look }, icon(look === "let" ? "tick" : look === "ban" ? "stop" : "note"), el("span", {}, both(fact.text))))));
    place.replaceChildren(back,
      head(`${text(`category.${f.case.category}`)} …${end(f.case.waybill)}`),
      el("p", { class: "lead" }, text("courier.case_lead", { time: moment(f.case.filed_at), percent: f.completeness })),
      side(text("courier.for_me"), "let", f.supports.courier),
      side(text("courier.against_me"), "ban", f.supports.consumer),
      side(text("courier.missing"), "ask", f.missing),
      el("section", {}, el("h2", {}, text("courier.happened")), el("ol", { class: "ledger" }, f.timeline.map((e) => el("li", {}, el("div", {},
        el("strong", {}, both(e.text)),
        el("span", { class: "hint" }, [moment(e.occurred_at), text(`source.${e.source ?? "none"}`), e.late && text("courier.late")].filter(Boolean).join(" · "))))))),
      el("section", {}, el("h2", {}, text("courier.accesses")), accesses.items.length === 0 ? none(text("courier.no_accesses"))
        : el("ul", { class: "ledger" }, accesses.items.map(accessRow))));
  } catch (err) {
    place.replaceChildren(back, head(text("courier.case")), failed(err));
  }
}
