/** Which services are shown: their colours, spans and errors; unticked ones are pruned. */

import { computed, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { JSX } from "preact";
import { SPAN_FLAG } from "../data/trace-columns.ts";
import type { TraceColumns } from "../data/trace-columns.ts";
import { saveHidden } from "./hidden-services.ts";
import { announce } from "./announce.ts";
import type { TraceContext } from "./trace-context.ts";
import { hideServices } from "./tree-folding.ts";

/** Listed before a search narrows them: each is DOM. */
const MAX_LISTED = 100;

export function ServicePicker({ context }: { context: TraceContext }): JSX.Element {
  const { model } = context;
  const search = useSignal("");
  const counts = useMemo(() => computed(() => countByService(model.columns.value)), [model]).value;
  const columns = model.columns.value;
  if (columns === undefined) return <p class="soft">Loading…</p>;
  const hidden = model.hiddenServices.value;
  const root = columns.service[0] ?? -1;
  const wanted = search.value.toLowerCase();
  const listed = columns.services
    .map((name, service) => ({ name, service }))
    .filter(({ name }) => name.toLowerCase().includes(wanted));
  const setAll = (hide: boolean): void => {
    hideServices(
      model,
      hidden.map((_, service) => (hide && service !== root ? 1 : 0)),
    );
  };
  return (
    <div class="services">
      <input
        class="input"
        type="search"
        placeholder="Filter services"
        aria-label="Filter services"
        value={search.value}
        onInput={(event) => {
          search.value = event.currentTarget.value;
        }}
      />
      <ul>
        {listed.slice(0, MAX_LISTED).map(({ name, service }) => (
          <li key={service}>
            <label class="check">
              <input
                type="checkbox"
                checked={hidden[service] !== 1}
                disabled={service === root}
                onChange={() => {
                  const next = hidden.slice();
                  next[service] = next[service] === 1 ? 0 : 1;
                  hideServices(model, next);
                }}
              />
              <span
                class="dot"
                style={{ background: model.palette.value?.service[service] ?? "" }}
              />
              <span class="grow">{name}</span>
              {counts.errors[service]! > 0 && (
                <span class="bad">{counts.errors[service]!.toLocaleString("en")} ✕</span>
              )}
              <span class="soft">{counts.spans[service]!.toLocaleString("en")}</span>
            </label>
          </li>
        ))}
      </ul>
      {listed.length > MAX_LISTED && <p class="hint">{listed.length - MAX_LISTED} more</p>}
      <div class="row-of-buttons">
        <button type="button" class="button" onClick={() => setAll(false)}>
          Show all
        </button>
        <button type="button" class="button" onClick={() => setAll(true)}>
          Hide others
        </button>
        <button
          type="button"
          class="button"
          onClick={() => {
            saveHidden(columns.services.filter((_, service) => hidden[service] === 1));
            announce("Saved as default");
          }}
        >
          Save as default
        </button>
      </div>
    </div>
  );
}

function countByService(columns: TraceColumns | undefined): {
  spans: Uint32Array;
  errors: Uint32Array;
} {
  const spans = new Uint32Array(columns?.services.length ?? 0);
  const errors = new Uint32Array(spans.length);
  for (let row = 0; row < (columns?.loaded ?? 0); row++) {
    const service = columns!.service[row]!;
    spans[service] = spans[service]! + 1;
    if ((columns!.flags[row]! & SPAN_FLAG.ERROR) !== 0) errors[service] = errors[service]! + 1;
  }
  return { spans, errors };
}
