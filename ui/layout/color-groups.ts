/** What spans are coloured by: a group for every row, and what each group is called. */

import { SPAN_FLAG } from "../data/trace-columns.ts";
import type { TraceColumns } from "../data/trace-columns.ts";
import type { RowValues } from "../data/trace-source.ts";
import { VALUE_GROUP } from "../../src/core/trace/row-values.ts";
import { durationText } from "./duration-text.ts";
import { selfSteps, selfTimes, SELF_STEPS } from "./self-time.ts";

/** `a.` and a key: by the values of that attribute. */
export type ColorBy = "service" | "kind" | "status" | "self" | `a.${string}`;

/** Colours that do not need the values of an attribute. */
export const PLAIN_COLORS = ["service", "kind", "status", "self"] as const;
/** A longer key is not put into an address. */
const MAX_KEY = 200;

/** Reads what an address says; by service when that is nothing known. */
export function colorByOf(text: string): ColorBy {
  const plain = PLAIN_COLORS.find((by) => by === text);
  if (plain !== undefined) return plain;
  const key = text.startsWith("a.") ? text.slice(2) : "";
  return key === "" || key.length > MAX_KEY ? "service" : `a.${key}`;
}

/** The key of an attribute that spans are coloured by, or "". */
export function colorKeyOf(by: ColorBy): string {
  return by.startsWith("a.") ? by.slice(2) : "";
}

/** One group of spans: a line of the legend. */
export interface ColorEntry {
  readonly group: number;
  readonly label: string;
  /** The custom property of tokens.css that its bars are filled with. */
  readonly token: string;
  readonly spanCount: number;
}

export interface ColorGroups {
  readonly by: ColorBy;
  /** By row. */
  readonly groups: Uint8Array | Uint16Array;
  /** Groups that have spans, in the order of the legend. */
  readonly entries: readonly ColorEntry[];
  /** By row, ns; only by self time. */
  readonly selfNs?: Float64Array;
}

const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"] as const;
/** Kinds between processes in hues far apart; what stays inside recedes. */
const KIND_TOKENS = ["soft", "bar", "service-0", "service-2", "service-3", "service-1"] as const;
const STATUSES = ["unset", "OK", "error"] as const;
const STATUS_TOKENS = ["bar", "service-20", "status-error"] as const;
/** For values by rank: hues far apart come first. */
const VALUE_TOKENS: readonly number[] = [0, 1, 2, 3, 5, 4, 6, 18, 8, 9];

/** The groups of spans; undefined while the values of an attribute are not known. */
export function colorGroups(
  columns: TraceColumns,
  by: ColorBy,
  values: RowValues | undefined,
  hues: ArrayLike<number>,
): ColorGroups | undefined {
  if (by === "service") return groupsOfServices(columns, hues);
  if (by === "kind") return named(columns, by, kindsOf(columns), KINDS, KIND_TOKENS);
  if (by === "status") return named(columns, by, statusesOf(columns), STATUSES, STATUS_TOKENS);
  if (by === "self") return groupsOfSelfTime(columns);
  return values === undefined ? undefined : groupsOfValues(by, values);
}

function groupsOfServices(columns: TraceColumns, hues: ArrayLike<number>): ColorGroups {
  const tokens = columns.services.map((_, service) => `service-${hues[service]}`);
  return named(columns, "service", columns.service, columns.services, tokens);
}

function kindsOf({ kind, loaded, spanCount }: TraceColumns): Uint8Array {
  const groups = new Uint8Array(spanCount);
  for (let row = 0; row < loaded; row++) groups[row] = kind[row]! < KINDS.length ? kind[row]! : 0;
  return groups;
}

function statusesOf({ flags, loaded, spanCount }: TraceColumns): Uint8Array {
  const groups = new Uint8Array(spanCount);
  for (let row = 0; row < loaded; row++) {
    const bits = flags[row]!;
    groups[row] = (bits & SPAN_FLAG.ERROR) !== 0 ? 2 : (bits & SPAN_FLAG.OK) !== 0 ? 1 : 0;
  }
  return groups;
}

function groupsOfSelfTime(columns: TraceColumns): ColorGroups {
  const selfNs = selfTimes(columns);
  const { step, longestNs } = selfSteps(columns, selfNs);
  const labels = SELF_STEPS.map((share) => `≤ ${durationText(share * longestNs)}`);
  const tokens = SELF_STEPS.map((_, i) => `scale-${i}`);
  return { ...named(columns, "self", step, labels, tokens), selfNs };
}

function groupsOfValues(by: ColorBy, told: RowValues): ColorGroups {
  const entries = told.values.map(({ text, spanCount }, group): ColorEntry => {
    const token = `service-${VALUE_TOKENS[group % VALUE_TOKENS.length]}`;
    return { group, label: text === "" ? "(empty)" : text, token, spanCount };
  });
  const rest = [
    { group: VALUE_GROUP.OTHER, label: "(other)", token: "bar", spanCount: told.others },
    { group: VALUE_GROUP.ABSENT, label: "(absent)", token: "control", spanCount: told.absent },
  ];
  return { by, groups: told.groups, entries: [...entries, ...rest.filter((e) => e.spanCount > 0)] };
}

function named(
  { loaded }: TraceColumns,
  by: ColorBy,
  groups: Uint8Array | Uint16Array,
  labels: readonly string[],
  tokens: readonly string[],
): ColorGroups {
  const counts = new Uint32Array(labels.length);
  for (let row = 0; row < loaded; row++) counts[groups[row]!] = counts[groups[row]!]! + 1;
  const entries = labels.map((label, group): ColorEntry => {
    return { group, label, token: tokens[group] ?? "bar", spanCount: counts[group]! };
  });
  return { by, groups, entries: entries.filter(({ spanCount }) => spanCount > 0) };
}

/** The group with a label, the latest when values look like our own words; -1 for none. */
export function groupOfLabel({ entries }: ColorGroups, label: string): number {
  return entries.findLast((entry) => entry.label === label)?.group ?? -1;
}
