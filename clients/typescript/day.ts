// A courier's day through the generated client: sign in, alerts, the run, a call,
// evidence, a photo, an attempt, sign-fors, the log, sign out. Run with
// DOORSTEP_BASE and a courier's DOORSTEP_TOKEN; it works through whatever the
// courier has in his run today.
import { createHash, randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";
import { checkGrowth, openCheckpoint } from "./witness.js";

type Alert = components["schemas"]["Alert"];
type Problem = components["schemas"]["Problem"];

const need = (name: string): string => process.env[name] ?? fail(`${name} is not set`);
const fail = (why: string): never => {
  throw new Error(why);
};
const say = (text: string) => console.log(text);
const now = () => new Date().toISOString(); // the phone's clock
const installID = randomUUID(); // kept for as long as the app is installed

const doorstep = createClient<paths>({
  baseUrl: need("DOORSTEP_BASE"),
  headers: { Authorization: `Bearer ${need("DOORSTEP_TOKEN")}`, "Accept-Language": "en" },
});

// good is the body of an answer; a problem ends the day. An app would look at
// its status instead, as the table in docs/mobile.md has it.
function good<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  return answer.data ?? fail(`${answer.response.url}: ${answer.response.status} ${JSON.stringify(answer.error)}`);
}

async function signIn() {
  const device = good(await doorstep.PUT("/v1/me/devices/{install_id}", {
    params: { path: { install_id: installID } },
    body: { provider: "none", locale: "en", app_version: "1.0.0" },
  }));
  say(`signed in with ${device.provider}`);
}

async function readInbox(): Promise<Alert[]> {
  const alerts: Alert[] = [];
  for (let after = 0; ; ) {
    const page = good(await doorstep.GET("/v1/me/alerts", { params: { query: { after, limit: 50 } } }));
    if (page.items.length === 0) return alerts;
    alerts.push(...page.items);
    after = page.next_after;
  }
}

async function acknowledge(alerts: Alert[]) {
  const receipts = alerts.map((a) => ({ alert_id: a.alert_id, event: "acknowledged" as const, at: now() }));
  const { results } = good(await doorstep.POST("/v1/me/alerts/receipts", { body: { receipts } }));
  say(`alerts: ${results.map((r) => r.status).join(" ")}`);
}

async function readRun() {
  const first = await doorstep.GET("/v1/me/run");
  const { items } = good(first);
  const etag = first.response.headers.get("ETag") ?? fail("the run has no ETag");
  const again = await doorstep.GET("/v1/me/run", { headers: { "If-None-Match": etag } });
  say(`run: ${items.length} parcels, then ${again.response.status}`);
  for (const stop of items) say(`- ${stop.waybill}: ${stop.instructions.map((i) => i.text).join(", ") || "nothing unusual"}`);
  return items;
}

async function call(waybill: string) {
  const { data, error } = await doorstep.POST("/v1/parcels/{waybill}/calls", {
    params: { path: { waybill }, header: { "Idempotency-Key": randomUUID() } },
  });
  say(data ? `dial ${data.number}` : `no call: ${error.code}`);
}

// upload sends the records twice, as a phone does that lost the answer.
async function upload(records: components["schemas"]["EvidenceInput"][]) {
  for (let i = 0; i < 2; i++) {
    const { results } = good(await doorstep.POST("/v1/me/evidence", { body: { records } }));
    say(`${records.map((r) => r.kind).join(" ")}: ${results.map((r) => r.status).join(" ")}`);
  }
}

async function photograph(waybill: string, photo: Uint8Array) {
  const sha256 = createHash("sha256").update(photo).digest("hex");
  await upload([{ id: randomUUID(), kind: "photo", waybill, occurred_at: now(), taken_at: now(), sha256 }]);
  const kept = good(await doorstep.PUT("/v1/photos/{sha256}", {
    params: { path: { sha256 } },
    headers: { "Content-Type": "image/webp" },
    body: "", // the contract's binary is no type of TypeScript; the bytes go past it
    bodySerializer: () => photo,
  }));
  say(`photo: ${kept.sha256 === sha256 ? "kept" : "another"}`);
}

async function attempt(waybill: string) {
  const { attempts } = good(await doorstep.POST("/v1/parcels/{waybill}/attempts", {
    params: { path: { waybill } },
    body: { outcome: "failed", reason: "nobody_home", at: now(), client_id: randomUUID() },
  }));
  say(`attempt: ${attempts.made} made, next ${attempts.allowed_next.join(" ")}`);
}

async function signFor(waybill: string, method: components["schemas"]["SignMethod"]) {
  const { data, error } = await doorstep.POST("/v1/parcels/{waybill}/sign-for", {
    params: { path: { waybill } },
    body: { method, at: now(), client_id: randomUUID() },
  });
  say(data ? `${method}: signed, on ground of ${data.ground}` : `${method}: ${refusal(error)}`);
}

const refusal = (p: Problem) => `${p.code}; missing ${p.missing?.map((m) => m.what).join(" ")}; then ${p.next_steps?.map((s) => s.step).join(" ")}`;

// logOf keeps the outlet's checkpoint while work goes on, and has the growth proved.
async function logOf(outletID: string, work: () => Promise<void>) {
  const { key } = good(await doorstep.GET("/v1/log/key"));
  const first = good(await doorstep.GET("/v1/log/checkpoint", { params: { query: { outlet_id: outletID } } }));
  const kept = openCheckpoint(first.checkpoint, key);
  await work();
  const proof = good(await doorstep.GET("/v1/log/proofs/consistency", { params: { query: { outlet_id: outletID, from: kept.size } } }));
  const next = openCheckpoint(proof.checkpoint, key);
  checkGrowth(kept, next, proof.hashes);
  say("the log has only grown");
}

async function signOut() {
  const { response } = await doorstep.DELETE("/v1/me/devices/{install_id}", { params: { path: { install_id: installID } } });
  say(`signed out: ${response.status}`);
}

// A picture of one pixel, in place of the camera's.
const pixel = Buffer.from("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA", "base64");

await signIn();
await acknowledge(await readInbox());
const run = await readRun();
const [first, second] = [run.at(0) ?? fail("no parcels today"), run.at(-1) ?? fail("no parcels today")];
const parcel = good(await doorstep.GET("/v1/parcels/{waybill}", { params: { path: { waybill: first.waybill } } }));
await logOf(parcel.outlet_id, async () => {
  await call(first.waybill);
  await upload([
    { id: randomUUID(), kind: "call", waybill: first.waybill, occurred_at: now(), duration_s: 0, outcome: "no_answer" },
    { id: randomUUID(), kind: "location", waybill: first.waybill, occurred_at: now(), lat: 31.2304, lng: 121.4737, accuracy_m: 12 },
  ]);
  await photograph(first.waybill, pixel);
  await attempt(second.waybill);
  await signFor(first.waybill, "locker");
  await signFor(first.waybill, "in_person");
});
await signOut();
