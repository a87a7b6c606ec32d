// The phone as witness of its outlet's log. It keeps the last checkpoint that it
// saw and takes a newer one only with proof that the log has only grown since
// (docs/mobile.md): the server could rebuild its log, but not what phones keep.
import { ask, Refusal } from "./api.js";
import { el, icon } from "./draw.js";
import { logSeen } from "./file.js";
import * as outbox from "./outbox.js";
import { text } from "./words.js";

const place = document.getElementById("witness");

// Broken says that the log is not the one that the phone has seen.
class Broken extends Error {}

const fail = (why) => { throw new Broken(why); };
const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer()));

// open reads a checkpoint that the key signed (C2SP signed-note).
async function open(signed, key) {
  const [, name, id, encoded] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(key);
  const material = bytes(encoded); // 1 for Ed25519, then the key
  const hash = (await sha256(`${name}\n`, material)).slice(0, 4);
  if (material[0] !== 1 || Array.from(hash, (b) => b.toString(16).padStart(2, "0")).join("") !== id) fail("the key is damaged");
  const verifier = await crypto.subtle.importKey("raw", material.slice(1), "Ed25519", false, ["verify"]);
  const end = signed.indexOf("\n\n") + 1;
  const body = new TextEncoder().encode(signed.slice(0, end));
  const signatures = signed.slice(end + 1).trimEnd().split("\n");
  let known = false;
  for (const line of signatures) {
    const [dash, signer, signature] = line.split(" ");
    if (dash !== "—" || signer !== name) continue;
    const given = bytes(signature);
    if (same(given.slice(0, 4), hash)) known ||= await crypto.subtle.verify("Ed25519", verifier, given.slice(4), body);
  }
  if (!known) fail("the checkpoint is not signed by the key");
  const [origin, size, root] = signed.split("\n");
  return { origin, size: Number(size), root: bytes(root), signatures: signatures.length };
}

// heir is the key to keep once the known one is no longer alone: from one change of
// keys to the next both sign, and what the known key signs vouches for the other.
async function heir(checkpoint, known) {
  const { key } = await ask("GET", "/v1/log/key");
  try {
    await open(checkpoint, key);
    return key;
  } catch (err) {
    if (err instanceof Broken) return known; // the checkpoint is older than that key
    throw err;
  }
}

// grown holds the proof that the next log begins with the whole kept one: RFC
// 9162, section 2.1.4.2. Sizes pass 32 bits, so there is no shifting.
async function grown(kept, next, hashes) {
  if (next.origin !== kept.origin || next.size < kept.size) fail("the checkpoint is of another log");
  const path = hashes.map(bytes);
  if (next.size === kept.size) return path.length === 0 && same(next.root, kept.root) ? undefined : fail("the log has changed");
  const odd = (n) => n % 2 === 1;
  const parent = (left, right) => sha256(Uint8Array.of(1), left, right);
  if (Number.isInteger(Math.log2(kept.size))) path.unshift(kept.root);
  let from = kept.size - 1, to = next.size - 1;
  const up = () => { from = Math.floor(from / 2); to = Math.floor(to / 2); };
  while (odd(from)) up();
  let was = path.shift() ?? fail("the proof is empty"), is = was;
  for (const hash of path) {
    if (to === 0) fail("the proof is too long");
    if (odd(from) || from === to) {
      [was, is] = [await parent(hash, was), await parent(hash, is)];
      while (!odd(from) && from !== 0) up();
    } else {
      is = await parent(is, hash);
    }
    up();
  }
  if (to !== 0 || !same(was, kept.root) || !same(is, next.root)) fail("the log was rewritten");
}

// look asks for what the log is now. The first time it is believed.
async function look(outlet, known) {
  const log = new URLSearchParams({ company: place.dataset.company, outlet_id: outlet });
  if (!known) {
    const { key } = await ask("GET", "/v1/log/key");
    const { checkpoint } = await ask("GET", `/v1/log/checkpoint?${log}`);
    return { key, checkpoint, size: (await open(checkpoint, key)).size, at: Date.now() };
  }
  const kept = await open(known.checkpoint, known.key);
  let answer;
  try {
    answer = await ask("GET", `/v1/log/proofs/consistency?${log}&from=${kept.size}`);
    const next = await open(answer.checkpoint, known.key);
    await grown(kept, next, answer.hashes);
    const key = next.signatures > 1 ? await heir(answer.checkpoint, known.key) : known.key;
    return { ...known, key, checkpoint: answer.checkpoint, size: next.size, at: Date.now() };
  } catch (err) {
    const denied = err instanceof Refusal && err.problem.errors?.some((e) => e.code === "unknown_size"); // a size that it has signed
    if (denied || err instanceof Broken) return { ...known, other: answer?.checkpoint ?? err.problem.title };
    throw err;
  }
}

// watch has the log of a parcel's outlet proved, and says plainly when it is not
// the one that was kept. Both signed states stay: they are the proof.
export const watch = (waybill) => navigator.locks.request("doorstep witness", async () => {
  if (!waybill) return;
  try {
    const { outlet_id: outlet } = await ask("GET", `/v1/parcels/${encodeURIComponent(waybill)}`);
    const known = await outbox.kept(`witness ${outlet}`);
    const seen = known?.other ? known : await look(outlet, known);
    await outbox.keep(`witness ${outlet}`, seen);
    await outbox.keep("witness", seen);
    show(seen);
  } catch (err) {
    console.warn("witness:", err.name); // no answer says nothing, and no browser is made to know Ed25519
  }
});

function show(seen) {
  const { checkpoint, other } = seen;
  document.getElementById("log-seen")?.replaceChildren(...logSeen(seen));
  place.replaceChildren(...(other ? [el("div", { class: "banner alarm", role: "alert" },
    el("p", {}, icon("stop"), " ", text("courier.log_changed")),
    el("details", {}, el("summary", {}, text("courier.log_states")), el("pre", {}, checkpoint), el("pre", {}, other)))] : []));
}
