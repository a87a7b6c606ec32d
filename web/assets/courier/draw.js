// Small makers of elements.

// el makes an element. Of props, "data" are data attributes and "on" listeners;
// what is null is left out. Texts among the children stay texts.
export function el(name, props = {}, ...children) {
  const { data, on, ...attributes } = props;
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  Object.assign(made.dataset, data);
  for (const [event, heard] of Object.entries(on ?? {})) made.addEventListener(event, heard);
  made.append(...children.flat().filter((child) => child != null && child !== false));
  return made;
}

const svg = "http://www.w3.org/2000/svg";

// icon draws one of the page's symbols, one upon the other. It says nothing to
// readers: words stand beside it.
export function icon(...names) {
  const made = document.createElementNS(svg, "svg");
  made.setAttribute("class", "icon");
  made.setAttribute("aria-hidden", "true");
  for (const name of names) {
    const use = document.createElementNS(svg, "use");
    use.setAttribute("href", `#i-${name}`);
    made.append(use);
  }
  return made;
}

export const button = (label, look, click, ...before) =>
  el("button", { type: "button", class: look, on: { click } }, ...before, label);

// signs are the symbols of the instructions, and whether one forbids, allows or
// asks for something.
const signs = {
  call_first: ["ask", "phone"], message_first: ["ask", "message"], no_call: ["ban", "phone", "slash"],
  no_locker: ["ban", "locker", "slash"], locker_ok: ["let", "locker"],
  no_pickup_point: ["ban", "shop", "slash"], pickup_point_ok: ["let", "shop"],
  to_door: ["ask", "door"], leave_at_door_ok: ["let", "door"], no_doorbell: ["ban", "bell", "slash"],
  evening_only: ["ask", "moon"], daytime_only: ["ask", "sun"], weekend_only: ["ask", "calendar"], no_weekend: ["ban", "calendar", "slash"],
  sign_in_person: ["ask", "person"], family_may_sign: ["let", "people"],
  fragile_care: ["ask", "glass"], no_throwing: ["ban", "hand", "slash"], dog_or_child_at_home: ["ask", "paw"], photo_proof: ["ask", "camera"],
};

// chips shows instructions: an icon and words each.
export function chips(instructions) {
  return el("ul", { class: "orders" }, instructions.map(({ tag, text }) => {
    const [manner, ...names] = signs[tag] ?? ["ask", "note"];
    return el("li", { class: manner }, icon(...names), el("span", {}, text));
  }));
}
