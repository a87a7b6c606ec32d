// The public API, asked as the courier whom the cookie signs in.
import { lang } from "./words.js";

const patience = 20_000; // ms: then a lift counts as no network

// Refusal is an answer that asking again does not change.
export class Refusal extends Error {
  constructor(problem) {
    super(problem.title);
    this.problem = problem;
  }
}

// Later is no answer, or one that may be another in a while.
export class Later extends Error {}

// SignedOut says that the session has ended. What the phone keeps stays kept.
export class SignedOut extends Later {}

// ask gives an answer's body; null of one that has none.
export async function ask(method, path, { body, headers = {}, type = "application/json", wait = patience } = {}) {
  const answer = await fetch(path, {
    method,
    headers: { "Doorstep-Face": "courier", "Accept-Language": lang, ...(body ? { "Content-Type": type } : {}), ...headers },
    body: body && type === "application/json" ? JSON.stringify(body) : body,
    signal: AbortSignal.timeout(wait),
  }).catch((err) => { throw new Later(err.message); });
  if (answer.status === 304 || answer.status === 204) return null;
  if (answer.status === 401) throw new SignedOut();
  const content = await answer.json().catch(() => null); // a proxy's answer is no JSON
  if (answer.ok && content) return content;
  if (!content?.code || answer.status >= 500 || answer.status === 429 || answer.status === 408) throw new Later(content?.title);
  throw new Refusal(content);
}
