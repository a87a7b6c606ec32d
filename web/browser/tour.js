// Takes a picture of every page, in every look, into the folder that is named, and
// those of the README into its folder readme.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { base, close, launch, link, looks, nameOf, signIn, visit } from "./house.js";

const folder = process.argv[2];
mkdirSync(join(folder, "readme"), { recursive: true });
const yesterday = new Intl.DateTimeFormat("sv", { timeZone: "Asia/Shanghai" }).format(Date.now() - 86_400_000); // the last whole day

// Each stop names its pictures and goes to its page.
const stops = {
  "courier-sign-in": async (page) => page.goto(`${base}/c/`),
  "console-sign-in": async (page) => page.goto(`${base}/console/`),
  invitation: async (page) => page.goto(await link("manager")),
  courier: async (page) => { await signIn(page, "courier"); await page.locator(".stops .card").first().waitFor(); },
  "courier-parcel": async (page) => { await stops.courier(page); await page.locator(".stops a").nth(1).click(); await page.locator(".whole").waitFor(); },
  "courier-sign": async (page) => { await stops["courier-parcel"](page); await page.locator(".reach .pair:last-child button:last-child").click(); await page.locator(".sheet").waitFor(); },
  "courier-file": async (page) => { await stops.courier(page); await page.goto(`${base}/c/#file`); await page.locator("#view .cards").waitFor(); },
  "courier-case": async (page) => { await stops["courier-file"](page); await page.locator(".cards a").first().click(); await page.locator("#view ol li").first().waitFor(); },
  console: async (page) => signIn(page, "manager"),
  consumer: (page) => own(page, "consumer"),
  "consumer-parcel": (page) => own(page, "parcel"),
  "consumer-wishes": (page) => own(page, "consumer", "/wishes"),
  "consumer-consents": (page) => own(page, "parcel", "/consents"),
  "consumer-data": (page) => own(page, "consumer", "/data"),
  "consumer-complain": (page) => own(page, "parcel", "/complain"),
  "consumer-review": async (page) => {
    await own(page, "parcel", "/complain");
    await page.locator("[value=locker_without_consent]").check();
    await page.locator("[name=to]").click();
    await page.locator("textarea").fill("没问我就放快递柜了。");
    await page.locator("[value=review]").click();
  },
  "consumer-complaint": async (page) => { await own(page, "parcel"); await page.locator(".case").first().click(); },
  "console-complaint": async (page) => { await signIn(page, "manager"); await page.goto(`${base}/console/?sort=filed&category=no_call_before_delivery`); await page.locator("[data-row]").first().click(); await page.locator(".timeline").waitFor(); },
  "console-figures": async (page) => { await signIn(page, "hq"); await page.goto(`${base}/console/figures?to=${yesterday}`); await page.locator("#chart canvas").waitFor(); },
  ...Object.fromEntries(["evidence", "notices", "alerts", "feeds", "learning", "overrides", "access-log", "holds", "outlet"].map((part) =>
    [`console-${part}`, async (page) => { await signIn(page, "manager"); await page.goto(`${base}/console/${part}`); }])),
  docs: async (page) => { await page.goto(`${base}/docs`); await page.locator(".opblock").first().waitFor(); },
};

// own opens one of the pages behind a consumer's link.
async function own(page, who, path = "") {
  await page.goto(await link(who));
  if (path) await page.goto(page.url() + path);
}

// readme are the four that the README opens with.
const readme = {
  courier: { lang: "zh-CN", scheme: "light", size: "phone" },
  "consumer-complaint": { lang: "en", scheme: "dark", size: "phone" },
  console: { lang: "en", scheme: "light", size: "desktop" },
  "console-figures": { lang: "zh-CN", scheme: "light", size: "desktop" },
};

// small makes a picture a WebP, as large as a README needs.
const small = (page, png) => page.evaluate(async (base64) => {
  const picture = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]));
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  canvas.getContext("2d").drawImage(picture, 0, 0);
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/webp", quality: 0.85 })).arrayBuffer());
  return btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""));
}, png.toString("base64"));

await launch();
for (const look of looks) {
  for (const [name, go] of Object.entries(stops)) {
    await visit(look, async (page) => {
      await go(page);
      const png = await page.screenshot({ path: join(folder, `${name}-${nameOf(look)}.png`) });
      if (readme[name] && nameOf(readme[name]) === nameOf(look))
        writeFileSync(join(folder, "readme", `${name}.webp`), Buffer.from(await small(page, png), "base64"));
    });
  }
}
await close();
