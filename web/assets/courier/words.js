// The page's words and times, in its reader's language.
export const lang = document.documentElement.lang;

const texts = JSON.parse(document.getElementById("texts").textContent);

// text gives a key's text with values in its places: "{n}".
export const text = (key, values) => (texts[key] ?? key).replace(/\{(\w+)\}/g, (place, name) => values?.[name] ?? place);

// both picks the reader's of a text that came in both languages.
export const both = (said) => said[lang] ?? said.en;

const clock = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(lang, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });

// moment tells a time; of today without the day.
export function moment(at) {
  const time = new Date(at);
  return (time.toDateString() === new Date().toDateString() ? clock : day).format(time);
}

// end is how couriers name a parcel: the last four of its waybill.
export const end = (waybill) => waybill.slice(-4);

// texts that the service worker says when it rings.
export const pushTexts = Object.fromEntries(Object.entries(texts).filter(([key]) => key.startsWith("push.")));
