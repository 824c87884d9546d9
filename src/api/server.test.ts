import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantViolation } from "../base/assert.ts";
import { ConfigMap } from "../kinds/core/configmap.ts";
import { Event } from "../kinds/core/event.ts";
import { Pod } from "../kinds/core/pod.ts";
import { LocalClient } from "../main/local-client.ts";
import { bodyOf, Collector, settle, startHarness, type Harness } from "../../test/transcripts/harness.ts";
import { isApiError } from "../base/api-error.ts";
import { serverSeats } from "./flow-control/shares.ts";
import type { HttpResponse } from "./http.ts";
import { slowReaderBytesMax } from "./watch.ts";

const json = { "content-type": "application/json" };
const post = (harness: Harness, target: string, body: unknown): Promise<HttpResponse> => harness.send("POST", target, { headers: json, body: JSON.stringify(body) });
const configmaps = "/api/v1/namespaces/default/configmaps";
async function start(more: Parameters<typeof startHarness>[0] = {}): Promise<Harness> {
  const harness = await startHarness(more);
  await post(harness, "/api/v1/namespaces", { metadata: { name: "default" } });
  return harness;
}
const admin = { user: { name: "admin", uid: "", groups: ["system:masters"], extra: {} }, userAgent: "test" };

test("when the server is full a client is told to come again", async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>(resolve => (release = resolve));
  const harness = await start({ admission: [{ name: "Wait", mutate: ({ name }) => (name.startsWith("slow") ? held : undefined) }], authorizer: () => ({ authorize: () => ({ allowed: true }), rules: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }) }) });
  const slow = Array.from({ length: serverSeats }, (_, i) => harness.send("POST", configmaps, { user: "alice", headers: json, body: JSON.stringify({ metadata: { name: `slow-${i}` } }) }));
  await settle();
  const refused = await harness.send("POST", configmaps, { user: "alice", headers: json, body: JSON.stringify({ metadata: { name: "late" } }) });
  assert.deepEqual([refused.status, refused.headers["retry-after"]], [429, "1"]);
  assert.equal((await harness.send("GET", configmaps)).status, 200, "an administrator must get in to mend what fills the server");
  release();
  assert.deepEqual([...new Set((await Promise.all(slow)).map(({ status }) => status))], [201]);
  await harness.close();
});

test("a broken invariant answers 500 and ends the process; any other fault only the request", async () => {
  const fatal: Error[] = [];
  const logged: string[] = [];
  const log = { debug() {}, info() {}, warn() {}, error: (message: string) => void logged.push(message), child: () => log };
  const harness = await start({ fatal: error => void fatal.push(error), log, admission: [{ name: "Broken", mutate({ name }) { if (name === "a") throw new InvariantViolation("nope"); if (name === "b") throw new Error("oops"); } }] });
  assert.deepEqual([(await post(harness, configmaps, { metadata: { name: "b" } })).status, fatal.length], [500, 0]);
  assert.deepEqual([(await post(harness, configmaps, { metadata: { name: "a" } })).status, fatal.length], [500, 1]);
  assert.equal(logged.length, 2);
  await harness.close();
});

/** Holds what it is given until it is read. */
class Reader extends Collector {
  override write(chunk: string | Uint8Array): void {
    super.write(chunk);
    this.buffered += chunk.length;
  }
  read(): string {
    this.buffered = 0;
    return this.take().join("");
  }
}
async function openWatch(harness: Harness, query: string): Promise<{ readonly out: Reader; readonly stop: AbortController; readonly ended: () => boolean; readonly over: Promise<unknown> }> {
  const out = new Reader(), stop = new AbortController();
  const { content } = await harness.send("GET", `${configmaps}?watch=1${query}`);
  assert.equal(content.type, "stream");
  let ended = false;
  const over = (content.type === "stream" ? content.run(out, stop.signal) : Promise.resolve()).then(() => (ended = true));
  await settle();
  return { out, stop, ended: () => ended, over };
}
const bigText = "x".repeat(slowReaderBytesMax / 4);

test("a reader who does not read loses the watch, not the server", async () => {
  const harness = await start();
  const { ended, out } = await openWatch(harness, "&resourceVersion=2");
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
  const { ended, out } = await openWatch(harness, "&resourceVersion=2");
  let made = 0;
  const more = () => post(harness, configmaps, { metadata: { name: `a${made++}` }, data: { bigText } });
  for (let i = 0; i < 5; i++) await more();
  for (let i = 0; i < 5; i++) {
    await harness.clock.advance(1_000);
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
  const { ended, out, stop, over } = await openWatch(harness, "&resourceVersion=2");
  let text = "";
  for (let turn = 0; turn < 4 * count && text.split("\n").length <= count + 1; turn++) {
    assert.ok(out.buffered <= slowReaderBytesMax, `${out.buffered} bytes wait`);
    text += out.read();
    if (turn === 3) await post(harness, configmaps, { metadata: { name: `a${count}` } });
    await harness.clock.advance(5);
  }
  assert.deepEqual(text.trimEnd().split("\n").map(line => JSON.parse(line).object.metadata.name), Array.from({ length: count + 1 }, (_, i) => `a${i}`));
  assert.equal(ended(), false);
  stop.abort();
  await over;
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

test("events go an hour after they were last written", async () => {
  const harness = await start();
  const stop = new AbortController();
  const running = harness.api.run(stop.signal);
  const client = new LocalClient(harness.api, admin);
  const event = (name: string) => ({ metadata: { name, namespace: "default" }, involvedObject: { namespace: "default" } });
  await client.create(Event, event("old"));
  await harness.clock.advance(40 * 60_000);
  await client.create(Event, event("new"));
  await harness.clock.advance(22 * 60_000);
  assert.deepEqual((await client.list(Event)).items.map(({ metadata }) => metadata.name), ["new"]);
  await harness.clock.advance(60 * 60_000);
  assert.deepEqual((await client.list(Event)).items, []);
  stop.abort();
  await running;
  await harness.close();
});

test("a client in process sees what a client over HTTP sees", async () => {
  const harness = await start();
  const client = new LocalClient(harness.api, admin);
  const stop = new AbortController();
  const seen: string[] = [];
  const { revision } = await client.list(ConfigMap);
  const watching = (async () => {
    for await (const event of client.watch(ConfigMap, { revision, labelSelector: "app=web" }, stop.signal)) seen.push(event.type === "BOOKMARK" ? `BOOKMARK ${event.revision}` : `${event.type} ${event.object.metadata.name}`);
  })();
  const made = await client.create(ConfigMap, { metadata: { name: "a", namespace: "default", labels: { app: "web" } }, data: { x: "1" } });
  assert.equal(Object.isFrozen(made.data), true);
  const changed = await client.update(ConfigMap, { ...made, data: { x: "2" } });
  await assert.rejects(client.update(ConfigMap, { ...made, data: { x: "3" } }), error => isApiError(error, "Conflict"));
  await client.patch(ConfigMap, "default", "a", { type: "merge", body: { metadata: { labels: { app: "db" } } } });
  await client.create(ConfigMap, { metadata: { name: "b", namespace: "default" } });
  await client.delete(ConfigMap, "default", "a", { preconditions: { uid: changed.metadata.uid } });
  assert.equal(JSON.parse(String(await bodyOf(await harness.send("GET", `${configmaps}/b`)))).metadata.name, "b");
  await settle();
  stop.abort();
  await watching;
  assert.deepEqual(seen, ["ADDED a", "MODIFIED a", "DELETED a", "BOOKMARK 6", "BOOKMARK 7"]);
  await assert.rejects(client.get(ConfigMap, "default", "a"), error => isApiError(error, "NotFound"));
  await assert.rejects(new LocalClient(harness.api, { user: { ...admin.user, groups: [] }, userAgent: "x" }).list(Pod), error => isApiError(error, "Forbidden"));
  await harness.close();
});

test("two writers with the same version never both win", async () => {
  const harness = await start();
  const client = new LocalClient(harness.api, admin);
  const made = await client.create(ConfigMap, { metadata: { name: "a", namespace: "default" } });
  const writes = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => client.update(ConfigMap, { ...made, data: { writer: String(i) } })));
  assert.equal(writes.filter(({ status }) => status === "fulfilled").length, 1);
  const patches = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => client.patch(ConfigMap, "default", "a", { type: "merge", body: { data: { [`key-${i}`]: "x" } } })));
  assert.equal(patches.filter(({ status }) => status === "fulfilled").length, 10);
  assert.equal(Object.keys((await client.get(ConfigMap, "default", "a")).data ?? {}).length, 11);
  await harness.close();
});

test("componentstatuses are answered from what is known, with the warning that goes with them", async () => {
  const harness = await start();
  const list = await harness.send("GET", "/api/v1/componentstatuses");
  assert.deepEqual(JSON.parse(String(await bodyOf(list))).items.map(({ metadata, conditions }: any) => [metadata.name, conditions[0].status, conditions[0].message]), [["controller-manager", "True", "ok"], ["etcd-0", "True", "ok"], ["scheduler", "True", "ok"]]);
  assert.deepEqual(list.headers.warning, ['299 - "v1 ComponentStatus is deprecated in v1.19+"']);
  assert.equal((await harness.send("GET", "/api/v1/componentstatuses/etcd-0")).status, 200);
  assert.deepEqual(await Promise.all([harness.send("GET", "/api/v1/componentstatuses/none"), harness.send("DELETE", "/api/v1/componentstatuses/etcd-0"), harness.send("GET", "/api/v1/componentstatuses?watch=1")].map(async each => (await each).status)), [404, 405, 405]);
  const table = await harness.send("GET", "/api/v1/componentstatuses?fieldSelector=metadata.name%3Dscheduler", { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } });
  assert.deepEqual(JSON.parse(String(await bodyOf(table))).rows.map(({ cells }: any) => cells), [["scheduler", "Healthy", "ok", ""]]);
  await harness.close();
});
