/** The worker that reads files and plain Jaeger's JSON, so that the page's thread need not. */

import { serveTraces } from "./serve-traces.ts";
import type { Port } from "./serve-traces.ts";

// The DOM's types take this for a window.
serveTraces(globalThis as unknown as Port);
