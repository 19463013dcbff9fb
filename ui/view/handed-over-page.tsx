/** The page of `/embed`: shows the trace that the page around hands over, as an upload. */

import { useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { goTo, place } from "./router.ts";

/** What `<spoor-trace>` sends: bytes of any format that uploads may have. */
interface HandedOver {
  readonly spoorTrace: ArrayBuffer;
}

export function HandedOverPage(): JSX.Element {
  const problem = useSignal("");
  useSignalEffect(() => {
    const heard = (event: MessageEvent<unknown>): void => {
      if (event.source !== parent || !isHandedOver(event.data)) return;
      void show(event.data.spoorTrace).catch((error: unknown) => {
        problem.value = error instanceof Error ? error.message : String(error);
      });
    };
    addEventListener("message", heard);
    // Whoever frames this page may show a trace in it: nothing is told but that it is there.
    if (parent === window) problem.value = "This page shows what the page around it hands over.";
    else parent.postMessage("spoor-ready", "*");
    return () => removeEventListener("message", heard);
  });
  if (problem.value === "") {
    return <div class="progress" role="status" aria-label="Waiting for the trace" />;
  }
  return (
    <section class="state" role="alert">
      <h1>There is no trace to show</h1>
      <p>{problem.value}</p>
    </section>
  );
}

async function show(bytes: ArrayBuffer): Promise<void> {
  const { uploads } = await import("../data/open-source.ts");
  const file = new File([bytes], "the answer");
  const { traces, problems } = await uploads.add([file], new AbortController().signal);
  const first = traces[0];
  if (first === undefined) throw new Error(problems[0]?.message ?? "It holds no spans.");
  goTo(`/trace/${first.traceIdHex}?${place.peek().query}`, { replace: true });
}

function isHandedOver(data: unknown): data is HandedOver {
  if (typeof data !== "object" || data === null || !("spoorTrace" in data)) return false;
  return data.spoorTrace instanceof ArrayBuffer;
}
