/**
 * P21: a thousand watchers that stop reading, half of them the connection, half only their stream, while twenty others read on. What those feel, what the server holds, and
 * how long until the slow ones are rid of.
 */
import { connect, constants, type ClientHttp2Session } from "node:http2";
import { cpuSeconds, rssMB, type BenchCluster, type Credentials } from "./cluster.ts";
import { LoadClient } from "./http.ts";
import { openWatches } from "./watchers.ts";
import { percentile, rowsOfClusters, type AddRow, type Row } from "./table.ts";

const slow = 1_000;
const perConnection = 10;
const readers = 20;
const path = "/api/v1/namespaces/default/configmaps";
const text = "x".repeat(3_000);
/** A hundred thousand deliveries a second until the slow ones are rid of. */
const eventsPerSecond = 100;
const seconds = 60;

export async function benchSlowReaders(runs: number): Promise<Row[]> {
  return rowsOfClusters(runs, measure);
}

/** Streams whose windows nobody opens again, on connections that are read. */
async function shutWindows({ server, ca, cert, key }: Credentials, count: number, target: string): Promise<ClientHttp2Session[]> {
  return Promise.all(Array.from({ length: count / perConnection }, async () => {
    const session = connect(server, { ca, cert, key, settings: { initialWindowSize: 64 << 10 } });
    session.on("error", () => session.destroy());
    await new Promise(resolve => session.once("connect", resolve));
    session.setLocalWindowSize(32 << 20);
    await Promise.all(Array.from({ length: perConnection }, () => new Promise<void>(resolve => {
      const stream = session.request({ [constants.HTTP2_HEADER_PATH]: target });
      stream.on("error", () => stream.close());
      stream.once("response", () => resolve());
      stream.pause();
    })));
    return session;
  }));
}

async function measure(cluster: BenchCluster, add: AddRow): Promise<void> {
  const { credentials } = cluster;
  const writer = await LoadClient.open(credentials, 1);
  const [server = 0] = cluster.pids();
  const { metadata: { resourceVersion } } = JSON.parse((await writer.request("GET", path, undefined, true)).body.toString("utf8")) as { metadata: { resourceVersion: string } };
  const target = `${path}?watch=1&resourceVersion=${resourceVersion}`;
  const sessions = await shutWindows(credentials, slow / 2, target);
  const unread = await openWatches(credentials, target, slow / 2 / perConnection, slow / 2, () => {});
  unread.pause();
  const delays: number[] = [], puts: number[] = [];
  const reading = await LoadClient.open(credentials, 2);
  const at = /"sent":"(\d+)"/g;
  for (let i = 0; i < readers; i++) reading.watch(target, bytes => { for (const [, sent] of bytes.toString("latin1").matchAll(at)) delays.push(Date.now() - Number(sent)); });
  await writer.request("POST", path, bodyOf(0));
  const rest = rssMB(server), cpu = cpuSeconds(server), began = performance.now();
  let most = 0;
  for (let n = 1; performance.now() - began < seconds * 1_000; n++) {
    const asked = Date.now();
    await writer.request("PUT", `${path}/w`, bodyOf(n));
    puts.push(Date.now() - asked);
    if (n % 20 === 0) most = Math.max(most, rssMB(server));
    const early = began + (n * 1_000) / eventsPerSecond - performance.now();
    if (early > 0) await new Promise(resolve => setTimeout(resolve, early));
  }
  // Events are counted as they are written to watches.
  const told = async (): Promise<number> => Number(/^apiserver_watch_events_total\{[^}]*resource="configmaps"[^}]*\} (\d+)/m.exec((await writer.request("GET", "/metrics", undefined, true)).body.toString("utf8"))?.[1] ?? NaN);
  const before = await told();
  await writer.request("PUT", `${path}/w`, bodyOf(-1));
  await new Promise(resolve => setTimeout(resolve, 100));
  const watches = (await told()) - before;
  for (const all of [delays, puts]) all.sort((a, b) => a - b);
  add("delay of an event for those who read, p50", "ms", percentile(delays, 0.5));
  add("  p99", "ms", percentile(delays, 0.99), "≤ 100");
  add("  longest", "ms", delays.at(-1) ?? NaN);
  add("the writes' own time, p50", "ms", percentile(puts, 0.5));
  add("  its p99", "ms", percentile(puts, 0.99));
  add("events for each of those who read", "", delays.length / readers);
  add("watches of slow readers that are left", "", watches - readers, "0");
  add("server memory before", "MB", rest);
  add("  most", "MB", most);
  add("  for each slow reader", "MB", (most - rest) / slow, "≤ 1");
  add("processor time of the server", "s", cpuSeconds(server) - cpu);
  unread.close();
  for (const session of sessions) session.destroy();
  reading.close();
  writer.close();
}

function bodyOf(n: number): Buffer {
  return Buffer.from(JSON.stringify({ metadata: { name: "w" }, data: { n: String(n), sent: String(Date.now()), text } }));
}
