import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";

// A full disk is asked again at most this often.
const retryMs = 1_000;
// A fiftieth of the file system, but enough for a write-ahead log and not more than thousands of deletes need.
const bytesMin = 1 << 20;
const bytesMax = 8 << 20;

/**
 * A file that holds space for the day the disk is full: given up so that deletes can still be written, taken back before anything else may grow.
 */
export class Reserve {
  readonly #path: string;
  readonly #bytes: number;
  #held: boolean;
  /** A write found no space: until there is some again, none is tried. */
  #refused = false;
  #triedAt = -Infinity;

  constructor(path: string, bytes?: number) {
    const { blocks, bsize } = statfsSync(dirname(path));
    this.#path = path;
    this.#bytes = bytes ?? Math.floor(Math.min(Math.max((blocks * bsize) / 50, bytesMin), bytesMax));
    this.#held = existsSync(path) && statSync(path).size === this.#bytes;
  }

  get held(): boolean {
    return this.#held;
  }

  /**
   * A write that may not use this space was refused. Smaller ones could still fit into blocks that the store has already: then an agent could say that it ends a
   * pod, but not that it has. So a full disk refuses all of them, until as much is free, on the disk or inside the store, as is held here.
   */
  refuse(): void {
    this.#refused = true;
    this.#triedAt = performance.now();
  }

  /** True when the space is held, now or already, and no write was refused since there was some. `freeInside`: bytes that the store has, but does not use. */
  hold(freeInside: () => number): boolean {
    if (this.#held && !this.#refused) return true;
    const now = performance.now();
    if (now - this.#triedAt < retryMs) return false;
    this.#triedAt = now;
    const { bavail, bsize } = statfsSync(dirname(this.#path));
    // Not the very last bytes: the next commit wants some too.
    const free = bavail * bsize;
    if (!this.#held && free >= 2 * this.#bytes) this.#held = this.#fill();
    else if (!this.#held || free + freeInside() < this.#bytes) return false;
    this.#refused = !this.#held;
    return this.#held;
  }

  /** Gives the space up; false if there was none. */
  release(): boolean {
    if (!this.#held) return false;
    rmSync(this.#path, { force: true });
    this.#held = false;
    this.#triedAt = performance.now();
    return true;
  }

  #fill(): boolean {
    const file = openSync(this.#path, "w", 0o600);
    try {
      // Not a hole: only blocks that were written are ours.
      const block = new Uint8Array(1 << 20);
      for (let written = 0; written < this.#bytes; written += writeSync(file, block, 0, Math.min(block.length, this.#bytes - written)));
      fsyncSync(file);
      return true;
    } catch (error) {
      rmSync(this.#path, { force: true });
      // Less space than it seemed is an answer; a broken disk is not.
      if (error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT")) return false;
      throw error;
    } finally {
      closeSync(file);
    }
  }
}
