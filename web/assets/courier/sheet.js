// Sheets lie above the page and ask for one thing; the bar below offers to take
// back what was just done.
import { button, el } from "./draw.js";
import * as outbox from "./outbox.js";
import { flush } from "./sending.js";
import { text } from "./words.js";

// sheet opens one. Its content gets the function that closes it.
export function sheet(title, content) {
  const heading = el("h2", { id: "sheet-title", tabindex: "-1" }, title);
  const made = el("dialog", { class: "sheet", "aria-labelledby": "sheet-title", on: { close: () => made.remove() } });
  const close = () => made.close();
  made.append(heading, ...content(close), button(text("courier.close"), "quiet wide", close));
  document.body.append(made);
  made.showModal();
  heading.focus();
}

const bar = document.getElementById("undo");
let hiding;

// offerUndo says what was done and, until it is sent, how to take it back.
export function offerUndo(item, words) {
  clearTimeout(hiding);
  const hide = () => bar.replaceChildren();
  bar.replaceChildren(el("div", {},
    el("p", {}, words),
    button(text("courier.undo"), "quiet small", async () => { await outbox.drop(item.id); hide(); }),
    button(text("courier.send_now"), "quiet small", async () => {
      await outbox.amend(item.id, () => ({ sendAfter: 0 }));
      hide();
      flush();
    })));
  hiding = setTimeout(hide, item.sendAfter - Date.now());
}

// record keeps what the courier did and offers to take it back.
export async function record(item, words) {
  const entry = await outbox.add({ sendAfter: Date.now() + outbox.undoFor, ...item });
  offerUndo(entry, words);
  return entry;
}
