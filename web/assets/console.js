// The console's conveniences: countdowns that go on, and single keys. Without
// this script every page still says and does the same.
const texts = JSON.parse(document.getElementById("texts").textContent);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

// The server's clock counts, not this machine's: data-now is what it said.
const ahead = (from) => Date.parse(from.dataset.now) - performance.now();
const said = document.querySelector("[data-now]");
let offset = said && ahead(said);
document.addEventListener("htmx:after:swap", () => {
  const fresh = document.querySelector("[data-now]");
  if (fresh) offset = ahead(fresh);
  count();
});

function span(ms) {
  const minutes = Math.floor(ms / 60_000);
  const d = Math.floor(minutes / 1440), h = Math.floor(minutes / 60) % 24, m = minutes % 60;
  if (d > 0) return fill(texts.days_hours, { d, h });
  return h > 0 ? fill(texts.hours_minutes, { h, m }) : fill(texts.minutes, { m });
}

function count() {
  if (!said) return;
  const now = offset + performance.now();
  for (const chip of document.querySelectorAll("[data-due]")) {
    const left = Date.parse(chip.dataset.due) - now;
    const words = fill(left < 0 ? texts.late : texts.left, { time: span(Math.abs(left)) });
    const at = chip.querySelector("span");
    if (at.textContent !== words) at.textContent = words;
    if (left < 0) chip.classList.replace("fine", "late") || chip.classList.replace("soon", "late");
  }
}
count();
setInterval(count, 5_000);

// Single keys, which whoever speaks to the machine or types by accident can turn
// off (WCAG 2.2, 2.1.4).
const stored = "doorstep-keys-off";
const dialog = document.getElementById("keys"), opener = document.getElementById("keys-open"), toggle = document.getElementById("keys-on");
opener.hidden = false;
opener.addEventListener("click", () => dialog.showModal());
toggle.checked = localStorage.getItem(stored) === null;
toggle.addEventListener("change", () => toggle.checked ? localStorage.removeItem(stored) : localStorage.setItem(stored, ""));

function step(by) {
  const rows = [...document.querySelectorAll("[data-row]")];
  const at = rows.indexOf(document.activeElement);
  const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by];
  next?.focus();
  next?.closest("li").scrollIntoView({ block: "nearest" });
}

const write = (id) => {
  const area = document.getElementById(id);
  area?.focus();
  area?.scrollIntoView({ block: "center" });
};

const keys = {
  j: () => step(1),
  k: () => step(-1),
  a: () => write("answer-text"),
  n: () => write("note-text"),
  u: () => document.querySelector("[data-up]")?.click(),
  "?": () => dialog.showModal(),
};

document.addEventListener("keydown", (e) => {
  const typing = e.target.closest("input, textarea, select, [contenteditable], dialog");
  if (!toggle.checked || typing || e.ctrlKey || e.metaKey || e.altKey || !keys[e.key]) return;
  e.preventDefault();
  keys[e.key]();
});
