/** Names for the form's fields from the server: services, operations, attribute keys and values. */

import { ServerError, askJson } from "./ask-server.ts";

/** How many completions are shown: more are found by typing. */
const COMPLETIONS = 50;

/** What a Jaeger says to a question it does not know: 404, or its page. */
const UNKNOWN: ReadonlySet<ServerError["code"]> = new Set(["not-found", "bad-answer"]);

/** All services, in order of name. */
export async function fetchServices(signal: AbortSignal): Promise<string[]> {
  const v1 = await askOld("api/services", signal);
  if (v1 !== undefined) return listOf(v1, "data").toSorted(byText);
  return listOf(await askJson("api/v3/services", signal), "services").toSorted(byText);
}

/** v1's answer; undefined from a Jaeger after 2.20, which has v3 only. */
async function askOld(path: string, signal: AbortSignal): Promise<unknown> {
  try {
    return await askJson(path, signal);
  } catch (error) {
    if (error instanceof ServerError && UNKNOWN.has(error.code)) return undefined;
    throw error;
  }
}

/** Span names of a service without repeats, in order. */
export async function fetchOperations(service: string, signal: AbortSignal): Promise<string[]> {
  const path = `api/services/${encodeURIComponent(service)}/operations`;
  const v1 = await askOld(path, signal);
  if (v1 !== undefined) return [...new Set(listOf(v1, "data"))].toSorted(byText);
  const v3 = await askJson(`api/v3/operations?${queryOf({ service })}`, signal);
  return [...new Set(listOf(v3, "operations", "name"))].toSorted(byText);
}

/** Attribute keys that begin with a prefix, of one service or ("") of all. */
export async function fetchKeys(
  service: string,
  prefix: string,
  signal: AbortSignal,
): Promise<string[]> {
  const query = queryOf({ service, prefix, limit: String(COMPLETIONS) });
  const answer = await askJson(`api/spoor/v1/attributes/keys?${query}`, signal);
  return [...new Set(listOf(answer, "keys", "key"))];
}

/** Values of a key that begin with a prefix, most frequent first. */
export async function fetchValues(
  service: string,
  key: string,
  prefix: string,
  signal: AbortSignal,
): Promise<string[]> {
  const query = queryOf({ service, key, prefix, limit: String(COMPLETIONS) });
  const answer = await askJson(`api/spoor/v1/attributes/values?${query}`, signal);
  return [...new Set(listOf(answer, "values", "value"))];
}

function queryOf(parameters: Readonly<Record<string, string>>): URLSearchParams {
  const given = Object.entries(parameters).filter(([, value]) => value !== "");
  return new URLSearchParams(given);
}

/** The texts of a list in an answer, or those of a member of its objects. */
function listOf(answer: unknown, name: string, member?: string): string[] {
  const list: unknown = (answer as Readonly<Record<string, unknown>> | null)?.[name];
  if (!Array.isArray(list)) return [];
  const values: readonly unknown[] =
    member === undefined ? list : list.map((item: Record<string, unknown>) => item[member]);
  return values.filter((value) => value !== null && value !== undefined).map(String);
}

function byText(a: string, b: string): number {
  return a.localeCompare(b, "en", { sensitivity: "base", numeric: true });
}
