import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silent } from "../base/log.ts";
import { HeldPorts, portsOfClusters } from "./held-ports.ts";

/** Whether another program could listen there. */
const isFree = (port: number): Promise<boolean> => new Promise(done => {
  const server = createServer();
  server.on("error", () => done(false)).listen({ host: "127.0.0.1", port }, () => server.close(() => done(true)));
});
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(done => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { readonly port: number };
  await new Promise<void>(done => server.close(() => done()));
  return port;
}

test("a port that a service has is nobody else's until the service gives it back", async () => {
  const warnings: string[] = [];
  const held = new HeldPorts({ ...silent, warn: (text: string) => void warnings.push(text) });
  const port = await freePort();
  const service = "default/web";
  assert.deepEqual(await held.hold([{ ip: "127.0.0.1", protocol: "TCP", port, service }, { ip: "127.0.0.1", protocol: "UDP", port, service }, { ip: "127.0.0.1", protocol: "SCTP", port, service }]), []);
  assert.equal(await isFree(port), false);
  const taken = await held.listening();
  assert.equal(taken("127.0.0.1", "TCP", port), undefined, "we are not somebody else");
  await held.hold([{ ip: "127.0.0.1", protocol: "TCP", port, service }]);
  assert.equal(await isFree(port), false);
  await held.hold([]);
  await new Promise(done => setImmediate(done));
  assert.equal(await isFree(port), true);
  assert.deepEqual(warnings, []);
});

test("a port that another program took first is told", async () => {
  const warnings: string[] = [];
  const other = createServer();
  await new Promise<void>(done => other.listen(0, "127.0.0.1", done));
  const { port } = other.address() as { readonly port: number };
  const held = new HeldPorts({ ...silent, warn: (text: string) => void warnings.push(text) });
  const wanted = { ip: "127.0.0.1", protocol: "TCP", port, service: "default/web" };
  assert.deepEqual(await held.hold([wanted]), [wanted]);
  assert.deepEqual(await held.hold([wanted]), [wanted]);
  await new Promise(done => other.close(done));
  assert.deepEqual(await held.hold([wanted]), [], "it is tried again");
  await held.hold([]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /cannot be kept from other programs/);
});

test("what services of one cluster have the others see, also while its server does not run", async () => {
  const root = await mkdtemp(join(tmpdir(), "held-ports-"));
  const [a, b] = ["a", "b"].map(cluster => new HeldPorts(silent, { runFolder: join(root, `id-${cluster}`), cluster }));
  const port = { ip: "127.0.0.1", protocol: "TCP", port: await freePort(), service: "default/web" };
  await b!.hold([]);
  assert.deepEqual(await readdir(root), [], "who has none writes nothing");
  await a!.hold([port]);
  assert.equal((await b!.listening())("127.0.0.1", "TCP", port.port), "Service default/web of cluster a on this machine");
  assert.equal((await a!.listening())("127.0.0.1", "TCP", port.port), undefined);
  assert.deepEqual(await b!.hold([port]), [port], "both at once: who binds has it");
  assert.deepEqual((await portsOfClusters(root)).map(({ cluster }) => cluster), ["a"]);
  // A server that was killed holds no socket any more; its rules are still there.
  await a!.hold([]);
  await writeFile(join(root, "id-a", "load-balancer-ports.json"), JSON.stringify({ cluster: "a", ports: [port] }));
  assert.equal((await b!.listening())("127.0.0.1", "TCP", port.port), "Service default/web of cluster a on this machine");
  await rm(join(root, "id-a"), { recursive: true });
  assert.equal((await b!.listening())("127.0.0.1", "TCP", port.port), undefined);
  await rm(root, { recursive: true });
});
