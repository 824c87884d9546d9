import assert from "node:assert/strict";
import { test } from "node:test";
import { kinds } from "../kinds/index.ts";
import { Collector, openWatch, settle, startHarness, type Harness } from "../../test/transcripts/harness.ts";
import type { HttpResponse } from "./http.ts";
import { slowReaderBytesMax } from "./watch.ts";
import { eventOf } from "./watch-events.ts";

const json = { "content-type": "application/json" };
const protobuf = { accept: "application/vnd.kubernetes.protobuf" };
const post = (harness: Harness, target: string, body: unknown): Promise<HttpResponse> => harness.send("POST", target, { headers: json, body: JSON.stringify(body) });
const configmaps = "/api/v1/namespaces/default/configmaps";
const minute = 60_000;
async function start(more: Parameters<typeof startHarness>[0] = {}): Promise<Harness> {
  const harness = await startHarness(more);
  await post(harness, "/api/v1/namespaces", { metadata: { name: "default" } });
  return harness;
}
const bigText = "x".repeat(slowReaderBytesMax / 4);

test("a reader who does not read loses the watch, not the server", async () => {
  const harness = await start();
  const { ended, out } = await openWatch(harness, `${configmaps}?watch=1&resourceVersion=2`);
  for (let i = 0; i < 5; i++) await post(harness, configmaps, { metadata: { name: `a${i}` }, data: { bigText } });
  await settle();
  assert.deepEqual([ended(), out.buffered > slowReaderBytesMax], [false, true], "many writes at once are not the reader's fault");
  await harness.clock.advance(1_000);
  await post(harness, configmaps, { metadata: { name: "b" } });
  await settle();
  assert.equal(ended(), true);
  await harness.close();
});

test("a reader who reads keeps the watch however late it is, but not for ever further behind", async () => {
  const harness = await start();
  const { ended, out } = await openWatch(harness, `${configmaps}?watch=1&resourceVersion=2`);
  let made = 0;
  const more = () => post(harness, configmaps, { metadata: { name: `a${made++}` }, data: { bigText } });
  for (let i = 0; i < 5; i++) await more();
  for (let i = 0; i < 5; i++) {
    await harness.clock.advance(900);
    out.buffered -= 1000;
    await more();
  }
  await settle();
  assert.equal(ended(), false);
  for (let i = 0; i < 10; i++) {
    out.buffered -= 1;
    await more();
  }
  await settle();
  assert.equal(ended(), true);
  await harness.close();
});

test("who resumes far in the past gets all that was missed, no faster than it reads", async () => {
  const harness = await start();
  const count = 40;
  for (let i = 0; i < count; i++) await post(harness, configmaps, { metadata: { name: `a${i}` }, data: { bigText } });
  const { ended, out, stop } = await openWatch(harness, `${configmaps}?watch=1&resourceVersion=2`);
  let text = "";
  for (let turn = 0; turn < 4 * count && text.split("\n").length <= count + 1; turn++) {
    assert.ok(out.buffered <= slowReaderBytesMax, `${out.buffered} bytes wait`);
    text += out.read();
    if (turn === 3) await post(harness, configmaps, { metadata: { name: `a${count}` } });
    await harness.clock.advance(5);
  }
  assert.deepEqual(text.trimEnd().split("\n").map(line => JSON.parse(line).object.metadata.name), Array.from({ length: count + 1 }, (_, i) => `a${i}`));
  assert.equal(ended(), false);
  await stop();
  await harness.close();
});

test("the same event is encoded once for all watchers", async () => {
  const harness = await start();
  const outs = [new Collector(), new Collector()];
  const stop = new AbortController();
  const runs = outs.map(out => harness.send("GET", `${configmaps}?watch=1`, { headers: { accept: "application/vnd.kubernetes.protobuf" } }).then(({ content }) => (content.type === "stream" ? content.run(out, stop.signal) : undefined)));
  await settle();
  await post(harness, configmaps, { metadata: { name: "a" } });
  assert.equal(outs[0]!.chunks.length, 1);
  assert.equal(outs[0]!.chunks[0], outs[1]!.chunks[0]);
  stop.abort();
  await Promise.all(runs);
  await harness.close();
});

test("watchers with the same selection get the same text, others their own, of old changes too", async () => {
  const harness = await start();
  const selectors = ["", "&labelSelector=of%3Da", "&labelSelector=of%3Da", "&labelSelector=of%3Db"];
  const outs = selectors.map(() => new Collector());
  const stop = new AbortController();
  const runs = selectors.map(async (selector, i) => harness.send("GET", `${configmaps}?watch=1${selector}`).then(({ content }) => (content.type === "stream" ? content.run(outs[i]!, stop.signal) : undefined)));
  await settle();
  // More than there are places for texts.
  for (let i = 0; i < 300; i++) await post(harness, configmaps, { metadata: { name: `c${i}`, labels: { of: i % 3 === 0 ? "a" : "b" } } });
  await harness.send("PUT", `${configmaps}/c1`, { headers: json, body: JSON.stringify({ metadata: { name: "c1", labels: { of: "a" } } }) });
  const late = new Collector();
  const again = harness.send("GET", `${configmaps}?watch=1&resourceVersion=1&labelSelector=of%3Da`).then(({ content }) => (content.type === "stream" ? content.run(late, stop.signal) : undefined));
  await settle();
  const told = [...outs, late].map(({ chunks }) => chunks.join("").trimEnd().split("\n").map(line => { const { type, object } = JSON.parse(line); return `${type} ${object.metadata.name}`; }));
  const expected = (wanted: (i: number) => boolean, last: string): string[] => [...Array.from({ length: 300 }, (_, i) => i).filter(wanted).map(i => `ADDED c${i}`), last];
  assert.deepEqual(told[0], expected(() => true, "MODIFIED c1"));
  assert.deepEqual(told[1], expected(i => i % 3 === 0, "ADDED c1"));
  assert.deepEqual([told[2], told[4]], [told[1], told[1]]);
  assert.deepEqual(told[3], expected(i => i % 3 !== 0, "DELETED c1"));
  stop.abort();
  await Promise.all([...runs, again]);
  await harness.close();
});

test("entering a selection is ADDED, leaving it DELETED, with the version of the change", () => {
  const entry = (text: string | undefined, revision: number): any => (text === undefined ? undefined : { key: "/k", value: JSON.stringify({ metadata: { name: text } }), revision, memo: undefined });
  const core = { objects: { object: (each: any) => ({ metadata: { ...JSON.parse(each.value).metadata, resourceVersion: String(each.revision) } }), text: (each: any) => each.value } } as any;
  const selection = { all: false, matches: ({ metadata }: any) => metadata.name.startsWith("in") } as any;
  const told = (type: "put" | "delete", before: string | undefined, now: string): string => {
    const event = eventOf(core, selection, { type, key: "/k", revision: 7, previous: entry(before, 3), entry: entry(now, 7) });
    return event === undefined ? "" : `${event.type} ${event.object.metadata.name}@${event.object.metadata.resourceVersion} ${JSON.parse(event.text()).metadata.name}`;
  };
  const cases = [
    // before    now     put                    delete
    [undefined, "in",  "ADDED in@7 in",       "DELETED in@7 in"],
    [undefined, "out", "",                    ""],
    ["out",     "in",  "ADDED in@7 in",       ""],
    ["out",     "out", "",                    ""],
    ["in1",     "in2", "MODIFIED in2@7 in2",  "DELETED in2@7 in2"],
    ["in1",     "out", "DELETED in1@7 in1",   "DELETED out@7 out"],
  ] as const;
  for (const [before, now, put, gone] of cases) assert.deepEqual([told("put", before, now), told("delete", before, now)], [put, gone], `${before} → ${now}`);
});

test("a watch whose kind changes, but nothing that it selects, hears every minute how far it is", async () => {
  const harness = await start();
  const { out, stop } = await openWatch(harness, `${configmaps}?watch=1&allowWatchBookmarks=true&resourceVersion=2&labelSelector=app%3Dnone`);
  const seen: string[] = [];
  for (let i = 0; i < 10; i++) {
    await post(harness, configmaps, { metadata: { name: `a${i}` } });
    await harness.clock.advance(minute);
    seen.push(...out.events().map(({ type, object }) => `${type} ${object.metadata.resourceVersion}`));
    await harness.store.compact(harness.store.revision - 1);
  }
  assert.deepEqual(seen, Array.from({ length: 10 }, (_, i) => `BOOKMARK ${i + 3}`));
  const later = await openWatch(harness, `${configmaps}?watch=1&resourceVersion=12`);
  assert.deepEqual([later.ended(), later.out.events()], [false, []]);
  await Promise.all([stop(), later.stop()]);
  await harness.close();
});

test("bookmarks are made once for all who are told at the same time", async () => {
  const harness = await start();
  const all = await Promise.all([1, 2, 3].map(() => openWatch(harness, `${configmaps}?watch=1&allowWatchBookmarks=true&resourceVersion=2`, protobuf)));
  await post(harness, "/api/v1/namespaces", { metadata: { name: "other" } });
  await harness.clock.advance(minute);
  const chunks = all.map(({ out }) => out.take());
  assert.deepEqual(chunks.map(({ length }) => length), [1, 1, 1]);
  assert.ok(chunks.every(([bookmark]) => bookmark === chunks[0]![0]));
  await Promise.all(all.map(({ stop }) => stop()));
  await harness.close();
});

test("what there is at the beginning is sent no faster than it is read, in every form", async () => {
  const harness = await start();
  for (let i = 0; i < 20; i++) await post(harness, configmaps, { metadata: { name: `a${i}` }, data: { bigText } });
  for (const accept of ["application/json", protobuf.accept, "application/json;as=Table;v=v1;g=meta.k8s.io"]) {
    const { out, ended, stop } = await openWatch(harness, `${configmaps}?watch=1&includeObject=Object`, { accept });
    let chars = 0;
    for (let turn = 0; turn < 100 && chars < 20 * bigText.length; turn++) {
      assert.ok(out.buffered <= slowReaderBytesMax, `${accept}: ${out.buffered} bytes wait`);
      chars += out.buffered;
      out.read();
      await harness.clock.advance(5);
    }
    assert.ok(chars > 20 * bigText.length && !ended(), `${accept}: ${chars}`);
    await stop();
  }
  await harness.close();
});

test("who takes nothing of what there is at the beginning is looked at ever more rarely, and given up", async () => {
  const harness = await start();
  for (let i = 0; i < 5; i++) await post(harness, configmaps, { metadata: { name: `a${i}` }, data: { bigText } });
  const { clock } = harness;
  const sleep = clock.sleep.bind(clock);
  let looks = 0;
  clock.sleep = (ms, signal) => { looks++; return sleep(ms, signal); };
  const { ended } = await openWatch(harness, `${configmaps}?watch=1`);
  await clock.advance(2 * minute);
  assert.deepEqual([ended(), looks > 10, looks < 300], [true, true, true], `${looks} looks`);
  await harness.close();
});

test("a reader who does not read loses the watch though nothing more happens, and the rest is not kept for it", async () => {
  const harness = await start();
  const { ended, out } = await openWatch(harness, `${configmaps}?watch=1&resourceVersion=2`);
  for (let i = 0; i < 5; i++) await post(harness, configmaps, { metadata: { name: `a${i}` }, data: { bigText } });
  await harness.clock.advance(2_000);
  assert.deepEqual([ended(), out.buffered], [true, 0]);
  await harness.close();
});

test("nothing is left of a watch that is over, however it ended", async () => {
  const harness = await start();
  for (let i = 0; i < 5; i++) await post(harness, configmaps, { metadata: { name: `a${i}` }, data: { bigText } });
  const before = [harness.store.watchCount, harness.clock.pending];
  const left = (): readonly number[] => [harness.store.watchCount, harness.clock.pending];
  const path = `${configmaps}?watch=1&allowWatchBookmarks=true`;
  // In the middle of the first events, while up to date, with a reader that stands still, by a version that is gone, by its time.
  const [first, idle, still, timed] = [await openWatch(harness, path), await openWatch(harness, `${path}&resourceVersion=7`), await openWatch(harness, `${path}&resourceVersion=7`), await openWatch(harness, `${path}&resourceVersion=7&timeoutSeconds=30`)];
  for (let i = 0; i < 5; i++) await post(harness, configmaps, { metadata: { name: `b${i}` }, data: { bigText } });
  await first.stop();
  await idle.stop();
  await still.stop();
  await harness.clock.advance(30_000);
  await harness.store.compact(harness.store.revision);
  const gone = await openWatch(harness, `${path}&resourceVersion=7`);
  assert.deepEqual([timed.ended(), gone.ended(), gone.out.events().map(({ type, object }) => `${type} ${object.code} ${object.message}`)], [true, true, [`ERROR 410 too old resource version: 7 (${harness.store.revision})`]]);
  assert.deepEqual(left(), before);
  await harness.close();
});

test("a version that is not there yet is waited for, and then an event tells it", async () => {
  const harness = await start();
  const path = `${configmaps}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=`;
  const opening = openWatch(harness, `${path}9`);
  await settle();
  await harness.clock.advance(3_000);
  const { out, ended } = await opening;
  assert.deepEqual([ended(), out.events().map(({ type, object }) => `${type} ${object.code} ${object.message}`)], [true, ["ERROR 504 Timeout: Too large resource version: 9, current: 2"]]);
  const waiting = openWatch(harness, `${path}3`);
  await settle();
  await post(harness, configmaps, { metadata: { name: "a" } });
  const { out: came, stop } = await waiting;
  assert.deepEqual(came.events().map(({ type, object }) => `${type} ${object.metadata.resourceVersion} ${object.metadata.annotations?.["k8s.io/initial-events-end"] ?? ""}`), ["ADDED 3 ", "BOOKMARK 3 true"]);
  await stop();
  const table = await openWatch(harness, `${path}3`, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" });
  assert.deepEqual(table.out.events().map(({ object }) => object.rows[0].cells.length), [3, 3], "a bookmark's row has as many cells as another's");
  await table.stop();
  await harness.close();
});

test("a watch by path is of the name in the path, whatever fields are selected: that is what was allowed", async () => {
  const harness = await start();
  for (const name of ["a", "b"]) await post(harness, configmaps, { metadata: { name } });
  const path = `/api/v1/watch/namespaces/default/configmaps/a?fieldSelector=`;
  for (const selector of ["metadata.name%3Db", "metadata.name!%3Da", "metadata.namespace%3Ddefault"]) assert.equal((await harness.send("GET", path + selector)).status, 400, selector);
  const { out, stop } = await openWatch(harness, `${path}metadata.name%3Da`);
  assert.deepEqual(out.events().map(({ object }) => object.metadata.name), ["a"]);
  await stop();
  await harness.close();
});

test("a change is tested by those watches alone that may select it, however many there are", async () => {
  let asked = 0;
  const counted = kinds.map(kind => kind.kind !== "Pod" || kind.selectable === undefined ? kind : { ...kind, selectable: { ...kind.selectable, "spec.nodeName": (pod: any): string => { asked++; return kind.selectable!["spec.nodeName"]!(pod); } } });
  const harness = await start({ kinds: counted });
  const before = harness.store.watchCount;
  const pods = "/api/v1/namespaces/default/pods";
  const pod = (name: string, node: string, image = "i") => ({ metadata: { name }, spec: { nodeName: node, terminationGracePeriodSeconds: 0, containers: [{ name: "c", image }] } });
  const all = await Promise.all(Array.from({ length: 500 }, (_, i) => openWatch(harness, `/api/v1/pods?watch=1&resourceVersion=2&fieldSelector=spec.nodeName%3Dn${i}`)));
  // Another namespace, another name: not even their node is asked for.
  all.push(...await Promise.all(Array.from({ length: 100 }, (_, i) => openWatch(harness, `/api/v1/namespaces/other/pods?watch=1&resourceVersion=2&fieldSelector=spec.nodeName%3Dn${i}`))));
  all.push(...await Promise.all(Array.from({ length: 100 }, (_, i) => openWatch(harness, `${pods}?watch=1&resourceVersion=2&fieldSelector=spec.nodeName%3Dn7,metadata.name%3Dother${i}`))));
  assert.equal(asked, 0);
  await post(harness, pods, pod("a", "n7"));
  assert.ok(asked <= 2, `${asked} questions for one change and 700 watches`);
  await post(harness, pods, pod("b", ""));
  asked = 0;
  const { key, value, revision } = harness.store.get("/registry/core/pods/default/b")!;
  await harness.store.put(key, value.replace('"spec":{', '"spec":{"nodeName":"n9",'), revision);
  await harness.send("PUT", `${pods}/a`, { headers: json, body: JSON.stringify(pod("a", "n7", "j")) });
  await harness.send("DELETE", `${pods}/a`);
  assert.ok(asked <= 3 * 4, `${asked} questions for three changes`);
  const heard = all.map(({ out }, i) => [i, out.events().map(({ type, object }) => `${type} ${object.metadata.name}`).join(", ")]).filter(([, events]) => events !== "");
  assert.deepEqual(heard, [[7, "ADDED a, MODIFIED a, DELETED a"], [9, "ADDED b"]]);
  await Promise.all(all.map(({ stop }) => stop()));
  assert.equal(harness.store.watchCount, before);
  await harness.close();
});
