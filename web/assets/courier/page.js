// The courier's page. It draws what the phone keeps; the network only brings the
// phone and the server together.
import { Later, SignedOut } from "./api.js";
import { button, el, icon } from "./draw.js";
import * as outbox from "./outbox.js";
import { drawRun, drawStop, firstWaybill, load, refresh } from "./run.js";
import { pushTexts, text } from "./words.js";

const app = document.getElementById("app");
const badge = document.getElementById("badge");
const trouble = document.getElementById("trouble");
const place = document.getElementById("view");
const store = "courier"; // the service worker's cache

let reachable = navigator.onLine;

// views are drawn into one place, named by the address: "#parcel/SF1".
const views = {
  run: drawRun,
  parcel: drawStop,
  file: async (into) => (await import("./file.js")).drawFile(into),
  case: async (into, id) => (await import("./file.js")).drawCase(into, id),
  outbox: drawOutbox,
};

function here() {
  const [name, ...rest] = location.hash.slice(1).split("/");
  return views[name] ? [name, decodeURIComponent(rest.join("/"))] : ["run", ""];
}

// live are the views that what the phone keeps changes.
const live = ["run", "parcel", "outbox"];

let drawing = Promise.resolve();
const draw = () => (drawing = drawing.then(async () => {
  const [name, what] = here();
  const focused = place.contains(document.activeElement) ? indexOfFocus() : -1;
  await views[name](place, what);
  if (focused >= 0) focusable()[focused]?.focus();
  for (const link of document.querySelectorAll(".tabs a")) {
    if (link.hash === `#${name === "parcel" ? "run" : name === "case" ? "file" : name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}));

// What is drawn anew keeps the keyboard where it was.
const focusable = () => [...place.querySelectorAll("a[href], button, [tabindex]")];
const indexOfFocus = () => focusable().indexOf(document.activeElement);

async function drawOutbox(into) {
  const [items, { ledger }] = await Promise.all([outbox.items(), import("./parcel.js")]);
  into.replaceChildren(
    el("h1", { tabindex: "-1" }, text("courier.outbox")),
    el("p", { class: "lead" }, text("courier.outbox_lead")),
    items.length === 0 ? el("p", { class: "hint" }, text("courier.outbox_empty")) : ledger(items, true));
}

async function showBadge() {
  const items = await outbox.items();
  const unsent = outbox.unsent(items).length;
  const refused = items.filter((i) => i.state === "refused").length;
  const words = [!reachable && text("courier.offline"), unsent > 0 && text("courier.unsent", { n: unsent }), refused > 0 && text("courier.refused", { n: refused })].filter(Boolean);
  const look = refused ? "late" : !reachable || unsent ? "soon" : "fine";
  badge.replaceChildren(el("a", { class: `chip-state ${look}`, href: "#outbox", data: { unsent } },
    icon(refused ? "stop" : !reachable ? "offline" : unsent ? "clock" : "tick"), words.join(" · ") || text("courier.all_sent")));
}

// sync brings the run up to date, and learns whether the server can be reached.
async function sync() {
  try {
    const other = await refresh();
    reachable = true;
    trouble.hidden = true;
    if (other) await draw();
  } catch (err) {
    if (err instanceof SignedOut) signedOut();
    else if (err instanceof Later) reachable = false;
    else throw err;
  }
  await showBadge();
}

function signedOut() {
  trouble.replaceChildren(text("courier.signed_out"));
  trouble.hidden = false;
}

// leave signs out. What has not been sent would be lost with the session, so it
// goes first.
async function leave(e) {
  e.preventDefault();
  const form = e.target;
  await (await sending()).flush();
  const unsent = outbox.unsent(await outbox.items()).length;
  if (unsent > 0) {
    trouble.replaceChildren(text("courier.unsent_first", { n: unsent }));
    trouble.hidden = false;
    trouble.scrollIntoView({ block: "center" });
    return;
  }
  await (await bell()).leave();
  await outbox.forget();
  await caches.delete(store);
  form.submit();
}

// The run comes first: what is not needed to draw it is loaded once it stands.
const bell = () => import("./bell.js");
const phone = () => import("./phone.js");
const sending = () => import("./sending.js");

async function offerBell({ canRing, ring }) {
  if (!(await canRing())) return;
  const offer = document.getElementById("bell");
  offer.replaceChildren(button(text("courier.ring"), "quiet wide", async () => {
    offer.replaceChildren();
    await ring();
  }, icon("bell")));
}

async function begin() {
  await outbox.open(app.dataset.account);
  await load();
  await draw();
  await showBadge();
  outbox.changes.addEventListener("change", async () => {
    if (live.includes(here()[0])) await draw();
    await showBadge();
  });
  addEventListener("hashchange", async () => {
    await draw();
    place.querySelector("h1")?.focus();
    scrollTo(0, 0);
  });
  addEventListener("online", sync);
  addEventListener("offline", () => { reachable = false; showBadge(); });
  addEventListener("visibilitychange", () => { if (!document.hidden) { sync(); phone().then(({ askOpen }) => askOpen()); } });
  document.querySelector("form[action='/c/sign-out']").addEventListener("submit", leave);
  const [sender, { askOpen }] = await Promise.all([sending(), phone(), sync()]);
  sender.news.addEventListener("sent", sync);
  sender.news.addEventListener("signed-out", signedOut);
  sender.begin();
  await askOpen();
  setInterval(sync, 60_000); // where streams and pushes do not come through
  setTimeout(later, 1500);
}

async function later() {
  await navigator.serviceWorker?.register("/c/sw.js");
  (await caches.open(store)).put("/c/push-texts", new Response(JSON.stringify(pushTexts)));
  const { watch } = await import("./witness.js");
  (await sending()).news.addEventListener("sent", () => watch(firstWaybill()));
  watch(firstWaybill());
  const rings = await bell();
  let soon;
  rings.listen(() => { clearTimeout(soon); soon = setTimeout(sync, 300); }); // a backlog is one look at the run
  await rings.register();
  await offerBell(rings);
}

begin();
