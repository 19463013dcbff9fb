/** The commands of `spoor`: what each is called, what it says of itself, and what it runs. */

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

async function runAllInOne(invocation: Invocation): Promise<number> {
  const [{ readConfig }, { openLog }, { readVersion }, { startAllInOne }, { onStopSignals }] =
    await Promise.all([
      import("../run/config.ts"),
      import("../run/logging.ts"),
      import("../run/version.ts"),
      import("../run/all-in-one.ts"),
      import("../run/signals.ts"),
    ]);
  const config = readConfig(invocation);
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
    await stop.promise;
    invocation.print("Stopping: requests in flight are finished first. Again to quit at once.\n");
    return await Promise.race([role.close().then(() => 0), quit.promise]);
  } finally {
    offSignals();
  }
}

async function printConfig(invocation: Invocation): Promise<number> {
  const { readConfig } = await import("../run/config.ts");
  const config = readConfig(invocation);
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
