/** The audit log (or another one, `what`) on disk: lines appended in order, files rotated by size and removed by number and age (CIS 1.2.16–19: 100 MB, 10 files, 30 days). */
import { closeSync, openSync, readdirSync, renameSync, rmSync, statSync, write } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Log } from "../base/log.ts";

export type AuditFileOptions = { readonly path: string; readonly log: Log; readonly now: () => number; readonly what?: string; readonly bytesMax?: number; readonly filesMax?: number; readonly ageMaxMs?: number };

const bytesMaxDefault = 100_000_000;
const filesMaxDefault = 10;
const ageMaxDefaultMs = 30 * 86_400_000;
/** Lines waiting for a slow disk; past this, events are lost and that is said. */
const pendingBytesMax = 16 << 20;
/** A busy server's lines wait this long for each other: a write costs a thread's waking whatever its size. A lone line is written at once. */
const gatherMs = 5;

export class AuditFile {
  readonly #options: Required<AuditFileOptions>;
  #file: number;
  #bytes: number;
  #pending: string[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> | undefined;
  #lost = 0;
  #closed = false;

  constructor(options: AuditFileOptions) {
    this.#options = { what: "audit log", bytesMax: bytesMaxDefault, filesMax: filesMaxDefault, ageMaxMs: ageMaxDefaultMs, ...options };
    this.#file = openSync(options.path, "a", 0o600);
    this.#bytes = statSync(options.path).size;
    this.#sweep();
  }

  /** Takes one line; it is written together with those that come in the meantime. */
  append(line: string): void {
    if (this.#closed) return;
    if (this.#pendingBytes + line.length > pendingBytesMax) {
      if (this.#lost++ === 0) this.#options.log.error(`the ${this.#options.what} cannot be written fast enough: events are being lost`, { path: this.#options.path });
      return;
    }
    this.#pending.push(line);
    this.#pendingBytes += line.length;
    this.#writing ??= this.#drain();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
    closeSync(this.#file);
  }

  async #drain(): Promise<void> {
    await new Promise(resolve => setImmediate(resolve));
    for (; this.#pending.length > 0; await new Promise(resolve => setTimeout(resolve, gatherMs))) {
      const bytes = Buffer.from(`${this.#pending.join("\n")}\n`);
      this.#pending = [];
      this.#pendingBytes = 0;
      try {
        await this.#write(bytes);
        if (this.#lost > 0) this.#options.log.warn(`events of the ${this.#options.what} were lost`, { count: this.#lost });
        this.#lost = 0;
        if (this.#bytes >= this.#options.bytesMax) this.#rotate();
      } catch (error) {
        // A full disk must not stop the API: the loss is told, and writing goes on with the next event.
        if (this.#lost++ === 0) this.#options.log.error(`the ${this.#options.what} cannot be written`, { path: this.#options.path, error: String(error) });
      }
    }
    this.#writing = undefined;
  }

  #write(bytes: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      write(this.#file, bytes, 0, bytes.length, null, (error, written) => {
        if (error) return reject(error);
        this.#bytes += written;
        if (written < bytes.length) this.#write(bytes.subarray(written)).then(resolve, reject);
        else resolve();
      });
    });
  }

  /** `audit.log` becomes `audit-<time>.log`, as upstream names them. */
  #rotate(): void {
    const { path, now } = this.#options;
    closeSync(this.#file);
    renameSync(path, join(dirname(path), `${basename(path, ".log")}-${new Date(now()).toISOString().replaceAll(":", "-")}.log`));
    this.#file = openSync(path, "a", 0o600);
    this.#bytes = 0;
    this.#sweep();
  }

  #sweep(): void {
    const { path, now, filesMax, ageMaxMs } = this.#options;
    const prefix = `${basename(path, ".log")}-`;
    const old = readdirSync(dirname(path)).filter(name => name.startsWith(prefix) && name.endsWith(".log")).sort().reverse();
    for (const [i, name] of old.entries()) {
      const file = join(dirname(path), name);
      if (i >= filesMax - 1 || statSync(file).mtimeMs < now() - ageMaxMs) rmSync(file, { force: true });
    }
  }
}
