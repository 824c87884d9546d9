import type { Change, Entry } from "./store.ts";

// What a change costs beside its text: the objects and their slots.
const changeBytesFixed = 250;

/** The changes of the recent past, oldest first, bounded by the store. */
export class History {
  // Dropped changes leave from the front; the array is cut once half of it is gone.
  #changes: Change[] = [];
  #head = 0;
  #bytes = 0;

  get length(): number {
    return this.#changes.length - this.#head;
  }
  /** About how much memory the changes hold. */
  get bytes(): number {
    return this.#bytes;
  }

  add(change: Change): void {
    this.#changes.push(change);
    this.#bytes += bytesOf(change);
  }

  /** Changes with a revision after `revision`, oldest first. */
  after(revision: number): readonly Change[] {
    return this.#changes.slice(this.#firstAfter(revision));
  }

  /** The change that made `revision`. */
  at(revision: number): Change | undefined {
    const change = this.#changes[this.#firstAfter(revision) - 1];
    return change?.revision === revision ? change : undefined;
  }

  /** The revision of the change at `position` from the oldest. */
  revisionAt(position: number): number | undefined {
    return this.#changes[this.#head + position]?.revision;
  }

  /** What each key changed after `revision` was then; `undefined`: it did not exist. */
  undo(revision: number, wanted: (key: string) => boolean): Map<string, Entry | undefined> {
    const then = new Map<string, Entry | undefined>();
    const first = this.#firstAfter(revision);
    for (let i = this.#changes.length - 1; i >= first; i--) {
      const change = this.#changes[i]!;
      if (wanted(change.key)) then.set(change.key, change.previous);
    }
    return then;
  }

  /** Forgets the changes up to and including `revision`; returns the revisions that only they needed. */
  drop(revision: number): number[] {
    const dead: number[] = [];
    const end = this.#firstAfter(revision);
    for (let i = this.#head; i < end; i++) {
      const change = this.#changes[i]!;
      this.#bytes -= bytesOf(change);
      if (change.previous !== undefined) dead.push(change.previous.revision);
      if (change.type === "delete") dead.push(change.revision);
    }
    this.#head = end;
    if (this.#head * 2 > this.#changes.length) {
      this.#changes = this.#changes.slice(this.#head);
      this.#head = 0;
    }
    return dead;
  }

  #firstAfter(revision: number): number {
    let low = this.#head;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#changes[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function bytesOf(change: Change): number {
  // A deleted or replaced value lives only here; the new value of a put lives in the index as long as it is current.
  return changeBytesFixed + (change.previous?.value.length ?? 0);
}
