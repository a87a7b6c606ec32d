import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, base, close, few, launch, light, link, nameOf, narrow, signIn, tabTo, visit } from "./house.js";

before(launch);
after(close);

const faces = { courier: "/c/", manager: "/console/", hq: "/console/" };

test("whoever is not signed in sees how to", async () => {
  for (const look of few) {
    await visit(look, async (page) => {
      for (const path of new Set(Object.values(faces))) {
        assert.equal((await page.goto(base + path)).status(), 200);
        assert.equal(await page.locator("html").getAttribute("lang"), look.lang);
        assert.equal(await page.locator(".steps li").count(), 3);
        await accessible(page, `${path} ${nameOf(look)}`);
        await narrow(page, `${path} ${nameOf(look)}`);
      }
    });
  }
});

test("a link signs in once, and signing out ends it", async () => {
  for (const [who, home] of Object.entries(faces)) {
    await visit({}, async (page) => {
      const invitation = await link(who);
      await page.goto(invitation);
      await accessible(page, `invitation for ${who}`);
      await page.getByRole("button", { name: "Sign in" }).click();
      assert.equal(page.url(), base + home);
      await accessible(page, home);

      await visit({}, async (other) => {
        assert.equal((await other.goto(invitation)).status(), 404);
        await accessible(other, "a used link");
      });

      await page.getByRole("button", { name: "Sign out" }).click();
      await page.locator(".steps").waitFor();
      assert.equal(page.url(), base + home);
      assert.equal(await page.locator(".steps li").count(), 3);
    });
  }
});

test("without a mouse and without scripts it is the same", async () => {
  await visit({ size: "desktop" }, async (page) => {
    await page.goto(await link("manager"));
    await tabTo(page, "main button");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${base}/console/`);
    await tabTo(page, "form[action$='sign-out'] button");
    await page.keyboard.press("Enter");
    await page.locator(".steps").waitFor();
  });
  await visit({ script: false }, async (page) => {
    await signIn(page, "courier");
    assert.equal(page.url(), `${base}/c/`);
    await page.getByRole("link", { name: "中文" }).click();
    assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
    await page.goto(`${base}/c/`);
    assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
  });
});

test("two people may share a browser, each at one face", async () => {
  await visit({}, async (page) => {
    await signIn(page, "courier");
    await signIn(page, "manager");
    await page.goto(`${base}/c/`);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.goto(`${base}/console/`);
    await page.getByRole("button", { name: "Sign out" }).waitFor();
  });
});

test("another site can neither frame a page nor send a form as its reader", async () => {
  await visit({}, async (page, context) => {
    await signIn(page, "manager");
    const forged = await context.request.post(`${base}/console/sign-out`, {
      headers: { "Sec-Fetch-Site": "cross-site", Origin: "https://elsewhere.example" },
    });
    assert.equal(forged.status(), 403);
    await page.goto(`${base}/console/`);
    await page.getByRole("button", { name: "Sign out" }).waitFor();
    assert.match((await page.reload()).headers()["content-security-policy"], /frame-ancestors 'none'/);
  });
});

test("a consumer's link leaves the address bar, and two share a browser", async () => {
  await visit({}, async (page) => {
    const addresses = [];
    for (const who of ["consumer", "parcel"]) {
      await page.goto(await link(who));
      assert.doesNotMatch(page.url(), /dst_/);
      assert.doesNotMatch(await page.content(), /dst_/);
      addresses.push(page.url());
    }
    for (const [i, scope] of ["person", "parcel"].entries()) {
      await page.goto(addresses[i]);
      assert.equal(await page.locator("[data-scope]").getAttribute("data-scope"), scope);
      await accessible(page, `the ${scope}'s page`);
    }
  });
});

test("the sign-in pages are light", async () => {
  for (const path of ["/c/", "/console/"]) {
    const { bytes, ms } = await light(base + path);
    console.log(`${path}: ${bytes} bytes, usable after ${ms} ms`);
  }
});
