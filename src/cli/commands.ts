/** The commands of `spoor`: what each is called, what it says of itself, and what it runs. */

import type { RunningRole } from "../run/all-in-one.ts";
import type { RunningDemo } from "../tools/demo.ts";

/** What a command is given. */
export interface Invocation {
  /** Arguments after the command's name. */
  readonly args: readonly string[];
  readonly env: { readonly [name: string]: string | undefined };
  /** Writes to standard output. */
  readonly print: (text: string) => void;
}

/** One command. */
export interface Command {
  readonly name: string;
  /** Names Jaeger has for it. */
  readonly aliases: readonly string[];
  /** One line for the list of commands. */
  readonly summary: string;
  /** Whether it takes the settings of docs/config.md. */
  readonly takesSettings: boolean;
  /** Resolves to the exit code once it is done. */
  readonly run: (invocation: Invocation) => Promise<number>;
}

/** Every command, in the order of --help. Their code is loaded when they run. */
export const COMMANDS: readonly Command[] = [
  {
    name: "all-in-one",
    aliases: [],
    summary: "Everything in one process: receive spans, keep them, find them.",
    takesSettings: true,
    run: runAllInOne,
  },
  {
    name: "demo",
    aliases: [],
    summary:
      "Run a shop of six services that sends traces: --load N, --fault NAME, --endpoint URL.",
    takesSettings: false,
    run: runDemoCommand,
  },
  {
    name: "print-config",
    aliases: [],
    summary: "Print every setting as flags, environment and file give it.",
    takesSettings: true,
    run: printConfig,
  },
  {
    name: "version",
    aliases: [],
    summary: "Print the version as JSON.",
    takesSettings: false,
    run: printVersion,
  },
];

/** `--demo` beside an all-in-one: the shop sends to it. */
const DEMO_FLAG = "--demo";

async function runAllInOne(invocation: Invocation): Promise<number> {
  const [{ readConfig }, { openLog }, { readVersion }, { startAllInOne }, { onStopSignals }] =
    await Promise.all([
      import("../run/config.ts"),
      import("../run/logging.ts"),
      import("../run/version.ts"),
      import("../run/all-in-one.ts"),
      import("../run/signals.ts"),
    ]);
  const withDemo = invocation.args.includes(DEMO_FLAG);
  const args = invocation.args.filter((arg) => arg !== DEMO_FLAG);
  const config = await readConfig({ ...invocation, args });
  const log = openLog(config["log-level"]);
  const stop = Promise.withResolvers<undefined>();
  const quit = Promise.withResolvers<number>();
  const offSignals = onStopSignals({
    stop: () => stop.resolve(undefined),
    quit: () => quit.resolve(1),
  });
  try {
    const starting = startAllInOne(config, { log, version: readVersion(), env: invocation.env });
    const role = await Promise.race([starting, quit.promise]);
    if (typeof role === "number") return role;
    invocation.print(role.banner);
    const demo = withDemo ? await startDemoBeside(role, invocation) : undefined;
    await stop.promise;
    invocation.print("Stopping: requests in flight are finished first. Again to quit at once.\n");
    await demo?.close();
    return await Promise.race([role.close().then(() => 0), quit.promise]);
  } finally {
    offSignals();
  }
}

async function startDemoBeside(
  role: RunningRole,
  invocation: Invocation,
): Promise<RunningDemo | undefined> {
  const { DEMO_DEFAULTS, runDemo } = await import("../tools/demo.ts");
  const { otlpHttp, query } = role.servers;
  if (otlpHttp === undefined) {
    invocation.print("The demo needs OTLP over HTTP, which is off.\n");
    return undefined;
  }
  const demo = await runDemo({
    ...DEMO_DEFAULTS,
    endpoint: `http://localhost:${otlpHttp.port}/v1/traces`,
    ui: `http://localhost:${query?.port ?? 16686}`,
    port: Number(invocation.env["DEMO_PORT"] ?? DEMO_DEFAULTS.port),
  });
  invocation.print(`  Demo shop   ${demo.url}\n`);
  return demo;
}

async function runDemoCommand(invocation: Invocation): Promise<number> {
  const [{ parseDemoArgs, runDemo }, { onStopSignals }] = await Promise.all([
    import("../tools/demo.ts"),
    import("../run/signals.ts"),
  ]);
  const options = parseDemoArgs(invocation.args);
  const stop = Promise.withResolvers<undefined>();
  const quit = Promise.withResolvers<number>();
  const offSignals = onStopSignals({
    stop: () => stop.resolve(undefined),
    quit: () => quit.resolve(1),
  });
  try {
    const demo = await runDemo(options);
    invocation.print(`The demo shop is at ${demo.url}; its spans go to ${options.endpoint}.\n`);
    await stop.promise;
    return await Promise.race([demo.close().then(() => 0), quit.promise]);
  } finally {
    offSignals();
  }
}

async function printConfig(invocation: Invocation): Promise<number> {
  const { readConfig } = await import("../run/config.ts");
  const config = await readConfig(invocation);
  for (const [name, value] of Object.entries(config)) {
    invocation.print(`${name}: ${JSON.stringify(value ?? null)}\n`);
  }
  return 0;
}

async function printVersion(invocation: Invocation): Promise<number> {
  const { readVersion } = await import("../run/version.ts");
  const { version, commit, buildDate } = readVersion();
  invocation.print(
    `${JSON.stringify({ gitCommit: commit, gitVersion: version, buildDate }, null, 2)}\n`,
  );
  return 0;
}
