/** Find in the trace: text, count, next and previous, focus, and what leaves rows out. */

import { useSignal } from "@preact/signals";
import type { Signal } from "@preact/signals";
import type { JSX } from "preact";
import { durationText } from "../layout/duration-text.ts";
import { uiConfig } from "./page-facts.ts";
import { Popover } from "./popover.tsx";
import type { TraceContext } from "./trace-context.ts";
import { TraceIcon } from "./trace-icon.tsx";
import type { TraceIconName } from "./trace-icon.tsx";

/** Shares of the trace that spans must last to be kept. */
const SHARES = [0, 0.001, 0.01, 0.025, 0.05, 0.1];

export interface FindBoxProps {
  readonly context: TraceContext;
  readonly inputRef: { current: HTMLInputElement | null };
}

export function FindBox({ context, inputRef }: FindBoxProps): JSX.Element {
  const { filters } = context;
  const found = filters.found.value;
  const none = found === undefined || found.length === 0;
  return (
    <search class="find">
      <div class="find-field">
        <TraceIcon name="find" />
        <input
          ref={inputRef}
          class="input"
          type="search"
          placeholder="Find in trace…"
          aria-label="Find in trace"
          title={'Text of names and attributes; "a phrase"; key=value; -key leaves a key out'}
          value={filters.text.value}
          onInput={(event) => {
            filters.text.value = event.currentTarget.value;
          }}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            event.preventDefault();
            if (filters.failure.peek() !== "") filters.findAgain();
            else filters.step(event.shiftKey ? -1 : 1);
          }}
        />
        <output class={`find-count ${filters.failure.value === "" ? "" : "bad"}`}>
          {countText(context)}
        </output>
      </div>
      <FindButton
        label="Show only the way to the matches"
        icon="focus"
        off={none}
        run={filters.focusFound.bind(filters)}
      />
      <FindButton label="Previous match (N)" icon="up" off={none} run={() => filters.step(-1)} />
      <FindButton label="Next match (n)" icon="down" off={none} run={() => filters.step(1)} />
      <FilterPanel context={context} />
    </search>
  );
}

function countText({ filters }: TraceContext): string {
  if (filters.failure.value !== "") return filters.failure.value;
  if (filters.busy.value) return "…";
  const found = filters.found.value;
  if (found === undefined) return "";
  const place = filters.place.value;
  return place > 0 ? `${place} of ${found.length}` : `${found.length}`;
}

interface FindButtonProps {
  readonly label: string;
  readonly icon: TraceIconName;
  readonly off: boolean;
  readonly run: () => void;
}

function FindButton({ label, icon, off, run }: FindButtonProps): JSX.Element {
  return (
    <button
      type="button"
      class="button quiet icon"
      title={label}
      aria-label={label}
      disabled={off}
      onClick={run}
    >
      <TraceIcon name={icon} />
    </button>
  );
}

/** What leaves rows out; ancestors of what stays are kept. */
function FilterPanel({ context }: { context: TraceContext }): JSX.Element {
  const { filters, model } = context;
  const open = useSignal(false);
  const on =
    filters.hideOthers.value ||
    filters.errorsOnly.value ||
    filters.criticalOnly.value ||
    filters.minShare.value > 0 ||
    model.grouped.value ||
    model.chained.value;
  return (
    <Popover label="Filter rows" open={open} button={<TraceIcon name="funnel" />} pressed={on}>
      <div class="filters">
        <Check name="Hide what find does not match" on={filters.hideOthers} />
        <Check name="Errors only" on={filters.errorsOnly} />
        {uiConfig.criticalPathEnabled && (
          <Check name="Critical path only" on={filters.criticalOnly} />
        )}
        <Check name="Group repeated siblings (r)" on={model.grouped} />
        <Check name="Fold chains of single children (R)" on={model.chained} />
        <label class="field">
          <span class="label">Spans that last at least</span>
          <select
            class="select"
            value={String(filters.minShare.value)}
            onChange={(event) => {
              filters.minShare.value = Number(event.currentTarget.value);
            }}
          >
            {SHARES.map((share) => (
              <option key={share} value={String(share)}>
                {share === 0 ? "any time" : shareText(share, model.columns.value?.durationNs)}
              </option>
            ))}
          </select>
        </label>
      </div>
    </Popover>
  );
}

/** A share of the trace, and how long that is. */
function shareText(share: number, wholeNs: number | undefined): string {
  const long = wholeNs === undefined ? "" : ` (${durationText(share * wholeNs)})`;
  return `${share * 100} % of the trace${long}`;
}

export function Check({ name, on }: { name: string; on: Signal<boolean> }): JSX.Element {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={on.value}
        onChange={() => {
          on.value = !on.peek();
        }}
      />
      {name}
    </label>
  );
}
