/** Sets of completion indexes as they stand in a Job: `1,3-5`. Parts that make no sense or lie at or above `below` are left out. */
export function parseIndexes(text: string | undefined, below: number): Set<number> {
  const found = new Set<number>();
  for (const part of (text ?? "").split(",")) {
    const match = /^([0-9]{1,7})(?:-([0-9]{1,7}))?$/.exec(part);
    if (match === null) continue;
    const last = Math.min(Number(match[2] ?? match[1]), below - 1);
    for (let index = Number(match[1]); index <= last; index++) found.add(index);
  }
  return found;
}
export function renderIndexes(indexes: ReadonlySet<number>): string {
  const parts: string[] = [];
  const sorted = [...indexes].sort((a, b) => a - b);
  for (let i = 0; i < sorted.length; i++) {
    const first = sorted[i]!;
    while (sorted[i + 1] === sorted[i]! + 1) i++;
    const last = sorted[i]!;
    // Two neighbours stay two numbers, as upstream writes them.
    parts.push(last === first ? String(first) : last === first + 1 ? `${first},${last}` : `${first}-${last}`);
  }
  return parts.join(",");
}
