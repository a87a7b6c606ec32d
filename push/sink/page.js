// The page of the phones: it listens to the sink's events, lets the sink draw
// the phones anew after each, and passes on what is pressed.

const main = document.querySelector("main");
const state = document.getElementById("state");
const trouble = document.getElementById("trouble");
const { live, lost, place } = document.body.dataset;
const lang = document.documentElement.lang;

// --- what happens to the phones ---

let drawing = false;
let stale = false; // something happened while the phones were being drawn
const buzzing = new Set(); // tokens of the phones that have to buzz

// draw fetches the phones as they are now. A burst of events is drawn once.
async function draw() {
  stale = true;
  if (drawing) return;
  drawing = true;
  try {
    while (stale) {
      stale = false;
      const answer = await fetch(`/_sink/phones?lang=${lang}`);
      if (answer.ok) show(await answer.text());
    }
  } catch {
    // the sink is away; the events come back when it does, and with them a drawing
  } finally {
    drawing = false;
  }
}

function show(html) {
  const focused = document.activeElement?.dataset.key;
  const scrolled = new Map();
  for (const device of main.querySelectorAll("[data-token]"))
    scrolled.set(device.dataset.token, device.querySelector(".screen").scrollTop);
  main.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
  for (const device of main.querySelectorAll("[data-token]")) {
    const { token } = device.dataset;
    device.querySelector(".screen").scrollTop = buzzing.has(token) ? 0 : (scrolled.get(token) ?? 0);
    if (buzzing.delete(token)) device.classList.add("buzzing");
  }
  buzzing.clear(); // those that the page does not draw
  if (focused) [...main.querySelectorAll("[data-key]")].find((e) => e.dataset.key === focused)?.focus({ preventScroll: true });
}

const events = new EventSource(`/_sink/events?after=${place}`);
events.addEventListener("open", () => {
  say(true);
  draw();
});
events.addEventListener("error", () => say(false));
for (const kind of ["arrived", "missed", "deleted_messages", "online", "offline", "acknowledged", "cleared"])
  events.addEventListener(kind, ({ data }) => {
    const { token, buzz } = JSON.parse(data);
    if (buzz) buzzing.add(token);
    draw();
  });

function say(isLive) {
  state.textContent = isLive ? live : lost;
  state.classList.toggle("lost", !isLive);
}

// --- what is pressed ---

// tell sends body to a device's part of the sink, and shows what goes wrong.
async function tell(method, device, path, body) {
  trouble.hidden = true;
  try {
    const answer = await fetch(`/_sink/devices/${encodeURIComponent(device.dataset.token)}${path}`, {
      method,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error((await answer.json()).error.message);
  } catch (err) {
    trouble.textContent = err.message;
    trouble.hidden = false;
  }
  draw();
}

main.addEventListener("change", ({ target }) => {
  if (target.role === "switch") tell("PUT", target.closest("[data-token]"), "", { online: target.checked });
});

main.addEventListener("click", ({ target }) => {
  const { message } = target.dataset;
  if (!message) return;
  target.disabled = true;
  tell("POST", target.closest("[data-token]"), "/acknowledgements", { message_id: message });
});
