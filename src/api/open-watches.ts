/** The watches that are open, as far as something concerns many of them at once. */
import type { Clock } from "../base/clock.ts";

/** At least one a minute, whatever a timer is late; upstream's are a minute and a bit apart. */
const bookmarkEveryMs = 55_000;
/** A kind's watches outlive it for this long, so that what happened before is still told (apiextensions customresource_handler.go tearDown). */
const endAfterMs = 1_000;

export class OpenWatches {
  readonly #clock: Clock;
  readonly #ticks = new Set<() => void>();
  #stop: (() => void) | undefined;
  readonly #custom = new Map<string, Set<() => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `tick` whenever it is time for a bookmark, until the returned function is called. One timer for all, none when there are none. */
  addBookmarks(tick: () => void): () => void {
    this.#ticks.add(tick);
    this.#schedule();
    return () => {
      this.#ticks.delete(tick);
      if (this.#ticks.size > 0) return;
      this.#stop?.();
      this.#stop = undefined;
    };
  }
  #schedule(): void {
    this.#stop ??= this.#clock.after(bookmarkEveryMs, () => {
      this.#stop = undefined;
      for (const tick of [...this.#ticks]) tick();
      if (this.#ticks.size > 0) this.#schedule();
    });
  }

  /** `end` ends a watch of custom resources under `prefix`; it is called when their definition has become another or is gone. */
  addCustom(prefix: string, end: () => void): () => void {
    const ends = this.#custom.get(prefix) ?? new Set();
    this.#custom.set(prefix, ends.add(end));
    return () => {
      ends.delete(end);
      if (ends.size === 0 && this.#custom.get(prefix) === ends) this.#custom.delete(prefix);
    };
  }
  /** What is open now knows objects as they were: whoever watches on comes back and sees them as they are. */
  redefined(prefix: string): void {
    const ends = this.#custom.get(prefix);
    if (ends === undefined) return;
    this.#custom.delete(prefix);
    this.#clock.after(endAfterMs, () => { for (const end of [...ends]) end(); });
  }
}
