// The consumer's page: it reads and writes through the public API with the
// token that is the last part of the page's own address. The token goes into no
// other address and into no storage.

const token = location.pathname.split("/").pop();
const lang = document.documentElement.lang;
const main = document.querySelector("main");
const { waybill, scope } = main.dataset; // waybill: empty for a person's link
const texts = JSON.parse(document.getElementById("texts").textContent);
const text = (key) => texts[key] ?? key;
const $ = (selector) => main.querySelector(selector);

class Problem extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// call asks the API and gives the answer's body. What went wrong is thrown as a
// Problem whose message can be shown.
async function call(method, path, body, headers = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        "Accept-Language": lang,
        ...(body ? { "Content-Type": "application/json" } : {}),
        ...headers,
      },
      body: body && JSON.stringify(body),
    });
  } catch {
    throw new Problem(0, text("page.unreachable"));
  }
  if (answer.status === 401) throw new Problem(401, text("page.expired"));
  const content = answer.status === 204 ? null : await answer.json().catch(() => null); // a proxy's answer is no JSON
  if (!answer.ok) throw new Problem(answer.status, content?.title ?? text("page.unreachable"));
  return content;
}

// guarded runs work with its button out of reach, and shows what goes wrong.
async function guarded(button, work) {
  const trouble = $("#trouble");
  trouble.hidden = true;
  if (button) button.disabled = true;
  try {
    await work();
  } catch (err) {
    trouble.textContent = err.message;
    trouble.hidden = false;
    trouble.scrollIntoView({ block: "center" });
  } finally {
    if (button) button.disabled = false;
  }
}

const when = new Intl.DateTimeFormat(lang, { year: "numeric", month: "long", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(lang, { year: "numeric", month: "long", day: "numeric", timeZone: "UTC" });
const list = new Intl.ListFormat(lang, { type: "conjunction" });

// fill puts values into the places of a text: "{date}".
const fill = (key, values) => text(key).replace(/\{(\w+)\}/g, (_, name) => values[name]);
const wishes = (tags) => list.format(tags.map((tag) => text(`wish.${tag}`)));

function draw(template) {
  return document.getElementById(template).content.firstElementChild.cloneNode(true);
}

function empty(parent, key) {
  const item = document.createElement("li");
  item.className = "none";
  item.textContent = text(key);
  parent.append(item);
}

// --- what is known ---

async function showTags() {
  const { tags, learning_enabled } = await call("GET", "/v1/me/tags");
  const own = tags.filter((t) => t.source === "explicit" && t.state === "on" && (t.waybill ?? "") === waybill && !t.address_id);
  for (const box of document.getElementsByName("tag")) box.checked = own.some((t) => t.tag === box.value);
  if (scope !== "person") return;
  $("#learning").checked = learning_enabled;
  const parent = $("#tags");
  parent.replaceChildren(...tags.map(tagItem));
  if (tags.length === 0) empty(parent, "page.nothing_known");
}

function tagItem(t) {
  const item = draw("tag");
  item.dataset.state = t.state;
  item.querySelector("strong").textContent = text(`wish.${t.tag}`);
  item.querySelector(".state").textContent = text(`page.${t.state}`);
  item.querySelector(".why").textContent = [why(t), t.feedback?.text, fades(t), t.seen_by].filter(Boolean).join(" ");
  const actions = item.querySelector(".actions");
  const standing = !t.waybill && !t.address_id; // the API confirms and removes no others here
  const path = `/v1/me/tags/${t.tag}`;
  if (standing && (t.state === "asked" || (t.state === "on" && (t.source === "learned" || isOld(t)))))
    actions.append(action(text("page.confirm"), "POST", `${path}/confirmation`));
  if (standing && t.state !== "off") {
    if (t.source === "learned")
      for (const tag of opposites(t.tag))
        actions.append(action(fill("page.opposite", { wish: text(`wish.${tag}`) }), "POST", `${path}/correction`, { tag }));
    actions.append(action(text("page.remove"), "DELETE", path));
  }
  return item;
}

const isOld = (t) => t.ask_again_at && new Date(t.ask_again_at) <= new Date();

// opposites are those that the boxes below know of.
const opposites = (tag) => Array.from(document.getElementsByName("tag")).find((box) => box.value === tag)?.dataset.opposites.split(" ").filter(Boolean) ?? [];

const fades = (t) => t.state === "on" && t.fades_at && fill("page.fades", { date: day.format(new Date(t.fades_at)) });

function why(t) {
  if (t.waybill) return fill("page.one_parcel", { end: t.waybill.slice(-4) });
  if (t.address_id) return text("page.one_address");
  if (t.state === "off") return text("page.forgotten");
  if (t.source === "explicit") return text(isOld(t) ? "page.ask_again" : "page.said");
  const confidence = t.confidence_text;
  if (t.because.length === 0) return fill("page.guessed", { confidence });
  return fill("page.learned", { reasons: list.format(new Set(t.because.map((b) => b.text))), confidence });
}

function action(label, method, path, body) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = label;
  button.addEventListener("click", () =>
    guarded(button, async () => {
      await call(method, path, body);
      await showTags();
    }));
  return button;
}

$("#learning")?.addEventListener("change", (e) => guarded(e.target, async () => {
  try {
    await call("PUT", "/v1/me/learning", { enabled: e.target.checked });
  } finally {
    await showTags();
  }
}));

// --- what I want ---

$("#preferences").addEventListener("change", (e) => {
  if (!e.target.checked) return;
  for (const opposite of e.target.dataset.opposites.split(" "))
    for (const box of document.getElementsByName("tag")) if (box.value === opposite) box.checked = false;
});

$("#preferences").addEventListener("submit", (e) => {
  e.preventDefault();
  const form = e.target;
  guarded(form.querySelector("button"), async () => {
    const chosen = new FormData(form);
    const body = { tags: chosen.getAll("tag"), note: chosen.get("note").trim() };
    if (waybill) body.waybill = waybill;
    await call("PUT", "/v1/me/preferences", body);
    say(form, text("page.saved"));
    await showTags();
  });
});

function say(form, ...lines) {
  const output = form.querySelector("output");
  output.replaceChildren(...lines.map((line) => {
    const p = document.createElement("p");
    p.textContent = line;
    return p;
  }));
  output.hidden = false;
}

// --- complaints ---

// The key stays until the complaint is in, so that a second try after a lost
// answer is not a second complaint.
let filingKey = null;

$("#complaint").addEventListener("input", () => { filingKey = null; });

$("#complaint").addEventListener("submit", (e) => {
  e.preventDefault();
  const form = e.target;
  guarded(form.querySelector("button"), async () => {
    const said = new FormData(form);
    filingKey ??= Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
    const filing = { waybill: waybill || said.get("waybill").trim(), text: said.get("text") };
    const filed = await call("POST", "/v1/complaints", filing, { "Idempotency-Key": filingKey }).catch((err) => {
      throw err.status === 404 ? new Problem(404, text("page.no_parcel")) : err;
    });
    filingKey = null;
    say(form,
      fill(filed.merged ? "page.merged" : "page.filed", { outlet: filed.outlet.name || filed.outlet.id, category: text(`category.${filed.category}`) }),
      fill("page.promise", { time: when.format(new Date(filed.clocks.promise.due_at)) }),
      filed.learned.length ? fill("page.taught", { wishes: wishes(filed.learned) }) : text("page.nothing_learned"),
      filed.id);
    form.elements.text.value = "";
    await Promise.all([showTags(), showComplaints()]);
  });
});

async function showComplaints() {
  const { items, next_cursor } = await call("GET", "/v1/me/complaints?limit=20");
  const parent = $("#complaints");
  parent.replaceChildren(...items.map(caseItem));
  if (items.length === 0) empty(parent, "page.no_complaints");
  if (next_cursor) empty(parent, "page.too_much");
}

function caseItem(c) {
  const item = draw("case");
  const promise = c.clocks.promise;
  item.dataset.state = promise.state;
  item.querySelector("strong").textContent = `${text(`category.${c.category}`)} …${c.waybill.slice(-4)}`;
  item.querySelector(".state").textContent = text(`status.${c.status}`);
  item.querySelector(".words").textContent = c.text ?? "";
  item.querySelector(".why").textContent =
    fill("page.answer_by", { outlet: c.outlet.name || c.outlet.id, time: when.format(new Date(promise.due_at)) });
  item.querySelector(".id").textContent = c.id;
  return item;
}

// --- how the parcel was handed over ---

async function showDelivery() {
  const { sign_for: signed } = await call("GET", `/v1/parcels/${encodeURIComponent(waybill)}`);
  if (!signed) return;
  const place = $("#delivery");
  place.textContent = `${when.format(new Date(signed.at))}: ${signed.text}`;
  place.classList.toggle("trouble", signed.without_consent ?? false);
  place.hidden = false;
}

guarded(null, () => Promise.all([showTags(), showComplaints(), ...(waybill ? [showDelivery()] : [])]));
