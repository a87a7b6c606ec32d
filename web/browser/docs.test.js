import { after, before, test } from "node:test";
import { accessible, base, close, launch, looks, nameOf, narrow, visit } from "./house.js";

before(launch);
after(close);

const english = looks.filter((look) => look.lang === "en"); // so is the documentation

test("the API's documentation asks nobody else and can be read by all", async () => {
  for (const look of english.filter((look) => look.scheme === "light")) { // it has no dark side
    await visit(look, async (page) => {
      await page.goto(`${base}/docs`);
      await page.locator(".opblock").first().waitFor();
      await page.locator(".opblock-summary-control").first().click();
      await page.locator(".opblock-body .microlight").first().waitFor();
      await accessible(page, `/docs ${nameOf(look)}`);
    });
  }
});

test("so can the list of problems", async () => {
  for (const look of english) {
    await visit(look, async (page) => {
      await page.goto(`${base}/docs/problems`);
      await accessible(page, `/docs/problems ${nameOf(look)}`);
      await narrow(page, "/docs/problems");
    });
  }
});
