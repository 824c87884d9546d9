import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { silent } from "../base/log.ts";
import { HeldPorts } from "./held-ports.ts";

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
  held.hold([{ ip: "127.0.0.1", protocol: "TCP", port }, { ip: "127.0.0.1", protocol: "UDP", port }, { ip: "127.0.0.1", protocol: "SCTP", port }]);
  await new Promise(done => setImmediate(done));
  assert.equal(await isFree(port), false);
  const taken = await held.listening();
  assert.equal(taken("127.0.0.1", "TCP", port), undefined, "we are not somebody else");
  held.hold([{ ip: "127.0.0.1", protocol: "TCP", port }]);
  assert.equal(await isFree(port), false);
  held.hold([]);
  await new Promise(done => setImmediate(done));
  assert.equal(await isFree(port), true);
  assert.deepEqual(warnings, []);
});

test("a port that another program took first is told", async () => {
  const warnings: string[] = [];
  const other = createServer();
  await new Promise<void>(done => other.listen(0, "127.0.0.1", done));
  const { port } = other.address() as { readonly port: number };
  const told = new Promise<void>(done => {
    const held = new HeldPorts({ ...silent, warn: (text: string) => { warnings.push(text); done(); } });
    held.hold([{ ip: "127.0.0.1", protocol: "TCP", port }]);
  });
  await told;
  other.close();
  assert.match(warnings[0]!, /cannot be kept from other programs/);
});
