// The service worker keeps the page and its files for when there is no network,
// and rings while the page is closed. It keeps nothing of the API: the page does.
const store = "courier";
const home = "/c/";
const patience = 4000; // ms: then a lift counts as no network

self.addEventListener("install", (e) => {
  self.skipWaiting();
  e.waitUntil(fetch(home).then(keep));
});
self.addEventListener("activate", (e) => e.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (e) => {
  const { pathname, origin } = new URL(e.request.url);
  if (e.request.method !== "GET" || origin !== location.origin) return;
  if (e.request.mode === "navigate" && pathname === home) e.respondWith(page(e));
  else if (pathname.startsWith("/assets/")) e.respondWith(file(e.request));
});

// page is the server's, else the one that was kept.
async function page(e) {
  const known = caches.match(home);
  try {
    const answer = await fetch(e.request.url, { signal: AbortSignal.timeout(patience), redirect: "manual", cache: "no-store" });
    if (answer.status >= 500) return (await known) ?? answer;
    e.waitUntil(keep(answer.clone()));
    return answer;
  } catch {
    return (await known) ?? Response.error();
  }
}

// file is for ever what it was: its address names its version.
const file = async (request) => (await caches.match(request)) ?? fetch(request);

// keep puts the page away with all that it loads, and drops what it does not. A
// page that asks to sign in is not the one to keep.
async function keep(answer) {
  const html = await answer.clone().text();
  if (!answer.ok || !html.includes("data-account=")) return;
  const cache = await caches.open(store);
  const wanted = [...new Set(html.match(/\/assets\/[\w./-]+/g))];
  const have = (await cache.keys()).map((request) => new URL(request.url).pathname);
  await cache.addAll(wanted.filter((path) => !have.includes(path)));
  await cache.put(home, answer);
  for (const path of have) if (path.startsWith("/assets/") && !wanted.includes(path)) await cache.delete(path);
}

self.addEventListener("push", (e) => e.waitUntil(ring(e.data?.json() ?? {})));

async function ring({ kind, title_key: title, body_key: body, args = [], data = {} }) {
  const texts = await caches.match("/c/push-texts").then((kept) => kept?.json()) ?? {};
  const say = (key) => (texts[`push.${key}`] ?? "doorstep").replace("{n}", args[0] ?? "");
  await self.registration.showNotification(say(title), { body: say(body), tag: kind, renotify: true });
  const at = new Date().toISOString();
  const receipts = JSON.parse(data.alerts ?? "[]").map(({ id }) => ({ alert_id: id, event: "received", at }));
  if (receipts.length > 0)
    await fetch("/v1/me/alerts/receipts", {
      method: "POST", headers: { "Content-Type": "application/json", "Doorstep-Face": "courier" }, body: JSON.stringify({ receipts }),
    }).catch(() => {}); // the page's own receipts come all the same
}

self.addEventListener("notificationclick", (e) => {
  e.notification.close();
  e.waitUntil(self.clients.matchAll({ type: "window" }).then((open) => open[0]?.focus() ?? self.clients.openWindow(home)));
});
