import assert from "node:assert/strict";
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect as connectHttp2, constants } from "node:http2";
import { request as request1 } from "node:https";
import { createServer as createNetServer, type AddressInfo, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { gunzipSync, gzipSync } from "node:zlib";
import { silent } from "../base/log.ts";
import type { ForwardTarget, HttpResponse } from "../api/http.ts";
import { testAuthority } from "../../test/certificates.ts";
import { systemClock } from "./clock.ts";
import { createForward, isForbiddenAddress } from "./http-forward.ts";
import { startHttpsServer, type HttpsServer } from "./https-server.ts";

const serving = testAuthority("serving");
const clients = testAuthority("clients");
const node = testAuthority("nodes");
let front: HttpsServer;
let agent: HttpsServer;
let backend: Server;
let rawBackend: (socket: Socket) => void = () => undefined;
const raw = createNetServer({ allowHalfOpen: true }, socket => rawBackend(socket));
const sockets = new Set<Socket>();
let to: ForwardTarget;
let ours: HttpResponse["headers"] = {};
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

before(async () => {
  backend = createHttpServer((request, response) => answer(request, response));
  raw.on("connection", socket => { sockets.add(socket); socket.on("error", () => socket.destroy()); });
  for (const server of [backend, raw]) await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  front = await startHttpsServer({
    addresses: ["127.0.0.1"], port: 0, clock: systemClock(), log: silent,
    credentials: { ...serving.leaf("timonier", "server", [], ["localhost"]), clientCa: clients.ca },
    forward: createForward({ frontProxy: () => clients.leaf("front-proxy-client", "client"), node: () => ({ ca: node.ca, ...clients.leaf("kube-apiserver", "client") }), log: silent, isForbidden: address => address === "127.0.0.9", limits: { halfClosedMs: 2_000 } }),
    handler: async () => ({ status: 200, headers: ours, content: { type: "forward", to } }),
  });
  agent = await startHttpsServer({
    addresses: ["127.0.0.1"], port: 0, clock: systemClock(), log: silent,
    credentials: { ...node.leaf("node-1", "server", [], ["node-1"]), clientCa: clients.ca },
    handler: async request => request.upgrade
      ? { status: 404, headers: {}, content: { type: "text", text: JSON.stringify({ kind: "Status", message: "pod \"a\" not found", reason: "NotFound", code: 404 }) } }
      : { status: 200, headers: {}, content: { type: "text", text: `${request.peer.certificate?.commonName} asks for ${request.target}` } },
  });
});
after(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all([front.close(0), agent.close(0)]);
  backend.closeAllConnections();
  backend.close();
  raw.close();
});

function target(more: Partial<ForwardTarget> = {}): ForwardTarget {
  return { address: "127.0.0.1", port: portOf(backend), scheme: "http", target: "/x?y=z", trust: { type: "none" }, proxyPrefix: "/proxy", ...more };
}
function ask(options: { path?: string; method?: string; headers?: { [name: string]: string }; body?: string } = {}): Promise<{ status: number; headers: { [name: string]: unknown }; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = request1({ host: "127.0.0.1", servername: "localhost", port: front.port, ca: serving.ca, agent: false, path: "/proxy/x", method: "GET", ...options }, response => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) })).on("error", reject);
    });
    request.on("error", reject).end(options.body);
  });
}
const upgradeRequest = "GET /proxy/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nAuthorization: Bearer secret\r\nSec-WebSocket-Protocol: a, base64url.bearer.authorization.k8s.io.c2VjcmV0\r\n\r\n";
/** Everything that comes back after `bytes`; `more` is written once something has arrived. */
function upgrade(bytes: string, more?: string): Promise<string> {
  return new Promise(resolve => {
    let text = "";
    const socket = connectTls({ host: "127.0.0.1", port: front.port, ca: serving.ca, servername: "localhost", ALPNProtocols: ["http/1.1"] }, () => socket.write(bytes));
    socket.on("data", (chunk: Buffer) => {
      if (text === "" && more !== undefined) socket.end(more);
      text += chunk.toString();
    }).on("error", () => socket.destroy()).on("close", () => resolve(text));
  });
}

test("the request goes on without the caller's credentials, the answer comes back without the connection's headers", async () => {
  to = target({ headers: { "x-added": "yes" } });
  let seen: IncomingMessage | undefined;
  answer = (request, response) => {
    seen = request;
    let body = "";
    request.on("data", (chunk: Buffer) => { body += chunk; }).on("end", () => response.writeHead(201, { "x-own": "1", "access-control-allow-origin": "*", "set-cookie": ["a=1", "b=2"] }).end(`got ${body}`));
  };
  const got = await ask({ method: "POST", body: "hello", headers: { authorization: "Bearer secret", cookie: "c=1", "impersonate-user": "root", "x-remote-user": "root", te: "trailers", "x-kept": "k", connection: "close, x-hop", "x-hop": "h", "x-forwarded-for": "10.9.9.9" } });
  assert.deepEqual([got.status, got.body.toString(), got.headers["x-own"], got.headers["set-cookie"], got.headers["access-control-allow-origin"]], [201, "got hello", "1", ["a=1", "b=2"], undefined]);
  const { headers } = seen as IncomingMessage;
  assert.deepEqual(headers, { "x-kept": "k", cookie: "c=1", host: `127.0.0.1:${front.port}`, "content-length": "5", "x-forwarded-for": "10.9.9.9, 127.0.0.1", "x-forwarded-uri": "/proxy/x", connection: "close", "x-added": "yes" });
  assert.deepEqual([(seen as IncomingMessage).method, (seen as IncomingMessage).url], ["POST", "/x?y=z"]);
});

test("what the API server says of every answer stands beside what the backend says", async () => {
  to = target();
  ours = { "audit-id": "a", warning: ["299 - \"w\""] };
  answer = (_request, response) => response.writeHead(200, { "cache-control": "max-age=1", "audit-id": "a", "warning": "299 - \"v\"" }).end();
  const { headers } = await ask();
  assert.deepEqual([headers["cache-control"], headers["audit-id"], headers["warning"]], ["no-cache, private, max-age=1", "a", "299 - \"w\", 299 - \"v\""]);
  ours = {};
});

test("an HTTP/2 client is served too, with an upload of unknown length", async () => {
  to = target();
  answer = (request, response) => request.pipe(response);
  const session = connectHttp2(`https://localhost:${front.port}`, { ca: serving.ca });
  const stream = session.request({ ":method": "POST", ":path": "/proxy/x" });
  stream.end("x".repeat(300_000));
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) size += chunk.length;
  assert.equal(size, 300_000);
  session.destroy();
});

test("redirects and pages point through the proxy", async () => {
  to = target();
  answer = (_request, response) => response.writeHead(302, { location: "/login" }).end();
  assert.equal((await ask()).headers["location"], "/proxy/login");
  answer = (_request, response) => response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end('<a href="/x">ü</a>');
  assert.equal((await ask()).body.toString(), '<a href="/proxy/x">ü</a>');
  answer = (_request, response) => response.writeHead(200, { "content-type": "text/html", "content-encoding": "gzip" }).end(gzipSync('<a href="/x">'));
  assert.equal(gunzipSync((await ask()).body).toString(), '<a href="/proxy/x">');
});

test("another API server hears under which name it is asked, cookies included; its redirects are refused in plain text", async () => {
  to = { ...target({ trust: { type: "aggregated", serverName: "x", insecure: true } }), proxyPrefix: undefined } as unknown as ForwardTarget;
  let heard: IncomingMessage["headers"] = {};
  answer = (request, response) => {
    heard = request.headers;
    response.writeHead(302, { location: "https://elsewhere/" }).end();
  };
  const got = await ask({ headers: { cookie: "c=1", "x-forwarded-proto": "ftp" } });
  assert.deepEqual([got.status, got.headers["content-type"], got.body.toString()], [502, "text/plain; charset=utf-8", "the backend attempted to redirect this request, which is not permitted"]);
  const host = `127.0.0.1:${portOf(backend)}`;
  assert.deepEqual([heard.cookie, heard.host, heard["x-forwarded-host"], heard["x-forwarded-proto"], heard["x-forwarded-uri"]], ["c=1", host, host, "http", "/x"]);
});

test("a redirect from anything but a proxied pod or service is a 502", async () => {
  to = { ...target(), proxyPrefix: undefined } as unknown as ForwardTarget;
  answer = (_request, response) => response.writeHead(302, { location: "https://elsewhere/" }).end();
  const got = await ask();
  assert.deepEqual([got.status, got.headers["location"], JSON.parse(got.body.toString()).message], [502, undefined, "the backend attempted to redirect this request, which is not permitted"]);
});

test("nobody there, a name instead of an address, a forbidden address: upstream's errors", async () => {
  to = target({ port: 1 });
  const refused = await ask();
  assert.deepEqual([refused.status, JSON.parse(refused.body.toString()).message], [503, "error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused"]);
  assert.match(await upgrade(upgradeRequest), /^HTTP\/1.1 500 [^]*"message":"error dialing backend: dial tcp 127.0.0.1:1: connect: connection refused"/);
  to = target({ address: "localhost" });
  assert.equal((await ask()).status, 500);
  to = target({ address: "127.0.0.9" });
  assert.deepEqual(JSON.parse((await ask()).body.toString()).message, "address not allowed");
});

test("an upgrade is joined after a 101, both ways, and each side may end first", async () => {
  to = target({ port: portOf(raw) });
  let head = "";
  rawBackend = socket => {
    socket.once("data", (chunk: Buffer) => {
      head = chunk.toString();
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-A: b\r\n\r\nfirst ");
      let rest = "";
      socket.on("data", (more: Buffer) => { rest += more; }).on("end", () => socket.end(`echo ${rest}`));
    });
  };
  const got = await upgrade(`${upgradeRequest}early `, "late");
  assert.match(got, /^HTTP\/1.1 101 Switching Protocols\r\n[^]*X-A: b\r\n\r\nfirst echo early late$/);
  assert.doesNotMatch(head, /secret|c2VjcmV0|authorization/i);
  assert.match(head, /^GET \/x\?y=z HTTP\/1.1\r\n[^]*sec-websocket-protocol: a\r\n/i);
});

// Rule A: after any of these the client must not be able to talk to the backend.
for (const [name, reply, want] of [
  ["200", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret", /^HTTP\/1.1 502 /],
  ["302", "HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n", /^HTTP\/1.1 502 /],
  ["403 with a body", "HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nsecret", /^HTTP\/1.1 403 /],
  ["101 to another protocol", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nsecret", /^HTTP\/1.1 502 /],
  ["nonsense", "SSH-2.0-x\r\nsecret\r\n", /^HTTP\/1.1 500 /],
] as const)
  test(`an upgrade that is answered with ${name} is an error and the connection to the backend ends`, async () => {
    to = target({ port: portOf(raw) });
    let after101 = "";
    const closed = new Promise<void>(resolve => {
      rawBackend = socket => {
        socket.once("data", () => {
          socket.write(reply);
          socket.on("data", (more: Buffer) => { after101 += more; });
        }).on("close", () => resolve()).on("end", () => socket.end());
      };
    });
    const got = await upgrade(upgradeRequest, "GET /api/v1/secrets HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.match(got, want);
    assert.doesNotMatch(got, /secret/);
    await closed;
    assert.equal(after101, "");
  });

test("to a node it goes with our certificate, only if the node has its own, and its refusals are passed on", async () => {
  to = target({ port: agent.port, scheme: "https", trust: { type: "node", serverName: "node-1" } });
  assert.equal((await ask()).body.toString(), "kube-apiserver asks for /x?y=z");
  assert.match(await upgrade(upgradeRequest), /^HTTP\/1.1 404 [^]*"message":"pod \\"a\\" not found","reason":"NotFound"/);
  to = target({ port: agent.port, scheme: "https", trust: { type: "node", serverName: "node-2" } });
  assert.equal((await ask()).status, 503);
});

test("a pod that speaks TLS is reached whatever its certificate says, and learns nothing of ours", async () => {
  to = target({ port: agent.port, scheme: "https" });
  assert.deepEqual([(await ask()).body.toString()], ["undefined asks for /x?y=z"]);
});

test("when the client goes, the backend's connection goes", async () => {
  to = target();
  const gone = new Promise<void>(resolve => { answer = (request, response) => { response.writeHead(200).write("x"); request.on("close", () => resolve()); }; });
  const session = connectHttp2(`https://localhost:${front.port}`, { ca: serving.ca });
  const stream = session.request({ ":path": "/proxy/x" });
  await new Promise(resolve => stream.on("data", resolve));
  stream.close(constants.NGHTTP2_CANCEL);
  await gone;
  session.destroy();
});

test("an answer that breaks off is not made to look whole", async () => {
  to = target();
  answer = (_request, response) => { response.writeHead(200).write("half"); setImmediate(() => response.destroy()); };
  await assert.rejects(ask());
});

for (const [address, forbidden] of [
  ["10.244.0.2", false], ["192.0.2.1", false], ["172.30.0.1", false], ["fd00::1", false], ["2001:db8::1", false],
  ["127.0.0.1", true], ["127.9.9.9", true], ["0.0.0.0", true], ["169.254.169.254", true], ["224.0.0.1", true], ["255.255.255.255", true], ["::1", true], ["::", true], ["fe80::1", true], ["ff02::1", true], ["::ffff:10.0.0.1", true], ["::ffff:7f00:1", true],
] as const)
  test(`no pod or service may lead to ${address}: ${forbidden}`, () => assert.equal(isForbiddenAddress(address), forbidden));
