/** Where rows lie when some have their details open beneath: tops, hits and the total height. */

/** A visible row with `height` px of details beneath it. Lists of these ascend by index. */
export interface OpenRow {
  readonly index: number;
  readonly height: number;
}

/** Top of row `index`, px from the first row's top. */
export function topOfRow(index: number, rowHeight: number, open: readonly OpenRow[]): number {
  let top = index * rowHeight;
  for (const row of open) {
    if (row.index >= index) break;
    top += row.height;
  }
  return top;
}

/** The row that holds the point `y`; its details belong to it. At most `count - 1`. */
export function rowAtHeight(
  y: number,
  rowHeight: number,
  open: readonly OpenRow[],
  count: number,
): number {
  let above = 0;
  for (const row of open) {
    const top = row.index * rowHeight + above;
    if (y < top + rowHeight) break;
    if (y < top + rowHeight + row.height) return row.index;
    above += row.height;
  }
  const index = Math.floor((y - above) / rowHeight);
  return Math.max(0, Math.min(count - 1, index));
}

/** Height of all rows and details, px. */
export function heightOfRows(count: number, rowHeight: number, open: readonly OpenRow[]): number {
  let height = count * rowHeight;
  for (const row of open) height += row.height;
  return height;
}
