// The phone as witness of an outlet's log (docs/mobile.md). A phone keeps the last
// checkpoint that it saw, and takes a newer one only with proof that the log has
// only grown since. Whatever is wrong is thrown.
import { createHash, createPublicKey, verify } from "node:crypto";

export interface Checkpoint {
  origin: string; // names the log
  size: number; // how many records it has
  root: Buffer; // the hash over all of them
  text: string; // as it was signed: this is what to keep
}

const fail = (why: string): never => {
  throw new Error(why);
};

// openCheckpoint reads a checkpoint that the key signed (C2SP signed-note).
export function openCheckpoint(text: string, key: string): Checkpoint {
  const [name = "", id = "", encoded = ""] = splitKey(key);
  const material = Buffer.from(encoded, "base64"); // 1 for Ed25519, then the key
  if (material.length !== 33 || material[0] !== 1) fail("the key is none of Ed25519");
  const hash = createHash("sha256").update(`${name}\n`).update(material).digest().subarray(0, 4);
  if (hash.toString("hex") !== id) fail("the key is damaged");

  const end = text.indexOf("\n\n") + 1;
  const body = text.slice(0, end);
  const signed = text.slice(end + 1).split("\n").some((line) => {
    const [dash, signer, signature] = line.split(" ");
    const bytes = Buffer.from(signature ?? "", "base64");
    return dash === "—" && signer === name && bytes.subarray(0, 4).equals(hash) &&
      verify(null, Buffer.from(body), publicKey(material.subarray(1)), bytes.subarray(4));
  });
  if (end === 0 || !signed) fail("the checkpoint is not signed by the key");

  const [origin = "", size = "", root = ""] = body.split("\n");
  const checkpoint = { origin, size: Number(size), root: Buffer.from(root, "base64"), text };
  if (!Number.isSafeInteger(checkpoint.size) || checkpoint.root.length !== 32) fail("that is no checkpoint");
  return checkpoint;
}

// splitKey takes name+hash+base64 apart; base64 may have a + of its own.
const splitKey = (key: string) => /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(key)?.slice(1) ?? fail("that is no key");

// An Ed25519 key as X.509 has it is this and the 32 bytes (RFC 8410).
const keyHeader = Buffer.from("302a300506032b6570032100", "hex");
const publicKey = (raw: Buffer) => createPublicKey({ key: Buffer.concat([keyHeader, raw]), format: "der", type: "spki" });

// checkGrowth returns if the log of the next checkpoint begins with the whole log
// of the kept one: RFC 9162, section 2.1.4.2.
export function checkGrowth(kept: Checkpoint, next: Checkpoint, proof: string[]): void {
  if (next.origin !== kept.origin) fail("the checkpoint is of another log");
  if (next.size < kept.size) fail("the log has shrunk");
  const path: Buffer[] = proof.map((hash) => Buffer.from(hash, "base64"));
  if (next.size === kept.size) {
    if (path.length > 0 || !next.root.equals(kept.root)) fail("the log has changed");
    return;
  }
  if (isPowerOfTwo(kept.size)) path.unshift(kept.root);
  let [from, to] = [kept.size - 1, next.size - 1];
  const up = () => ([from, to] = [half(from), half(to)]);
  while (isOdd(from)) up();
  const start = path.shift() ?? fail("the proof is empty");
  let [was, is] = [start, start];
  for (const hash of path) {
    if (to === 0) fail("the proof is too long");
    if (isOdd(from) || from === to) {
      [was, is] = [parent(hash, was), parent(hash, is)];
      while (!isOdd(from) && from !== 0) up();
    } else {
      is = parent(is, hash);
    }
    up();
  }
  if (to !== 0 || !was.equals(kept.root) || !is.equals(next.root)) fail("the log was rewritten");
}

// Sizes pass 32 bits, so there is no shifting here.
const half = (n: number) => Math.floor(n / 2);
const isOdd = (n: number) => n % 2 === 1;
const isPowerOfTwo = (n: number): boolean => n === 1 || (n > 1 && !isOdd(n) && isPowerOfTwo(n / 2));
const parent = (left: Buffer, right: Buffer) => createHash("sha256").update(Buffer.of(1)).update(left).update(right).digest();
