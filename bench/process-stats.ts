/** Reads what a process has used from /proc: CPU of its threads, memory; sizes of its files. */

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

/** Ticks a second in /proc: 100 on every Linux this runs on. */
const ticksPerSecond = 100;

/** CPU seconds the process has used so far, user and system, of all its threads. */
export function cpuSeconds(pid: number): number {
  const text = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
  // The command's name may hold blanks: count fields from behind it.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Memory in bytes: what is resident now and what was at most. */
export function memory(pid: number): { readonly rss: number; readonly peak: number } {
  const text = fs.readFileSync(`/proc/${pid}/status`, "latin1");
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
  return { rss: kilobytes("VmRSS") * 1024, peak: kilobytes("VmHWM") * 1024 };
}

/** CPU seconds of each thread by its name, to see which part of a program the time went to. */
export function threadSeconds(pid: number): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const tid of fs.readdirSync(`/proc/${pid}/task`)) {
    try {
      const text = fs.readFileSync(`/proc/${pid}/task/${tid}/stat`, "latin1");
      const name = text.slice(text.indexOf("(") + 1, text.lastIndexOf(")"));
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
      const used = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
      const key = tid === String(pid) ? "main" : name;
      seconds.set(key, (seconds.get(key) ?? 0) + used);
    } catch {
      // The thread ended between listing and reading.
    }
  }
  return seconds;
}

/** Allocated bytes of a folder's files, by what kind of file holds them (its ending). */
export function diskBytes(folder: string): { total: number; byKind: Map<string, number> } {
  const byKind = new Map<string, number>();
  let total = 0;
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const stat = fs.statSync(path.join(entry.parentPath, entry.name), { throwIfNoEntry: false });
    if (stat === undefined) continue;
    const bytes = stat.blocks * 512;
    const kind = path.extname(entry.name) || entry.name;
    total += bytes;
    byKind.set(kind, (byKind.get(kind) ?? 0) + bytes);
  }
  return { total, byKind };
}

/** Keeps a process (and what it starts later) on one core; false where that cannot be done. */
export function pin(pid: number, core: number): boolean {
  return spawnSync("taskset", ["-acp", String(core), String(pid)]).status === 0;
}
