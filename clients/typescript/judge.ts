// Judges growths of logs, one JSON text a line, for the test that compares this
// witness with the server's own.
import { createInterface } from "node:readline";
import { checkGrowth, openCheckpoint } from "./witness.js";

for await (const line of createInterface({ input: process.stdin })) {
  const { key, kept, next, proof } = JSON.parse(line);
  try {
    checkGrowth(openCheckpoint(kept, key), openCheckpoint(next, key), proof);
    console.log("grown");
  } catch (error) {
    console.log(`refused: ${error instanceof Error ? error.message : error}`);
  }
}
