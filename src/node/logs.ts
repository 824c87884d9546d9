/** Reads containers' logs for `kubectl logs` (upstream: k8s.io/cri-client/pkg/logs). Pure over `LogFiles`. */
import type { ByteSink } from "./api.ts";
import { parseLogLine } from "./log-line.ts";

export interface LogFile {
  read(offset: number, length: number): Promise<Uint8Array>;
  size(): Promise<number>;
  /** Whether the path it was opened by still names it: rotation gives the name to a new file. */
  current(): Promise<boolean>;
  close(): Promise<void>;
}
export interface LogFiles {
  open(path: string): Promise<LogFile | undefined>;
  /** Resolves when the file may have changed, at the latest after a second. */
  changed(path: string, signal: AbortSignal): Promise<void>;
}

export type LogOptions = {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  /** Milliseconds since the epoch; older lines are left out. */
  readonly since?: number;
  readonly stream: "All" | "Stdout" | "Stderr";
};

const blockBytes = 64 * 1024;
/** containerd cuts lines at 16 KiB; a longer one is not its. */
const lineBytesMax = 1 << 20;
const newline = 10;
const utf8 = new TextEncoder();

/** Writes the log to `out`; when following, until the container no longer runs and all is written, or `signal` aborts. */
export async function copyLog(path: string, files: LogFiles, options: LogOptions, out: ByteSink, running: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  let file = await files.open(path);
  if (!file) return;
  const writer = new LineWriter(options, out);
  try {
    let offset = options.tailLines === undefined ? 0 : await tailOffset(file, options.tailLines);
    for (;;) {
      // Asked before reading, so that nothing written until the end is missed.
      const more = options.follow && !signal.aborted && await running();
      offset = await copyNew(file, offset, writer, signal);
      if (writer.full || signal.aborted) return;
      if (options.follow && !(await file.current())) {
        offset = await copyNew(file, offset, writer, signal);
        const next = await files.open(path);
        if (next) {
          await file.close();
          file = next;
          offset = 0;
          continue;
        }
      }
      if (!more) return;
      await files.changed(path, signal);
    }
  } finally {
    await file.close();
  }
}

/** Where the last `lines` lines begin. */
export async function tailOffset(file: LogFile, lines: number): Promise<number> {
  let end = await file.size();
  if (lines <= 0) return end;
  let left = lines;
  // The newline that ends the last line begins no line.
  let first = true;
  while (end > 0) {
    const from = Math.max(0, end - blockBytes);
    const block = await file.read(from, end - from);
    for (let i = block.length - 1; i >= 0; i--) {
      if (block[i] !== newline) first = false;
      else if (first) first = false;
      else if (--left === 0) return from + i + 1;
    }
    end = from;
  }
  return 0;
}

async function copyNew(file: LogFile, from: number, writer: LineWriter, signal: AbortSignal): Promise<number> {
  let offset = from;
  let rest = new Uint8Array(0);
  for (;;) {
    const block = await file.read(offset + rest.length, blockBytes);
    if (block.length === 0) return offset;
    const bytes = rest.length === 0 ? block : joined(rest, block);
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, start)) {
      lines.push(bytes.subarray(start, at));
      start = at + 1;
    }
    await writer.write(lines);
    offset += start;
    rest = bytes.slice(start);
    if (writer.full || signal.aborted) return offset;
    if (rest.length > lineBytesMax) throw new Error(`a log line longer than ${lineBytesMax} bytes`);
  }
}
function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

class LineWriter {
  readonly #options: LogOptions;
  readonly #out: ByteSink;
  readonly #text = new TextDecoder("utf-8", { ignoreBOM: true });
  #left: number;
  #newLine = true;
  constructor(options: LogOptions, out: ByteSink) {
    this.#options = options;
    this.#out = out;
    this.#left = options.limitBytes ?? Infinity;
  }
  get full(): boolean {
    return this.#left <= 0;
  }
  async write(lines: readonly Uint8Array[]): Promise<void> {
    let text = "";
    for (const line of lines) text += this.#line(this.#text.decode(line));
    if (text === "") return;
    const bytes = utf8.encode(text);
    const chunk = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes;
    this.#left -= chunk.length;
    await this.#out.write(chunk);
  }
  #line(line: string): string {
    const parsed = parseLogLine(line);
    if (!parsed) return "";
    const { timestamps, since, stream } = this.#options;
    if (stream !== "All" && parsed.stream !== (stream === "Stdout" ? "stdout" : "stderr")) return "";
    if (since !== undefined && Date.parse(parsed.stamp) < since) return "";
    const prefix = timestamps && this.#newLine ? `${fixedStamp(parsed.stamp)} ` : "";
    this.#newLine = !parsed.partial;
    return `${prefix}${parsed.text}${parsed.partial ? "" : "\n"}`;
  }
}

/** Nine digits always, so that lines sort. */
function fixedStamp(stamp: string): string {
  const [, whole = "", fraction = "", zone = ""] = /^([^.Z+]*?\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(stamp) ?? [];
  return whole === "" ? stamp : `${whole}.${fraction.padEnd(9, "0")}${zone}`;
}
