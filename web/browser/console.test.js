import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, base, close, few, launch, light, nameOf, narrow, signIn, tabTo, visit } from "./house.js";

before(launch);
after(close);

const parts = ["", "figures", "evidence", "notices", "alerts", "feeds", "learning", "overrides", "access-log", "holds", "outlet"];

// texts of the story in either language.
const says = {
  en: { sent: "Your answer is sent.", kept: "The note is kept.", still: "The working time stands still.", inTime: "in time", never: "The consumer never sees this." },
  "zh-CN": { sent: "答复已发出。", kept: "备注已保存。", still: "工作时限已暂停。", inTime: "按时", never: "消费者永远看不到这些。" },
};

// openCase goes to the nth complaint that waits, or of another order.
async function openCase(page, n, order = "") {
  await page.goto(`${base}/console/${order}`);
  await page.locator("[data-row]").nth(n).click();
  await page.waitForURL(/\/console\/complaints\//);
}

test("every part of the console can be read by all, large and small, light and dark, in either language", async () => {
  for (const look of few) {
    await visit(look, async (page) => {
      await signIn(page, "manager");
      for (const part of parts) {
        assert.equal((await page.goto(`${base}/console/${part}`)).status(), 200, part);
        await accessible(page, `/console/${part} ${nameOf(look)}`);
      }
      await openCase(page, 0);
      for (const unfolded of await page.locator("details").all()) await unfolded.evaluate((e) => { e.open = true; });
      await accessible(page, `a complaint ${nameOf(look)}`);
      await narrow(page, `a complaint ${nameOf(look)}`);
    });
  }
});

test("nothing is wider than a narrow phone", async () => {
  await visit({}, async (page) => {
    await signIn(page, "hq");
    for (const part of parts) {
      await page.goto(`${base}/console/${part}`);
      await narrow(page, `/console/${part}`);
    }
  });
});

test("a complaint is noted, paused and answered without a script, in either language", async () => {
  for (const [i, [lang, said]] of Object.entries(says).entries()) {
    await visit({ lang, script: false }, async (page) => {
      await signIn(page, "manager");
      await openCase(page, i);
      const inside = page.locator(".inside");
      assert.match(await inside.innerText(), new RegExp(said.never));

      await inside.locator("textarea").fill("The locker's log shows 14:02.");
      await inside.locator("button").click();
      await page.getByText(said.kept).waitFor();
      assert.match(await inside.innerText(), /14:02/);

      const pause = page.locator("form[action$='/pause']");
      await page.locator(".deeds summary").first().click();
      await pause.locator("select").selectOption("weather");
      await pause.locator("button").click();
      await page.getByText(said.still).waitFor();

      await page.locator("#answer-text").fill("It waits at our counter; we bring it tonight.");
      await page.locator("form[action$='/answer'] button").click();
      await page.getByText(said.sent).waitFor();
      assert.equal(await page.locator("#answer-text").count(), 0);
      assert.match(await page.locator(".clocks").innerText(), new RegExp(said.inTime));
      assert.equal(await page.locator(".talk .outlet").count(), 1);
      await page.reload(); // sends nothing again
      assert.equal(await page.locator(".talk .outlet").count(), 1);
    });
  }
});

test("the whole story goes without a mouse", async () => {
  await visit({ size: "desktop" }, async (page) => {
    await signIn(page, "manager");
    await page.keyboard.press("?");
    assert.ok(await page.locator("#keys").isVisible());
    await accessible(page, "the help");
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    assert.ok(await page.locator("[data-row]").first().evaluate((e) => e === document.activeElement));
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/console\/complaints\//);
    await page.keyboard.press("n");
    await page.keyboard.type("just a note");
    await tabTo(page, "form[action$='/notes'] button");
    await page.keyboard.press("Enter");
    await page.getByText("The note is kept.").waitFor();
    await tabTo(page, ".timeline summary");
    await page.keyboard.press("Enter");
    assert.ok(await page.locator(".timeline details").first().evaluate((e) => e.open));
    await page.keyboard.press("a");
    await page.keyboard.type("we looked into it");
    await tabTo(page, "form[action$='/answer'] button");
    await page.keyboard.press("Enter");
    await page.getByText("Your answer is sent.").waitFor();
    await page.keyboard.press("u");
    await page.waitForURL(`${base}/console/`);
  });
});

test("single keys can be turned off", async () => {
  await visit({ size: "desktop" }, async (page) => {
    await signIn(page, "manager");
    await page.keyboard.press("?");
    await page.locator("#keys-on").uncheck();
    await page.keyboard.press("Escape");
    await page.reload();
    await page.keyboard.press("j");
    assert.ok(await page.evaluate(() => document.activeElement === document.body));
  });
});

test("countdowns follow the server's clock, whatever this machine's says", async () => {
  await visit({ size: "desktop" }, async (page) => {
    await signIn(page, "manager");
    await page.clock.install({ time: new Date(Date.now() + 3 * 86_400_000) }); // three days ahead
    await openCase(page, 0, "?sort=filed"); // the newest
    const chip = page.locator(".clocks .chip-state").first();
    await page.clock.fastForward(6_000);
    assert.match(await chip.innerText(), /left/);
    await page.clock.fastForward(30 * 3_600_000);
    assert.match(await chip.innerText(), /late by/);
    assert.ok(await chip.evaluate((e) => e.classList.contains("late")));
  });
});

test("the queue comes anew by itself and keeps the reader's place", async () => {
  await visit({ size: "desktop" }, async (page) => {
    await page.clock.install();
    await signIn(page, "manager");
    await page.waitForFunction(() => window.htmx);
    await page.keyboard.press("j");
    const at = () => page.evaluate(() => document.activeElement.getAttribute("href"));
    const before = await at();
    const fresh = page.waitForResponse((r) => r.request().headers()["hx-request"] === "true");
    await page.clock.fastForward(31_000);
    const text = await (await fresh).text();
    assert.doesNotMatch(text, /<html/);
    await page.clock.runFor(1_000); // it is swapped in
    assert.equal(await at(), before);
  });
});

test("the bundle and the regulator's pack can be taken along", async () => {
  await visit({}, async (page, context) => {
    await signIn(page, "manager");
    await openCase(page, 0);
    const bundle = await context.request.get(`${page.url()}/bundle`);
    assert.equal(bundle.headers()["content-type"], "application/zip");
    assert.equal((await bundle.body()).subarray(0, 2).toString(), "PK");
    await page.goto(`${page.url()}/regulator-pack`);
    await page.locator("h1").waitFor();
  });
});

test("figures draw their table, and headquarters sees outlets side by side", async () => {
  await visit({ size: "desktop" }, async (page) => {
    await signIn(page, "hq");
    await page.goto(`${base}/console/figures?figure=false_sign_per_day`);
    await page.locator("#chart canvas").waitFor();
    assert.equal(await page.locator("#days tbody tr").count(), 30);
    const outlets = await page.locator("table.sheet").first().locator("tbody th").allInnerTexts();
    assert.deepEqual(outlets, ["old-town", "riverside"]);
    await page.getByRole("link", { name: "riverside" }).click();
    await page.getByRole("heading", { name: "滨江网点" }).waitFor();
  });
});

test("the console is light", async () => {
  let state;
  await visit({}, async (page, context) => {
    await signIn(page, "manager");
    state = await context.cookies();
  });
  for (const part of ["", "figures", "evidence"]) {
    const { bytes, ms } = await light(`${base}/console/${part}`, state);
    console.log(`/console/${part}: ${bytes} bytes, usable after ${ms} ms`);
  }
});
