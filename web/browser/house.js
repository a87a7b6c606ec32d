// What the browser tests share: a real Chromium against a real server with the
// demo's data. See TestThePagesInABrowser in cmd/doorstep.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const need = (name) => process.env[name] ?? assert.fail(`${name} is not set: run make faces`);

export const base = need("DOORSTEP_BASE");
const links = need("DOORSTEP_LINKS");
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const sizes = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } };
export const languages = ["zh-CN", "en"];
export const schemes = ["light", "dark"];

// looks are all the ways in which a page is looked at.
export const looks = languages.flatMap((lang) =>
  schemes.flatMap((scheme) => Object.keys(sizes).map((size) => ({ lang, scheme, size }))));

// few are four of them, in which any two values of different kinds meet once: where
// pages are alike, what is wrong with one look is wrong with these.
export const few = looks.filter((_, i) => [0, 3, 5, 6].includes(i));

export const nameOf = ({ lang, scheme, size }) => `${size}-${scheme}-${lang}`;

let browser;

// launch is for before(); close is for after().
export async function launch() {
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : []; // Chromium's sandbox refuses root
  browser = await chromium.launch({ executablePath: need("DOORSTEP_BROWSER"), args });
}
export const close = () => browser.close();

// link makes a fresh link: for a courier, manager or hq to sign in with, once,
// or a consumer's, for one parcel or the person.
export async function link(who) {
  const answer = await fetch(`${links}/${who}`);
  assert.equal(answer.status, 200, `a link for ${who}`);
  return (await answer.text()).trim();
}

// visit opens a browser of its own and hands its page to walk. Whatever the page
// asks of others, and whatever its policy has to stop, fails the walk.
export async function visit({ lang = "en", scheme = "light", size = "phone", script = true } = {}, walk) {
  const context = await browser.newContext({
    viewport: sizes[size], locale: lang, colorScheme: scheme, javaScriptEnabled: script, hasTouch: size === "phone",
  });
  const wrong = [];
  context.on("request", (r) => {
    if (!r.url().startsWith(base) && !/^(data|blob):/.test(r.url())) wrong.push(`asks ${r.url()}`);
  });
  context.on("console", (m) => {
    if (/Content Security Policy|Content-Security-Policy/i.test(m.text())) wrong.push(m.text());
  });
  context.on("weberror", (e) => wrong.push(String(e.error())));
  try {
    const page = await context.newPage();
    await walk(page, context);
  } finally {
    await context.close();
  }
  assert.deepEqual(wrong, []);
}

// signIn uses a link as a person does.
export async function signIn(page, who) {
  await page.goto(await link(who));
  await page.locator("main button").click();
  await page.waitForLoadState();
}

const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

// accessible holds the page to WCAG 2.2 A and AA, and to its width.
export async function accessible(page, what) {
  await page.evaluate(axeSource);
  const found = await page.evaluate((values) => window.axe.run(document, { runOnly: { type: "tag", values } }), rules);
  const told = found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.any[0]?.message ?? ""}`).join("; ")}`);
  assert.deepEqual(told, [], what);
  const wide = await page.evaluate(() => {
    const edge = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= edge) return [];
    const scrolls = (e) => e !== document.documentElement && (getComputedStyle(e).overflowX !== "visible" || scrolls(e.parentElement));
    return [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > edge + 1 && !scrolls(e.parentElement))
      .map((e) => e.outerHTML.slice(0, 80));
  });
  assert.deepEqual(wide.slice(0, 8), [], `${what}: wider than the screen`);
}

// narrow looks at the page at 320 px, as at 1,280 px enlarged four times.
export async function narrow(page, what) {
  const before = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  await accessible(page, `${what} at 320 px`);
  await page.setViewportSize(before);
}

// tabTo goes to an element by the keyboard alone. Focus must be seen.
export async function tabTo(page, selector, most = 60) {
  for (let i = 0; i < most; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate((s) => {
      const e = document.activeElement;
      const style = getComputedStyle(e);
      return { there: e.matches(s), shown: style.outlineStyle !== "none" || style.boxShadow !== "none", name: e.outerHTML.slice(0, 80) };
    }, selector);
    if (at.there) {
      assert.ok(at.shown, `no focus to be seen on ${at.name}`);
      return;
    }
  }
  assert.fail(`${selector} cannot be reached by keyboard`);
}

// Bounds of a page on a phone with a slow connection: 1.6 Mbit/s and 150 ms away,
// with the processor of a phone. Only make light holds pages to the time: it wants a
// machine on which nothing else runs.
const slow = { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8 };
const mostBytes = 150_000;
const mostMS = 1000;
const timed = Boolean(process.env.DOORSTEP_LIGHT);

// phoneIndex is how fast a phone of the middle class is by Lighthouse's benchmark
// index: its profile slows desktops of 1,500 to 2,000 by four (its
// docs/throttling.md). This machine is slowed until it is no faster.
const phoneIndex = 440;

// machineIndex is the benchmark index of this machine as a page sees it: the mean of
// how often a second a string of 10,000 letters is put together, and an array of
// 100,000 numbers copied, each divided by ten.
function machineIndex() {
  const often = (work) => {
    const begun = performance.now();
    let times = 0;
    let passed = 0;
    for (; passed < 500; passed = performance.now() - begun) {
      for (let i = 0; i < 10; i++) work();
      times += 10;
    }
    return times / 10 / (passed / 1000);
  };
  const from = Array.from({ length: 100_000 }, (_, i) => i);
  const to = from.slice();
  let letters = "";
  return (often(() => {
    letters = "";
    while (letters.length < 10_000) letters += "a";
  }) + often(() => {
    for (let i = 0; i < from.length; i++) to[i] = from[i];
  })) / 2;
}

let slower;

// slowdown is by how much a phone is slower than this machine.
async function slowdown() {
  if (!slower) {
    await visit({}, async (page) => { slower = Math.max(1, await page.evaluate(machineIndex) / phoneIndex); });
  }
  return slower;
}

// light measures how much a page transfers, and when it is usable: drawn, with
// its scripts run, in a browser that has never seen it. The median of three counts.
export async function light(url, state) {
  const times = [];
  let bytes = 0;
  const rate = await slowdown();
  for (let i = 0; i < 3; i++) {
    await visit({}, async (page, context) => {
      if (state) await context.addCookies(state);
      const session = await context.newCDPSession(page);
      await session.send("Network.enable");
      await session.send("Network.emulateNetworkConditions", slow);
      await session.send("Emulation.setCPUThrottlingRate", { rate });
      bytes = 0;
      session.on("Network.loadingFinished", (e) => { bytes += e.encodedDataLength; });
      await page.goto(url, { waitUntil: "networkidle" });
      times.push(await page.evaluate(() => Math.round(Math.max(
        performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd,
        performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Infinity))));
    });
  }
  const [, ms] = times.toSorted((a, b) => a - b);
  assert.ok(bytes > 0 && bytes <= mostBytes, `${url}: ${bytes} bytes`);
  assert.ok(!timed || ms <= mostMS, `${url}: usable after ${times} ms`);
  return { bytes, ms, rate };
}
