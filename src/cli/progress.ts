/** Live progress: what is being done, and how long each step took. A terminal sees the running step; a log file only finished ones. */
import type { Machine } from "./machine.ts";

export class Progress {
  readonly #machine: Machine;
  readonly #started: number;
  #running: string | undefined;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#started = machine.now();
  }
  get elapsedMs(): number {
    return this.#machine.now() - this.#started;
  }
  /** Runs one step under its name; a failure is marked and passed on. */
  async step<T>(name: string, work: () => Promise<T>, outcome?: (value: T) => string): Promise<T> {
    const began = this.#machine.now();
    this.#show(name);
    try {
      const value = await work();
      this.done(outcome?.(value) ?? name, this.#machine.now() - began);
      return value;
    } catch (error) {
      this.#clear();
      this.#machine.out(` ✗ ${name}\n`);
      throw error;
    }
  }
  done(name: string, ms: number): void {
    this.#clear();
    this.#machine.out(` ✓ ${name.padEnd(56)} ${duration(ms).padStart(8)}\n`);
  }
  /** What is going on inside the running step. */
  note(text: string): void {
    if (this.#machine.terminal) this.#show(text);
  }
  #show(name: string): void {
    if (!this.#machine.terminal) return;
    this.#clear();
    this.#machine.out(` · ${name} …`);
    this.#running = name;
  }
  #clear(): void {
    if (this.#running !== undefined) this.#machine.out("\r\u001b[K");
    this.#running = undefined;
  }
}

/** `38 ms`, `1.2 s`, `2 min`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 90_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}
