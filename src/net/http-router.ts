/** Finds the route of a method and path: exact paths by a map, patterns one by one. */

import type { HttpRoute } from "./http-message.ts";

/** A found route with its parameters, the methods the path has instead, or nothing. */
export type Match =
  | { readonly route: HttpRoute; readonly params: Readonly<Record<string, string>> }
  | { readonly allow: readonly string[] }
  | undefined;

export type Router = (method: string, path: string) => Match;

interface Pattern {
  readonly route: HttpRoute;
  readonly segments: readonly string[];
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({});

/** A router over the routes; HEAD is served by GET. Earlier patterns win over later ones. */
export function makeRouter(routes: readonly HttpRoute[]): Router {
  const exact = new Map<string, HttpRoute[]>();
  const patterns: Pattern[] = [];
  for (const route of routes) {
    if (/[:*]/.test(route.path)) patterns.push({ route, segments: route.path.split("/") });
    else exact.set(route.path, [...(exact.get(route.path) ?? []), route]);
  }
  return (method, path) => {
    const wanted = method === "HEAD" ? "GET" : method;
    const allow: string[] = [];
    for (const route of exact.get(path) ?? []) {
      if (route.method === wanted) return { route, params: NO_PARAMS };
      allow.push(route.method);
    }
    if (patterns.length > 0) {
      const segments = path.split("/");
      for (const pattern of patterns) {
        const params = matchSegments(pattern.segments, segments);
        if (params === undefined) continue;
        if (pattern.route.method === wanted) return { route: pattern.route, params };
        allow.push(pattern.route.method);
      }
    }
    return allow.length === 0 ? undefined : { allow };
  };
}

function matchSegments(
  pattern: readonly string[],
  path: readonly string[],
): Record<string, string> | undefined {
  const open = pattern.at(-1) === "*";
  const fixed = open ? pattern.length - 1 : pattern.length;
  if (open ? path.length < fixed : path.length !== fixed) return undefined;
  const params: Record<string, string> = {};
  for (let i = 0; i < fixed; i++) {
    const expected = pattern[i]!;
    const found = path[i]!;
    if (!expected.startsWith(":")) {
      if (expected !== found) return undefined;
      continue;
    }
    const value = decoded(found);
    if (value === undefined || value === "") return undefined;
    params[expected.slice(1)] = value;
  }
  if (open) {
    const rest = decoded(path.slice(fixed).join("/"));
    if (rest === undefined) return undefined;
    params["*"] = rest;
  }
  return params;
}

function decoded(text: string): string | undefined {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
