/**
 * Whether the machine's clock can be believed when certificates are minted. A certificate minted under a wrong clock outlives the
 * mistake (k0s minted future ones, boards without a battery start in 1970), so minting waits; what exists keeps working meanwhile.
 *
 * At start a clock is believed unless it is behind the last believed time on disk. While running, a step against the monotonic clock is
 * believed once it has stood for a minute, one of more than a day forward after ten: a step back usually is the correction of a wrong start, so it may fall below the time on disk, but not
 * below the time this cluster was made.
 */
import { readFile } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import type { FileToWrite } from "./files.ts";

/** No timonier ran before this: a clock that says so was never set. */
const floorMs = Date.UTC(2026, 0, 1);
/** Certificates begin an hour in the past, so a smaller step hurts nobody. */
const toleratedMs = 3_600_000;
const standsMs = 60_000;
const bigStepMs = 86_400_000;
const bigStepStandsMs = 600_000;

/** Nothing was minted because the clock is wrong; try again when it is right. */
export class ClockNotSet extends Error {
  override name = "ClockNotSet";
}

export class BelievedClock {
  readonly #path: string;
  readonly #clock: Clock;
  /** First believed time of this cluster, and the last one written down. */
  #first: number;
  #last: number;
  /** Wall minus monotonic time at the last look: constant unless somebody sets the clock (or the machine slept). */
  #offset: number;
  /** Monotonic time at which the last step will have stood long enough. */
  #believedFrom: number | undefined;
  /** The clock was set since the start, so it may be right although it is behind `#last`. */
  #wasSet = false;
  doubt: string | undefined;

  constructor(path: string, clock: Clock, first: number, last: number) {
    this.#path = path;
    this.#clock = clock;
    this.#first = first;
    this.#last = last;
    this.#offset = clock.now() - clock.monotonic();
    this.look();
  }

  static async open(path: string, clock: Clock): Promise<BelievedClock> {
    const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    // A torn or foreign file counts as absent: the floor still holds.
    const [first = NaN, last = NaN] = text.trim().split("\n").map(line => Date.parse(line));
    return new BelievedClock(path, clock, Number.isFinite(first) ? first : floorMs, Number.isFinite(last) ? last : floorMs);
  }

  now(): number {
    return this.#clock.now();
  }

  /** Judges the clock now; true if it is believed. */
  look(): boolean {
    const now = this.#clock.now();
    const monotonic = this.#clock.monotonic();
    const step = now - monotonic - this.#offset;
    if (Math.abs(step) > toleratedMs) {
      this.#believedFrom = monotonic + (step > bigStepMs ? bigStepStandsMs : standsMs);
      this.#wasSet = true;
      this.#offset = now - monotonic;
    }
    if (this.#believedFrom !== undefined && monotonic >= this.#believedFrom) this.#believedFrom = undefined;
    const earliest = Math.max(floorMs, this.#wasSet ? this.#first : this.#last) - toleratedMs;
    this.doubt = this.#believedFrom !== undefined ? "it was set a moment ago"
      : now < earliest ? `it says ${new Date(now).toISOString()}, which is before ${new Date(earliest + toleratedMs).toISOString()}`
      : undefined;
    return this.doubt === undefined;
  }

  assertBelieved(): void {
    if (!this.look()) throw new ClockNotSet(`clock not set: ${this.doubt}; set the machine's clock (timedatectl), nothing needs to be restarted`);
  }

  /** Remembers the present time as the last believed one: the file to write, if the one on disk is an hour old. */
  record(): FileToWrite | undefined {
    const now = this.#clock.now();
    if (!this.look() || (now >= this.#last && now - this.#last < toleratedMs)) return undefined;
    this.#last = now;
    if (this.#first === floorMs) this.#first = this.#last;
    return { path: this.#path, content: `${new Date(this.#first).toISOString()}\n${new Date(this.#last).toISOString()}\n` };
  }
}
