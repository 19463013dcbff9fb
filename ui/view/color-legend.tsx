/** What spans are coloured by: the panel to choose it, and the legend, whose groups stand out. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { JSX } from "preact";
import { readSetting, writeSetting } from "../data/settings.ts";
import { colorByOf, colorKeyOf, PLAIN_COLORS } from "../layout/color-groups.ts";
import type { ColorBy, ColorEntry } from "../layout/color-groups.ts";
import { Combo } from "./combo.tsx";
import { Popover } from "./popover.tsx";
import { colorName } from "./trace-colors.ts";
import type { TraceContext } from "./trace-context.ts";
import { TraceIcon } from "./trace-icon.tsx";

/** Each is DOM; who has more services finds them in the panel of services. */
const MAX_LISTED = 40;
/** What a server tells at most: there are others then, and they can be typed. */
const MOST_KEYS = 1000;
/** The attribute a person coloured by last. */
const KEY_SETTING = "spoor-color-key";

/** The button above the names and its panel. */
export function ColorPicker({ context }: { context: TraceContext }): JSX.Element {
  const { colors } = context.model;
  const open = useSignal(false);
  return (
    <Popover
      label={`Colour by: ${colorName(colors.by.value)}`}
      open={open}
      button={<TraceIcon name="colors" />}
      pressed={colors.by.value !== "service" || colors.lit.value !== ""}
    >
      <ColorPanel context={context} />
    </Popover>
  );
}

function ColorPanel({ context }: { context: TraceContext }): JSX.Element {
  const { colors } = context.model;
  useEffect(() => void colors.wantKeys(), [colors]);
  const by = colors.by.value;
  const key = colorKeyOf(by);
  const keys = colors.keys.value;
  return (
    <div class="filters colors">
      <fieldset>
        <legend>Colour by</legend>
        {PLAIN_COLORS.map((plain) => (
          <label key={plain} class="check">
            <input
              type="radio"
              name="color-by"
              checked={by === plain}
              onChange={() => colors.choose(plain)}
            />
            {titleOf(plain)}
          </label>
        ))}
      </fieldset>
      <Combo
        label="An attribute"
        value={key}
        options={(keys ?? []).map((one) => ({ value: one.key, label: one.key }))}
        freeText={keys === undefined || keys.length === 0 || keys.length >= MOST_KEYS}
        placeholder={readSetting(KEY_SETTING) ?? "db.system, http.route…"}
        note={keys === undefined ? "Loading…" : "The trace has no such attribute"}
        onChange={(chosen) => {
          writeSetting(KEY_SETTING, chosen);
          colors.choose(colorByOf(`a.${chosen}`));
        }}
      />
      {by === "service" && <Legend context={context} />}
    </div>
  );
}

/** Below the minimap while spans are not coloured by service: their names do not tell it. */
export function LegendStrip({ context }: { context: TraceContext }): JSX.Element | null {
  const { colors } = context.model;
  const by = colors.by.value;
  if (by === "service") return null;
  return (
    <div class="legend-strip">
      <span class="soft">{titleOf(by)}</span>
      <Legend context={context} />
      <button
        type="button"
        class="button quiet icon"
        title="Colour by service again"
        aria-label="Colour by service again"
        onClick={() => colors.choose("service")}
      >
        <TraceIcon name="close" />
      </button>
    </div>
  );
}

function titleOf(by: ColorBy): string {
  const name = colorName(by);
  return colorKeyOf(by) === "" ? name[0]!.toUpperCase() + name.slice(1) : name;
}

function Legend({ context }: { context: TraceContext }): JSX.Element {
  const { colors } = context.model;
  if (colors.failure.value !== "") {
    return (
      <p class="bad" role="alert">
        {colors.failure.value}{" "}
        <button type="button" class="button" onClick={() => colors.retry()}>
          Try again
        </button>
      </p>
    );
  }
  const entries = colors.scheme.value?.entries;
  if (entries === undefined) return <span class="soft">Loading…</span>;
  return (
    <ul class="legend" aria-label={`Colours: ${colorName(colors.by.value)}`}>
      {entries.slice(0, MAX_LISTED).map((entry) => (
        <li key={entry.group}>
          <Group entry={entry} lit={colors.lit.value} onPress={() => colors.light(entry)} />
        </li>
      ))}
      {entries.length > MAX_LISTED && <li class="soft">{entries.length - MAX_LISTED} more</li>}
    </ul>
  );
}

interface GroupProps {
  readonly entry: ColorEntry;
  readonly lit: string;
  readonly onPress: () => void;
}

function Group({ entry, lit, onPress }: GroupProps): JSX.Element {
  const { label, token, spanCount } = entry;
  return (
    <button
      type="button"
      class={`legend-group ${lit !== "" && lit !== label ? "is-dim" : ""}`}
      aria-pressed={lit === label}
      title={`${label}: let these stand out`}
      onClick={onPress}
    >
      <span
        class={`swatch ${token === "status-error" ? "is-striped" : ""}`}
        style={{ backgroundColor: `var(--${token})` }}
      />
      <span class="legend-label">{label}</span>
      <span class="soft">{spanCount.toLocaleString("en")}</span>
    </button>
  );
}
