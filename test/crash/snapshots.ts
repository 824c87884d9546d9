import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Operation } from "./images.ts";

const sectorBytes = 512;
const walHeaderBytes = 32;

/**
 * A recorder that runs anywhere: it compares the files after every call of the store and takes each changed sector for one unsynced write of that call,
 * synced at its end. So it covers every loss, tear and order of what one call wrote, more than a real disk can do since it ignores the syncs inside the call,
 * but for the one that SQLite needs where a write-ahead log begins anew: its header is synced before its first frame, or old frames could be taken for new.
 * It takes for granted that each call ends with its syncs, which only the recording by strace (test/e2e) proves, as well as what a file's first call does.
 */
export class SnapshotRecorder {
  readonly operations: Operation[] = [];
  readonly #directory: string;
  readonly #names: readonly string[];
  readonly #last = new Map<string, Uint8Array>();

  constructor(directory: string, names: readonly string[]) {
    this.#directory = directory;
    this.#names = names;
  }

  note(text: string): void {
    // What was said after a call was said after its writes: they are compared first.
    if (!text.startsWith("begin ")) this.step();
    this.operations.push({ type: "note", text });
  }

  step(): void {
    for (const file of this.#names) {
      const path = join(this.#directory, file);
      const before = this.#last.get(file);
      if (!existsSync(path)) {
        if (before !== undefined) this.operations.push({ type: "unlink", file });
        this.#last.delete(file);
        continue;
      }
      const now = readFileSync(path);
      if (before === undefined) this.operations.push({ type: "create", file });
      this.#compare(file, before ?? new Uint8Array(0), now);
      this.#last.set(file, now);
    }
    for (const file of this.#last.keys()) this.operations.push({ type: "sync", file });
    this.operations.push({ type: "sync-directory" });
  }

  /** Where in `operations` the first call, which made the files, is over. */
  get made(): number {
    return this.operations.findIndex(({ type }) => type === "sync-directory") + 1;
  }

  #compare(file: string, before: Uint8Array, now: Uint8Array): void {
    if (file.endsWith("-wal") && now.length >= walHeaderBytes && Buffer.compare(now.subarray(0, walHeaderBytes), before.subarray(0, walHeaderBytes)) !== 0) {
      this.operations.push({ type: "write", file, offset: 0, bytes: now.subarray(0, walHeaderBytes) }, { type: "sync", file });
    }
    for (let offset = 0; offset < now.length; offset += sectorBytes) {
      const bytes = now.subarray(offset, offset + sectorBytes);
      if (offset >= before.length || Buffer.compare(bytes, before.subarray(offset, offset + sectorBytes)) !== 0) this.operations.push({ type: "write", file, offset, bytes });
    }
    if (now.length < before.length) this.operations.push({ type: "truncate", file, size: now.length });
  }
}
