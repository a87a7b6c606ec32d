// Takes a picture of every page, in every look, into the folder that is named.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { base, close, launch, link, looks, nameOf, signIn, visit } from "./house.js";

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });

// Each stop names its pictures and goes to its page.
const stops = {
  "courier-sign-in": async (page) => page.goto(`${base}/c/`),
  "console-sign-in": async (page) => page.goto(`${base}/console/`),
  invitation: async (page) => page.goto(await link("manager")),
  courier: async (page) => signIn(page, "courier"),
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
  "console-complaint": async (page) => { await signIn(page, "manager"); await page.goto(`${base}/console/?sort=filed`); await page.locator("[data-row]").first().click(); await page.locator(".timeline").waitFor(); },
  "console-figures": async (page) => { await signIn(page, "hq"); await page.goto(`${base}/console/figures?figure=false_sign_per_day`); await page.locator("#chart canvas").waitFor(); },
  ...Object.fromEntries(["evidence", "notices", "alerts", "feeds", "learning", "overrides", "access-log", "holds", "outlet"].map((part) =>
    [`console-${part}`, async (page) => { await signIn(page, "manager"); await page.goto(`${base}/console/${part}`); }])),
  docs: async (page) => { await page.goto(`${base}/docs`); await page.locator(".opblock").first().waitFor(); },
};

// own opens one of the pages behind a consumer's link.
async function own(page, who, path = "") {
  await page.goto(await link(who));
  if (path) await page.goto(page.url() + path);
}

await launch();
for (const look of looks) {
  for (const [name, go] of Object.entries(stops)) {
    await visit(look, async (page) => {
      await go(page);
      await page.screenshot({ path: join(folder, `${name}-${nameOf(look)}.png`) });
    });
  }
}
await close();
