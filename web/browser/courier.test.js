import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { after, before, test } from "node:test";
import { accessible, base, close, languages, launch, light, nameOf, narrow, schemes, signIn, tabTo, visit } from "./house.js";

before(launch);
after(close);

const patience = 30_000; // ms: longer than the time in which a slip can be taken back

// atWork signs a courier in and waits for the run.
async function atWork(page) {
  await signIn(page, "courier");
  await page.locator(".stops .card").first().waitFor();
}

const waybillOf = async (link) => (await link.getAttribute("href")).split("/")[1];
const sheetButton = (page, name) => page.locator(".sheet").getByRole("button", { name });
const reach = (page, name) => page.locator(".reach").getByRole("button", { name });

async function openStop(page, waybill) {
  await page.goto(`${base}/c/#parcel/${waybill}`);
  await page.locator(".whole").getByText(waybill).waitFor();
}

const allSent = (page) => page.locator("#badge a[data-unsent='0']").waitFor({ timeout: patience });

// evidence is what the outlet's manager finds of a parcel.
async function evidence(waybill) {
  let found;
  await visit({}, async (page) => {
    await signIn(page, "manager");
    found = await page.evaluate(async (w) => {
      const answer = await fetch(`/v1/evidence?waybill=${w}&limit=200`, { headers: { "Doorstep-Face": "console" } });
      return (await answer.json()).items;
    }, waybill);
  });
  return found;
}

// Every view and sheet, on a phone, in both languages, light and dark.
for (const lang of languages) for (const scheme of schemes) {
  const look = { lang, scheme, size: "phone" };
  test(`the run and what lies behind it: ${nameOf(look)}`, async () => {
    await visit(look, async (page) => {
      await atWork(page);
      await accessible(page, "run");
      await narrow(page, "run");
      await page.locator(".stops a").first().click();
      await page.locator(".whole").waitFor();
      await accessible(page, "parcel");
      await narrow(page, "parcel");
      for (const at of [0, 1]) { // not delivered, signed for
        await page.locator(".reach .pair").nth(1).locator("button").nth(at).click();
        await accessible(page, `sheet ${at}`);
        await page.keyboard.press("Escape");
      }
      for (const view of ["file", "outbox"]) {
        await page.locator(`.tabs a[href="#${view}"]`).click();
        await page.locator("#view .lead").waitFor();
        await accessible(page, view);
        await narrow(page, view);
      }
      await page.goto(`${base}/c/#file`);
      await page.locator(".cards a").first().click();
      await page.locator("#view ol li").first().waitFor();
      await accessible(page, "case");
    });
  });
}

test("one tap acknowledges what is on the screen", async () => {
  await visit({}, async (page) => {
    await atWork(page);
    const waybill = await waybillOf(page.locator(".stops a").first());
    await page.getByRole("button", { name: /^Understood/ }).click();
    await page.locator(".reach").waitFor({ state: "detached" });
    await allSent(page);
    const receipts = (await evidence(waybill)).filter((r) => r.kind === "receipt").map((r) => r.event);
    assert.deepEqual(receipts.sort(), ["acknowledged", "shown"]);
    await page.reload();
    await page.locator(".stops .chip-state").first().waitFor();
    assert.equal(await page.locator(".reach").count(), 0);
  });
});

test("offline, five taps and two reloads are exactly five records", async () => {
  await visit({}, async (page, context) => {
    await atWork(page);
    const [first, second] = await Promise.all([0, 1].map((i) => waybillOf(page.locator(".rows a").nth(i))));
    await page.evaluate(async () => {
      while (!(navigator.serviceWorker.controller && await caches.match("/c/"))) await new Promise((go) => setTimeout(go, 100));
    });
    await context.setOffline(true);
    await page.reload();
    await page.locator(".stops .card").first().waitFor();
    await page.locator("#badge").getByText("Offline").waitFor();

    await openStop(page, first);
    await reach(page, "Call").click();
    await page.reload(); // away in the dialler for so long that the browser forgot the page
    await sheetButton(page, "Call: no answer").click();
    await reach(page, "Message").click();
    await sheetButton(page, "Message: sent").click();
    await reach(page, "Not delivered").click();
    await page.getByLabel("Nobody was at home").check();
    await sheetButton(page, "Record the attempt").click();
    await openStop(page, second);
    await reach(page, "Call").click();
    await sheetButton(page, "Call: answered").click();
    await reach(page, "Sign for").click();
    await page.getByLabel("Handed to the consignee").check();
    await sheetButton(page, "Sign for").click();
    await page.locator("#badge a[data-unsent='5']").waitFor();
    await accessible(page, "offline");
    await page.reload();
    await page.locator("#badge a[data-unsent='5']").waitFor();

    const beside = await context.newPage(); // a second tab sends, too
    await beside.goto(`${base}/c/`);
    await context.setOffline(false);
    await Promise.all([page, beside].map((p) => p.evaluate(() => dispatchEvent(new Event("online")))));
    await Promise.all([page, beside].map(allSent));

    const did = (records) => records.filter((r) => ["call", "message", "attempt", "sign_for"].includes(r.kind)).map((r) => r.kind).sort();
    assert.deepEqual(did(await evidence(first)), ["attempt", "call", "message"]);
    assert.deepEqual(did(await evidence(second)), ["call", "sign_for"]);
  });
});

test("a slip is taken back before it is sent", async () => {
  await visit({}, async (page) => {
    await atWork(page);
    const waybill = await waybillOf(page.locator(".rows a").nth(2));
    await openStop(page, waybill);
    await reach(page, "Sign for").click();
    await page.getByLabel("Handed to the consignee").check();
    await sheetButton(page, "Sign for").click();
    await page.getByText("Waiting").waitFor();
    await page.locator("#undo").getByRole("button", { name: "Undo" }).click();
    await reach(page, "Sign for").waitFor();
    await allSent(page);
    assert.equal((await evidence(waybill)).filter((r) => r.kind === "sign_for").length, 0);
  });
});

test("without consent the next steps are buttons, and none is the manager's", async () => {
  await visit({}, async (page) => {
    await atWork(page);
    const waybill = await waybillOf(page.locator(".stops a").first());
    await openStop(page, waybill);
    await reach(page, "Sign for").click();
    await page.getByLabel("Parcel locker").check();
    await sheetButton(page, "Sign for").click();
    await page.getByRole("button", { name: "Send now" }).click();
    const gate = page.locator(".gate");
    await gate.waitFor({ timeout: patience });
    await accessible(page, "gate");
    assert.equal(await gate.getByRole("button", { name: /manager/ }).count(), 0);
    await gate.getByRole("button", { name: /link to choose/ }).click();
    await page.locator(".sheet").getByText("The link went out").waitFor();
    await page.keyboard.press("Escape");
    await gate.getByRole("button", { name: /Take it back/ }).click();
    assert.ok(await page.getByLabel("Not allowed to leave it anywhere").isChecked());
  });
});

test("a photo goes after the attempt that declares it, and is the one that was hashed", async () => {
  await visit({}, async (page) => {
    await atWork(page);
    const waybill = await waybillOf(page.locator(".rows a").nth(3));
    await openStop(page, waybill);
    await reach(page, "Not delivered").click();
    await page.getByLabel("No way into the building").check();
    await page.locator(".sheet input[type=file]").setInputFiles({ name: "door.png", mimeType: "image/png", buffer: await page.screenshot() });
    await sheetButton(page, "Record the attempt").click();
    await page.getByRole("button", { name: "Send now" }).click();
    await allSent(page);
    assert.equal(await page.locator(".ledger").getByText("Sent", { exact: true }).count(), 2);
    const attempt = (await evidence(waybill)).find((r) => r.kind === "attempt");
    assert.match(attempt.photo_sha256 ?? attempt.sha256, /^[0-9a-f]{64}$/);
    assert.ok((await evidence(waybill)).some((r) => r.kind === "photo_arrival"));
  });
});

test("an instruction is judged at the door, and a sign-for taken back", async () => {
  await visit({}, async (page) => {
    await atWork(page);
    const waybill = await waybillOf(page.locator(".stops a").nth(1));
    await openStop(page, waybill);
    await page.locator(".judge summary").click();
    await page.getByRole("button", { name: /^Wrong: / }).first().click();
    await page.getByRole("button", { name: "Send now" }).click();
    await allSent(page);
    assert.equal(await page.locator(".judge [aria-pressed=true]").count(), 1);
    await accessible(page, "judged");

    await reach(page, "Sign for").click();
    await page.getByLabel("Handed to the consignee").check();
    await sheetButton(page, "Sign for").click();
    await page.getByRole("button", { name: "Send now" }).click();
    await allSent(page);
    await reach(page, "Take the sign-for back").click();
    await page.getByLabel("Why?").fill("Wrong door");
    await accessible(page, "taking back");
    await sheetButton(page, "Take the sign-for back").click();
    await page.getByRole("button", { name: "Send now" }).click();
    await allSent(page);
    await page.reload();
    await reach(page, "Sign for").waitFor();
    const kinds = (await evidence(waybill)).map((r) => r.kind);
    for (const kind of ["tag_verdict", "sign_for", "correction"]) assert.equal(kinds.filter((k) => k === kind).length, 1, kind);
  });
});

test("the photo of what was refused keeps nobody from signing out", async () => {
  await visit({}, async (page) => {
    await atWork(page);
    await openStop(page, await waybillOf(page.locator(".rows a").nth(6)));
    await reach(page, "Sign for").click();
    await page.getByLabel("Parcel locker").check();
    await page.locator(".sheet input[type=file]").setInputFiles({ name: "locker.png", mimeType: "image/png", buffer: await page.screenshot() });
    await sheetButton(page, "Sign for").click();
    await page.getByRole("button", { name: "Send now" }).click();
    await page.locator(".gate").waitFor({ timeout: patience });
    await allSent(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.locator(".steps").waitFor();
  });
});

test("the phone is a witness: it says plainly when the log is not the one it saw", async () => {
  await visit({}, async (page, context) => {
    await atWork(page);
    await page.goto(`${base}/c/#file`);
    const seen = async () => {
      await page.getByText("this phone checked").waitFor({ timeout: patience });
      return Number(/has (\d+) records/.exec(await page.locator("#view").innerText())[1]);
    };
    const first = await seen();
    assert.ok(first > 0);
    const proved = page.waitForResponse((r) => r.url().includes("/v1/log/proofs/"), { timeout: patience });
    await page.reload();
    await proved;
    assert.ok(await seen() >= first);
    await context.route("**/v1/log/proofs/consistency*", async (route) => {
      const answer = await route.fetch();
      const proof = await answer.json();
      await route.fulfill({ response: answer, json: { ...proof, hashes: [...proof.hashes, btoa("\0".repeat(32))] } });
    });
    await page.reload();
    await page.locator("#witness .banner").waitFor({ timeout: patience });
    await page.locator("#witness summary").click();
    await accessible(page, "a log that was changed");
    await context.unrouteAll();
    await page.reload();
    await page.locator("#witness .banner").waitFor({ timeout: patience });
  });
});

test("the witness follows the log to a new key that the old one vouches for", async () => {
  await visit({}, async (page, context) => {
    await atWork(page);
    await page.goto(`${base}/c/#file`);
    await page.getByText("this phone checked").waitFor({ timeout: patience });

    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const raw = Buffer.from(publicKey.export({ format: "jwk" }).x, "base64url");
    const looked = async (name, change) => { // name: of the log's keys
      const material = Buffer.concat([Buffer.of(1), raw]);
      const id = createHash("sha256").update(`${name}\n`).update(material).digest().subarray(0, 4);
      await context.route("**/v1/log/key*", (route) => route.fulfill({ json: { key: `${name}+${id.toString("hex")}+${material.toString("base64")}` } }));
      await context.route("**/v1/log/proofs/consistency*", async (route) => {
        const answer = await route.fetch();
        const proof = await answer.json();
        const body = proof.checkpoint.slice(0, proof.checkpoint.indexOf("\n\n") + 1);
        const line = `— ${name} ${Buffer.concat([id, sign(null, Buffer.from(body), privateKey)]).toString("base64")}\n`;
        await route.fulfill({ response: answer, json: { ...proof, checkpoint: change(body, proof.checkpoint, line) } });
      });
      const come = page.waitForResponse((r) => r.url().includes("/v1/log/proofs/"), { timeout: patience });
      await page.reload();
      await come;
      await page.getByText("this phone checked").waitFor();
      await page.waitForLoadState("networkidle");
      await context.unrouteAll();
    };
    const [name] = (await page.evaluate(async () => (await (await fetch("/v1/log/key")).json()).key)).split("+");
    await looked(name, (_, checkpoint, line) => checkpoint + line);
    await looked(name, (body, _, line) => `${body}\n${line}`);
    assert.equal(await page.locator("#witness .banner").count(), 0);
    await page.reload(); // and now it takes nothing from the old key
    await page.locator("#witness .banner").waitFor({ timeout: patience });
  });
});

test("without a mouse: to a parcel, to its sheet, and signed for", async () => {
  await visit({ size: "desktop" }, async (page) => {
    await atWork(page);
    await accessible(page, "run on a desktop");
    await tabTo(page, ".rows li:nth-child(5) a", 90);
    await page.keyboard.press("Enter");
    await page.locator(".whole").waitFor();
    await tabTo(page, ".reach .pair:last-child button:last-child");
    await page.keyboard.press("Enter");
    await page.locator(".sheet").waitFor();
    await tabTo(page, ".sheet input[value='in_person']");
    await page.keyboard.press("Space");
    await page.keyboard.press("Enter");
    await page.locator(".ledger").getByText("Waiting").waitFor();
  });
});

test("whoever has unsent work cannot sign out by mistake", async () => {
  await visit({}, async (page) => {
    await atWork(page);
    await openStop(page, await waybillOf(page.locator(".rows a").nth(5)));
    await reach(page, "Message").click();
    await sheetButton(page, "Message: sent").click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("not sent yet").waitFor();
    await page.getByRole("button", { name: "Send now" }).click();
    await allSent(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.locator(".steps").waitFor();
    assert.equal(await page.evaluate(async () => Boolean(await caches.match("/c/"))), false);
  });
});

test("it can be installed", async () => {
  await visit({}, async (page) => {
    await atWork(page);
    const manifest = await page.evaluate(async () => {
      const url = document.querySelector("link[rel=manifest]").href;
      const found = await (await fetch(url)).json();
      const icons = await Promise.all(found.icons.map(async ({ src }) => (await fetch(new URL(src, url))).headers.get("Content-Type")));
      return { ...found, icons };
    });
    assert.equal(manifest.start_url, "/c/");
    assert.deepEqual(new Set(manifest.icons), new Set(["image/png"]));
  });
});

test("the run is light", async () => {
  let state;
  await visit({}, async (page, context) => {
    await atWork(page);
    state = await context.cookies();
  });
  const { bytes, ms } = await light(`${base}/c/`, state);
  console.log(`/c/: ${bytes} bytes, usable after ${ms} ms`);
});
