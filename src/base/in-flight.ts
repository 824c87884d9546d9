/** What an item needs to be found again; only {@link InFlight} writes it. -1: in none. */
export type Placed = { place: number };

/**
 * Those under way, in no order; adding and removing cost the same however many there are. For few members that change with every request a `Set`
 * is the wrong thing: V8 gives it a new table every few changes and lets the outgrown one, members and all, point to the next. Once one such table
 * is old, all that came after it outlives every young collection (1 KB for each request of the ingress proxy, and pauses of 2–3 ms).
 */
export class InFlight<T extends Placed> {
  readonly #items: T[] = [];

  get size(): number { return this.#items.length; }

  add(item: T): void {
    if (item.place >= 0) return;
    item.place = this.#items.length;
    this.#items.push(item);
  }
  delete(item: T): void {
    const { place } = item;
    if (place < 0) return;
    const last = this.#items.pop()!;
    if (last !== item) {
      this.#items[place] = last;
      last.place = place;
    }
    item.place = -1;
  }
  /** Those of now: adding and removing meanwhile changes nothing of it. */
  all(): readonly T[] {
    return [...this.#items];
  }
}
