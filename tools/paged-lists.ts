/**
 * P10: `node tools/paged-lists.ts [TIMES] [OBJECTS] [WRITES_PER_SECOND]` pages through the config maps of a namespace (10,000 of them) while others are made, changed and
 * deleted at a steady rate, TIMES times. Every list's pages together must be what a watch, told separately, says was there at the list's version: each
 * object once, with its version. Exit code 1 when one was not.
 */
import { setTimeout as wait } from "node:timers/promises";
import { startCluster } from "./bench/cluster.ts";
import { LoadClient } from "./bench/http.ts";

const [times = 1_000, objects = 10_000, perSecond = 500] = process.argv.slice(2).map(Number);
const pageSize = 500;
const path = "/api/v1/namespaces/default/configmaps";
type Listed = { readonly metadata: { readonly resourceVersion: string; readonly continue?: string }; readonly items: readonly { readonly metadata: Meta }[] };
type Meta = { readonly name: string; readonly resourceVersion: string };

const cluster = startCluster();
const client = await LoadClient.open(cluster.credentials, 2);
const watcher = await LoadClient.open(cluster.credentials, 1);
const problems: string[] = [];
let writes = 0, pages = 0;
try {
  const made = new Set<string>();
  const bodyOf = (name: string): Buffer => Buffer.from(JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { turn: String(writes) } }));
  const write = async (method: string, name: string): Promise<void> => {
    const { status, body } = await client.request(method, method === "POST" ? path : `${path}/${name}`, method === "DELETE" ? undefined : bodyOf(name), true);
    if (status >= 300) throw new Error(`${method} ${name}: ${status} ${body.toString()}`);
    writes++;
  };
  for (let first = 0; first < objects; first += 100) await Promise.all(Array.from({ length: 100 }, (_, i) => { const name = `m${first + i}`; made.add(name); return write("POST", name); }));

  const answer = JSON.parse((await client.request("GET", path, undefined, true)).body.toString()) as Listed;
  const state = new Map(answer.items.map(({ metadata: { name, resourceVersion } }) => [name, resourceVersion]));
  const events: { readonly type: string; readonly metadata: Meta }[] = [];
  let rest = "";
  const watch = watcher.watch(`${path}?watch=1&resourceVersion=${answer.metadata.resourceVersion}&timeoutSeconds=36000`, bytes => {
    const lines = (rest + bytes.toString()).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const { type, object } = JSON.parse(line) as { readonly type: string; readonly object: { readonly metadata: Meta } };
      if (!["ADDED", "MODIFIED", "DELETED"].includes(type)) throw new Error(`the watch ended: ${line}`);
      events.push({ type, metadata: object.metadata });
    }
  });

  let over = false;
  const writer = (async () => {
    const began = performance.now();
    const before = writes;
    const busy = new Set<Promise<void>>();
    for (let turn = 0, next = objects; !over; turn++) {
      const late = began + (turn * 1000) / perSecond - performance.now();
      if (late > 0) await wait(late);
      // A new one, the oldest away, a change of the oldest that stays: each its third.
      const [oldest] = made;
      const name = turn % 3 === 0 ? `m${next++}` : oldest!;
      made.delete(name);
      if (turn % 3 !== 1) made.add(name);
      const one: Promise<void> = write(turn % 3 === 0 ? "POST" : turn % 3 === 1 ? "DELETE" : "PUT", name).finally(() => busy.delete(one));
      busy.add(one);
      if (busy.size > 64) await Promise.race(busy);
    }
    await Promise.all(busy);
    return (writes - before) / ((performance.now() - began) / 1000);
  })();

  for (let round = 0; round < times; round++) {
    const seen = new Map<string, string>();
    let version = "", after: string | undefined = "";
    while (after !== undefined) {
      const { status, body } = await client.request("GET", `${path}?limit=${pageSize}${after === "" ? "" : `&continue=${encodeURIComponent(after)}`}`, undefined, true);
      if (status !== 200) throw new Error(`list: ${status} ${body.toString()}`);
      const { metadata, items } = JSON.parse(body.toString()) as Listed;
      pages++;
      if (version !== "" && metadata.resourceVersion !== version) problems.push(`round ${round}: a page of version ${metadata.resourceVersion} in a list of ${version}`);
      version = metadata.resourceVersion;
      for (const { metadata: { name, resourceVersion } } of items) {
        if (seen.has(name)) problems.push(`round ${round}: ${name} twice`);
        seen.set(name, resourceVersion);
      }
      after = metadata.continue;
    }
    // Past it, so that all before has been told.
    while (Number(events.at(-1)?.metadata.resourceVersion ?? 0) <= Number(version)) await wait(2);
    const told = events.findIndex(({ metadata }) => Number(metadata.resourceVersion) > Number(version));
    for (const { type, metadata: { name, resourceVersion } } of events.splice(0, told)) type === "DELETED" ? state.delete(name) : state.set(name, resourceVersion);
    for (const [name, resourceVersion] of state) if (seen.get(name) !== resourceVersion) problems.push(`round ${round} at ${version}: ${name} is ${seen.get(name) ?? "missing"} instead of ${resourceVersion}`);
    for (const name of seen.keys()) if (!state.has(name)) problems.push(`round ${round} at ${version}: ${name} was not there`);
    if (problems.length > 20) break;
    if (round % 100 === 99) console.log(`${round + 1} lists, ${pages} pages, ${problems.length} problems`);
  }
  over = true;
  const rate = await writer;
  watch.close();
  console.log(`${times} lists of about ${objects.toLocaleString("en")} objects in pages of ${pageSize}, beside ${rate.toFixed(0)} writes/s: ${problems.length} problems`);
  for (const problem of problems.slice(0, 20)) console.log(problem);
} finally {
  client.close();
  watcher.close();
  cluster.stop();
}
process.exitCode = problems.length > 0 ? 1 : 0;
