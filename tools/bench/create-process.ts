/**
 * One process of `create.ts`: creates through `ApiServer.handle`, as the server sets it up, in rounds that leave the heap as they found it.
 * Prints one line of JSON. Arguments: memory|sqlite small|big ROUNDS, and `garbage` to count bytes instead of time, or `outlives`: KB of each create and of each
 * GET that outlive a young collection, what is stored included (decision 0009).
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session, type HeapProfiler } from "node:inspector/promises";
import { setImmediate } from "node:timers";
import { denyServiceExternalIPs } from "../../src/api/admission/external-ips.ts";
import { nodeRestriction } from "../../src/api/admission/node-restriction.ts";
import { resourceQuota } from "../../src/api/admission/resource-quota.ts";
import { serviceAccountAdmission } from "../../src/api/admission/service-account.ts";
import { authorizerChain, privileged } from "../../src/api/authz/authorizer.ts";
import { escalationCheck } from "../../src/api/authz/escalation.ts";
import { NodeAuthorizer } from "../../src/api/authz/node.ts";
import { Rbac } from "../../src/api/authz/rbac.ts";
import { bootstrapSystem } from "../../src/api/bootstrap/system.ts";
import { ApiServer } from "../../src/api/server.ts";
import { silent } from "../../src/base/log.ts";
import { AuditFile } from "../../src/host/audit-file.ts";
import { systemClock } from "../../src/host/clock.ts";
import { systemRandom } from "../../src/host/random.ts";
import { SqliteEngine } from "../../src/host/sqlite.ts";
import { kinds } from "../../src/kinds/index.ts";
import { MemoryEngine } from "../../src/store/memory.ts";
import { RevisionedStore } from "../../src/store/revisioned-store.ts";
import { podBody, smallPodBody } from "./api.ts";

const [engine = "memory", size = "big", rounds = "12", what = "time"] = process.argv.slice(2);
const perRound = what === "garbage" ? 400 : 1_000;
const inFlight = 64;
const bodyOf = size === "big" ? podBody : smallPodBody;
const folder = mkdtempSync(join(tmpdir(), "timonier-bench-create-"));
const clock = systemClock(), random = systemRandom();
const fail = (error: Error): never => { throw error; };
const store = await RevisionedStore.open(engine === "sqlite" ? new SqliteEngine(join(folder, "timonier.db")) : new MemoryEngine(), { clock, log: silent, onFailure: fail, defer: setImmediate });
const audit = new AuditFile({ path: join(folder, "audit.log"), log: silent, now: () => clock.now() });
const rbac = new Rbac();
const admin = { name: "kubernetes-admin", uid: "", groups: ["system:masters", "system:authenticated"], extra: {} };
const api = new ApiServer({
  store, kinds, clock, random, log: silent, fatal: fail, audit: line => audit.append(line),
  authenticator: () => ({ authenticate: async () => admin, reviewToken: async () => ({ authenticated: false }) }),
  authorizer: read => authorizerChain(privileged, new NodeAuthorizer(read), rbac),
  admission: [serviceAccountAdmission({ clock, random }), nodeRestriction, escalationCheck(rbac, authorizerChain(privileged, rbac)), denyServiceExternalIPs, resourceQuota()],
  postJson: () => Promise.reject(new Error("no webhooks here")), defer: work => void setImmediate(work),
  parseYaml: text => ({ value: JSON.parse(text), duplicates: [] }), sha512: text => createHash("sha512").update(text).digest(),
  build: { gitVersion: "v1.36.3", gitCommit: "", buildDate: "1970-01-01T00:00:00Z", platform: "linux/amd64", runtime: process.version }, address: "127.0.0.1:6443",
});
await bootstrapSystem(api.core, { address: "192.0.2.1", port: 6443, serviceAddress: "10.96.0.1", dnsAddress: "10.96.0.10", volumesFolder: folder, clientCa: "", frontProxyCa: "", frontProxyNames: [] });
const { signal } = new AbortController();
const get = async (path: string): Promise<void> => {
  const { status } = await api.handle({ method: "GET", target: path, headers: { host: "127.0.0.1:6443", "user-agent": "bench/1", accept: "application/json" }, body: async () => Buffer.alloc(0), peer: { address: "127.0.0.1" }, upgrade: false, signal });
  if (status !== 200) throw new Error(`GET ${path}: ${status}`);
};
const post = async (path: string, body: Buffer): Promise<void> => {
  const { status, content } = await api.handle({ method: "POST", target: path, headers: { host: "127.0.0.1:6443", "content-type": "application/json", "user-agent": "bench/1", accept: "application/json" }, body: async () => body, peer: { address: "127.0.0.1" }, upgrade: false, signal });
  if (status !== 201) throw new Error(`${status} ${JSON.stringify(content)}`);
};
await post("/api/v1/namespaces/default/serviceaccounts", Buffer.from(JSON.stringify({ metadata: { name: "default" } })));

const pods = "/api/v1/namespaces/default/pods";
let made = 0;
const results: number[] = [];
if (what === "outlives") {
  const gets = await outliving(100_000, () => get("/api/v1/namespaces/default"));
  results.push(await outliving(5_000, () => post(pods, bodyOf(`o${String(made++).padStart(6, "0")}`))), gets);
  await end();
}
for (let round = 0; round < Number(rounds); round++) {
  const bodies = Array.from({ length: perRound }, () => bodyOf(`p${String(made++).padStart(6, "0")}`));
  let next = 0;
  const worker = async (): Promise<void> => { while (next < bodies.length) await post(pods, bodies[next++]!); };
  if (what === "garbage") globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed;
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: inFlight }, worker));
  const { user, system } = process.cpuUsage(before);
  results.push(what === "garbage" ? (process.memoryUsage().heapUsed - heap) / 1024 / perRound : (user + system) / perRound);
  // Away with them, and with their history: every round finds the same heap.
  await Promise.all(store.list("/registry/core/pods/").entries.map(({ key, revision }) => store.delete(key, revision)));
  await store.compact(store.revision);
}
await end();

async function end(): Promise<never> {
  console.log(JSON.stringify(results));
  await store.close();
  await audit.close();
  rmSync(folder, { recursive: true });
  process.exit(0);
}

/** KB of each `one` that are still there after a young collection, by a sample. */
async function outliving(count: number, one: () => Promise<void>): Promise<number> {
  const many = async (count: number): Promise<void> => {
    // One at a time: what is under way while a collection runs is no garbage yet.
    for (let i = 0; i < count; i++) {
      await one();
      if (i % 16 === 0) await new Promise<void>(done => setImmediate(done));
    }
  };
  await many(count);
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.startSampling", { samplingInterval: 8192, includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: false });
  await many(count);
  // What is merely young still is garbage as well.
  (globalThis.gc as ((options: { readonly type: "minor" }) => void) | undefined)?.({ type: "minor" });
  const { profile } = await session.post("HeapProfiler.stopSampling");
  session.disconnect();
  const sizeOf = (node: HeapProfiler.SamplingHeapProfileNode): number => node.children.reduce((sum, child) => sum + sizeOf(child), node.selfSize);
  return sizeOf(profile.head) / 1024 / count;
}
