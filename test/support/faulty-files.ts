/** A file system in memory that loses what was not synced and fails where it is told to. */

import type { FileLayer, OpenFile, OpenMode } from "../../src/base/node/file-layer.ts";
import type { Random } from "../../src/base/clock.ts";

/** A disk writes sectors whole or not at all. */
const SECTOR_BYTES = 512;

/** What befalls an operation. */
export type Fault =
  /** Part of the bytes is written, then the disk is full. */
  | "full"
  /** Part of the bytes is written, then an input/output error. */
  | "error"
  /** The power goes: this and every later operation throws, nothing more happens. */
  | "cut";

/** Operations that change something: each is a place for a fault. */
export type Verb = "create" | "write" | "sync" | "truncate" | "rename" | "unlink" | "syncDirectory";

/** Decides what befalls operation number `step` (from 0). */
export type FaultPlan = (step: number, verb: Verb, path: string) => Fault | undefined;

/** Thrown by everything after the power went. */
export class PowerCut extends Error {
  override readonly name = "PowerCut";
}

/** A file's contents: what programs see, and what a power cut leaves. */
interface Inode {
  bytes: Uint8Array;
  sizeBytes: number;
  durable: Uint8Array;
  /** Sectors written since the last sync. */
  readonly unsynced: Set<number>;
}

/** The file system; `plan` may be set at any time. */
export class FaultyFiles implements FileLayer {
  plan: FaultPlan = () => undefined;
  /** Operations so far that could have failed. */
  steps = 0;
  /** Bytes all files together may have. */
  capacityBytes = Infinity;
  #names = new Map<string, Inode>();
  /** Names as a power cut leaves them, by directory. */
  #durableNames = new Map<string, Inode>();
  #isCut = false;
  readonly #cut = Promise.withResolvers<void>();

  /** Resolves when the power goes. */
  get whenCut(): Promise<void> {
    return this.#cut.promise;
  }

  open(path: string, mode: OpenMode): OpenFile {
    this.#alive();
    let inode = this.#names.get(path);
    if (mode === "create") {
      this.#step("create", path);
      if (inode === undefined) this.#names.set(path, (inode = newInode()));
      else resize(inode, 0);
    }
    if (inode === undefined) throw systemError("ENOENT", path);
    return this.#file(path, inode);
  }

  rename(from: string, to: string): void {
    this.#step("rename", from);
    const inode = this.#names.get(from);
    if (inode === undefined) throw systemError("ENOENT", from);
    this.#names.delete(from);
    this.#names.set(to, inode);
  }

  unlink(path: string): void {
    this.#step("unlink", path);
    if (!this.#names.delete(path)) throw systemError("ENOENT", path);
  }

  list(directory: string): string[] {
    this.#alive();
    const prefix = `${directory}/`;
    const names: string[] = [];
    for (const path of this.#names.keys()) {
      if (path.startsWith(prefix) && !path.slice(prefix.length).includes("/")) {
        names.push(path.slice(prefix.length));
      }
    }
    return names.toSorted();
  }

  sizeBytes(path: string): number | undefined {
    this.#alive();
    return this.#names.get(path)?.sizeBytes;
  }

  makeDirectory(): void {
    this.#alive();
  }

  syncDirectory(path: string): void {
    this.#step("syncDirectory", path);
    const isInside = (name: string): boolean => name.slice(0, name.lastIndexOf("/")) === path;
    for (const name of this.#durableNames.keys()) {
      if (isInside(name) && !this.#names.has(name)) this.#durableNames.delete(name);
    }
    for (const [name, inode] of this.#names) {
      if (isInside(name)) this.#durableNames.set(name, inode);
    }
  }

  /**
   * The disk after the power went, as the next start finds it: names and bytes that were synced,
   * and of what was not, each sector or name as chance has it.
   */
  afterPowerCut(random: Random): FaultyFiles {
    const next = new FaultyFiles();
    const survivors = new Map(this.#durableNames);
    for (const [name, inode] of this.#names) {
      if (!this.#durableNames.has(name) && random() < 0.5) survivors.set(name, inode);
    }
    for (const name of this.#durableNames.keys()) {
      if (!this.#names.has(name) && random() < 0.5) survivors.delete(name);
    }
    const copies = new Map<Inode, Inode>();
    for (const [name, inode] of survivors) {
      let copy = copies.get(inode);
      if (copy === undefined) copies.set(inode, (copy = survived(inode, random)));
      next.#names.set(name, copy);
      next.#durableNames.set(name, copy);
    }
    return next;
  }

  /** The disk after the process was killed: everything written is there. */
  afterKill(): FaultyFiles {
    const next = new FaultyFiles();
    for (const [name, inode] of this.#names) {
      const copy = newInode();
      resize(copy, inode.sizeBytes);
      copy.bytes.set(inode.bytes.subarray(0, inode.sizeBytes));
      copy.durable = copy.bytes.slice(0, copy.sizeBytes);
      next.#names.set(name, copy);
      next.#durableNames.set(name, copy);
    }
    return next;
  }

  /** Paths of all files. */
  paths(): string[] {
    return [...this.#names.keys()].toSorted();
  }

  /** Changes one bit behind everybody's back. */
  flipBit(path: string, bit: number): void {
    const inode = this.#names.get(path);
    if (inode === undefined) throw systemError("ENOENT", path);
    inode.bytes[bit >> 3]! ^= 1 << (bit & 7);
    inode.durable = inode.bytes.slice(0, inode.sizeBytes);
  }

  /** Cuts a file off behind everybody's back. */
  cutOff(path: string, sizeBytes: number): void {
    const inode = this.#names.get(path);
    if (inode === undefined) throw systemError("ENOENT", path);
    resize(inode, sizeBytes);
    inode.durable = inode.bytes.slice(0, sizeBytes);
  }

  #alive(): void {
    if (this.#isCut) throw new PowerCut("the power is gone");
  }

  #step(verb: Verb, path: string): void {
    const fault = this.#fault(verb, path);
    if (fault !== undefined) throw systemError(fault === "full" ? "ENOSPC" : "EIO", path);
  }

  #fault(verb: Verb, path: string): "full" | "error" | undefined {
    this.#alive();
    const fault = this.plan(this.steps++, verb, path);
    if (fault === "cut") {
      this.#isCut = true;
      this.#cut.resolve();
      this.#alive();
    }
    return fault === "cut" ? undefined : fault;
  }

  #usedBytes(): number {
    let used = 0;
    for (const inode of new Set(this.#names.values())) used += inode.sizeBytes;
    return used;
  }

  #write(path: string, inode: Inode, bytes: Uint8Array, position: number): void {
    const fault = this.#fault("write", path);
    const growth = position + bytes.length - inode.sizeBytes;
    const isFull = growth > 0 && this.#usedBytes() + growth > this.capacityBytes;
    // A failing write leaves a part behind, as disks do.
    const length = fault !== undefined || isFull ? bytes.length >> 1 : bytes.length;
    const room = isFull ? Math.max(0, inode.sizeBytes - position) : length;
    const written = Math.min(length, room);
    if (position + written > inode.sizeBytes) resize(inode, position + written);
    inode.bytes.set(bytes.subarray(0, written), position);
    const last = Math.floor((position + Math.max(written, 1) - 1) / SECTOR_BYTES);
    for (let s = Math.floor(position / SECTOR_BYTES); s <= last; s++) inode.unsynced.add(s);
    if (fault === "error") throw systemError("EIO", path);
    if (fault === "full" || isFull) throw systemError("ENOSPC", path);
  }

  #sync(path: string, inode: Inode): void {
    const fault = this.#fault("sync", path);
    if (fault !== undefined) {
      // What was waiting is dropped, and a later sync would not know: so Linux does it.
      inode.unsynced.clear();
      throw systemError(fault === "full" ? "ENOSPC" : "EIO", path);
    }
    inode.durable = inode.bytes.slice(0, inode.sizeBytes);
    inode.unsynced.clear();
  }

  #file(path: string, inode: Inode): OpenFile {
    const later = async (run: () => void): Promise<void> => {
      await Promise.resolve();
      run();
    };
    let isClosed = false;
    const isOpen = (): void => {
      this.#alive();
      if (isClosed) throw systemError("EBADF", path);
    };
    const write = (bytes: Uint8Array, position: number): void => {
      isOpen();
      this.#write(path, inode, bytes, position);
    };
    const sync = (): void => {
      isOpen();
      this.#sync(path, inode);
    };
    return {
      path,
      readAt: (into, position) => {
        isOpen();
        const end = Math.min(inode.sizeBytes, position + into.length);
        if (end <= position) return 0;
        into.set(inode.bytes.subarray(position, end));
        return end - position;
      },
      writeAt: write,
      writeAtAsync: (bytes, position) => later(() => write(bytes, position)),
      sync,
      syncAsync: () => later(sync),
      sizeBytes: () => (isOpen(), inode.sizeBytes),
      truncate: (sizeBytes) => {
        isOpen();
        this.#step("truncate", path);
        resize(inode, sizeBytes);
      },
      close: () => {
        if (!this.#isCut) isOpen();
        isClosed = true;
      },
    };
  }
}

function newInode(): Inode {
  const empty = new Uint8Array(0);
  return { bytes: empty, sizeBytes: 0, durable: empty, unsynced: new Set() };
}

function resize(inode: Inode, sizeBytes: number): void {
  if (sizeBytes > inode.bytes.length) {
    const bigger = new Uint8Array(Math.max(sizeBytes, inode.bytes.length * 2));
    bigger.set(inode.bytes.subarray(0, inode.sizeBytes));
    inode.bytes = bigger;
  }
  if (sizeBytes < inode.sizeBytes) inode.bytes.fill(0, sizeBytes, inode.sizeBytes);
  inode.sizeBytes = sizeBytes;
}

/** The file as a power cut leaves it: unsynced sectors stay old or become new, by chance. */
function survived(inode: Inode, random: Random): Inode {
  const sizes = [inode.durable.length, inode.sizeBytes];
  const sizeBytes = inode.unsynced.size === 0 ? sizes[0]! : sizes[random() < 0.5 ? 0 : 1]!;
  const copy = newInode();
  resize(copy, sizeBytes);
  copy.bytes.set(inode.durable.subarray(0, sizeBytes));
  for (const sector of inode.unsynced) {
    if (random() < 0.5) continue;
    const from = sector * SECTOR_BYTES;
    const to = Math.min(from + SECTOR_BYTES, sizeBytes, inode.sizeBytes);
    if (from < to) copy.bytes.set(inode.bytes.subarray(from, to), from);
  }
  copy.durable = copy.bytes.slice(0, sizeBytes);
  return copy;
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
