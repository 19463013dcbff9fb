/** The commands of `spoor`: what each is called, what it says of itself, and what it runs. */

import type { Config } from "../run/config.ts";
import { ROLES } from "../run/flag.ts";
import type { RoleName } from "../run/flag.ts";
import type { RoleContext, RunningRole } from "../run/role.ts";
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
  /** More for its --help. */
  readonly about?: string;
  /** The role whose settings of docs/config.md it takes, when it takes them. */
  readonly settingsOf?: RoleName;
  /** Resolves to the exit code once it is done. */
  readonly run: (invocation: Invocation) => Promise<number>;
}

/** Every command, in the order of --help. Their code is loaded when they run. */
export const COMMANDS: readonly Command[] = [
  {
    name: "all-in-one",
    aliases: [],
    summary: "Everything in one process: receive spans, keep them, find them.",
    about:
      "With --demo a shop of six services runs beside it and sends traces (`spoor demo` has its\n" +
      "settings); the UI fills within seconds.",
    settingsOf: "all-in-one",
    run: runAllInOne,
  },
  {
    name: "collector",
    aliases: [],
    summary: "Receive spans in every protocol and write them to a store.",
    about:
      "On the embedded store, which is one directory of one process, a collector is an archive:\n" +
      "it keeps spans durably, and an all-in-one started on the directory later shows them.",
    settingsOf: "collector",
    run: async (invocation) => {
      const { startCollector } = await import("../run/collector.ts");
      return runRole(invocation, "collector", startCollector);
    },
  },
  {
    name: "agent",
    aliases: [],
    summary: "Take spans by UDP beside applications and hand them to collectors.",
    about:
      "Runs on every machine: applications with Jaeger's clients send to it and ask it how to\n" +
      "sample. It needs --reporter.grpc.host-port, the collectors.",
    settingsOf: "agent",
    run: async (invocation) => {
      const { startAgent } = await import("../run/agent.ts");
      return runRole(invocation, "agent", startAgent);
    },
  },
  {
    name: "demo",
    aliases: [],
    summary:
      "Run a shop of six services that sends traces: --load N, --fault NAME, --endpoint URL.",
    run: runDemoCommand,
  },
  {
    name: "print-config",
    aliases: [],
    summary: "Print every setting of a role (all-in-one unless named first) as it is given.",
    settingsOf: "all-in-one",
    run: printConfig,
  },
  {
    name: "version",
    aliases: [],
    summary: "Print the version as JSON.",
    run: printVersion,
  },
];

/** `--demo` beside an all-in-one: the shop sends to it. */
const DEMO_FLAG = "--demo";

async function runAllInOne(invocation: Invocation): Promise<number> {
  const { startAllInOne } = await import("../run/all-in-one.ts");
  const withDemo = invocation.args.includes(DEMO_FLAG);
  const args = invocation.args.filter((arg) => arg !== DEMO_FLAG);
  const beside = withDemo ? startDemoBeside : undefined;
  return runRole({ ...invocation, args }, "all-in-one", startAllInOne, beside);
}

/** Starts a role, serves until a signal, and stops it; `beside` runs with it while it serves. */
async function runRole(
  invocation: Invocation,
  name: RoleName,
  start: (config: Config, context: RoleContext) => Promise<RunningRole>,
  beside?: (role: RunningRole, invocation: Invocation) => Promise<RunningDemo | undefined>,
): Promise<number> {
  const [{ readConfig }, { openLog }, { readVersion }, { onStopSignals }] = await Promise.all([
    import("../run/config.ts"),
    import("../run/logging.ts"),
    import("../run/version.ts"),
    import("../run/signals.ts"),
  ]);
  const config = await readConfig({ ...invocation, role: name });
  const log = openLog(config["log-level"], config["log-encoding"]);
  const stop = Promise.withResolvers<undefined>();
  const quit = Promise.withResolvers<number>();
  const offSignals = onStopSignals({
    stop: () => stop.resolve(undefined),
    quit: () => quit.resolve(1),
  });
  try {
    const starting = start(config, { log, version: readVersion(), env: invocation.env });
    const role = await Promise.race([starting, quit.promise]);
    if (typeof role === "number") return role;
    invocation.print(role.banner);
    const running = await beside?.(role, invocation);
    await stop.promise;
    invocation.print("Stopping: requests in flight are finished first. Again to quit at once.\n");
    await running?.close();
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
  const { flagsOf, readConfig } = await import("../run/config.ts");
  const named = ROLES.find((name) => name === invocation.args[0]);
  const role = named ?? "all-in-one";
  const args = invocation.args.slice(named === undefined ? 0 : 1);
  const config = Object.entries(await readConfig({ ...invocation, args, role }));
  const own = new Set(flagsOf(role).map((row) => row.name));
  for (const [name, value] of config) {
    if (own.has(name)) invocation.print(`${name}: ${JSON.stringify(value ?? null)}\n`);
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
