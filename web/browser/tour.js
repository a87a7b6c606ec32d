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
  "console-complaint": async (page) => { await signIn(page, "manager"); await page.goto(`${base}/console/?sort=filed`); await page.locator("[data-row]").first().click(); await page.locator(".timeline").waitFor(); },
  "console-figures": async (page) => { await signIn(page, "hq"); await page.goto(`${base}/console/figures?figure=false_sign_per_day`); await page.locator("#chart canvas").waitFor(); },
  ...Object.fromEntries(["evidence", "notices", "alerts", "feeds", "learning", "overrides", "access-log", "holds", "outlet"].map((part) =>
    [`console-${part}`, async (page) => { await signIn(page, "manager"); await page.goto(`${base}/console/${part}`); }])),
  consumer: async (page) => page.goto(await link("consumer"), { waitUntil: "networkidle" }),
  "consumer-parcel": async (page) => page.goto(await link("parcel"), { waitUntil: "networkidle" }),
  docs: async (page) => { await page.goto(`${base}/docs`); await page.locator(".opblock").first().waitFor(); },
};

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
