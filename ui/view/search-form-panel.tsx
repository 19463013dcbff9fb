/** The search form: every field of Jaeger's, its problems beside it. */

import { useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useId } from "preact/hooks";
import { instantOf, partsOf } from "../data/instants.ts";
import { fetchOperations, fetchServices } from "../data/names.ts";
import {
  ALL_OPERATIONS,
  ALL_SERVICES,
  CUSTOM_LOOKBACK,
  lookbackChoices,
  timesOf,
} from "../data/search-form.ts";
import { Combo } from "./combo.tsx";
import { Icon } from "./icons.tsx";
import { serverFacts, uiConfig, zone, zoneLabel } from "./page-facts.ts";
import {
  adjustsEnd,
  edit,
  form,
  problems,
  rememberAdjusting,
  resetForm,
  submitForm,
} from "./search-state.ts";
import { TagsField } from "./tags-field.tsx";

/** Services are asked for again when the page is looked at after this. */
const STALE_MS = 60_000;

/** The form. */
export function SearchFormPanel(): JSX.Element {
  const services = useNames(() => "all", fetchServices);
  const service = (): string => form.value.service;
  const operations = useNames(
    () => (service() === "" || service() === ALL_SERVICES ? undefined : service()),
    (signal, name) => fetchOperations(name, signal),
  );
  const wrong = problems.value;
  const words = uiConfig.useOpenTelemetryTerms;
  const { searchWithoutService } = serverFacts;
  const all = searchWithoutService ? [{ value: ALL_SERVICES, label: "All Services" }] : [];
  return (
    <form
      class="search-form"
      aria-label="Search"
      onSubmit={(event) => {
        event.preventDefault();
        submitForm();
      }}
    >
      <Combo
        label="Service"
        count={services.names.length}
        value={form.value.service === "" && searchWithoutService ? ALL_SERVICES : service()}
        options={[...all, ...services.names.map((name) => ({ value: name, label: name }))]}
        onChange={(name) => edit({ service: name, operation: ALL_OPERATIONS })}
        placeholder="Choose a service"
        note={services.note}
      />
      <Combo
        label={words ? "Span name" : "Operation"}
        count={operations.names.length}
        value={form.value.operation}
        options={[
          { value: ALL_OPERATIONS, label: words ? "All Span Names" : "All Operations" },
          ...operations.names.map((name) => ({ value: name, label: name })),
        ]}
        onChange={(operation) => edit({ operation })}
        freeText
        note={operations.note}
      />
      <TagsField
        label={words ? "Attributes" : "Tags"}
        value={form.value.tags}
        service={service() === ALL_SERVICES ? "" : service()}
        completes={serverFacts.isSpoor}
        problem={wrong.tags}
        onChange={(tags) => edit({ tags })}
      />
      <LookbackFields />
      <div class="field-pair">
        <TextField
          label="Min duration"
          value={form.value.minDuration}
          placeholder="e.g. 1.2s, 100ms"
          problem={wrong.minDuration}
          onChange={(minDuration) => edit({ minDuration })}
        />
        <TextField
          label="Max duration"
          value={form.value.maxDuration}
          placeholder="e.g. 500us, 2m"
          problem={wrong.maxDuration}
          onChange={(maxDuration) => edit({ maxDuration })}
        />
      </div>
      <TextField
        label="Limit results"
        value={String(form.value.limit)}
        type="number"
        problem={wrong.limit}
        onChange={(text) => edit({ limit: Math.floor(Number(text)) })}
      />
      <div class="form-actions">
        <button type="button" class="button" onClick={resetForm}>
          <Icon name="reset" />
          Reset
        </button>
        <button type="submit" class="button primary" disabled={Object.keys(wrong).length > 0}>
          <Icon name="search" />
          Find Traces
        </button>
      </div>
      {wrong.service !== undefined && <p class="hint">{wrong.service} to search.</p>}
    </form>
  );
}

interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly type?: "text" | "number" | "date" | "time";
  readonly placeholder?: string;
  readonly problem?: string | undefined;
  readonly onChange: (text: string) => void;
}

function TextField(props: TextFieldProps): JSX.Element {
  const { label, value, type = "text", placeholder, problem, onChange } = props;
  const id = useId();
  const bounds = type === "number" ? { min: 1, max: uiConfig.search.maxLimit } : {};
  const kind: object = { type, ...bounds };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        class="input"
        {...kind}
        autocomplete="off"
        placeholder={placeholder}
        value={value}
        aria-invalid={problem !== undefined}
        aria-describedby={problem === undefined ? undefined : `${id}-problem`}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      {problem !== undefined && (
        <p class="hint bad" id={`${id}-problem`}>
          {problem}
        </p>
      )}
    </div>
  );
}

function LookbackFields(): JSX.Element {
  const id = useId();
  const { lookback } = form.value;
  const choices = lookbackChoices(uiConfig.search.maxLookback);
  const known = lookback === CUSTOM_LOOKBACK || choices.some(([value]) => value === lookback);
  const choose = (value: string): void => {
    if (value !== CUSTOM_LOOKBACK) return edit({ lookback: value });
    const { startUs, endUs } = timesOf(form.value, Date.now() * 1000, 0);
    edit({ lookback: value, startUs, endUs });
  };
  return (
    <>
      <div class="field">
        <label for={id}>Lookback</label>
        <select
          id={id}
          class="select"
          value={lookback}
          onChange={(event) => choose(event.currentTarget.value)}
        >
          {choices.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
          {!known && <option value={lookback}>Last {lookback}</option>}
          <option value={CUSTOM_LOOKBACK}>Custom Time Range</option>
        </select>
      </div>
      {lookback === CUSTOM_LOOKBACK && (
        <>
          <InstantFields
            label="Start"
            us={form.value.startUs}
            onChange={(startUs) => edit({ startUs })}
          />
          <InstantFields label="End" us={form.value.endUs} onChange={(endUs) => edit({ endUs })} />
          {problems.value.endUs !== undefined && <p class="hint bad">{problems.value.endUs}</p>}
          <p class="hint">Times are {zoneLabel(zone.value)}.</p>
        </>
      )}
      {uiConfig.search.adjustEndTime !== "" && (
        <label class="check" title="Leaves out the newest traces, which may have arrived by half">
          <input
            type="checkbox"
            role="switch"
            checked={adjustsEnd.value}
            onChange={(event) => rememberAdjusting(event.currentTarget.checked)}
          />
          End time adjusted by −{uiConfig.search.adjustEndTime}
        </label>
      )}
    </>
  );
}

interface InstantFieldsProps {
  readonly label: string;
  readonly us: number;
  readonly onChange: (us: number) => void;
}

/** A date and a time to the minute, in the zone of the page. */
function InstantFields({ label, us, onChange }: InstantFieldsProps): JSX.Element {
  const { date, time } = partsOf(us, zone.value);
  const minute = time.slice(0, 5);
  const set = (newDate: string, newTime: string): void => {
    const instant = instantOf(newDate, newTime, zone.value);
    if (instant !== undefined) onChange(instant);
  };
  return (
    <div class="field-pair">
      <TextField
        label={`${label} date`}
        type="date"
        value={date}
        onChange={(text) => set(text, minute)}
      />
      <TextField
        label={`${label} time`}
        type="time"
        value={minute}
        onChange={(text) => set(date, text)}
      />
    </div>
  );
}

interface Names {
  readonly names: readonly string[];
  readonly note: string;
}

/** Names of a subject, asked for when it changes and when the page is looked at much later. */
function useNames(
  subject: () => string | undefined,
  fetchNames: (signal: AbortSignal, subject: string) => Promise<readonly string[]>,
): Names {
  const names = useSignal<Names>({ names: [], note: "" });
  useSignalEffect(() => {
    const wanted = subject();
    if (wanted === undefined) {
      names.value = { names: [], note: "Choose a service, or type a name" };
      return;
    }
    const abort = new AbortController();
    let askedMs = 0;
    const ask = (): void => {
      askedMs = performance.now();
      fetchNames(abort.signal, wanted).then(
        (list) => {
          names.value = { names: list, note: list.length === 0 ? "None stored yet" : "" };
        },
        (error: unknown) => {
          if (!abort.signal.aborted) names.value = { names: [], note: messageOf(error) };
        },
      );
    };
    const onFocus = (): void => {
      if (performance.now() - askedMs > STALE_MS) ask();
    };
    ask();
    addEventListener("focus", onFocus);
    return () => {
      abort.abort();
      removeEventListener("focus", onFocus);
    };
  });
  return names.value;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
