// The `opentracing` package's own API compatibility suite, run over the client under node:test.
import { createRequire } from "node:module";
import { beforeEach, describe, it } from "node:test";
import { ConstSampler, InMemoryReporter, Tracer, initTracer } from "../../src/client/node/index.ts";

const require = createRequire(import.meta.url);
// The suite was written for mocha, whose functions are globals.
Object.assign(globalThis, { describe, it, beforeEach });
const suite = require("opentracing/lib/test/api_compatibility.js") as {
  default: (create: () => unknown, options?: object) => void;
};

describe("a sampling tracer", () => {
  suite.default(() => new Tracer("svc", new InMemoryReporter(), new ConstSampler(true)));
});

describe("a tracer that never samples", () => {
  suite.default(() => new Tracer("svc", new InMemoryReporter(), new ConstSampler(false)));
});

describe("a tracer from a configuration", () => {
  suite.default(() => initTracer({ serviceName: "svc" }, { reporter: new InMemoryReporter() }));
});
