/** Bodies of Spoor's own API: JSON objects whose members are known. */

import { utf8Strict } from "../base/bytes.ts";
import { SpoorError } from "../core/errors.ts";

/** The object that a body is; throws `bad-query`. */
export function jsonObject(body: Uint8Array): Readonly<Record<string, unknown>> {
  const text = utf8Strict(body);
  if (text === undefined) throw new SpoorError("bad-query", "the body is not UTF-8");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new SpoorError("bad-query", "the body is not JSON", { cause });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new SpoorError("bad-query", "the body must be a JSON object");
  }
  return json as Readonly<Record<string, unknown>>;
}

/** Throws `bad-query` when the object has a member that is not among these. */
export function noOtherMembers(
  json: Readonly<Record<string, unknown>>,
  known: Iterable<string>,
): void {
  const names = new Set(known);
  for (const name of Object.keys(json)) {
    if (!names.has(name)) throw new SpoorError("bad-query", `${name} is not known here`);
  }
}
