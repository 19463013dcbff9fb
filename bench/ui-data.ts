// Data of the trace page: server's skeleton, find and critical path; the page's decoding and rows.

import { constants, gzipSync } from "node:zlib";
import { adjustTrace } from "../src/core/trace/adjust.ts";
import { criticalPathOf, NO_CRITICAL_PATH } from "../src/core/trace/critical-path.ts";
import { findRows } from "../src/core/trace/find-rows.ts";
import { skeletonOf } from "../src/core/trace/skeleton.ts";
import { viewTrace } from "../src/core/trace/view.ts";
import { SkeletonDecoder } from "../src/wire/skeleton-decode.ts";
import { encodeSkeleton } from "../src/wire/skeleton-encode.ts";
import { deepShape, flatShape, mixedShape, shapeBatches } from "../test/support/trace-shapes.ts";
import { minimapCells } from "../ui/layout/minimap-cells.ts";
import { collapsedBelow, visibleRows } from "../ui/layout/visible-rows.ts";

const sizes = (process.argv[2] ?? "10000,100000,1000000").split(",").map(Number);
const attributes = 10;
const shapes = { mixed: mixedShape, deep: deepShape, flat: flatShape };

/** Median CPU, ms, of some runs; the first run of a process compiles and does not count. */
function cpuMs(run: () => void, runs: number): number {
  const times: number[] = [];
  for (let n = 0; n < runs; n++) {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
  }
  times.sort((a, b) => a - b);
  return times[times.length >> 1]!;
}

function measure(name: keyof typeof shapes, spans: number): Record<string, number> {
  const runs = spans > 300_000 ? 3 : 7;
  const parts = shapeBatches(shapes[name](spans, attributes));
  const adjust = cpuMs(() => adjustTrace(viewTrace(parts)), runs);
  const view = viewTrace(parts);
  adjustTrace(view);
  const skeleton = cpuMs(() => skeletonOf(view), runs);
  const columns = skeletonOf(view);
  const frames = [...encodeSkeleton(columns, () => NO_CRITICAL_PATH)];
  const first = cpuMs(() => {
    let frame = 0;
    for (const _ of encodeSkeleton(columns, () => NO_CRITICAL_PATH)) if (++frame === 3) break;
  }, runs);
  const encode = cpuMs(() => {
    for (const _ of encodeSkeleton(columns, () => NO_CRITICAL_PATH));
  }, runs);
  const path = cpuMs(() => criticalPathOf(columns), runs);
  const bytes = Buffer.concat([...encodeSkeleton(columns, () => criticalPathOf(columns))]);
  const level = constants.Z_BEST_SPEED;
  const gzip = cpuMs(() => gzipSync(bytes, { level }), runs);
  const decode = cpuMs(() => {
    const decoder = new SkeletonDecoder();
    for (const frame of frames) decoder.push(frame);
  }, runs);
  const decoder = new SkeletonDecoder();
  decoder.push(bytes);
  const loaded = decoder.columns!;
  const rules = {
    collapsed: new Uint8Array((spans + 7) >> 3),
    hiddenServices: new Uint8Array(loaded.services.length),
    kept: undefined,
    skipped: new Set<number>(),
    within: -1,
    grouped: false,
    ungrouped: new Set<number>(),
    chained: false,
    unchained: new Set<number>(),
  };
  return {
    "view, adjust": adjust,
    skeleton,
    "first frame": first,
    encode,
    gzip,
    "critical path": path,
    "find text": cpuMs(() => findRows(view, columns, { text: "span 4711" }), runs),
    "find name": cpuMs(() => findRows(view, columns, { text: '"things/7"' }), runs),
    decode,
    "visible rows": cpuMs(() => visibleRows(loaded, rules), runs),
    grouped: cpuMs(() => visibleRows(loaded, { ...rules, grouped: true }), runs),
    "collapse all": cpuMs(() => {
      visibleRows(loaded, { ...rules, collapsed: collapsedBelow(loaded, 1) });
    }, runs),
    minimap: cpuMs(() => minimapCells(loaded, 1600, 60), runs),
    "B/span": bytes.length / spans,
    "B/span gz": gzipSync(bytes, { level }).length / spans,
  };
}

measure("mixed", 20_000);
const results = new Map<string, Record<string, number>>();
for (const spans of sizes) {
  for (const name of ["mixed", "deep", "flat"] as const) {
    results.set(`${name} ${spans / 1000}k`, measure(name, spans));
  }
}
const columns = [...results.keys()];
console.log(`ui-data: CPU ms of one thread, medians; ${attributes} attributes a span`);
console.log("".padEnd(14) + columns.map((text) => text.padStart(12)).join(""));
for (const row of Object.keys(results.values().next().value!)) {
  const cells = columns.map((column) => results.get(column)![row]!.toFixed(1).padStart(12));
  console.log(row.padEnd(14) + cells.join(""));
}
