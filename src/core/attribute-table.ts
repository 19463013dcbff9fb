/** Attributes of one level while a batch is built; and how columns grow. Bench: decode. */

import type { AttributeTable } from "./batch.ts";

/** A column of so many times the length with the same beginning. */
export function grown<T extends Uint32Array | Uint16Array | Uint8Array | Float64Array>(
  column: T,
  times = 2,
): T {
  const bigger = new (column.constructor as new (length: number) => T)(column.length * times);
  bigger.set(column as never);
  return bigger;
}

/** Columns up to this length are copied by a loop: a view of each would be most of the work. */
const SHORT_COLUMN = 24;

/** Fills a column from the beginning of one that is collected. */
export function copyColumn<T extends Uint32Array | Uint16Array | Uint8Array | Float64Array>(
  from: T,
  to: T,
): void {
  const length = to.length;
  if (length > SHORT_COLUMN) to.set(from.subarray(0, length));
  else for (let i = 0; i < length; i++) to[i] = from[i]!;
}

/** Attributes of one level while they are collected; owners and entries arrive in order. */
export class AttributeTableBuilder {
  offsets = new Uint32Array(257);
  key = new Uint32Array(1024);
  value = new Uint32Array(1024);
  owners = 0;
  count = 0;

  /** Makes room for so many owners and entries. */
  reserve(owners: number, entries: number): void {
    const longer = Math.ceil((owners + 2) / this.offsets.length);
    if (longer > 1) this.offsets = grown(this.offsets, longer);
    const more = Math.ceil(entries / this.key.length);
    if (more <= 1) return;
    this.key = grown(this.key, more);
    this.value = grown(this.value, more);
  }

  /** Begins the next owner; entries added from now on are its. Returns its row. */
  open(): number {
    if (this.owners + 2 > this.offsets.length) this.offsets = grown(this.offsets);
    this.offsets[this.owners] = this.count;
    return this.owners++;
  }

  /** Adds an entry to the open owner. */
  add(key: number, value: number): void {
    if (this.count === this.key.length) {
      this.key = grown(this.key);
      this.value = grown(this.value);
    }
    this.key[this.count] = key;
    this.value[this.count++] = value;
  }

  /** Entries of the open owner so far. */
  get openCount(): number {
    return this.count - this.offsets[this.owners - 1]!;
  }

  /** Forgets all owners from `owners` on. */
  truncate(owners: number): void {
    if (owners >= this.owners) return;
    this.count = this.offsets[owners]!;
    this.owners = owners;
  }

  reset(): void {
    this.owners = 0;
    this.count = 0;
  }

  copyInto(table: AttributeTable): void {
    this.offsets[this.owners] = this.count;
    copyColumn(this.offsets, table.offsets);
    copyColumn(this.key, table.key);
    copyColumn(this.value, table.value);
  }
}
