/** The Upload tab: files dropped or chosen, of every format a trace comes in. */

import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { Icon } from "./icons.tsx";
import { filesOver, uploadFiles, uploading } from "./uploads.ts";

/** Where files are dropped, and a button for those who do not drag. */
export function UploadPanel(): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  return (
    <div class={filesOver.value ? "upload over" : "upload"}>
      <Icon name="upload" />
      <p>
        <strong>Drop trace files here</strong>
      </p>
      <p class="soft">
        Jaeger's JSON; OTLP as JSON, JSON lines or protobuf; gzipped or not. They are read in this
        browser and sent nowhere.
      </p>
      <button
        type="button"
        class="button"
        disabled={uploading.value}
        onClick={() => input.current?.click()}
      >
        {uploading.value ? "Reading…" : "Choose files"}
      </button>
      <input
        ref={input}
        class="unseen"
        type="file"
        multiple
        tabIndex={-1}
        aria-label="Trace files"
        accept=".json,.jsonl,.ndjson,.pb,.bin,.gz,application/json"
        onChange={(event) => {
          const field = event.currentTarget;
          void uploadFiles([...(field.files ?? [])]).then(() => {
            field.value = "";
          });
        }}
      />
    </div>
  );
}
