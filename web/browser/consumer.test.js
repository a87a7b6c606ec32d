import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, base, close, few, launch, light, link, nameOf, narrow, signIn, tabTo, visit } from "./house.js";

before(launch);
after(close);

const pages = { parcel: ["", "/wishes", "/consents", "/complain", "/complaints", "/data"], consumer: ["", "/wishes", "/consents", "/data"] };

test("every page, large and small, light and dark, in either language", async () => {
  for (const look of few) {
    await visit(look, async (page) => {
      for (const [who, paths] of Object.entries(pages)) {
        await page.goto(await link(who));
        const home = page.url();
        for (const path of paths) {
          assert.equal((await page.goto(home + path)).status(), 200);
          assert.equal(await page.locator("html").getAttribute("lang"), look.lang);
          for (const summary of await page.locator("summary").all()) await summary.click();
          await accessible(page, `${who}${path} ${nameOf(look)}`);
          if (look.size === "phone") await narrow(page, `${who}${path} ${nameOf(look)}`);
        }
      }
    });
  }
});

// complain goes through the three steps to the complaint's page.
async function complain(page, category, words, press) {
  await page.locator(`[value="${category}"]`).check();
  await press(page.locator("[value=words]"));
  await page.locator("textarea").fill(words);
  await press(page.locator("[value=review]"));
  await page.locator(".promise").waitFor();
  await press(page.locator("[value=file]"));
  await page.locator(".story").waitFor();
}

// manage does something to a complaint as its outlet does.
async function manage(id, action, body) {
  await visit({ size: "desktop" }, async (page) => {
    await signIn(page, "manager");
    const status = await page.evaluate(async ([path, content]) => (await fetch(path, {
      method: "POST", headers: { "Doorstep-Face": "console", "Content-Type": "application/json" }, body: JSON.stringify(content),
    })).status, [`/v1/complaints/${id}/${action}`, body]);
    assert.equal(status, 200);
  });
}

const stories = [
  { look: { lang: "zh-CN", scheme: "light", size: "phone", script: false }, category: "damaged", solved: "您确认已解决" },
  { look: { lang: "en", scheme: "dark", size: "desktop" }, category: "attitude", solved: "You said that it is solved" },
];

for (const { look, category, solved } of stories) {
  test(`a complaint from its three steps to its end, ${nameOf(look)}${look.script === false ? ", without script" : ""}`, async () => {
    await visit(look, async (page) => {
      await page.goto(await link("parcel"));
      await page.locator(".button[href$='/complain']").click();
      await complain(page, category, "It was like this <b>again</b>.", (button) => button.click());
      const at = page.url().split("?")[0];
      const id = decodeURIComponent(at.split("/").at(-1));
      assert.equal(await page.locator("blockquote b").count(), 0);
      await manage(id, "pause", { reason: "weather" });
      await page.goto(at);
      await page.locator(".banner.warn").waitFor();
      await page.locator("#say textarea").fill("Please.");
      await page.locator("#say button").click();
      await manage(id, "answer", { text: "A new one is on its way." });
      await page.goto(at);
      if (look.script !== false) await accessible(page, "an answered complaint");
      await page.locator("#verdict summary").click();
      await page.locator("[value=dispute]").click();
      await manage(id, "answer", { text: "It is at your door." });
      await page.goto(at);
      await page.locator("[value=confirmation]").click();
      await page.getByText(solved).waitFor();
      await page.locator("#reopening").waitFor();
    });
  });
}

test("the whole complaint by keyboard alone", async () => {
  await visit({ size: "desktop" }, async (page) => {
    await page.goto(await link("parcel"));
    await tabTo(page, ".button[href$='/complain']");
    await page.keyboard.press("Enter");
    await page.waitForURL(/complain$/);
    await tabTo(page, "[type=radio]");
    await page.keyboard.press("ArrowDown");
    await tabTo(page, "[value=words]");
    await page.keyboard.press("Enter");
    await page.locator("textarea").waitFor();
    await tabTo(page, "textarea");
    await page.keyboard.type("Late again.");
    await tabTo(page, "[value=review]");
    await page.keyboard.press("Enter");
    await page.locator(".promise").waitFor();
    await tabTo(page, "[value=file]");
    await page.keyboard.press("Enter");
    await page.waitForURL(/complaints\//);
    await page.getByText("Late again.").waitFor();
  });
});

test("wishes are switches, and of two that contradict each other the newer counts", async () => {
  await visit({}, async (page) => {
    await page.goto(await link("parcel"));
    await page.goto(`${page.url()}/wishes`);
    await page.getByRole("switch", { name: "No parcel lockers" }).check();
    await page.locator("details summary").click();
    await page.getByRole("switch", { name: "A parcel locker is fine" }).check();
    assert.equal(await page.getByRole("switch", { name: "No parcel lockers" }).isChecked(), false);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("status").waitFor();
    assert.equal(await page.getByRole("switch", { name: "A parcel locker is fine" }).isChecked(), true);
    await page.goto(`${page.url().split("/wishes")[0]}/consents`);
    await page.getByRole("button", { name: /Take it back/ }).click();
    await page.getByText("taken back").waitFor();
  });
});

test("a person takes a copy of everything", async () => {
  await visit({}, async (page) => {
    await page.goto(await link("consumer"));
    await page.goto(`${page.url()}/data`);
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download my copy" }).click();
    assert.equal((await saved).suggestedFilename(), "doorstep-export.json");
  });
});

test("the pages are light", async () => {
  await visit({}, async (page, context) => {
    await page.goto(await link("parcel"));
    const home = page.url();
    const cookies = await context.cookies();
    for (const path of ["", "/wishes", "/complain"]) {
      const { bytes, ms } = await light(home + path, cookies);
      console.log(`/p/{link}${path}: ${bytes} bytes, usable after ${ms} ms`);
    }
    assert.ok(home.startsWith(base));
  });
});
