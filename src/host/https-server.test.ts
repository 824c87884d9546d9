import assert from "node:assert/strict";
import { connect as connectHttp2, constants, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import { request as request1 } from "node:https";
import { after, before, test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { gunzipSync } from "node:zlib";
import { ApiError } from "../base/api-error.ts";
import { silent } from "../base/log.ts";
import { json, type HttpRequest } from "../api/http.ts";
import { testAuthority, type Leaf } from "../../test/certificates.ts";
import { systemClock } from "./clock.ts";
import type { HostResponse } from "./https-server-exchange.ts";
import { startHttpsServer, type HttpsServer } from "./https-server.ts";

const serving = testAuthority("serving");
const clients = testAuthority("clients");
const frontProxy = testAuthority("front-proxy");
const strangers = testAuthority("strangers");
const server = serving.leaf("timonier", "server", [], ["localhost", "127.0.0.1"]);
const credentials = { ...server, clientCa: clients.ca, frontProxyCa: frontProxy.ca };
const seen: string[] = [];
let handler: (request: HttpRequest) => Promise<HostResponse>;
let https: HttpsServer;
let session: ClientHttp2Session | undefined;
/** One for all tests; opened when first asked for, since other files' tests may run long before these and the server closes what rests. */
const h2 = (): ClientHttp2Session => (session === undefined || session.closed || session.destroyed ? (session = connect2()) : session);

const lengths: number[] = [];
const tally = { add: (length: number): void => void lengths.push(length) };

async function handle(request: HttpRequest): Promise<HostResponse> {
  const [path] = request.target.split("?");
  seen.push(`${request.method} ${path}`);
  switch (path) {
    case "/peer": return json(200, { ...request.peer, address: "" } as never);
    case "/echo": return { status: 200, headers: {}, content: { type: "bytes", bytes: await request.body() } };
    case "/headers": return json(200, { ...request.headers } as never);
    case "/big": return { status: 200, headers: { "content-type": "application/json" }, content: { type: "text", text: "x".repeat(200_000) } };
    case "/pieces": return { status: 200, headers: {}, sent: tally, content: { type: "pieces", pieces: Array.from({ length: 50_000 }, (_, i) => `${i} `) } };
    case "/generated": return { status: 200, headers: {}, sent: tally, content: { type: "pieces", pieces: (function* () { for (let i = 0; i < 50_000; i++) yield `${i} `; })() } };
    case "/refused": throw new ApiError("Forbidden", "no");
    case "/broken": throw new Error("a fault of ours");
    default: return json(404, {});
  }
}

before(async () => {
  handler = handle;
  https = await startHttpsServer({
    addresses: ["127.0.0.1"], port: 0, credentials, clock: systemClock(), log: silent,
    handler: request => handler(request), limits: { bodyBytes: 1000, resetBurst: 50, resetsPerSecond: 1, banMs: 300, bodyMs: 2_000, headerMs: 1_000, outputBytes: 1_000_000 },
  });
});
after(async () => {
  session?.destroy();
  await https.close(0);
});

function connect2(leaf?: Leaf): ClientHttp2Session {
  const made = connectHttp2(`https://localhost:${https.port}`, { ca: serving.ca, ...leaf });
  made.on("error", () => made.destroy());
  return made;
}
type Answer = { status: number; headers: IncomingHttpHeaders; body: Buffer };
function ask2(over: ClientHttp2Session, path: string, options: { method?: string; body?: string; headers?: { [name: string]: string | string[] } } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = over.request({ ":path": path, ":method": options.method ?? (options.body === undefined ? "GET" : "POST"), ...options.headers }, { endStream: options.body === undefined });
    const chunks: Buffer[] = [];
    let headers: IncomingHttpHeaders = {};
    stream.on("response", given => { headers = given; });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("close", () => headers[":status"] === undefined ? reject(new Error("no answer")) : resolve({ status: Number(headers[":status"]), headers, body: Buffer.concat(chunks) }));
    if (options.body !== undefined) stream.end(options.body);
  });
}
function ask1(path: string, options: { method?: string; body?: string; headers?: { [name: string]: string | string[] } } & Partial<Leaf> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { body, method = body === undefined ? "GET" : "POST", ...rest } = options;
    const request = request1({ host: "127.0.0.1", servername: "localhost", port: https.port, path, method, ca: serving.ca, agent: false, ...rest }, response => {
      const chunks: Buffer[] = [];
      response.on("data", chunk => chunks.push(chunk)).on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
    });
    request.on("error", reject).end(body);
  });
}
/** Writes bytes on a TLS connection and returns everything that comes back until the server closes it. */
function raw(bytes: string, options: { end?: boolean; each?: (chunk: string) => void } = {}): Promise<string> {
  return new Promise(resolve => {
    let answer = "";
    const socket: TLSSocket = connectTls({ host: "127.0.0.1", port: https.port, ca: serving.ca, servername: "localhost", ALPNProtocols: ["http/1.1"] }, () => options.end ? socket.end(bytes) : socket.write(bytes));
    socket.on("data", chunk => { answer += chunk.toString("latin1"); options.each?.(chunk.toString("latin1")); }).on("error", () => socket.destroy()).on("close", () => resolve(answer));
  });
}

for (const [version, ask] of [["HTTP/2", (path: string, options = {}) => ask2(h2(), path, options)], ["HTTP/1.1", ask1]] as const) {
  test(`${version}: a body arrives whole`, async () => {
    const answer = await ask("/echo", { body: "grüße" });
    assert.deepEqual([answer.status, answer.body.toString(), answer.headers["content-length"]], [200, "grüße", "7"]);
  });
  test(`${version}: a body past the limit is answered with 413 and upstream's words`, async () => {
    const answer = await ask("/echo", { body: "x".repeat(1001) });
    assert.deepEqual([answer.status, JSON.parse(answer.body.toString()).message], [413, "Request entity too large: limit is 1000"]);
  });
  test(`${version}: an encoded body is refused`, async () => {
    assert.equal((await ask("/echo", { body: "x", headers: { "content-encoding": "gzip" } })).status, 415);
  });
  test(`${version}: big answers are compressed for those who accept it`, async () => {
    const plain = await ask("/big");
    const zipped = await ask("/big", { headers: { "accept-encoding": "deflate, gzip;q=1.0" } });
    assert.deepEqual([plain.body.length, plain.headers["content-encoding"]], [200_000, undefined]);
    assert.deepEqual([gunzipSync(zipped.body).length, zipped.headers["content-encoding"], zipped.headers["vary"]], [200_000, "gzip", "Accept-Encoding"]);
  });
  test(`${version}: an answer in pieces arrives in order, compressed or not`, async () => {
    const want = Array.from({ length: 50_000 }, (_, i) => `${i} `).join("");
    for (const path of ["/pieces", "/generated"]) {
      lengths.length = 0;
      const [plain, zipped] = [await ask(path), await ask(path, { headers: { "accept-encoding": "gzip" } })];
      assert.deepEqual([plain.body.toString() === want, gunzipSync(zipped.body).toString() === want], [true, true]);
      while (lengths.length < 2) await new Promise(setImmediate);
      assert.deepEqual(lengths, [plain.body.length, zipped.body.length], "whoever counts hears what went out");
    }
  });
  test(`${version}: HEAD has the headers and no body`, async () => {
    const answer = await ask("/big", { method: "HEAD" });
    assert.deepEqual([answer.status, answer.headers["content-length"], answer.body.length], [200, "200000", 0]);
  });
  test(`${version}: an ApiError out of the handler is a Status, anything else a 500 that says nothing`, async () => {
    const refused = await ask("/refused");
    const broken = await ask("/broken");
    assert.deepEqual([refused.status, JSON.parse(refused.body.toString()).reason], [403, "Forbidden"]);
    assert.deepEqual([broken.status, broken.body.toString().includes("fault of ours")], [500, false]);
  });
  test(`${version}: repeated identity headers stay apart, the first authorization counts`, async () => {
    const answer = JSON.parse((await ask("/headers", { headers: { "impersonate-group": ["a", "b,c"], "accept": ["x", "y"] } })).body.toString());
    assert.deepEqual([answer["impersonate-group"], answer.accept, answer.host], [["a", "b,c"], "x, y", version === "HTTP/2" ? `localhost:${https.port}` : `127.0.0.1:${https.port}`]);
  });
}

const peers = [
  ["no certificate", undefined, {}],
  ["a client's", clients.leaf("alice", "client", ["system:masters", "ops, eu"]), { ca: "client", commonName: "alice", organizations: ["system:masters", "ops, eu"] }],
  ["the front proxy's", frontProxy.leaf("aggregator", "client"), { ca: "front-proxy", commonName: "aggregator", organizations: [] }],
  ["a stranger's", strangers.leaf("alice", "client", ["system:masters"]), "unable to verify the first certificate"],
  ["an expired one", clients.leaf("alice", "client", [], [], -1_000), "CERT_HAS_EXPIRED"],
  ["a server's used as a client's", clients.leaf("alice", "server"), "INVALID_PURPOSE"],
] as const;
for (const [name, leaf, want] of peers)
  test(`the peer with ${name} certificate is told by it`, async () => {
    const over = connect2(leaf);
    for (const answer of [await ask2(over, "/peer"), await ask1("/peer", leaf ?? {})]) {
      const peer = JSON.parse(answer.body.toString());
      if (typeof want === "string") assert.match(peer.badCertificate, /./, want);
      else assert.deepEqual(peer.certificate && { ca: peer.certificate.ca, commonName: peer.certificate.commonName, organizations: peer.certificate.organizations }, "ca" in want ? want : undefined);
      assert.equal(typeof want === "string", peer.badCertificate !== undefined);
    }
    over.destroy();
  });

test("one CA for clients and front proxies is refused", () => {
  assert.throws(() => https.setCredentials({ ...credentials, frontProxyCa: clients.ca }), /must be different/);
});

test("new certificates serve new connections while old connections go on", async () => {
  const next = testAuthority("next");
  const old = h2();
  await ask2(old, "/peer");
  https.setCredentials({ ...credentials, ...next.leaf("timonier", "server", [], ["localhost"]) });
  const over = connectHttp2(`https://localhost:${https.port}`, { ca: next.ca });
  assert.equal((await ask2(over, "/peer")).status, 200);
  assert.equal((await ask2(old, "/peer")).status, 200);
  over.destroy();
  https.setCredentials(credentials);
});

for (const [name, send] of [
  ["HTTP/2", async () => {
    const over = connect2();
    const stream = over.request({ ":path": "/echo", ":method": "POST", "content-length": "10" });
    stream.on("error", () => stream.destroy());
    stream.write("12345");
    await new Promise(resolve => stream.on("ready", resolve));
    await new Promise(resolve => setImmediate(resolve));
    stream.close(constants.NGHTTP2_CANCEL);
    over.destroy();
  }],
  ["HTTP/1.1", async () => void await raw("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345", { end: true })],
] as const)
  test(`${name}: a cut upload is never handed to the handler as a whole`, async () => {
    const outcome = new Promise<string>(resolve => {
      handler = async request => { await request.body().then(body => resolve(`whole, ${body.length}`), (error: Error) => resolve(error.message)); return json(200, {}); };
    });
    await send();
    assert.match(await outcome, /the client went away/);
    handler = handle;
  });

// Each is one write on a fresh connection. What comes after the first request must never be taken for a request of its own.
const smuggling: readonly (readonly [name: string, bytes: string, want: RegExp])[] = [
  ["length and chunked together", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1.1 400 /],
  ["chunked and length together", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1.1 400 /],
  ["two lengths", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 30\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1.1 400 /],
  ["a list of lengths", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0, 30\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n", /^HTTP\/1.1 400 /],
  ["a signed length", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc", /^HTTP\/1.1 400 /],
  ["a hexadecimal length", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3\r\n\r\nabc", /^HTTP\/1.1 400 /],
  ["a length with a space inside", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1 0\r\n\r\nabc", /^HTTP\/1.1 400 /],
  ["a space before the colon", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length : 30\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1.1 400 /],
  ["an unknown transfer coding", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", /^HTTP\/1.1 400 /],
  ["chunked that is not last", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", /^HTTP\/1.1 400 /],
  ["bare line feeds", "GET /peer HTTP/1.1\nHost: x\n\n", /^HTTP\/1.1 400 /],
  ["a bare line feed between headers", "GET /peer HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n", /^HTTP\/1.1 400 /],
  ["a bare carriage return in a header", "GET /peer HTTP/1.1\r\nHost: x\r\nX-A: b\rTransfer-Encoding: chunked\r\n\r\n", /^HTTP\/1.1 400 /],
  ["a folded header", "POST /echo HTTP/1.1\r\nHost: x\r\nX-A: b\r\n Content-Length: 30\r\n\r\n", /^HTTP\/1.1 400 /],
  ["a zero byte", "GET /peer HTTP/1.1\r\nHost: x\r\nX-A: \0\r\n\r\n", /^HTTP\/1.1 400 /],
  ["a chunk size with a sign", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n", /^HTTP\/1.1 400 /],
  ["a chunk size that overflows", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n", /^HTTP\/1.1 400 /],
  ["a chunk longer than it says", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n", /^HTTP\/1.1 400 /],
  ["a bare line feed after a chunk size", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", /^HTTP\/1.1 400 /],
  ["no host", "GET /peer HTTP/1.1\r\n\r\n", /^HTTP\/1.1 400 /],
  ["two hosts", "GET /peer HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n", /^HTTP\/1.1 (400|200) /],
  ["an absolute target", "GET http://evil/peer HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1.1 400 /],
  ["a target with a space", "GET /pe er HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1.1 400 /],
  ["a target that is not ASCII", "GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1.1 400 /],
  ["an unknown version", "GET /peer HTTP/9.9\r\nHost: x\r\n\r\n", /^HTTP\/1.1 400 /],
  ["something else altogether", "\x16\x03\x01\x02\x00", /^HTTP\/1.1 400 /],
  ["headers without end", `GET /peer HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(140_000)}\r\n\r\n`, /^HTTP\/1.1 431 /],
  ["too many headers", `GET /peer HTTP/1.1\r\nHost: x\r\n${"a: b\r\n".repeat(300)}\r\n`, /^HTTP\/1.1 431 /],
];
for (const [name, bytes, want] of smuggling)
  test(`HTTP/1.1: ${name}: answered once and the connection closed`, async () => {
    seen.length = 0;
    assert.match(await raw(bytes), want);
    assert.equal(seen.some(line => line.includes("smuggled")), false);
  });

test("HTTP/1.1: headers that dribble in are cut off", async () => {
  assert.match(await raw("GET /peer HTTP/1.1\r\nHost: x\r\nX-"), /^HTTP\/1.1 408 /);
});

test("an upgrade that is refused gets an ordinary answer and the connection ends", async () => {
  const answer = await raw("GET /refused HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
  assert.match(answer, /^HTTP\/1.1 403 /);
  assert.equal(seen.some(line => line.includes("smuggled")), false);
});

test("an upgrade to something unknown is an ordinary request", async () => {
  assert.match(await raw("GET /refused HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n"), /^HTTP\/1.1 403 /);
});

test("a connection that was upgraded belongs to whoever took it over", async () => {
  handler = async () => ({ status: 101, headers: {}, content: { type: "takeover", run: async ({ socket, head }) => void socket.end(`mine: ${head.toString()}`) } });
  assert.equal(await raw("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nhello"), "mine: hello");
  handler = handle;
});

test("what is written after an upgrade comes as it was written, not merged: Python's client waits for the socket and would keep the rest in its hands", async () => {
  const words = ["one", "two", "three", "four"];
  handler = async () => ({ status: 101, headers: {}, content: { type: "takeover", run: async ({ socket }) => {
    for (const word of words) socket.write(word);
    socket.end();
  } } });
  const records: string[] = [];
  await raw("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", { each: chunk => records.push(chunk) });
  assert.deepEqual(records, words);
  handler = handle;
});

test("headers of a stream go out at once, and it ends when its client goes", async () => {
  const gone = new Promise<void>(resolve => {
    handler = async () => ({ status: 200, headers: {}, content: { type: "stream", run: (out, signal) => new Promise(done => {
      out.write("first\n");
      signal.addEventListener("abort", () => { done(); resolve(); });
    }) } });
  });
  const stream = h2().request({ ":path": "/watch" });
  await new Promise(resolve => stream.on("data", resolve));
  stream.close(constants.NGHTTP2_CANCEL);
  await gone;
  handler = handle;
});

test("over HTTP/1.1 a stream goes out in chunks as it is written, not compressed", async () => {
  const long = "x".repeat(200_000);
  handler = async () => ({ status: 200, headers: { "content-type": "application/json" }, content: { type: "stream", run: async out => {
    for (const text of ["first\n", `${long}\n`, "last\n"]) {
      out.write(text);
      while (out.buffered > 0) await new Promise(next => setImmediate(next));
    }
  } } });
  const answer = await raw("GET /watch HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n");
  const [head = "", ...body] = answer.split("\r\n\r\n");
  assert.match(head, /^HTTP\/1\.1 200 [^]*transfer-encoding: chunked/i);
  assert.doesNotMatch(head, /content-encoding|content-length/i);
  const chunks: string[] = [];
  for (let rest = body.join("\r\n\r\n"); ; ) {
    const end = rest.indexOf("\r\n"), size = Number.parseInt(rest.slice(0, end), 16);
    if (size === 0) break;
    chunks.push(rest.slice(end + 2, end + 2 + size));
    rest = rest.slice(end + 2 + size + 2);
  }
  assert.deepEqual([chunks[0], chunks.at(-1), chunks.join("") === `first\n${long}\nlast\n`], ["first\n", "last\n", true]);
  handler = handle;
});

test("a reader that takes nothing is cut off at the limit", async () => {
  const outcome = new Promise<number>(resolve => {
    handler = async () => ({ status: 200, headers: {}, content: { type: "stream", run: async (out, signal) => {
      let most = 0;
      while (!signal.aborted) {
        out.write("x".repeat(50_000));
        most = Math.max(most, out.buffered);
        await new Promise(next => setImmediate(next));
      }
      resolve(most);
    } } });
  });
  const over = connect2();
  const stream = over.request({ ":path": "/watch" });
  stream.on("error", () => stream.destroy());
  assert.ok(await outcome < 1_100_000);
  over.destroy();
  handler = handle;
});

test("an address that cancels streams without end is sent away, and may come back later", async () => {
  const over = connect2();
  const closed = new Promise(resolve => over.on("close", resolve));
  for (let i = 0; i < 100; i++) {
    const stream = over.request({ ":path": "/peer" });
    stream.on("error", () => stream.destroy());
    stream.close(constants.NGHTTP2_CANCEL);
  }
  await closed;
  const banned = connect2();
  await assert.rejects(ask2(banned, "/peer"));
  const trusted = connect2(clients.leaf("alice", "client"));
  assert.equal((await ask2(trusted, "/peer")).status, 200);
  trusted.destroy();
  banned.destroy();
});

test("closing ends streams properly and lets requests finish", async () => {
  let answer: (() => void) | undefined;
  const other = await startHttpsServer({
    addresses: ["127.0.0.1"], port: 0, credentials, clock: systemClock(), log: silent,
    handler: async request => request.target === "/watch"
      ? { status: 200, headers: {}, content: { type: "stream", run: (out, signal) => new Promise(done => { out.write("event\n"); signal.addEventListener("abort", () => done()); }) } }
      : new Promise(resolve => { answer = () => resolve(json(200, { late: true })); }),
  });
  const over = connectHttp2(`https://localhost:${other.port}`, { ca: serving.ca });
  const watch = ask2(over, "/watch");
  const late = ask2(over, "/late");
  while (answer === undefined) await new Promise(resolve => setImmediate(resolve));
  const closed = other.close(5_000);
  assert.equal((await watch).body.toString(), "event\n");
  (answer as () => void)();
  assert.equal((await late).body.toString(), '{"late":true}');
  await closed;
  over.destroy();
});

test("a port that is taken is reported in one line", async () => {
  await assert.rejects(startHttpsServer({ addresses: ["127.0.0.1"], port: https.port, credentials, clock: systemClock(), log: silent, handler }), /^Error: port \d+ of 127.0.0.1 is taken by another program/);
});
