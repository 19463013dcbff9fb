/** The buttons above the names: services to show, colours, levels to open and fold. */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { ColorPicker } from "./color-legend.tsx";
import { Popover } from "./popover.tsx";
import { ServicePicker } from "./service-picker.tsx";
import type { TraceContext } from "./trace-context.ts";
import { foldLevel } from "./tree-folding.ts";
import { TraceIcon } from "./trace-icon.tsx";
import type { TraceIconName } from "./trace-icon.tsx";

export function TreeButtons({ context }: { context: TraceContext }): JSX.Element {
  const { model } = context;
  const picking = useSignal(false);
  const hidden = model.hiddenServices.value.some((hide) => hide === 1);
  return (
    <div class="tl-tools">
      <Popover
        label="Services shown"
        open={picking}
        button={<TraceIcon name="funnel" />}
        pressed={hidden}
      >
        <ServicePicker context={context} />
      </Popover>
      <ColorPicker context={context} />
      <Tool
        label={`Expand one level${context.keyHint("Expand a level")}`}
        icon="expand-one"
        run={() => foldLevel(model, 1)}
      />
      <Tool
        label={`Collapse one level${context.keyHint("Collapse a level")}`}
        icon="collapse-one"
        run={() => foldLevel(model, -1)}
      />
      <Tool
        label={`Expand all${context.keyHint("Expand all")}`}
        icon="expand-all"
        run={() => model.collapseFrom(Infinity)}
      />
      <Tool
        label={`Collapse all${context.keyHint("Collapse all")}`}
        icon="collapse-all"
        run={() => model.collapseFrom(0)}
      />
    </div>
  );
}

interface ToolProps {
  readonly label: string;
  readonly icon: TraceIconName;
  readonly run: () => void;
}

function Tool({ label, icon, run }: ToolProps): JSX.Element {
  return (
    <button type="button" class="button quiet icon" title={label} aria-label={label} onClick={run}>
      <TraceIcon name={icon} />
    </button>
  );
}
