/** Finds the command, runs it, turns errors into a line and an exit code. */

import { isSpoorError } from "../core/errors.ts";
import { nearest } from "../run/nearest.ts";
import { COMMANDS } from "./commands.ts";
import { commandHelp, commandsHelp } from "./help.ts";

/** A wrong flag, key or command, as in other programs of this kind. */
const EXIT_USAGE = 2;
const EXIT_FAILED = 1;

/** Runs what the arguments say; resolves to the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const [name = "help", ...args] = argv;
  const print = (text: string): void => {
    process.stdout.write(text);
  };
  if (name === "help" || name === "--help" || name === "-h") {
    print(commandsHelp(COMMANDS));
    return 0;
  }
  const command = COMMANDS.find((row) => row.name === name || row.aliases.includes(name));
  if (command === undefined) {
    const close = nearest(
      name,
      COMMANDS.map((row) => row.name),
    );
    const hint = close === undefined ? "see spoor --help" : `did you mean ${close}?`;
    complain(`unknown command "${name}"; ${hint}`);
    return EXIT_USAGE;
  }
  if (args.includes("--help") || args.includes("-h")) {
    print(commandHelp(command));
    return 0;
  }
  try {
    return await command.run({ args, env: process.env, print });
  } catch (error) {
    // A SpoorError says in one line what to do; anything else is our bug and needs its stack.
    if (!isSpoorError(error)) throw error;
    complain(error.message);
    return isSpoorError(error, "config") ? EXIT_USAGE : EXIT_FAILED;
  }
}

function complain(line: string): void {
  process.stderr.write(`spoor: ${line}\n`);
}
