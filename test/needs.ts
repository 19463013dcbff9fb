/** What some tests need from the machine: a test says so, and skips with the reason printed. */

import { spawnSync } from "node:child_process";

/** A tool of the machine: a command that shows it is there, and what installs it. */
interface Tool {
  readonly probe: readonly [command: string, ...args: string[]];
  readonly install: string;
}

const TOOLS = {
  chromium: { probe: ["chromium", "--version"], install: "apt-get install chromium" },
  go: { probe: ["go", "version"], install: "apt-get install golang-go" },
  java: { probe: ["java", "-version"], install: "apt-get install default-jre-headless" },
  maven: { probe: ["mvn", "-version"], install: "apt-get install maven" },
  openssl: { probe: ["openssl", "version"], install: "apt-get install openssl" },
  python: {
    probe: ["python3", "-c", "import ensurepip, venv"],
    install: "apt-get install python3 python3-venv",
  },
} as const satisfies Record<string, Tool>;

export type ToolName = keyof typeof TOOLS;

const known = new Map<ToolName, boolean>();

/**
 * For a test's `skip` option: false when the tool is there, else the reason. Under
 * SPOOR_TEST_REQUIRE=all, as in CI, an absent tool is an error instead.
 */
export function needs(name: ToolName): string | false {
  const tool = TOOLS[name];
  let present = known.get(name);
  if (present === undefined) {
    const [command, ...args] = tool.probe;
    present = spawnSync(command, args, { stdio: "ignore" }).status === 0;
    known.set(name, present);
  }
  if (present) return false;
  const reason = `${name} is not on this machine: ${tool.install}`;
  if (process.env["SPOOR_TEST_REQUIRE"] === "all") throw new Error(reason);
  return reason;
}
