import assert from "node:assert/strict";
import { createServer as createHttpServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect as connectHttp2, constants as http2, createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import WebSocket, { WebSocketServer } from "ws";
import { silent } from "../base/log.ts";
import { defaultOptions, type RouteOptions } from "../ingress/annotations.ts";
import type { Route, Table } from "../ingress/table.ts";
import { testAuthority } from "../../test/certificates.ts";
import { systemClock } from "./clock.ts";
import { startIngressProxy } from "./ingress-proxy.ts";
import { compileGroups, compileWhole } from "./regex.ts";

const ca = testAuthority("public");
let proxy: { httpPort: number; httpsPort: number; setTable(table: Table): Promise<void>; close(graceMs: number): Promise<void> };
let grpc: Http2Server;
const servers: Server[] = [];
const wss = new WebSocketServer({ noServer: true });
const lines: string[] = [];
let random = 0.5;
let answer: (request: IncomingMessage, response: ServerResponse, name: string) => void;
const at = (server: { address(): unknown }): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;
const echo = (request: IncomingMessage, response: ServerResponse, name: string): void => {
  let body = "";
  request.on("data", (chunk: Buffer) => { body += chunk; }).on("end", () => response.writeHead(200, { "x-backend": name }).end(JSON.stringify({ name, url: request.url, headers: request.headers, body })));
};

before(async () => {
  for (const name of ["a", "b"]) {
    const server = createHttpServer((request, response) => answer(request, response, name));
    server.on("upgrade", (request, socket, head) => wss.handleUpgrade(request, socket, head, ws => ws.on("message", (data: Buffer) => ws.send(`${name}:${data.toString()}`))));
    servers.push(server);
  }
  grpc = createHttp2Server();
  grpc.on("stream", (stream: ServerHttp2Stream, headers) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "x-path": String(headers[":path"]) }));
    stream.pipe(stream);
  });
  for (const server of [...servers, grpc]) await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const started = startIngressProxy({ addresses: ["127.0.0.1"], candidates: () => [0], clock: systemClock(), random: () => random, log: silent, patterns: { path: compileGroups, whole: compileWhole }, access: line => lines.push(line) });
  await started.setTable({ listeners: [{ port: 80, secure: false, hosts: [], certificates: [], names: [] }, { port: 443, secure: true, hosts: [], certificates: [], names: [] }], backends: {}, leaving: [] });
  proxy = { httpPort: Number(started.listening[80]), httpsPort: Number(started.listening[443]), setTable: table => started.setTable(table), close: graceMs => started.close(graceMs) };
});
after(async () => {
  await proxy.close(0);
  for (const server of servers) { server.closeAllConnections(); server.close(); }
  grpc.close();
  wss.close();
});

/** A table with one host `h`; `dead` stands for an endpoint that refuses. */
function serve(routes: readonly (Partial<Omit<Route, "options" | "backends" | "canary">> & { endpoints?: readonly string[]; options?: Partial<RouteOptions>; canary?: { endpoints: readonly string[]; rules: NonNullable<Route["canary"]>["rules"] } })[], more: { tls?: boolean; certificates?: Table["listeners"][0]["certificates"]; leaving?: readonly string[] } = {}): void {
  const backends: { [key: string]: readonly string[] } = {};
  const add = (key: string, endpoints: readonly string[]): string => { backends[key] = endpoints; return key; };
  const hosts = [{ host: "h", tls: more.tls ?? false, routes: routes.map(({ endpoints, options, canary, ...route }, i): Route => ({
    type: "Prefix", path: "/", owner: "default/i", ...route, backends: [{ backend: add(`s${i}`, endpoints ?? [at(servers[0] as Server)]), weight: 1 }], options: { ...defaultOptions, ...options },
    ...(canary ? { canary: { backend: add(`c${i}`, canary.endpoints), rules: canary.rules } } : {}),
  })) }];
  void proxy.setTable({ listeners: [{ port: 80, secure: false, hosts, certificates: [], names: [] }, { port: 443, secure: true, hosts, certificates: more.certificates ?? [], names: [] }], backends, leaving: more.leaving ?? [] });
  answer = echo;
}
const dead = "127.0.0.1:1";
type Answer = { status: number; headers: IncomingMessage["headers"]; body: string };
function ask(path: string, options: { method?: string; headers?: { [name: string]: string }; body?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port: proxy.httpPort, path, method: options.method ?? (options.body === undefined ? "GET" : "POST"), headers: { host: "h", ...options.headers }, agent: false }, response => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => { body += chunk; }).on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body })).on("error", reject);
    });
    request.on("error", reject).end(options.body);
  });
}

test("a request reaches its backend with headers that tell of the client, whatever it claims", async () => {
  serve([{}]);
  const got = await ask("/x?y=z", { body: "hello", headers: { "x-forwarded-for": "1.1.1.1", "x-real-ip": "1.1.1.1", forwarded: "for=1.1.1.1", "x-kept": "k", te: "trailers" } });
  const { headers, ...seen } = JSON.parse(got.body);
  assert.deepEqual([got.status, got.headers["x-backend"], seen], [200, "a", { name: "a", url: "/x?y=z", body: "hello" }]);
  assert.match(headers["x-request-id"], /^[0-9a-f]{32}$/);
  delete headers["x-request-id"];
  assert.deepEqual(headers, { host: "h", "content-length": "5", "x-kept": "k", "x-real-ip": "127.0.0.1", "x-forwarded-for": "127.0.0.1", "x-forwarded-host": "h", "x-forwarded-port": "80", "x-forwarded-proto": "http", "x-forwarded-scheme": "http", "x-scheme": "http" });
  assert.match(lines.at(-1) ?? "", /"host":"h","method":"POST","target":"\/x\?y=z","status":200,"ms":\d+,"route":"default\/i"/);
});

test("no route is 404, no endpoint 503, nobody there 502, too slow 504", async () => {
  serve([{ path: "/none", endpoints: [] }, { path: "/dead", endpoints: [dead] }, { path: "/slow", options: { readMs: 30 } }]);
  answer = () => undefined;
  assert.deepEqual(await Promise.all(["/other", "/none", "/dead", "/slow"].map(async path => (await ask(path)).status)), [404, 503, 502, 504]);
});

test("an endpoint that does not answer is passed over", async () => {
  serve([{ endpoints: [dead, at(servers[0] as Server), dead] }]);
  for (let i = 0; i < 6; i++) assert.equal((await ask("/", { body: "x".repeat(100_000) })).status, 200);
});

test("a backend that breaks off before its answer is replaced where asking again changes nothing", async () => {
  serve([{ endpoints: servers.map(at) }]);
  answer = (request, response, name) => { if (name === "a") request.socket.destroy(); else echo(request, response, name); };
  for (let i = 0; i < 4; i++) assert.equal((await ask("/")).headers["x-backend"], "b");
  serve([{}]);
  answer = request => request.socket.destroy();
  assert.equal((await ask("/", { body: "x" })).status, 502);
});

test("an only endpoint is asked again before the client hears of it", async () => {
  serve([{}]);
  let broken = 2;
  answer = (request, response, name) => { if (broken-- > 0) request.socket.destroy(); else echo(request, response, name); };
  assert.equal((await ask("/")).status, 200);
});

test("a kept connection that its server has closed costs no request", async () => {
  serve([{}]);
  for (let i = 0; i < 20; i++) {
    assert.equal((await ask("/")).status, 200);
    (servers[0] as Server).closeIdleConnections();
  }
});

test("endpoints take turns; a cookie keeps a client with one", async () => {
  const both = servers.map(at);
  serve([{ endpoints: both }]);
  const names = await Promise.all(Array.from({ length: 10 }, async () => (await ask("/")).headers["x-backend"]));
  assert.deepEqual([names.filter(name => name === "a").length, names.filter(name => name === "b").length], [5, 5]);
  serve([{ endpoints: both, options: { affinity: { cookie: "route", maxAgeSeconds: 60, path: "/" } } }]);
  const first = await ask("/");
  const [cookie = ""] = first.headers["set-cookie"] ?? [];
  assert.match(cookie, /^route=[0-9a-f]{32}; Path=\/; Max-Age=60; HttpOnly$/);
  for (let i = 0; i < 5; i++) {
    const next = await ask("/", { headers: { cookie: `x=y; ${cookie.split(";")[0]}` } });
    assert.deepEqual([next.headers["x-backend"], next.headers["set-cookie"]], [first.headers["x-backend"], undefined]);
  }
});

test("a canary gets its share, and whom header and cookie send", async () => {
  const [main, canary] = servers.map(at);
  const rules = { weight: 30, weightTotal: 100, header: "x-canary", headerValue: "", cookie: "canary" };
  serve([{ endpoints: [main as string], canary: { endpoints: [canary as string], rules } }]);
  const to = async (chance: number, headers: { [name: string]: string } = {}) => { random = chance; return (await ask("/", { headers })).headers["x-backend"]; };
  assert.deepEqual([await to(0.29), await to(0.3), await to(0.9, { "x-canary": "always" }), await to(0, { "x-canary": "never" }), await to(0.9, { cookie: "canary=always" })], ["b", "a", "b", "a", "b"]);
});

test("redirects: to HTTPS where there is a certificate or it is asked for, and what annotations say", async () => {
  serve([{}], { tls: true });
  const secured = await ask("/x?y", { headers: { host: "h:8080" } });
  assert.deepEqual([secured.status, secured.headers["location"]], [308, `https://h:${proxy.httpsPort}/x?y`]);
  serve([{ options: { sslRedirect: "never" } }], { tls: true });
  assert.equal((await ask("/")).status, 200);
  serve([{ options: { redirect: { to: "https://elsewhere/", status: 301 } } }]);
  assert.equal((await ask("/")).headers["location"], "https://elsewhere/");
});

test("bodies past the limit are refused, declared or not", async () => {
  serve([{ options: { bodyBytesMax: 10 } }]);
  assert.equal((await ask("/", { body: "x".repeat(11) })).status, 413);
  assert.equal((await ask("/", { body: "x".repeat(100_000), headers: { "transfer-encoding": "chunked" } })).status, 413);
  assert.equal((await ask("/", { body: "x".repeat(10) })).status, 200);
});

test("only the addresses that are allowed may ask", async () => {
  serve([{ options: { allow: ["10.0.0.0/8"] } }]);
  assert.equal((await ask("/")).status, 403);
  serve([{ options: { allow: ["127.0.0.0/8"], deny: ["127.0.0.1"] } }]);
  assert.equal((await ask("/")).status, 403);
  serve([{ options: { allow: ["127.0.0.0/8"] } }]);
  assert.equal((await ask("/")).status, 200);
});

test("paths with regular expressions are rewritten", async () => {
  serve([{ type: "Regex", path: "/app(/|$)(.*)", options: { rewriteTarget: "/$2", useRegex: true } }]);
  assert.equal(JSON.parse((await ask("/app/x/y?z=1")).body).url, "/x/y?z=1");
});

test("WebSockets are joined, and refused as the backend refuses", async () => {
  serve([{}]);
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.httpPort}/ws`, { headers: { host: "h" } });
  await new Promise(resolve => socket.on("open", resolve));
  socket.send("hi");
  assert.equal(await new Promise(resolve => socket.on("message", (data: Buffer) => resolve(data.toString()))), "a:hi");
  socket.close();
  await new Promise(resolve => socket.on("close", resolve));
  serve([{ endpoints: [dead] }]);
  const refused = new WebSocket(`ws://127.0.0.1:${proxy.httpPort}/ws`, { headers: { host: "h" } });
  assert.match(String(await new Promise(resolve => refused.on("error", resolve))), /502/);
});

test("TLS: a certificate by name, our own for others; HTTP/2 and gRPC with its trailers", async () => {
  const leaf = ca.leaf("h", "server", [], ["h"]);
  serve([{ path: "/pkg.Service", endpoints: [at(grpc)], options: { backend: "GRPC" } }, {}], { tls: true, certificates: [{ hosts: ["h"], ...leaf }, { hosts: ["broken"], cert: "x", key: "y" }] });
  const names = await Promise.all(["h", "other"].map(servername => new Promise(resolve => {
    const socket = connectTls({ host: "127.0.0.1", port: proxy.httpsPort, servername, rejectUnauthorized: false }, () => { resolve(socket.getPeerCertificate().subject.CN); socket.destroy(); });
  })));
  assert.deepEqual(names, ["h", "timonier ingress: no certificate for this name"]);

  const session = connectHttp2(`https://127.0.0.1:${proxy.httpsPort}`, { ca: ca.ca, servername: "h" });
  const plain = session.request({ ":path": "/page", ":authority": "h" });
  let page = "";
  for await (const chunk of plain as AsyncIterable<Buffer>) page += chunk.toString();
  assert.equal(JSON.parse(page).headers["x-forwarded-proto"], "https");

  const call = session.request({ ":path": "/pkg.Service/Method", ":method": "POST", ":authority": "h", "content-type": "application/grpc", te: "trailers" });
  let echoed = "";
  let trailers: { [name: string]: unknown } = {};
  call.on("trailers", given => { trailers = given; });
  call.write("one ");
  await new Promise(resolve => call.once("data", (chunk: Buffer) => { echoed += chunk; resolve(undefined); }));
  call.end("two");
  for await (const chunk of call as AsyncIterable<Buffer>) echoed += chunk.toString();
  assert.deepEqual([echoed, trailers["grpc-status"], trailers["x-path"]], ["one two", "0", "/pkg.Service/Method"]);
  session.destroy();
});

test("HTTP/2 without TLS, and a flood of cancelled streams that costs its sender the connection and nobody else anything", async () => {
  serve([{}]);
  answer = echo;
  const flooding = connectHttp2(`http://127.0.0.1:${proxy.httpPort}`);
  flooding.on("error", () => undefined);
  const ended = new Promise<void>(resolve => flooding.on("close", resolve));
  let sent = 0;
  while (!flooding.destroyed && !flooding.closed && sent < 20_000) {
    for (let i = 0; i < 100 && !flooding.closed && !flooding.destroyed; i++, sent++) {
      const stream = flooding.request({ ":path": "/flood", ":authority": "h" });
      stream.on("error", () => undefined);
      stream.close(http2.NGHTTP2_CANCEL);
    }
    assert.equal((await ask("/")).status, 200, "another client is served meanwhile");
  }
  await ended;
  assert.ok(sent < 20_000, "the connection was ended");
  const good = connectHttp2(`http://127.0.0.1:${proxy.httpPort}`);
  const stream = good.request({ ":path": "/x", ":authority": "h" });
  let body = "";
  for await (const chunk of stream as AsyncIterable<Buffer>) body += chunk.toString();
  assert.equal(JSON.parse(body).url, "/x");
  good.destroy();
});

test("an upload over HTTP/2 arrives whole, with and without its length; one that is too long is refused", async () => {
  serve([{ options: { bodyBytesMax: 300_000 } }]);
  const session = connectHttp2(`http://127.0.0.1:${proxy.httpPort}`);
  const send = (bytes: number, headers: { [name: string]: string } = {}): Promise<[number, number]> => new Promise((resolve, reject) => {
    const stream = session.request({ ":path": "/", ":method": "POST", ":authority": "h", ...headers });
    let status = 0;
    let text = "";
    stream.on("response", got => { status = Number(got[":status"]); }).on("data", (chunk: Buffer) => { text += chunk; }).on("end", () => resolve([status, status === 200 ? JSON.parse(text).body.length : 0])).on("error", reject);
    stream.end(Buffer.alloc(bytes, 120));
  });
  assert.deepEqual(await Promise.all([send(0), send(200_000), send(200_000, { "content-length": "200000" }), send(300_001)]), [[200, 0], [200, 200_000], [200, 200_000], [413, 0]]);
  session.destroy();
});

test("the head of an answer does not wait for its body", async () => {
  serve([{}]);
  let finish = (): void => undefined;
  answer = (_request, response) => { response.writeHead(200, { "x-early": "1" }).flushHeaders(); finish = () => response.end("late"); };
  const body = await new Promise<string>((resolve, reject) => {
    httpRequest({ host: "127.0.0.1", port: proxy.httpPort, headers: { host: "h" }, agent: false }, response => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => { text += chunk; }).on("end", () => resolve(text));
      finish();
    }).on("error", reject).end();
  });
  assert.equal(body, "late");
});

test("an answer that breaks off is not made to look whole", async () => {
  serve([{}]);
  answer = (_request, response) => { response.writeHead(200, { "content-length": "100000" }).write("half"); setImmediate(() => response.destroy()); };
  await assert.rejects(ask("/"));
});

test("a short answer that breaks off on its way is asked for again, unnoticed", async () => {
  serve([{ endpoints: servers.map(at) }]);
  answer = (request, response, name) => {
    if (name === "b") return echo(request, response, name);
    response.writeHead(200, { "content-length": "10" }).write("half");
    setImmediate(() => response.destroy());
  };
  for (let i = 0; i < 4; i++) assert.equal((await ask("/")).headers["x-backend"], "b");
});

test("a body is sent once, however many endpoints had to be tried before", async () => {
  const bodies: number[] = [];
  serve([{ endpoints: [dead, at(servers[0] as Server), dead] }]);
  answer = (request, response, name) => { request.on("data", (chunk: Buffer) => bodies.push(chunk.length)); echo(request, response, name); };
  for (let i = 0; i < 5; i++) assert.equal((await ask("/", { body: "x".repeat(1_000) })).status, 200);
  assert.equal(bodies.reduce((sum, bytes) => sum + bytes, 0), 5_000);
});

test("a scale-down from twenty endpoints to one loses nothing, whatever the method, while the table still says twenty", async () => {
  serve([{ endpoints: [...Array.from({ length: 19 }, (_, i) => `127.0.0.1:${i + 1}`), at(servers[0] as Server)] }]);
  const statuses = await Promise.all(Array.from({ length: 40 }, async (_, i) => (await ask("/", i % 2 === 0 ? {} : { body: "x" })).status));
  assert.deepEqual([...new Set(statuses)], [200]);
});

test("when all endpoints refuse, the ones that come meanwhile are asked", async () => {
  serve([{ endpoints: [dead] }]);
  const asked = ask("/", { body: "hello" });
  await new Promise(next => setTimeout(next, 20));
  serve([{}]);
  assert.equal((await asked).status, 200);
});

test("requests under way finish when their endpoint is removed, and its connection is not kept", async () => {
  serve([{}]);
  let finish = (): void => undefined;
  const closed: string[] = [];
  const arrived = new Promise<void>(resolve => {
    answer = (request, response) => {
      request.socket.once("close", () => closed.push("closed"));
      finish = () => response.end("done");
      resolve();
    };
  });
  const asked = ask("/");
  await arrived;
  serve([{ endpoints: [at(servers[1] as Server)] }], { leaving: [at(servers[0] as Server)] });
  assert.deepEqual(closed, []);
  finish();
  assert.equal((await asked).body, "done");
  while (closed.length === 0) await new Promise(next => setImmediate(next));
  assert.equal((await ask("/")).headers["x-backend"], "b");
});

test("a pod that is gone without a word is not waited for: what can be asked again is, the rest is told", async () => {
  serve([{ endpoints: [at(servers[0] as Server)] }]);
  let arrived = 0;
  const both = new Promise<void>(resolve => { answer = () => { if (++arrived === 2) resolve(); }; });
  const asked = [ask("/"), ask("/", { body: "x" })];
  await both;
  serve([{ endpoints: [at(servers[1] as Server)] }]);
  assert.deepEqual((await Promise.all(asked)).map(({ status, headers }) => [status, headers["x-backend"]]), [[200, "b"], [502, undefined]]);
});

test("a connection that does not come about is given up when its endpoint leaves", async () => {
  // Nobody has this address: packets to it vanish.
  serve([{ endpoints: ["192.0.2.77:80"], options: { connectMs: 60_000 } }]);
  const asked = ask("/", { body: "x" });
  await new Promise(next => setTimeout(next, 30));
  serve([{ endpoints: [at(servers[1] as Server)] }], { leaving: ["192.0.2.77:80"] });
  assert.equal((await asked).headers["x-backend"], "b");
});

test("copies of requests reach the mirror with their bodies; its answer, and whether it takes them, concern nobody", async () => {
  const mirrors = [{ backend: "s1", secure: false, numerator: 1, denominator: 1 }];
  serve([{ filters: { mirrors }, options: { bodyBytesMax: 0 } }, { path: "/copies", endpoints: [at(servers[1] as Server)] }]);
  const copies: string[] = [];
  let wake = (): void => undefined;
  const copied = async (count: number): Promise<readonly string[]> => {
    while (copies.length < count) await new Promise<void>(resolve => { wake = resolve; });
    return copies.splice(0).sort();
  };
  answer = (request, response, name) => {
    if (name === "a") return echo(request, response, name);
    let bytes = 0;
    request.on("data", (part: Buffer) => { bytes += part.length; }).on("end", () => { copies.push(`${request.method} ${request.url} ${request.headers["transfer-encoding"] ?? "plain"} ${bytes}`); response.writeHead(500).end("nobody reads this"); wake(); });
  };
  const chunked = (): Promise<number> => new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port: proxy.httpPort, path: "/chunked", method: "PUT", headers: { host: "h" }, agent: false }, response => { response.resume().on("end", () => resolve(response.statusCode ?? 0)); });
    request.on("error", reject);
    for (let i = 0; i < 5; i++) request.write("x".repeat(10_000));
    request.end();
  });
  const statuses = [(await ask("/get")).status, (await ask("/post", { body: "x".repeat(300_000) })).status, await chunked()];
  assert.deepEqual([statuses, await copied(3)], [[200, 200, 200], ["GET /get plain 0", "POST /post plain 300000", "PUT /chunked chunked 50000"]]);

  // A mirror that takes nothing is given up; the request is not.
  answer = (request, response, name) => { if (name === "a") echo(request, response, name); else request.pause(); };
  const got = await ask("/large", { body: "x".repeat(8_000_000) });
  assert.deepEqual([got.status, (JSON.parse(got.body) as { body: string }).body.length], [200, 8_000_000]);

  serve([{ filters: { mirrors: [{ ...mirrors[0]!, backend: "s1" }] } }, { path: "/copies", endpoints: [dead] }]);
  for (let i = 0; i < 3; i++) assert.equal((await ask("/", { body: "x" })).status, 200);
});

test("gRPC calls are copied as well", async () => {
  const paths: string[] = [];
  let copied = (): void => undefined;
  const done = new Promise<void>(resolve => { copied = resolve; });
  const mirror = createHttp2Server();
  mirror.on("stream", (stream: ServerHttp2Stream, headers) => {
    let text = "";
    stream.on("data", (part: Buffer) => { text += part; }).on("end", () => { paths.push(`${String(headers[":path"])} ${text}`); stream.respond({ ":status": 200 }, { endStream: true }); copied(); });
  });
  await new Promise<void>(resolve => mirror.listen(0, "127.0.0.1", resolve));
  serve([{ path: "/pkg.Service", endpoints: [at(grpc)], options: { backend: "GRPC" }, filters: { mirrors: [{ backend: "s1", secure: false, numerator: 1, denominator: 1 }] } }, { path: "/copies", endpoints: [at(mirror)] }]);
  const session = connectHttp2(`http://127.0.0.1:${proxy.httpPort}`);
  const call = session.request({ ":path": "/pkg.Service/Method", ":method": "POST", ":authority": "h", "content-type": "application/grpc", te: "trailers" });
  let echoed = "";
  call.setEncoding("utf8").on("data", (part: string) => { echoed += part; });
  call.write("one ");
  call.end("two");
  await new Promise(resolve => call.on("close", resolve));
  await done;
  session.close();
  await new Promise<void>(resolve => { mirror.close(() => resolve()); serve([{}]); });
  assert.deepEqual([echoed, paths], ["one two", ["/pkg.Service/Method one two"]]);
});
