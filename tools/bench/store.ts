/** Durable compare-and-set writes of one 3.4 KB pod each, through the store in this process; etcd beside it, over its gRPC API, on the same disk. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type ClientHttp2Session } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silent } from "../../src/base/log.ts";
import { systemClock } from "../../src/host/clock.ts";
import { SqliteWorkerEngine } from "../../src/host/sqlite-worker-engine.ts";
import { SqliteEngine } from "../../src/host/sqlite.ts";
import { RevisionedStore } from "../../src/store/revisioned-store.ts";
import type { Engine } from "../../src/store/store.ts";
import { load } from "./http.ts";
import { percentile, type Row } from "./table.ts";

const value = JSON.stringify({ pod: "x".repeat(3_366) });
const keys = 20_000;
const runMs = 3_000;
const inFlight = [1, 16, 128];
type Put = (key: string) => Promise<void>;

export async function benchStore(runs: number): Promise<Row[]> {
  const rows = new Map<string, { runs: number[]; unit: string; peer: number[] }>();
  const row = (what: string, unit: string) => {
    const found = rows.get(what) ?? { runs: [], unit, peer: [] };
    rows.set(what, found);
    return found;
  };
  for (let run = 0; run < runs; run++) {
    for (const concurrency of inFlight) {
      for (const [thread, make] of [["", (path: string) => new SqliteEngine(path)], [", own thread", (path: string) => new SqliteWorkerEngine(path)]] as const)
        await onDisk(directory => withStore(make(join(directory, "timonier.db")), put => measure(put, concurrency, (rate, p99) => {
          row(`puts, ${concurrency} in flight${thread}`, "/s").runs.push(rate);
          row(`  p99, ${concurrency} in flight${thread}`, "ms").runs.push(p99);
        })));
      if (hasEtcd()) await onDisk(directory => withEtcd(directory, put => measure(put, concurrency, (rate, p99) => {
        row(`puts, ${concurrency} in flight`, "/s").peer.push(rate);
        row(`  p99, ${concurrency} in flight`, "ms").peer.push(p99);
      })));
    }
    const started = await onDisk(directory => recovery(join(directory, "timonier.db")));
    row("open a store of 20,000 pods", "ms").runs.push(started);
  }
  return [...rows].map(([what, { runs: measured, unit, peer }]) => {
    const middle = peer.sort((a, b) => a - b)[peer.length >> 1];
    return { what, unit, runs: measured, ...(middle === undefined ? {} : { peer: `etcd ${middle >= 100 ? Math.round(middle).toLocaleString("en") : middle.toFixed(2)}` }) };
  });
}

async function measure(put: Put, concurrency: number, report: (rate: number, p99: number) => void): Promise<void> {
  const work = () => put(`/registry/core/pods/default/p${Math.floor(Math.random() * keys)}`);
  await load(concurrency, runMs / 4, work);
  const result = await load(concurrency, runMs, work);
  report(result.done / result.seconds, percentile(result.sortedMs, 0.99));
}

async function onDisk<T>(body: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "timonier-bench-store-"));
  try {
    return await body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function openStore(engine: Engine): Promise<RevisionedStore> {
  return RevisionedStore.open(engine, { clock: systemClock(), log: silent, onFailure: error => { throw error; }, defer: setImmediate });
}

async function withStore(engine: Engine, body: (put: Put) => Promise<void>): Promise<void> {
  const store = await openStore(engine);
  let n = 0;
  await body(async key => {
    // Two writers may meet on a key: the loser's attempt counts as the answer it is.
    await store.put(key, `${value.slice(0, -2)}${n++}"}`, store.get(key)?.revision ?? 0);
  });
  await store.close();
}

async function recovery(path: string): Promise<number> {
  const store = await openStore(new SqliteEngine(path));
  await Promise.all(Array.from({ length: keys }, (_, i) => store.put(`/registry/core/pods/default/p${i}`, value, 0)));
  await store.close();
  const started = performance.now();
  const again = await openStore(new SqliteEngine(path));
  const took = performance.now() - started;
  await again.close();
  return took;
}

function hasEtcd(): boolean {
  const found = spawnSync("etcd", ["--version"]).status === 0;
  if (!found) console.log("no etcd on PATH: its column stays empty (Debian: apt-get install etcd-server)");
  return found;
}

async function withEtcd(directory: string, body: (put: Put) => Promise<void>): Promise<void> {
  const [client, peer] = ["http://127.0.0.1:23790", "http://127.0.0.1:23800"];
  const server = spawn("etcd", ["--data-dir", join(directory, "etcd"), "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", `default=${peer}`, "--log-level", "error"], { stdio: "ignore" });
  try {
    const session = await etcdSession(client);
    await body(key => etcdPut(session, key));
    session.destroy();
  } finally {
    server.kill("SIGKILL");
    await once(server, "exit");
  }
}

async function etcdSession(url: string): Promise<ClientHttp2Session> {
  for (let attempt = 0; ; attempt++) {
    const session = connect(url);
    try {
      await once(session, "connect");
      await etcdPut(session, "/ready");
      return session;
    } catch (error) {
      session.destroy();
      if (attempt === 100) throw error;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }
}

/** etcdserverpb.KV/Put over plain HTTP/2: a gRPC frame with a PutRequest{key = 1, value = 2}. */
function etcdPut(session: ClientHttp2Session, key: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":method": "POST", ":path": "/etcdserverpb.KV/Put", "content-type": "application/grpc", te: "trailers" });
    let status = "";
    stream.on("response", headers => { status = String(headers["grpc-status"] ?? ""); });
    stream.on("trailers", headers => { status = String(headers["grpc-status"] ?? ""); });
    stream.on("error", reject);
    stream.resume();
    stream.on("end", () => (status === "0" ? resolve() : reject(new Error(`etcd answered ${status}`))));
    const message = Buffer.concat([field(1, key), field(2, value)]);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([head, message]));
  });
}

function field(number: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  const length: number[] = [];
  for (let left = bytes.length; ; left >>= 7) {
    length.push(left > 127 ? (left & 127) | 128 : left);
    if (left <= 127) break;
  }
  return Buffer.concat([Buffer.from([number * 8 + 2, ...length]), bytes]);
}
