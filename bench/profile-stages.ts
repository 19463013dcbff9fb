/** Reads V8's CPU profiles and says which file of the source the time was spent for. */

import * as fs from "node:fs";
import * as path from "node:path";

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface StageTime {
  /** `main`, or `worker` for all the others together. */
  readonly thread: string;
  /** A file below src/, or what of Node it is. */
  readonly stage: string;
  readonly microseconds: number;
}

export interface StageTimes {
  readonly files: readonly StageTime[];
  readonly functions: readonly StageTime[];
}

const asleep = new Set(["(idle)", "(root)"]);

function ownFile(node: ProfileNode): string | undefined {
  const at = node.callFrame.url.lastIndexOf("/src/");
  return at < 0 ? undefined : node.callFrame.url.slice(at + 5);
}

/** Time inside Node is charged to the nearest caller of ours: it is what asked for it. */
function stageNames(profile: Profile): Map<number, { file: string; name: string }> {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const names = new Map<number, { file: string; name: string }>();
  const visit = (id: number, caller: { file: string; name: string } | undefined): void => {
    const node = byId.get(id) as ProfileNode;
    const { functionName, url } = node.callFrame;
    const file = ownFile(node);
    let here = caller;
    if (file !== undefined) here = { file, name: `${functionName || "(anonymous)"} ${file}` };
    const native = functionName.startsWith("(") && url === "";
    const alone = native ? functionName : url.startsWith("node:") ? "Node itself" : "packages";
    names.set(id, native || here === undefined ? { file: alone, name: alone } : here);
    for (const child of node.children ?? []) visit(child, here);
  };
  const root = profile.nodes[0];
  if (root !== undefined) visit(root.id, undefined);
  return names;
}

function add(sums: Map<string, number>, key: string, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}

function sorted(sums: ReadonlyMap<string, number>): StageTime[] {
  const rows = [...sums].map(([key, microseconds]) => {
    const [thread, stage] = key.split("\t") as [string, string];
    return { thread, stage, microseconds };
  });
  return rows.sort((a, b) => b.microseconds - a.microseconds);
}

/** Adds up all profiles of a folder; a name such as `CPU.date.time.pid.tid.n` tells the thread. */
export function readStages(folder: string): StageTimes {
  const files = new Map<string, number>();
  const functions = new Map<string, number>();
  for (const name of fs.readdirSync(folder)) {
    if (!name.endsWith(".cpuprofile")) continue;
    const thread = name.split(".")[4] === "0" ? "main" : "worker";
    const profile = JSON.parse(fs.readFileSync(path.join(folder, name), "utf8")) as Profile;
    const names = stageNames(profile);
    for (let i = 0; i < profile.samples.length; i++) {
      const stage = names.get(profile.samples[i] as number);
      if (stage === undefined || asleep.has(stage.file)) continue;
      add(files, `${thread}\t${stage.file}`, profile.timeDeltas[i] ?? 0);
      add(functions, `${thread}\t${stage.name}`, profile.timeDeltas[i] ?? 0);
    }
  }
  return { files: sorted(files), functions: sorted(functions) };
}
