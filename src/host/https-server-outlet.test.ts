import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import type { HttpRequest } from "../api/http.ts";
import type { Exchange } from "./https-server-exchange.ts";
import { Outlet, StreamSink, Turns } from "./https-server-outlet.ts";
import { serverLimits } from "./https-server-limits.ts";
import { Responder } from "./https-server-respond.ts";

/** A reader that takes what it is given when told to. */
class Reader extends Writable {
  readonly got: string[] = [];
  readonly #eager: boolean;
  #taken: (() => void) | undefined;
  constructor(eager: boolean) {
    super({ highWaterMark: 1 << 20 });
    this.#eager = eager;
  }
  override _write(chunk: Buffer, _: string, done: () => void): void { this._writev([{ chunk }], done); }
  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.got.push(Buffer.concat(chunks.map(({ chunk }) => chunk)).toString());
    if (this.#eager) setImmediate(done);
    else this.#taken = done;
  }
  take(): void { this.#taken?.(); }
}

function exchangeOf(out: Writable, connection: object = {}): Exchange & { cut: boolean } {
  const request = { method: "GET", signal: new AbortController().signal } as unknown as HttpRequest;
  return {
    request, connection, upload: process.stdin, hasBody: false, upgraded: undefined, cut: false, begin: () => out, abort() {},
    get destroyed() { return this.cut; },
    destroy() { this.cut = true; out.destroy(); },
  };
}

function sinks(count: number, eager: (i: number) => boolean): { readonly readers: readonly Reader[]; readonly sinks: readonly StreamSink[] } {
  const outlet = new Outlet(new Turns());
  const readers = Array.from({ length: count }, (_, i) => new Reader(eager(i)));
  return { readers, sinks: readers.map(reader => new StreamSink(exchangeOf(reader), reader, 1 << 20, outlet)) };
}

test("what is written while the reader takes the last goes out in one piece, in order, and counts as buffered", async () => {
  const { readers: [reader], sinks: [sink] } = sinks(1, () => false);
  sink!.write("a");
  await turn();
  for (const text of ["b", "c", "", "d"]) sink!.write(text);
  assert.equal(sink!.buffered, 4);
  await turn();
  assert.deepEqual(reader!.got, ["a"]);
  reader!.take();
  await turn();
  await turn();
  assert.deepEqual([reader!.got, sink!.buffered], [["a", "bcd"], 3]);
  sink!.write("e");
  sink!.end();
  reader!.take();
  await turn();
  reader!.take();
  await turn();
  assert.deepEqual([reader!.got.join(""), reader!.writableFinished], ["abcde", true]);
});

test("what is dropped does not go out, but what has begun is finished", async () => {
  for (const cut of [true, false]) {
    const { readers: [reader], sinks: [sink] } = sinks(1, () => false);
    const first = (cut ? "a" : "b").repeat(cut ? 150 * 1024 : 1024);
    sink!.write(first);
    await turn();
    for (let i = 0; i < 100; i++) sink!.write("never");
    sink!.drop();
    sink!.end();
    for (let i = 0; i < 10; i++) { reader!.take(); await turn(); }
    assert.deepEqual([reader!.got.join("") === first, reader!.writableFinished], [true, true], cut ? "cut" : "whole");
  }
});

test("readers that stand still hold up neither the others on their connection nor, for long, what is long", async () => {
  const { readers, sinks: all } = sinks(6, i => i >= 4);
  const long = "x".repeat(150 * 1024);
  for (const sink of all) sink.write(long);
  for (let i = 0; i < 200 && readers.slice(4).some(reader => reader.got.join("") !== long); i++) await sleep(1);
  assert.deepEqual(readers.slice(4).map(reader => reader.got.join("") === long), [true, true]);
  assert.ok(readers.slice(0, 4).every(reader => reader.got.length === 1 && reader.got[0]!.length <= 112 * 1024), "no more than a slice for who does not take it");
});

test("who is up to date gets an event at once, whatever others have yet to get, and they go on", async () => {
  const turns = new Turns();
  const long = "x".repeat(500 * 1024);
  const late = Array.from({ length: 20 }, () => new Reader(true)), [first, second] = [new Reader(true), new Reader(true)];
  for (const reader of late) new StreamSink(exchangeOf(reader), reader, 1 << 20, new Outlet(turns)).write(long);
  const sink = new StreamSink(exchangeOf(first), first, 1 << 20, new Outlet(turns));
  await turn();
  sink.write("event");
  await turn();
  assert.deepEqual(first.got, ["event"]);
  // One of them ends while it has something to get.
  const ending = new StreamSink(exchangeOf(second), second, 1 << 20, new Outlet(turns));
  ending.write(long);
  ending.end();
  for (let i = 0; i < 1_000 && late.some(reader => reader.got.join("").length < long.length); i++) await turn();
  assert.deepEqual(new Set([...late, second].map(reader => reader.got.join("") === long)), new Set([true]));
});

test("a reader that takes neither events nor the end of its watch is cut off", async () => {
  const out = new Reader(false), exchange = exchangeOf(out);
  const responder = new Responder({ ...serverLimits, stalledMs: 5 });
  await responder.respond(exchange, { status: 200, headers: {}, content: { type: "stream", run: async sink => sink.write("event") } });
  assert.deepEqual([out.got, exchange.cut], [["event"], true]);
});
