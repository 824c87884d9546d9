/** So many items are compared with each other; more would make that slow, and the usual few need no set. */
const fewMax = 16;
const nowhere: readonly number[] = [];

/** Where items stand whose text an earlier item has too, in order. */
export function repeatsOf<T>(items: readonly T[], textOf: (item: T) => string): readonly number[] {
  if (items.length <= fewMax && !anyRepeats(items, textOf)) return nowhere;
  const seen = new Set<string>();
  const found: number[] = [];
  for (let i = 0; i < items.length; i++) {
    const text = textOf(items[i]!);
    if (seen.has(text)) found.push(i);
    else seen.add(text);
  }
  return found;
}

function anyRepeats<T>(items: readonly T[], textOf: (item: T) => string): boolean {
  for (let i = 1; i < items.length; i++) {
    const text = textOf(items[i]!);
    for (let j = 0; j < i; j++) if (textOf(items[j]!) === text) return true;
  }
  return false;
}
