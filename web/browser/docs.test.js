import { after, before, test } from "node:test";
import { accessible, base, close, launch, looks, nameOf, visit } from "./house.js";

before(launch);
after(close);

test("the API's documentation asks nobody else and can be read by all", async () => {
  for (const look of looks) {
    await visit(look, async (page) => {
      await page.goto(`${base}/docs`);
      await page.locator(".opblock").first().waitFor();
      await accessible(page, `/docs ${nameOf(look)}`);
      await page.locator(".opblock-summary-control").first().click();
      await page.locator(".opblock-body").first().waitFor();
      await accessible(page, `/docs, an operation, ${nameOf(look)}`);
      await page.goto(`${base}/docs/problems`);
      await accessible(page, `/docs/problems ${nameOf(look)}`);
    });
  }
});
