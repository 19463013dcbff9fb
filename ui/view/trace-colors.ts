/** TraceColors: what the spans of a trace are coloured by, and which group stands out. */

import { batch, computed, effect, signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import type { TraceColumns } from "../data/trace-columns.ts";
import type { RowKey, RowValues } from "../data/trace-source.ts";
import { readColors } from "../draw/palette.ts";
import type { RowColors } from "../draw/row-colors.ts";
import { colorGroups, colorKeyOf, groupOfLabel } from "../layout/color-groups.ts";
import type { ColorBy, ColorEntry, ColorGroups } from "../layout/color-groups.ts";
import { durationText } from "../layout/duration-text.ts";
import { huesOf } from "../layout/service-hues.ts";
import { announce } from "./announce.ts";
import { counted } from "./row-text.ts";
import type { TraceModel } from "./trace-model.ts";
import { STALL_MS } from "./waiting.tsx";

/** The values of one key in one state of a trace. */
interface KnownValues {
  readonly columns: TraceColumns;
  readonly key: string;
  readonly values: RowValues;
}

export class TraceColors {
  readonly by = signal<ColorBy>("service");
  /** Label of the group that stands out, "" for none. */
  readonly lit = signal("");
  /** Why the values of an attribute are not there. */
  readonly failure = signal("");
  readonly keys = signal<readonly RowKey[] | undefined>(undefined);
  readonly #model: TraceModel;
  readonly #known = signal<KnownValues | undefined>(undefined);
  readonly #fills = signal<{ scheme: ColorGroups; fills: readonly string[] } | undefined>(
    undefined,
  );
  #asked: AbortController | undefined;

  /** Groups and legend; asked for only when they are shown: it is a pass over the spans. */
  readonly scheme: ReadonlySignal<ColorGroups | undefined> = computed(() => {
    const columns = this.#model.columns.value;
    if (columns === undefined || this.#model.loadedRows.value === 0) return undefined;
    const by = this.by.value;
    const known = this.#known.value;
    const fits = known?.columns === columns && known.key === colorKeyOf(by);
    return colorGroups(columns, by, fits ? known.values : undefined, huesOf(columns.services));
  });

  /** By service until another scheme's colours are there. */
  readonly rows: ReadonlySignal<RowColors | undefined> = computed(() => {
    const columns = this.#model.columns.value;
    const palette = this.#model.palette.value;
    if (columns === undefined || palette === undefined) return undefined;
    const lit = this.litGroup.value;
    const other = this.#fills.value;
    if (this.by.value === "service" || other === undefined || other.scheme !== this.scheme.value) {
      const shown = this.by.value === "service" ? lit : -1;
      return { groups: columns.service, fills: palette.service, labels: undefined, lit: shown };
    }
    const { groups, entries } = other.scheme;
    return { groups, fills: other.fills, labels: labelsOf(entries), lit };
  });

  readonly litGroup: ReadonlySignal<number> = computed(() => {
    const label = this.lit.value;
    const scheme = label === "" ? undefined : this.scheme.value;
    return scheme === undefined ? -1 : groupOfLabel(scheme, label);
  });

  constructor(model: TraceModel) {
    this.#model = model;
  }

  /** Follows the theme and fetches values until the returned function is called. */
  keep(element: Element): () => void {
    const stops = [
      effect(() => {
        const palette = this.#model.palette.value;
        const scheme = this.by.value === "service" ? undefined : this.scheme.value;
        if (palette === undefined || scheme === undefined) return;
        const tokens = scheme.entries.map(({ token }) => token);
        const found = palette.forced ? undefined : readColors(element, tokens);
        const fills: string[] = [];
        for (const [i, { group }] of scheme.entries.entries()) {
          fills[group] = found?.[i] ?? palette.ink;
        }
        this.#fills.value = { scheme, fills };
      }),
      effect(() => {
        // The server knows all rows of a trace that broke off here.
        const asks = this.#model.settled.value;
        const columns = asks ? this.#model.columns.value : undefined;
        const key = colorKeyOf(this.by.value);
        this.#asked?.abort();
        this.failure.value = "";
        if (columns !== undefined && key !== "") void this.#fetchValues(columns, key);
      }),
    ];
    return () => {
      for (const stop of stops) stop();
      this.#asked?.abort();
    };
  }

  /** Colours the spans by something else and says so. */
  choose(by: ColorBy): void {
    if (by === this.by.peek()) return;
    batch(() => {
      this.by.value = by;
      this.lit.value = "";
    });
    announce(`Coloured by ${colorName(by)}`);
  }

  /** Lets the spans of a group stand out, or none when they do. */
  light(entry: ColorEntry): void {
    const on = this.lit.peek() !== entry.label;
    this.lit.value = on ? entry.label : "";
    announce(
      on ? `${entry.label}: ${counted(entry.spanCount, "span")} stand out` : "All spans alike",
    );
  }

  /** What a row's group is called; "" by service, which the row says anyway. */
  remarkOf(row: number): string {
    const by = this.by.peek();
    const scheme = by === "service" ? undefined : this.scheme.peek();
    if (scheme === undefined) return "";
    if (scheme.selfNs !== undefined) return `self time ${durationText(scheme.selfNs[row]!)}`;
    const group = scheme.groups[row];
    const label = scheme.entries.find((entry) => entry.group === group)?.label ?? "";
    return `${colorName(by)} ${label}`;
  }

  /** Fetches the keys there are to colour by, once a trace. */
  async wantKeys(): Promise<void> {
    const columns = this.#model.columns.peek();
    if (columns === undefined || !this.#model.settled.peek()) return;
    try {
      this.keys.value = await this.#model.source.keys(columns, this.#model.signal);
    } catch {
      // Any key can be typed: the list is a help.
      if (!this.#model.signal.aborted) this.keys.value = [];
    }
  }

  /** Asks again after a failure. */
  retry(): void {
    const columns = this.#model.columns.peek();
    const key = colorKeyOf(this.by.peek());
    this.failure.value = "";
    if (columns !== undefined && key !== "") void this.#fetchValues(columns, key);
  }

  async #fetchValues(columns: TraceColumns, key: string): Promise<void> {
    const known = this.#known.peek();
    if (known?.columns === columns && known.key === key) return;
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    const stalled = setTimeout(() => {
      this.failure.value = "The server has not answered for five seconds.";
    }, STALL_MS);
    try {
      const values = await this.#model.source.values(columns, key, asked.signal);
      if (asked.signal.aborted) return;
      this.failure.value = "";
      this.#known.value = { columns, key, values };
    } catch (error) {
      if (asked.signal.aborted) return;
      this.failure.value = error instanceof Error ? error.message : String(error);
    } finally {
      clearTimeout(stalled);
    }
  }
}

function labelsOf(entries: readonly ColorEntry[]): string[] {
  const labels: string[] = [];
  for (const { group, label } of entries) labels[group] = label;
  return labels;
}

/** What spans are coloured by, in words. */
export function colorName(by: ColorBy): string {
  const key = colorKeyOf(by);
  if (key !== "") return key;
  return by === "self" ? "self time" : by;
}
