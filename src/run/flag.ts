/** What a setting is: a flag, an environment variable and a file key, for some of the roles. */

import type { ValueKind } from "./flag-values.ts";

/** Programs that `spoor` runs as, each with its own choice of flags. */
export const ROLES = ["all-in-one", "collector", "agent"] as const;

export type RoleName = (typeof ROLES)[number];

/** Roles that receive spans and keep them. */
export const COLLECTING = ["all-in-one", "collector"] as const;

/** Headings of --help and docs/config.md, in order. */
export const FLAG_GROUPS = {
  general: "General",
  agent: "Agent",
  receive: "Receiving spans",
  sampling: "Sampling strategies for clients",
  query: "Query API and UI",
  storage: "Storage",
} as const;

/** One setting. The flag is `--name`; the file key is the name; the environment is `envOf`. */
export interface Flag {
  /** Jaeger's name where Jaeger has one. */
  readonly name: string;
  readonly kind: ValueKind;
  /** Who has it. */
  readonly roles: readonly RoleName[];
  /** As a user would write it. */
  readonly default: string;
  /** Roles whose default is another one. */
  readonly roleDefaults?: { readonly [role in RoleName]?: string };
  /** One sentence: what it sets, and its unit where the kind does not say it. */
  readonly help: string;
  readonly group: keyof typeof FLAG_GROUPS;
  /** Allowed values, for kind "choice". */
  readonly choices?: readonly string[];
  /** When the environment variable is not the upper-cased name. */
  readonly env?: string;
  /** Known to Jaeger, not in this version: any value but the default is refused. */
  readonly notYet?: true;
}

/** The environment variable of a flag: upper-cased, `.` and `-` become `_`. */
export function envOf(flag: Flag): string {
  return flag.env ?? flag.name.toUpperCase().replaceAll(/[.-]/g, "_");
}

/** The default of a flag in a role. */
export function defaultOf(flag: Flag, role: RoleName): string {
  return flag.roleDefaults?.[role] ?? flag.default;
}
