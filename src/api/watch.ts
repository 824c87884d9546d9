/** Watches over HTTP: one store watch each, filtered, encoded once per change for everyone who asks for the same form. */
import type { Batch, Change, Entry, Watch } from "../store/store.ts";
import type { Call, Core } from "./core.ts";
import { ApiError } from "../base/api-error.ts";
import { expired } from "./errors.ts";
import type { Sink } from "./http.ts";
import type { OpenWatches } from "./open-watches.ts";
import { revisionOf, type ListOptions } from "./options.ts";
import { waitFor, watchedBy } from "./read.ts";
import { selectionOf, type Selection } from "./select.ts";
import { prepareServed } from "./strategy.ts";
import { eventOf, type EventEncoder, type EventTexts } from "./watch-events.ts";

/**
 * Bytes a reader may lag behind without taking any of them at two looks, `lookMs` and twice that later, before its watch is ended; it comes back and goes on. Time
 * counts as well: one commit of many writes, after the disk stood still, is more than this in one go, and whoever reads would lose the watch too. Two looks, since
 * nobody could read while this thread itself stood still.
 */
export const slowReaderBytesMax = 1024 * 1024;
const lookMs = 500;
/** Nor does a reader who takes some of it now and then get further behind than this and what came last. */
const laggingBytesMax = 4 * 1024 * 1024;
/** Changes held for a reader that is still taking its initial events. */
const heldChangesMax = 10_000;
/** Initial events are written in pieces of this size. */
const initialChunkSize = 64 * 1024;
/** What a reader has missed is sent in pieces of this size, no faster than it is taken. */
const missedChunkChars = 256 * 1024;
/** Without progress for this long, a reader of initial events is given up. */
const initialStallMs = 60_000;
/** How soon a reader that has enough is looked at again: at first, and when it takes nothing for long. */
const drainPollMs = 5;
const drainPollMsMax = 250;
/** minRequestTimeout: a watch without timeoutSeconds lasts between once and twice this long. */
const defaultTimeoutMs = 1_800_000;

export type WatchRun = (out: Sink, signal: AbortSignal) => Promise<void>;
export type WatchServices = { readonly texts: EventTexts; readonly open: OpenWatches; readonly onEvents: (call: Call, count: number) => void };

/** Checks the request; what it returns streams the events until the client leaves, the time is up, or the reader is too slow. */
export async function watch(core: Core, call: Call, options: ListOptions, encoder: EventEncoder, services: WatchServices): Promise<WatchRun> {
  const selection = selectionOf(call.served.kind, options.labelSelector, options.fieldSelector);
  const from = revisionOf(options.resourceVersion);
  const initial = options.sendInitialEvents ?? from === 0;
  const refusal = initial && from > 0 ? await tooEarly(core, from, call) : undefined;
  // What is wrong with the version is an event, not an answer (cacher.go newErrWatcher).
  if (refusal !== undefined) return async out => out.write(encoder.error(refusal));
  const timeoutMs = options.timeoutSeconds !== undefined && options.timeoutSeconds > 0 ? options.timeoutSeconds * 1000 : defaultTimeoutMs * (1 + core.random.next());
  return (out, signal) => new Stream(core, call, options, encoder, services, selection, out, signal).run(initial ? undefined : from === 0 ? core.store.revision : from, timeoutMs);
}

async function tooEarly(core: Core, revision: number, { limit }: Call): Promise<ApiError | undefined> {
  try {
    await waitFor(core, revision, limit.signal);
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

class Stream {
  readonly #core: Core;
  readonly #call: Call;
  readonly #options: ListOptions;
  readonly #encoder: EventEncoder;
  readonly #services: WatchServices;
  readonly #selection: Selection;
  readonly #out: Sink;
  readonly #signal: AbortSignal;
  /** Streams with the same key get the same of the same changes; none has an empty one to share. */
  readonly #key: string;
  #held: Change[] | undefined;
  /** Changes that a webhook must convert before they are sent, while the one before them is. */
  #converting: Change[] | undefined;
  /** Where the client was at the beginning: no bookmark tells it that. */
  #start = 0;
  /** What was buffered after the last events; less before the next ones: the reader takes some. */
  #left = 0;
  #took = false;
  /** While somebody looks after a reader that has too much. */
  #stopLooking: (() => void) | undefined;
  #ended = false;
  #end: () => void = () => undefined;

  constructor(core: Core, call: Call, options: ListOptions, encoder: EventEncoder, services: WatchServices, selection: Selection, out: Sink, signal: AbortSignal) {
    this.#core = core;
    this.#call = call;
    this.#options = options;
    this.#encoder = encoder;
    this.#services = services;
    this.#selection = selection;
    this.#out = out;
    this.#signal = signal;
    this.#key = encoder.form === "" ? "" : `${encoder.form}\0${options.labelSelector}\0${options.fieldSelector}`;
  }

  /** `from` undefined starts with the current state. */
  async run(from: number | undefined, timeoutMs: number): Promise<void> {
    const { clock, store } = this.#core, { served } = this.#call;
    const over = new Promise<void>(resolve => (this.#end = () => {
      this.#ended = true;
      resolve();
    }));
    const start = (this.#start = from ?? store.revision);
    const { scope, only } = watchedBy(this.#core, this.#call, this.#selection);
    const initial = from !== undefined ? [] : scope.endsWith("/") ? store.list(scope).entries : [store.get(scope) ?? []].flat();
    if (from === undefined) this.#held = [];
    let missed: readonly Change[] | undefined = [];
    const watch = store.watch(scope, start, batch => {
      if (missed === undefined) this.#deliver(batch);
      else missed = batch.changes;
    }, only);
    if ("compacted" in watch) {
      this.#out.write(this.#encoder.error(expired(`too old resource version: ${start} (${watch.oldest})`)));
      return;
    }
    const stops = [clock.after(timeoutMs, () => {
      this.#bookmark();
      this.#end();
    })];
    if (this.#options.allowWatchBookmarks) stops.push(this.#services.open.addBookmarks(() => this.#bookmark()));
    if (served.kind.custom === true) stops.push(this.#services.open.addCustom(served.prefix, this.#end));
    this.#signal.addEventListener("abort", this.#end, { once: true });
    if (this.#signal.aborted) this.#end();
    try {
      const before = missed;
      missed = undefined;
      if (from === undefined) await this.#sendInitial(initial, start);
      else await this.#catchUp(before);
      await over;
    } finally {
      this.#close(watch);
      for (const stop of stops) stop();
      this.#signal.removeEventListener("abort", this.#end);
    }
  }

  #close(watch: Watch): void {
    this.#ended = true;
    this.#held = undefined;
    this.#stopLooking?.();
    watch.close();
  }

  async #sendInitial(entries: readonly Entry[], revision: number): Promise<void> {
    const { objects } = this.#core;
    if (this.#call.served.kind.conversion !== undefined && !(await this.#prepared(entries.map(entry => objects.object(entry))))) return;
    let texts = "";
    let size = 0;
    for (const entry of entries) {
      if (this.#ended) return;
      if (!this.#selection.all && !this.#selection.matches(objects.object(entry))) continue;
      const event = this.#encoder.encode("ADDED", objects.object(entry), () => objects.text(entry));
      this.#services.onEvents(this.#call, 1);
      size += event.length;
      if (typeof event === "string") texts += event;
      else this.#out.write(event);
      if (size < initialChunkSize) continue;
      if (texts !== "") this.#out.write(texts);
      texts = "";
      size = 0;
      if (!(await this.#drained())) return this.#end();
    }
    if (texts !== "") this.#out.write(texts);
    if (this.#options.allowWatchBookmarks) this.#out.write(this.#encoder.bookmark(revision, true));
    await this.#catchUp(this.#held?.splice(0) ?? []);
  }

  /** What came before, then what has come meanwhile; after that, events are sent as they come. */
  async #catchUp(changes: readonly Change[]): Promise<void> {
    this.#held ??= [];
    for (let rest = changes; rest.length > 0 && !this.#ended; rest = this.#held?.splice(0) ?? []) if (!(await this.#sendSlowly(rest))) return this.#end();
    this.#held = undefined;
  }

  /** No faster than they are taken. False when the reader stalls or a webhook fails. */
  async #sendSlowly(changes: readonly Change[]): Promise<boolean> {
    const converted = this.#call.served.kind.conversion !== undefined;
    for (let next = 0; next < changes.length && !this.#ended; ) {
      const first = next;
      for (let chars = 0; next < changes.length && chars < missedChunkChars; next++) chars += changes[next]!.entry.value.length;
      const slice = changes.slice(first, next);
      if (converted) {
        if (!(await this.#sendConverted(slice))) return false;
      } else this.#send(slice);
      if (this.#out.buffered > slowReaderBytesMax / 2 && !(await this.#drained())) return false;
    }
    return true;
  }

  /** In order, whatever the webhook takes: what comes meanwhile waits. */
  #convert(changes: readonly Change[]): void {
    if (this.#converting !== undefined) {
      if (this.#converting.length + changes.length > heldChangesMax) this.#end();
      else this.#converting.push(...changes);
      return;
    }
    this.#converting = [...changes];
    void this.#convertAll();
  }

  async #convertAll(): Promise<void> {
    while (this.#converting !== undefined && !this.#ended) {
      const changes = this.#converting;
      this.#converting = [];
      if (!(await this.#sendSlowly(changes))) return this.#end();
      if (this.#converting.length === 0) this.#converting = undefined;
    }
  }

  async #sendConverted(changes: readonly Change[]): Promise<boolean> {
    if (this.#selection.fields && !(await this.#prepared(changes.flatMap(({ entry, previous }) => [entry, previous]).flatMap(entry => (entry === undefined ? [] : [this.#core.objects.object(entry)]))))) return false;
    const events = changes.flatMap(change => eventOf(this.#core, this.#selection, change) ?? []);
    if (!(await this.#prepared(events.map(({ object }) => object)))) return false;
    if (!this.#ended && events.length > 0) {
      this.#services.onEvents(this.#call, events.length);
      this.#write(events.map(({ type, object, text }) => this.#encoder.encode(type, object, text)));
    }
    return true;
  }

  /** False when the webhook failed: then the watch has ended with its error. */
  async #prepared(objects: readonly any[]): Promise<boolean> {
    try {
      await prepareServed(this.#call.served, objects, { fresh: false });
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!this.#ended) this.#out.write(this.#encoder.error(error));
      this.#end();
      return false;
    }
  }

  /** Waits until the reader has taken most of what was written; false when it has stalled. */
  async #drained(): Promise<boolean> {
    const { clock } = this.#core, out = this.#out;
    let least = out.buffered, since = clock.monotonic(), pollMs = drainPollMs;
    while (out.buffered > slowReaderBytesMax / 2 && !this.#ended) {
      await clock.sleep(pollMs, this.#signal);
      if (out.buffered < least) {
        [least, since, pollMs] = [out.buffered, clock.monotonic(), drainPollMs];
        continue;
      }
      if (clock.monotonic() - since > initialStallMs) return false;
      pollMs = Math.min(2 * pollMs, drainPollMsMax);
    }
    return true;
  }

  #deliver({ changes }: Batch): void {
    if (this.#ended) return;
    if (this.#held === undefined) {
      if (this.#call.served.kind.conversion === undefined) this.#send(changes);
      else this.#convert(changes);
    } else if (this.#held.length + changes.length > heldChangesMax) this.#end();
    else this.#held.push(...changes);
  }

  #send(changes: readonly Change[]): void {
    const told = this.#services.texts.told(changes, this.#key, this.#core, this.#selection, this.#encoder);
    if (told === undefined) return;
    this.#services.onEvents(this.#call, told.count);
    this.#write(told.parts);
  }

  /** And ends the watch of a reader who does not take what it gets. */
  #write(parts: readonly (string | Uint8Array)[]): void {
    const out = this.#out, before = out.buffered;
    if (before < this.#left) this.#took = true;
    for (const part of parts) out.write(part);
    this.#left = out.buffered;
    if (before > laggingBytesMax) this.#giveUp();
    else if (this.#left > slowReaderBytesMax) this.#stopLooking ??= this.#lookAgain(2);
  }

  #lookAgain(looks: number): () => void {
    this.#took = false;
    return this.#core.clock.after(lookMs, () => {
      const { buffered } = this.#out;
      const took = this.#took || buffered < this.#left;
      this.#left = buffered;
      if (buffered <= slowReaderBytesMax) this.#stopLooking = undefined;
      else if (!took && looks === 1) this.#giveUp();
      else this.#stopLooking = this.#lookAgain(took ? 2 : 1);
    });
  }

  /** The rest is not sent to who does not take it: it comes again when the reader does. */
  #giveUp(): void {
    this.#out.drop();
    this.#end();
  }

  /** Says how far the client is, whenever something has happened since it came (cache_watcher.go process). */
  #bookmark(): void {
    const { revision } = this.#core.store;
    if (this.#ended || !this.#options.allowWatchBookmarks || this.#held !== undefined || this.#converting !== undefined || revision <= this.#start) return;
    this.#write([this.#services.texts.bookmark(revision, this.#encoder)]);
  }
}
