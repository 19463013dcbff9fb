/** What is ticked for comparing, kept across searches. */

import type { JSX } from "preact";
import { Icon } from "./icons.tsx";
import { hrefOf } from "./router.ts";
import { ticked, untickAll } from "./search-state.ts";

/** Shown once something is ticked. */
export function CompareBar(): JSX.Element | null {
  const ids = [...ticked.value.keys()];
  if (ids.length === 0) return null;
  const cohort = new URLSearchParams(ids.map((id) => ["cohort", id]));
  const [a = "", b = ""] = ids;
  return (
    <div class="compare-bar" role="region" aria-label="Chosen for comparing">
      <span>
        {ids.length} {ids.length === 1 ? "trace" : "traces"} chosen
      </span>
      <button type="button" class="button quiet" onClick={untickAll}>
        Deselect All
      </button>
      <span class="spring" />
      {ids.length < 2 ? (
        <span class="soft">Choose another to compare</span>
      ) : (
        <a class="button primary" href={hrefOf(`/trace/${a}...${b}?${cohort}`)}>
          <Icon name="compare" />
          Compare Traces
        </a>
      )}
    </div>
  );
}
