/** Watches over HTTP: one store watch each, filtered, encoded once per change for everyone who asks for the same form. */
import type { Batch, Change, Entry, Watch } from "../store/store.ts";
import type { Call, Core } from "./core.ts";
import { ApiError } from "../base/api-error.ts";
import { expired } from "./errors.ts";
import type { Sink } from "./http.ts";
import { revisionOf, type ListOptions } from "./options.ts";
import { scopeOf, waitFor } from "./read.ts";
import { selectionOf, type Selection } from "./select.ts";
import { prepareServed } from "./strategy.ts";
import { eventOf, type EventEncoder, type EventTexts } from "./watch-events.ts";

/**
 * Bytes a reader may lag behind without taking any of them for `standstillMs` before its watch is ended; it comes back and goes on. Time counts as well: one commit
 * of many writes, after the disk stood still, is more than this in one go, and whoever reads would lose the watch too.
 */
export const slowReaderBytesMax = 1024 * 1024;
const standstillMs = 1_000;
/** Nor does a reader who takes some of it now and then get further behind than this and what came last. */
const laggingBytesMax = 4 * 1024 * 1024;
/** Changes held for a reader that is still taking its initial events. */
const heldChangesMax = 10_000;
const initialChunkChars = 64 * 1024;
/** What a reader has missed is sent in pieces of this size, no faster than it is taken. */
const missedChunkChars = 256 * 1024;
/** Without progress for this long, a reader of initial events is given up. */
const initialStallMs = 60_000;
const drainPollMs = 5;
const bookmarkEveryMs = 60_000;
/** minRequestTimeout: a watch without timeoutSeconds lasts between once and twice this long. */
const defaultTimeoutMs = 1_800_000;

/** Runs `tick` for every open watch that wants bookmarks; one timer for all, none when there are none. */
export class Bookmarks {
  readonly #core: Core;
  readonly #ticks = new Set<() => void>();
  #stop: (() => void) | undefined;

  constructor(core: Core) {
    this.#core = core;
  }
  add(tick: () => void): () => void {
    this.#ticks.add(tick);
    this.#schedule();
    return () => {
      this.#ticks.delete(tick);
      if (this.#ticks.size === 0) {
        this.#stop?.();
        this.#stop = undefined;
      }
    };
  }
  #schedule(): void {
    this.#stop ??= this.#core.clock.after(bookmarkEveryMs, () => {
      this.#stop = undefined;
      for (const tick of [...this.#ticks]) tick();
      if (this.#ticks.size > 0) this.#schedule();
    });
  }
}

export type WatchRun = (out: Sink, signal: AbortSignal) => Promise<void>;
export type WatchServices = { readonly texts: EventTexts; readonly bookmarks: Bookmarks; readonly onEvents: (call: Call, count: number) => void };

/** Checks the request; what it returns streams the events until the client leaves, the time is up, or the reader is too slow. */
export async function watch(core: Core, call: Call, options: ListOptions, encoder: EventEncoder, services: WatchServices): Promise<WatchRun> {
  const selection = selectionOf(call.served.kind, options.labelSelector, options.fieldSelector);
  const from = revisionOf(options.resourceVersion);
  const initial = options.sendInitialEvents ?? from === 0;
  if (initial && from > 0) await waitFor(core, from, call.limit.signal);
  const timeoutMs = options.timeoutSeconds !== undefined && options.timeoutSeconds > 0 ? options.timeoutSeconds * 1000 : defaultTimeoutMs * (1 + core.random.next());
  return (out, signal) => new Stream(core, call, options, encoder, services, selection, out).run(initial ? undefined : from === 0 ? core.store.revision : from, timeoutMs, signal);
}

class Stream {
  readonly #core: Core;
  readonly #call: Call;
  readonly #options: ListOptions;
  readonly #encoder: EventEncoder;
  readonly #services: WatchServices;
  readonly #selection: Selection;
  readonly #out: Sink;
  /** Streams with the same key get the same of the same changes; none has an empty one to share. */
  readonly #key: string;
  #held: Change[] | undefined;
  /** Changes that a webhook must convert before they are sent, while the one before them is. */
  #converting: Change[] | undefined;
  #sent = 0;
  /** What was buffered after the last events; less before the next ones: the reader takes some. */
  #left = 0;
  #stoodSince: number | undefined;
  #ended = false;
  #end: () => void = () => undefined;

  constructor(core: Core, call: Call, options: ListOptions, encoder: EventEncoder, services: WatchServices, selection: Selection, out: Sink) {
    this.#core = core;
    this.#call = call;
    this.#options = options;
    this.#encoder = encoder;
    this.#services = services;
    this.#selection = selection;
    this.#out = out;
    this.#key = encoder.form === "" ? "" : `${encoder.form}\0${options.labelSelector}\0${options.fieldSelector}`;
  }

  /** `from` undefined starts with the current state. */
  async run(from: number | undefined, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const { clock, store } = this.#core;
    const over = new Promise<void>(resolve => (this.#end = () => {
      this.#ended = true;
      resolve();
    }));
    const start = from ?? store.revision;
    const initial = from === undefined ? store.list(scopeOf(this.#call)).entries : [];
    if (from === undefined) this.#held = [];
    this.#sent = start;
    let missed: readonly Change[] | undefined = [];
    const watch = store.watch(scopeOf(this.#call), start, batch => {
      if (missed === undefined) this.#deliver(batch);
      else missed = batch.changes;
    });
    if ("compacted" in watch) {
      this.#out.write(this.#encoder.error(expired(`too old resource version: ${start} (${watch.oldest})`)));
      return;
    }
    const stopTimer = clock.after(timeoutMs, () => {
      this.#bookmark();
      this.#end();
    });
    const stopBookmarks = this.#options.allowWatchBookmarks ? this.#services.bookmarks.add(() => this.#bookmark()) : () => undefined;
    signal.addEventListener("abort", this.#end, { once: true });
    if (signal.aborted) this.#end();
    try {
      const before = missed;
      missed = undefined;
      if (from === undefined) await this.#sendInitial(initial, start, signal);
      else if (this.#call.served.kind.conversion !== undefined) this.#convert(before);
      else await this.#catchUp(before, signal);
      await over;
    } finally {
      this.#close(watch);
      stopTimer();
      stopBookmarks();
      signal.removeEventListener("abort", this.#end);
    }
  }

  #close(watch: Watch): void {
    this.#ended = true;
    this.#held = undefined;
    watch.close();
  }

  async #sendInitial(entries: readonly Entry[], revision: number, signal: AbortSignal): Promise<void> {
    const { objects } = this.#core;
    let chunk = "";
    if (this.#call.served.kind.conversion !== undefined && !(await this.#prepared(entries.map(entry => objects.object(entry)), true))) return;
    for (const entry of entries) {
      if (this.#ended) return;
      if (!this.#selection.all && !this.#selection.matches(objects.object(entry))) continue;
      const event = this.#encoder.encode("ADDED", objects.object(entry), () => objects.text(entry));
      this.#services.onEvents(this.#call, 1);
      if (typeof event === "string") chunk += event;
      else this.#out.write(event);
      if (chunk.length >= initialChunkChars) {
        this.#out.write(chunk);
        chunk = "";
        if (!(await this.#drained(signal))) return this.#end();
      }
    }
    if (chunk !== "") this.#out.write(chunk);
    if (this.#options.allowWatchBookmarks) this.#out.write(this.#encoder.bookmark(revision, true));
    const held = this.#held?.splice(0) ?? [];
    if (this.#call.served.kind.conversion === undefined) return this.#catchUp(held, signal);
    this.#held = undefined;
    this.#convert(held);
  }

  /** What came before, then what has come meanwhile; after that, events are sent as they come. */
  async #catchUp(changes: readonly Change[], signal: AbortSignal): Promise<void> {
    this.#held ??= [];
    for (let rest = changes; rest.length > 0 && !this.#ended; rest = this.#held?.splice(0) ?? []) {
      for (let next = 0; next < rest.length && !this.#ended; ) {
        const first = next;
        for (let chars = 0; next < rest.length && chars < missedChunkChars; next++) chars += rest[next]!.entry.value.length;
        this.#send(rest.slice(first, next));
        if (this.#out.buffered > slowReaderBytesMax / 2 && !(await this.#drained(signal))) return this.#end();
      }
    }
    this.#held = undefined;
  }

  /** In order, whatever the webhook takes: what comes meanwhile waits. */
  #convert(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    if (this.#converting !== undefined) {
      if (this.#converting.length + changes.length > heldChangesMax) this.#end();
      else this.#converting.push(...changes);
      return;
    }
    this.#converting = [...changes];
    void this.#sendConverted();
  }

  async #sendConverted(): Promise<void> {
    while (this.#converting !== undefined && !this.#ended) {
      const changes = this.#converting;
      this.#converting = [];
      if (this.#selection.fields && !(await this.#prepared(changes.flatMap(({ entry, previous }) => [entry, previous]).flatMap(entry => (entry === undefined ? [] : [this.#core.objects.object(entry)])), false))) return;
      const events = changes.flatMap(change => eventOf(this.#core, this.#selection, change) ?? []);
      if (!(await this.#prepared(events.map(({ object }) => object), false))) return;
      if (!this.#ended && events.length > 0) {
        this.#services.onEvents(this.#call, events.length);
        this.#write(events.map(({ type, object, text }) => this.#encoder.encode(type, object, text)));
      }
      if (this.#converting.length === 0) this.#converting = undefined;
    }
  }

  /** False when the webhook failed: then the watch has ended with its error. */
  async #prepared(objects: readonly any[], list: boolean): Promise<boolean> {
    try {
      await prepareServed(this.#call.served, objects, { list, fresh: false });
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!this.#ended) this.#out.write(this.#encoder.error(error));
      this.#end();
      return false;
    }
  }

  /** Waits until the reader has taken most of what was written; false when it has stalled. */
  async #drained(signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#core;
    let [least, since] = [this.#out.buffered, clock.monotonic()];
    while (this.#out.buffered > slowReaderBytesMax / 2 && !this.#ended) {
      await clock.sleep(drainPollMs, signal);
      if (this.#out.buffered < least) [least, since] = [this.#out.buffered, clock.monotonic()];
      else if (clock.monotonic() - since > initialStallMs) return false;
    }
    return true;
  }

  #deliver({ changes, progress }: Batch): void {
    if (this.#ended) return;
    if (this.#held === undefined && this.#call.served.kind.conversion !== undefined) this.#convert(changes);
    else if (this.#held === undefined) this.#send(changes);
    else if (this.#held.length + changes.length > heldChangesMax) this.#end();
    else this.#held.push(...changes);
    if (this.#held === undefined) this.#sent = Math.max(this.#sent, changes.length === 0 ? this.#sent : progress);
  }

  #send(changes: readonly Change[]): void {
    const told = this.#services.texts.told(changes, this.#key, this.#core, this.#selection, this.#encoder);
    if (told === undefined) return;
    this.#services.onEvents(this.#call, told.count);
    this.#write(told.parts);
  }

  /** And ends the watch of a reader who does not take what it gets. */
  #write(parts: readonly (string | Uint8Array)[]): void {
    const out = this.#out, before = out.buffered, took = before < this.#left;
    for (const part of parts) out.write(part);
    this.#left = out.buffered;
    if (this.#left <= slowReaderBytesMax) {
      this.#stoodSince = undefined;
      return;
    }
    const now = this.#core.clock.monotonic();
    if (took || this.#stoodSince === undefined) this.#stoodSince = now;
    if (before > laggingBytesMax || now - this.#stoodSince >= standstillMs) this.#end();
  }

  /** Says how far the client is, if that is news to it. */
  #bookmark(): void {
    const { revision } = this.#core.store;
    if (!this.#options.allowWatchBookmarks || this.#ended || this.#held !== undefined || this.#converting !== undefined || revision <= this.#sent) return;
    this.#sent = revision;
    this.#out.write(this.#encoder.bookmark(revision, false));
  }
}
