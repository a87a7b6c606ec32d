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
