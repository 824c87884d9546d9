import assert from "node:assert/strict";
import { connect as connectTcp, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { silent } from "../base/log.ts";
import { json, type HttpRequest } from "../api/http.ts";
import { testAuthority } from "../../test/certificates.ts";
import { systemClock } from "./clock.ts";
import { HttpClient, type ClientLimits } from "./http-client.ts";
import type { HostResponse } from "./https-server-exchange.ts";
import { startHttpsServer, type HttpsServer } from "./https-server.ts";

const serving = testAuthority("serving");
const clients = testAuthority("clients");
const alice = clients.leaf("alice", "client");
let https: HttpsServer;
let handler: (request: HttpRequest) => Promise<HostResponse>;
// Between client and server stands a pipe that can be cut or clogged.
let pipe: Server;
const pairs = new Set<[Socket, Socket]>();
const clientsMade: HttpClient[] = [];

const watching: HostResponse = { status: 200, headers: {}, content: { type: "stream", run: (out, signal) => new Promise(done => {
  out.write('{"n":1}\n{"n":');
  setImmediate(() => out.write('2}\n'));
  signal.addEventListener("abort", () => done());
}) } };

before(async () => {
  https = await startHttpsServer({
    addresses: ["127.0.0.1"], port: 0, clock: systemClock(), log: silent, handler: request => handler(request),
    credentials: { ...serving.leaf("timonier", "server", [], ["timonier", "127.0.0.1"]), clientCa: clients.ca },
  });
  pipe = createServer(client => {
    const server = connectTcp(https.port, "127.0.0.1");
    const pair: [Socket, Socket] = [client, server];
    pairs.add(pair);
    client.on("error", () => server.destroy()).on("close", () => { server.destroy(); pairs.delete(pair); });
    server.on("error", () => client.destroy()).on("close", () => client.destroy());
    client.setNoDelay(true).pipe(server.setNoDelay(true)).pipe(client);
  });
  await new Promise<void>(resolve => pipe.listen(0, "127.0.0.1", resolve));
});
after(async () => {
  for (const client of clientsMade) client.close();
  pipe.close();
  await https.close(0);
});
function client(limits: Partial<ClientLimits> = {}): HttpClient {
  const made = new HttpClient({
    address: "127.0.0.1", port: (pipe.address() as AddressInfo).port, serverName: "timonier", ca: serving.ca, identity: alice, userAgent: "test",
    clock: systemClock(), random: { next: () => 0, uuid: () => "", bytes: length => new Uint8Array(length) }, log: silent, limits: { backoffMs: 1, ...limits },
  });
  clientsMade.push(made);
  return made;
}
const get = { method: "GET", target: "/x", headers: {} } as const;

test("a request has its method, path, headers and body, and the answer comes back whole", async () => {
  handler = async request => json(201, { method: request.method, target: request.target, type: request.headers["content-type"] as string, agent: request.headers["user-agent"] as string, body: new TextDecoder().decode(await request.body()), who: request.peer.certificate?.commonName ?? "" });
  const answer = await client().request({ method: "POST", target: "/a?b=c", headers: { "content-type": "application/json" }, body: '{"ü":1}' });
  assert.deepEqual([answer.status, answer.headers["content-type"], JSON.parse(answer.body)], [201, "application/json", { method: "POST", target: "/a?b=c", type: "application/json", agent: "test", body: '{"ü":1}', who: "alice" }]);
});

test("a server that is not of our authority, or has another name, is refused", async () => {
  const options = { address: "127.0.0.1", port: https.port, userAgent: "test", clock: systemClock(), random: { next: () => 0, uuid: () => "", bytes: (length: number) => new Uint8Array(length) }, log: silent };
  await assert.rejects(new HttpClient({ ...options, ca: clients.ca }).request(get), /cannot connect/);
  await assert.rejects(new HttpClient({ ...options, ca: serving.ca, serverName: "another" }).request(get), /cannot connect/);
});

test("lines arrive as they are written, also those cut in two", async () => {
  handler = async () => watching;
  const stop = new AbortController();
  const stream = await client().stream(get, stop.signal);
  const lines: string[] = [];
  for await (const line of stream.lines) {
    lines.push(line);
    if (lines.length === 2) stop.abort();
  }
  assert.deepEqual([stream.status, lines], [200, ['{"n":1}', '{"n":2}']]);
});

test("a stream that the server ends is over, one whose connection breaks throws", async () => {
  handler = async () => ({ status: 200, headers: {}, content: { type: "stream", run: async out => out.write("a\nb\n") } });
  const lines: string[] = [];
  for await (const line of (await client().stream(get, new AbortController().signal)).lines) lines.push(line);
  assert.deepEqual(lines, ["a", "b"]);

  handler = async () => watching;
  const broken = client();
  const stream = await broken.stream(get, new AbortController().signal);
  await assert.rejects(async () => {
    for await (const line of stream.lines) if (line.includes("2")) for (const pair of pairs) pair[0].destroy();
  }, /the stream broke/);
});

test("a request whose connection breaks fails, and the next one connects again", async () => {
  const broken = client();
  handler = async () => { for (const pair of pairs) pair[0].destroy(); return json(200, {}); };
  await assert.rejects(broken.request(get), /GET \/x failed/);
  handler = async () => json(200, {});
  assert.equal((await broken.request(get)).status, 200);
});

test("a connection that has gone silent is given up after a ping without answer", async () => {
  handler = async () => { for (const [a, b] of pairs) { a.unpipe(b); b.unpipe(a); } return json(200, {}); };
  const stuck = client({ silentMs: 20, pingMs: 20 });
  await assert.rejects(stuck.request(get), /GET \/x failed/);
  handler = async () => json(200, {});
  assert.equal((await stuck.request(get)).status, 200);
});

test("an answer that takes too long fails", async () => {
  handler = () => new Promise(() => undefined);
  await assert.rejects(client({ requestMs: 20 }).request(get), /failed/);
});

test("aborting gives a request up", async () => {
  const stop = new AbortController();
  handler = () => { stop.abort(); return new Promise(() => undefined); };
  await assert.rejects(client().request(get, stop.signal), /given up/);
});

test("a new identity is used from the next request on, while old streams go on", async () => {
  const one = client();
  handler = async () => watching;
  const stop = new AbortController();
  const stream = await one.stream(get, stop.signal);
  handler = async request => json(200, { who: request.peer.certificate?.commonName ?? "" });
  one.setIdentity(clients.leaf("bob", "client"));
  assert.equal((await one.request(get)).body, '{"who":"bob"}');
  const lines: string[] = [];
  for await (const line of stream.lines) {
    lines.push(line);
    if (lines.length === 2) stop.abort();
  }
  assert.equal(lines.length, 2);
});

test("a line without end is refused", async () => {
  handler = async () => ({ status: 200, headers: {}, content: { type: "stream", run: async out => out.write("x".repeat(3_000)) } });
  const stream = await client({ lineChars: 1_000 }).stream(get, new AbortController().signal);
  await assert.rejects(async () => { for await (const line of stream.lines) assert.fail(line); }, /the stream broke/);
});
