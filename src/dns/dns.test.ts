import assert from "node:assert/strict";
import { test } from "node:test";
import { silent } from "../base/log.ts";
import { addressOfReverse, canonicalIPv6, type ClusterView } from "./cluster-zone.ts";
import { encodeReply, parseQuery, rcodes, readName, types } from "./message.ts";
import { NotKnownYet } from "./cluster-view.ts";
import { Resolver } from "./resolver.ts";
import { copyOf, snapshotOf, snapshotView, type Snapshot } from "./snapshot.ts";
import { addressRecords, rcodeOf } from "./upstream-message.ts";

const service = (name: string, spec: object): any => ({ metadata: { name, namespace: "default" }, spec: { ports: [{ name: "http", port: 80, protocol: "TCP" }], ...spec } });
const services = new Map<string, any>([
  ["web", service("web", { clusterIP: "10.96.0.7", clusterIPs: ["10.96.0.7", "fd00::7"] })],
  ["db", service("db", { clusterIP: "None" })],
  ["out", service("out", { type: "ExternalName", externalName: "example.test" })],
  ["alias", service("alias", { type: "ExternalName", externalName: "web.default.svc.cluster.local" })],
]);
const view: ClusterView = {
  service: (namespace, name) => (namespace === "default" ? services.get(name) : undefined),
  slices: (_namespace, name) => (name === "db" ? [{ ports: [{ name: "http", port: 5432, protocol: "TCP" }], endpoints: [
    { addresses: ["10.244.0.5"], hostname: "db-0", conditions: { ready: true } }, { addresses: ["10.244.0.6"], conditions: { ready: true } }, { addresses: ["10.244.0.9"], conditions: { ready: false } },
  ] } as any] : []),
  hasServices: namespace => namespace === "default",
  servicesByAddress: address => (address === "10.96.0.7" ? [services.get("web")] : address === "10.244.0.5" ? [services.get("db")] : []),
  podExists: (namespace, address) => namespace === "default" && address === "10.244.0.5",
};
const clock: any = { now: () => 0, monotonic: () => 0 };
const resolver = new Resolver({ view, settings: { domain: "cluster.local", ttl: 5, serial: () => 1 }, clock, log: silent, forward: async query => {
  const parsed = parseQuery(query) as any;
  return encodeReply(parsed, { rcode: 0, authoritative: false, answers: [{ name: parsed.name, type: "A", ttl: 60, address: "192.0.2.1" }] }, 512);
} });

/** A query as bytes. */
function ask(name: string, type: number, edns = false): Uint8Array {
  const bytes = encodeReply({ id: 7, name, asked: name, type, recursionDesired: true, bytesMax: 512, edns }, { rcode: 0, authoritative: false, answers: [] }, 512);
  bytes[2] = 1;
  bytes[3] = 0;
  return bytes;
}

// question                                      type    rcode       addresses, targets
const cases: [string, keyof typeof types, number, string][] = [
  ["web.default.svc.cluster.local", "A", 0, "10.96.0.7"],
  ["WEB.default.svc.Cluster.local", "A", 0, "10.96.0.7"],
  ["web.default.svc.cluster.local", "AAAA", 0, "fd00:0:0:0:0:0:0:7"],
  ["web.default.svc.cluster.local", "TXT", 0, ""],
  ["none.default.svc.cluster.local", "A", 3, ""],
  ["web.other.svc.cluster.local", "A", 3, ""],
  ["default.svc.cluster.local", "A", 0, ""],
  ["svc.cluster.local", "A", 0, ""],
  ["web.svc.cluster.local", "A", 3, ""],
  ["nope.cluster.local", "A", 3, ""],
  ["db.default.svc.cluster.local", "A", 0, "10.244.0.5 10.244.0.6"],
  ["db-0.db.default.svc.cluster.local", "A", 0, "10.244.0.5"],
  ["10-244-0-6.db.default.svc.cluster.local", "A", 0, "10.244.0.6"],
  ["db-1.db.default.svc.cluster.local", "A", 3, ""],
  ["10-244-0-5.default.pod.cluster.local", "A", 0, "10.244.0.5"],
  ["10-244-0-7.default.pod.cluster.local", "A", 3, ""],
  ["alias.default.svc.cluster.local", "A", 0, "web.default.svc.cluster.local 10.96.0.7"],
  ["out.default.svc.cluster.local", "A", 0, "example.test 192.0.2.1"],
  ["example.test", "A", 0, "192.0.2.1"],
];
for (const [name, type, rcode, answers] of cases)
  test(`DNS ${type} ${name} is answered`, async () => {
    const reply = (await resolver.answer(ask(name, types[type]), "udp"))!;
    const found = addressRecords(reply).map(record => ("address" in record ? record.address : "target" in record ? record.target : ""));
    // Addresses take turns: their order is nobody's business here.
    assert.deepEqual([rcodeOf(reply), found.sort()], [rcode, answers.split(" ").filter(Boolean).sort()]);
  });

test("an SRV record of a headless service names each endpoint, uncompressed", async () => {
  const reply = (await resolver.answer(ask("_http._tcp.db.default.svc.cluster.local", types.SRV), "udp"))!;
  const text = Buffer.from(reply).toString("latin1");
  assert.match(text, /\x04db-0\x02db\x07default\x03svc\x07cluster\x05local/);
  assert.equal(Buffer.from(reply).readUInt16BE(6), 2);
});

test("a pod of two families is one target of an SRV record", async () => {
  const slices = ["10.244.0.5", "fd00::5"].map(address => ({ ports: [{ name: "http", port: 80, protocol: "TCP" }], endpoints: [{ addresses: [address], hostname: "db-0" }] }) as any);
  const both = new Resolver({ view: { ...view, slices: () => slices }, settings: { domain: "cluster.local", ttl: 5, serial: () => 1 }, clock, log: silent });
  assert.equal(Buffer.from((await both.answer(ask("_http._tcp.db.default.svc.cluster.local", types.SRV), "udp"))!).readUInt16BE(6), 1);
});

test("the zone says who it is, as an answer", async () => {
  const reply = Buffer.from((await resolver.answer(ask("cluster.local", types.SOA), "udp"))!);
  assert.deepEqual([reply.readUInt16BE(6), reply.readUInt16BE(8)], [1, 0]);
});

test("what is no query is refused with its own opcode", async () => {
  const status = ask("web.default.svc.cluster.local", types.A);
  status[2] = 2 << 3;
  const reply = (await resolver.answer(status, "udp"))!;
  assert.deepEqual([(reply[2]! >> 3) & 15, rcodeOf(reply)], [2, rcodes.NOTIMP]);
});

test("a service address and a named endpoint have PTR records", async () => {
  for (const [address, name] of [["7.0.96.10.in-addr.arpa", "web.default.svc.cluster.local"], ["5.0.244.10.in-addr.arpa", "db-0.db.default.svc.cluster.local"]] as const) {
    const reply = (await resolver.answer(ask(address, types.PTR), "udp"))!;
    const question = readName(reply, 12)!;
    const owner = readName(reply, question.end + 4)!;
    assert.equal(readName(reply, owner.end + 10)!.name, name);
  }
});

test("an answer too large for UDP is cut with the truncated bit, and whole over TCP", async () => {
  const many: ClusterView = { ...view, slices: () => [{ ports: [], endpoints: Array.from({ length: 100 }, (_, i) => ({ addresses: [`10.244.1.${i}`] })) } as any] };
  const large = new Resolver({ view: many, settings: { domain: "cluster.local", ttl: 5, serial: () => 1 }, clock, log: silent });
  const udp = (await large.answer(ask("db.default.svc.cluster.local", types.A), "udp"))!;
  const tcp = (await large.answer(ask("db.default.svc.cluster.local", types.A), "tcp"))!;
  assert.ok(udp.length <= 512 && (udp[2]! & 2) !== 0);
  assert.deepEqual([addressRecords(tcp).length, tcp[2]! & 2], [100, 0]);
});

test("addresses take turns, so that clients that take the first one spread", async () => {
  const first = new Map<string, number>();
  for (let i = 0; i < 20; i++) {
    const [record] = addressRecords((await resolver.answer(ask("db.default.svc.cluster.local", types.A), "udp"))!);
    const address = record && "address" in record ? record.address : "";
    first.set(address, (first.get(address) ?? 0) + 1);
  }
  assert.deepEqual([...first].sort(), [["10.244.0.5", 10], ["10.244.0.6", 10]]);
});

test("a newer EDNS version is refused with BADVERS (RFC 6891)", async () => {
  const query = ask("web.default.svc.cluster.local", types.A, true);
  query[query.length - 5] = 1;
  const reply = (await resolver.answer(query, "udp"))!;
  assert.deepEqual([rcodeOf(reply), reply.length, reply[17]], [0, 23, 1], "16 in two parts");
});

test("the letters of the question come back as they were asked", async () => {
  const reply = (await resolver.answer(ask("wEb.dEfault.svc.cluster.local", types.A), "udp"))!;
  assert.equal(readName(reply, 12)!.name, "wEb.dEfault.svc.cluster.local");
});

test("an answer from upstream is remembered", async () => {
  let asked = 0;
  const remembering = new Resolver({ view, settings: { domain: "cluster.local", ttl: 5, serial: () => 1 }, clock, log: silent, forward: async query => {
    asked++;
    return encodeReply(parseQuery(query) as any, { rcode: 0, authoritative: false, answers: [{ name: "a.test", type: "A", ttl: 60, address: "192.0.2.1" }] }, 512);
  } });
  for (const id of [1, 2]) {
    const query = ask("a.test", types.A);
    query[1] = id;
    assert.equal((await remembering.answer(query, "udp"))![1], id);
  }
  assert.equal(asked, 1);
});

test("without an upstream server other names are refused", async () => {
  const alone = new Resolver({ view, settings: { domain: "cluster.local", ttl: 5, serial: () => 1 }, clock, log: silent });
  assert.equal(rcodeOf((await alone.answer(ask("example.test", types.A), "udp"))!), rcodes.REFUSED);
});

test("20,000 random and mutated packets neither throw nor hang", async () => {
  let state = 1;
  const random = (): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) / 2 ** 32;
  const seed = ask("web.default.svc.cluster.local", types.A, true);
  for (let i = 0; i < 20_000; i++) {
    const bytes = i % 2 === 0 ? seed.slice() : Uint8Array.from({ length: Math.floor(random() * 80) }, () => random() * 256);
    for (let k = 0; k < 3 && bytes.length > 0; k++) bytes[Math.floor(random() * bytes.length)] = random() * 256;
    await resolver.answer(bytes, i % 3 === 0 ? "tcp" : "udp");
  }
});

test("reverse names and IPv6 addresses are read and written canonically", () => {
  assert.equal(addressOfReverse("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa"), "fd00::1");
  assert.equal(canonicalIPv6("fd00:0:0:1:0:0:0:1"), "fd00:0:0:1::1");
});

test("a name server that starts again answers what it knew, and what it did not know once it is known", async () => {
  const [db, web, out] = ["db", "web", "out"].map(name => ({ ...services.get(name), kind: "Service" }));
  const slice = (host: string) => ({ metadata: { namespace: "default", name: "db-1", labels: { "kubernetes.io/service-name": "db" } }, ports: [{ name: "http", port: 5432 }], endpoints: [{ addresses: ["10.244.0.5"], hostname: host, conditions: { ready: true } }] }) as any;
  const of = (list: readonly any[], slices: readonly any[]): Snapshot => JSON.parse(JSON.stringify(snapshotOf(copyOf(list), copyOf(slices), 7))) as Snapshot;
  const snapshot = of([db, web, out], [slice("db-0"), { metadata: { namespace: "default", name: "web-1", labels: { "kubernetes.io/service-name": "web" } }, endpoints: [] }]);
  assert.deepEqual([snapshot.services.length, snapshot.slices.length], [3, 1], "slices of headless services only");
  let learn = (): void => undefined;
  const known = new Promise<void>(done => { learn = done; });
  let current = snapshotView(snapshot, () => { throw new NotKnownYet(known); });
  const waits: number[] = [];
  const slow = new Resolver({
    view: { service: (...asked) => current.service(...asked), slices: (...asked) => current.slices(...asked), hasServices: namespace => current.hasServices(namespace), podExists: () => true, servicesByAddress: ip => current.servicesByAddress(ip), denying: () => current.denying?.() },
    settings: { domain: "cluster.local", ttl: 5, serial: () => 1 }, log: silent, clock: { now: () => 0, monotonic: () => 0, sleep: (ms: number) => { waits.push(ms); return new Promise(() => undefined); } } as any,
  });
  const found = async (name: string, type: number = types.A): Promise<string> => {
    const reply = (await slow.answer(ask(name, type), "udp"))!;
    return `${rcodeOf(reply)} ${addressRecords(reply).map(record => ("address" in record ? record.address : "")).join(" ")}`.trim();
  };
  assert.equal(await found("web.default.svc.cluster.local"), "0 10.96.0.7");
  assert.equal(await found("db-0.db.default.svc.cluster.local"), "0 10.244.0.5");
  assert.equal(await found("default.svc.cluster.local"), "0");
  assert.equal(await found("7.0.96.10.in-addr.arpa", types.PTR), "0");
  assert.deepEqual(waits, []);
  const asked = ["new.default.svc.cluster.local", "never.default.svc.cluster.local", "db-1.db.default.svc.cluster.local", "example.test.default.svc.cluster.local"].map(name => found(name));
  await new Promise(done => setImmediate(done));
  assert.deepEqual(waits, [2_000, 2_000, 2_000, 2_000], "nothing is denied that may exist by now");
  current = snapshotView(of([db, web, out, { ...service("new", { clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9"] }), kind: "Service" }], [slice("db-1")]), () => undefined as never);
  learn();
  assert.deepEqual(await Promise.all(asked), ["0 10.96.0.9", "3", "0 10.244.0.5", "3"]);
});
