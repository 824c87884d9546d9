/**
 * What files a power cut can leave behind. From a recorded sequence of writes, truncations, syncs and directory changes, an image is the files as they
 * could be after a cut at any point: what was synced is there; of what was not, anything may be: lost, kept, applied out of order, torn at 512-byte sectors.
 */

export type Operation =
  | { readonly type: "write"; readonly file: string; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly type: "truncate"; readonly file: string; readonly size: number }
  | { readonly type: "sync"; readonly file: string }
  | { readonly type: "create" | "unlink"; readonly file: string }
  | { readonly type: "sync-directory" }
  /** Something the workload said: a commit is about to be made, or was acknowledged. */
  | { readonly type: "note"; readonly text: string };

export type Strategy = "lost" | "kept" | "subset" | "torn" | "reordered";
export const strategies: readonly Strategy[] = ["lost", "kept", "subset", "torn", "reordered"];
export type Image = { readonly files: ReadonlyMap<string, Uint8Array>; readonly notes: readonly string[] };

const sectorBytes = 512;
type FileState = { content: Uint8Array; size: number };
type Pending = Extract<Operation, { type: "write" | "truncate" }>;

/** Walks a recording once; `imageAt` may be asked for points in rising order. */
export class CrashImages {
  readonly #operations: readonly Operation[];
  #position = 0;
  /** Content that survives for certain, and what came after the last sync, per file (by identity: a name may be used again). */
  readonly #durable = new Map<number, FileState>();
  readonly #pending = new Map<number, Pending[]>();
  /** Names in the directory: those on disk, and those now. */
  #namesDurable = new Map<string, number>();
  readonly #names = new Map<string, number>();
  readonly #notes: string[] = [];
  #files = 0;

  constructor(operations: readonly Operation[]) {
    this.#operations = operations;
  }

  /** The files after a cut just before operation `point`. */
  imageAt(point: number, strategy: Strategy, random: () => number): Image {
    for (; this.#position < point; this.#position++) this.#apply(this.#operations[this.#position]!);
    const files = new Map<string, Uint8Array>();
    const keepNames = strategy === "kept" || (strategy !== "lost" && random() < 0.5);
    for (const [name, file] of keepNames ? this.#names : this.#namesDurable) files.set(name, this.#contentOf(file, strategy, random));
    return { files, notes: [...this.#notes] };
  }

  #apply(operation: Operation): void {
    switch (operation.type) {
      case "note":
        this.#notes.push(operation.text);
        return;
      case "create":
        this.#names.set(operation.file, ++this.#files);
        this.#durable.set(this.#files, { content: new Uint8Array(0), size: 0 });
        return;
      case "unlink":
        this.#names.delete(operation.file);
        return;
      case "sync-directory":
        this.#namesDurable = new Map(this.#names);
        return;
    }
    const file = this.#names.get(operation.file);
    if (file === undefined) throw new Error(`${operation.type} of ${operation.file}, which does not exist`);
    if (operation.type !== "sync") {
      this.#pending.set(file, [...(this.#pending.get(file) ?? []), operation]);
      return;
    }
    const state = this.#durable.get(file)!;
    for (const each of this.#pending.get(file) ?? []) applyTo(state, each);
    this.#pending.delete(file);
  }

  #contentOf(file: number, strategy: Strategy, random: () => number): Uint8Array {
    const durable = this.#durable.get(file)!;
    const state: FileState = { content: durable.content.slice(), size: durable.size };
    for (const each of survivors(this.#pending.get(file) ?? [], strategy, random)) applyTo(state, each);
    return state.content.slice(0, state.size);
  }
}

/** Which of the unsynced operations reached the disk, and in which order. */
function survivors(pending: readonly Pending[], strategy: Strategy, random: () => number): Pending[] {
  if (strategy === "lost") return [];
  if (strategy === "kept") return [...pending];
  const share = random();
  if (strategy === "subset") return pending.filter(() => random() < share);
  const sectors = pending.flatMap(sectorsOf).filter(() => random() < share);
  if (strategy === "torn") return sectors;
  for (let i = sectors.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [sectors[i], sectors[j]] = [sectors[j]!, sectors[i]!];
  }
  return sectors;
}

function sectorsOf(operation: Pending): Pending[] {
  if (operation.type === "truncate") return [operation];
  const parts: Pending[] = [];
  for (let start = 0; start < operation.bytes.length; ) {
    const offset = operation.offset + start;
    const length = Math.min(sectorBytes - (offset % sectorBytes), operation.bytes.length - start);
    parts.push({ type: "write", file: operation.file, offset, bytes: operation.bytes.subarray(start, start + length) });
    start += length;
  }
  return parts;
}

function applyTo(state: FileState, operation: Pending): void {
  if (operation.type === "truncate") {
    if (operation.size < state.size) state.content.fill(0, operation.size, state.size);
    grow(state, operation.size);
    state.size = operation.size;
    return;
  }
  const end = operation.offset + operation.bytes.length;
  grow(state, end);
  state.content.set(operation.bytes, operation.offset);
  state.size = Math.max(state.size, end);
}

function grow(state: FileState, size: number): void {
  if (size <= state.content.length) return;
  const larger = new Uint8Array(Math.max(size, state.content.length * 2));
  larger.set(state.content);
  state.content = larger;
}
