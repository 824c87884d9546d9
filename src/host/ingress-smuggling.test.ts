/** P22: messages that two readers could understand differently never make a request or an answer out of somebody's body. */
import assert from "node:assert/strict";
import { createServer as createHttpServer, type Server } from "node:http";
import { connect, createServer, type AddressInfo, type Server as NetServer } from "node:net";
import { after, before, test } from "node:test";
import { silent } from "../base/log.ts";
import { defaultOptions } from "../ingress/annotations.ts";
import { systemClock } from "./clock.ts";
import { startIngressProxy, type IngressProxy } from "./ingress-proxy.ts";
import { Chunks } from "./ingress-chunks.ts";
import { BadMessage } from "./ingress-fields.ts";

let proxy: IngressProxy;
let http: Server;
let rawBackend: NetServer;
let rawAnswer = "";
const seen: string[] = [];
const at = (server: { address(): unknown }): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;
before(async () => {
  http = createHttpServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => { body += chunk; }).on("end", () => { seen.push(`${request.method} ${request.url} ${body}`); response.end(`ok ${request.url}`); });
  });
  rawBackend = createServer(socket => { socket.on("error", () => undefined).on("data", () => socket.write(rawAnswer, "latin1")); });
  for (const server of [http, rawBackend]) await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  proxy = startIngressProxy({ addresses: ["127.0.0.1"], candidates: () => [0], clock: systemClock(), random: () => 0.5, log: silent, patterns: { path: () => () => undefined, whole: () => () => undefined } });
  const route = (path: string, backend: string) => ({ type: "Prefix", path, owner: "d/i", backends: [{ backend, weight: 1 }], options: { ...defaultOptions, readMs: 200 } }) as const;
  await proxy.setTable({ listeners: [{ port: 80, secure: false, hosts: [{ host: "h", tls: false, routes: [route("/raw", "raw"), route("/", "http")] }], certificates: [], names: [] }], backends: { http: [at(http)], raw: [at(rawBackend)] }, leaving: [] });
});
after(async () => {
  await proxy.close(0);
  http.closeAllConnections();
  http.close();
  rawBackend.close();
});

/** Everything that comes back until the proxy closes, or has been silent for `quietMs`. */
function raw(bytes: string | readonly string[], quietMs = 60): Promise<string> {
  return new Promise(resolve => {
    let text = "";
    const socket = connect(Number(proxy.listening[80]), "127.0.0.1");
    const done = (): void => { socket.destroy(); resolve(text); };
    let timer = setTimeout(done, 2_000);
    socket.on("data", chunk => { text += chunk.toString("latin1"); clearTimeout(timer); timer = setTimeout(done, quietMs); }).on("close", done).on("error", () => undefined);
    const parts = typeof bytes === "string" ? [bytes] : bytes;
    parts.forEach((part, i) => setTimeout(() => socket.write(part, "latin1"), 5 * i));
  });
}

const next = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
const post = (fields: string, body: string): string => `POST /echo HTTP/1.1\r\nHost: h\r\n${fields}\r\n${body}`;
const chunkedBody = `0\r\n\r\n${next}`;
/** Each is refused with this status, and nothing behind it is read. */
const refused: readonly (readonly [name: string, bytes: string, status: number])[] = [
  // Two lengths, in every order and spelling.
  ...["Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "content-length: 4\r\nTRANSFER-ENCODING: chunked\r\n", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 5\r\nContent-Length: 0\r\n", "Content-Length: 5\r\nContent-Length: 5\r\n"].map(fields => [JSON.stringify(fields), post(fields, chunkedBody), 400] as const),
  // Lengths that are no plain numbers.
  ...["+5", "-5", "0x5", "5 5", "5,5", "5, 0", "5;", "5.0", "1e1", "", " ", "\t", "٥", "5\x0b", "00000000000000005", "99999999999999999999", "five", "'5'", "5_0", "0b1"].map(value => [`Content-Length: ${JSON.stringify(value)}`, post(`Content-Length: ${value}\r\n`, `hello${next}`), 400] as const),
  // Transfer codings that are not exactly chunked.
  ...["xchunked", "chunkedx", "chunked, identity", "identity, chunked", "identity", "gzip, chunked", "chunked, chunked", "chunked,", ",chunked", "\"chunked\"", "chunked;q=1", "\x0bchunked", "chunked\x00", "cow", "", "c hunked", "chunked\x7f"].map(value => [`Transfer-Encoding: ${JSON.stringify(value)}`, post(`Transfer-Encoding: ${value}\r\n`, chunkedBody), 400] as const),
  ["two transfer encodings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunkedBody), 400],
  ["two transfer encodings, one unknown", post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", chunkedBody), 400],
  // Names that others may read as these.
  ...["Content-Length : 5", "Content-Length\t: 5", " Content-Length: 5", "\tContent-Length: 5", "Content\x00-Length: 5", "Content-Length\x0b: 5", "Content-Length", ": 5", "Transfer-Encoding : chunked", " Transfer-Encoding: chunked", "Transfer-Encoding\r\n : chunked", "X: a\r\n b", "X: a\r\n\tTransfer-Encoding: chunked", "X: a\rTransfer-Encoding: chunked", "X: a\nTransfer-Encoding: chunked", "X: a\r\rb", "X: a\x00b", "X\xff: a", "X(: a", "X{}: a", "X Y: a", "\"X\": a", "X@: a"].map(line => [JSON.stringify(line), post(`${line}\r\n`, chunkedBody), 400] as const),
  // Chunks.
  ...["-1\r\nabc\r\n0\r\n\r\n", "+3\r\nabc\r\n0\r\n\r\n", "0x3\r\nabc\r\n0\r\n\r\n", " 3\r\nabc\r\n0\r\n\r\n", "3 \r\nabc\r\n0\r\n\r\n", "g\r\n", "\r\n", "ffffffffffffffff1\r\nabc", "3\nabc\r\n0\r\n\r\n", "3\rabc\r\n0\r\n\r\n", "3\r\nabcdef\r\n0\r\n\r\n", "3\r\nabc\n0\r\n\r\n", "3\r\nabc0\r\n\r\n", "3;x\n\r\nabc\r\n0\r\n\r\n", "3;\x00\r\nabc\r\n0\r\n\r\n", `3;${"x".repeat(300)}\r\nabc\r\n0\r\n\r\n`, "0\r\n\nGET /smuggled HTTP/1.1\r\n", "0\r\nX: y\n\r\n", "3\r\nabc\r\r\n0\r\n\r\n", "0;\n\r\n", "3\r\n\r\nabc0\r\n\r\n"].map(body => [`chunks ${JSON.stringify(body.slice(0, 40))}`, post("Transfer-Encoding: chunked\r\n", `${body}${next}`), 400] as const),
  // Request lines and hosts.
  ...["GET /a b HTTP/1.1", "GET  /a HTTP/1.1", "GET\t/a HTTP/1.1", " GET /a HTTP/1.1", "GET /a HTTP/1.1 ", "GET /a HTTP/1.2", "GET /a HTTP/2.0", "GET /a HTTP/9.9", "GET /a http/1.1", "GET /a HTTP/1.10", "GET /a HTTP/01.1", "GET /a", "GET /\xff HTTP/1.1", "GET /\x00 HTTP/1.1", "GET http://evil/a HTTP/1.1", "GET a HTTP/1.1", "GET * HTTP/1.1", "CONNECT h:80 HTTP/1.1", "G(T /a HTTP/1.1", "/a HTTP/1.1", "GET /a HTTP/1.1\rX: y", "GET /a\x0bHTTP/1.1"].map(line => [JSON.stringify(line), `${line}\r\nHost: h\r\n\r\n${next}`, 400] as const),
  ...["", "Host: h\r\nHost: i\r\n", "Host: h\r\nHost: h\r\n", "Host: h/x\r\n", "Host: h x\r\n", "Host: h,i\r\n", "Host: a@h\r\n", "Host: h?x\r\n", "Host: h#x\r\n", "Host : h\r\n", "Host: h\\x\r\n", "Host: h<x>\r\n"].map(host => [`host ${JSON.stringify(host)}`, `GET /a HTTP/1.1\r\n${host}\r\n${next}`, 400] as const),
  ["bare line feeds", "GET /a HTTP/1.1\nHost: h\n\n", 400],
  ["something else altogether", "\x16\x03\x01\x02\x00", 400],
  ["chunked in HTTP/1.0", `POST /echo HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${chunkedBody}`, 400],
  ["headers without end", `GET /a HTTP/1.1\r\nHost: h\r\nX: ${"y".repeat(40_000)}`, 431],
  ["too many headers", `GET /a HTTP/1.1\r\nHost: h\r\n${"a: b\r\n".repeat(200)}\r\n`, 431],
  ["an upgrade with a body", `GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello${next}`, 400],
  ["an unknown expectation, with its body", post("Expect: 200-maybe\r\nContent-Length: 5\r\n", `hello${next}`), 417],
];
test(`${refused.length} requests that could be read in two ways are refused, and nothing behind them is read`, async () => {
  seen.length = 0;
  await Promise.all(refused.map(async ([name, bytes, status]) => {
    const answer = await raw(bytes);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), `${name}: ${answer}`);
    assert.equal(answer.split("HTTP/1.1 ").length, 2, `${name} is answered once: ${answer}`);
  }));
  assert.deepEqual(seen.filter(line => line.includes("smuggled")), []);
});

/** Each is understood, and what follows is the next request. */
const understood: readonly (readonly [name: string, bytes: string, seen: string])[] = [
  ["a length", post("Content-Length: 5\r\n", "hello"), "POST /echo hello"],
  ["chunks", post("Transfer-Encoding: chunked\r\n", "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"), "POST /echo hello"],
  ["chunks with extensions and trailers, which stay behind", post("Transfer-Encoding: Chunked\r\n", "3;a=b\r\nhel\r\n2;\"x\"\r\nlo\r\n0;z\r\nX-Trailer: y\r\nContent-Length: 9\r\n\r\n"), "POST /echo hello"],
  ["leading zeros", post("Transfer-Encoding: chunked\r\n", "0003\r\nhel\r\n02\r\nlo\r\n00\r\n\r\n"), "POST /echo hello"],
  ["a body that looks like a request", post("Content-Length: 35\r\n", next), `POST /echo ${next}`],
  ["a GET with a body", "GET /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", "GET /echo hello"],
  ["empty lines between requests", "\r\n\r\nGET /echo HTTP/1.1\r\nHost: h\r\n\r\n", "GET /echo "],
  ["headers that Connection names", "GET /echo HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, X-A, Host, Content-Length\r\nX-A: b\r\n\r\n", "GET /echo "],
];
for (const [name, bytes, want] of understood)
  for (const pieces of [1, 2, 7, bytes.length])
    test(`${name}, in ${pieces} pieces: one request, and then the next one`, async () => {
      seen.length = 0;
      const size = Math.ceil(bytes.length / pieces);
      const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size));
      if (parts.length > 10) parts.splice(5, parts.length - 10, parts.slice(5, -5).join(""));
      const answer = await raw([...parts, "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"], 1_000);
      assert.deepEqual([seen, answer.match(/ok \/(echo|last)/g)], [[want, "GET /last "], ["ok /echo", "ok /last"]]);
    });

const answered: readonly (readonly [name: string, bytes: string, want: RegExp])[] = [
  ["more than it announced", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", /^HTTP\/1\.1 200 [^]*\r\n\r\nok$/],
  ["an answer without a body that has one", "HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", /^HTTP\/1\.1 304 [^]*\r\n\r\n$/],
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", /^HTTP\/1\.1 502 /],
  ["length and chunked", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", /^HTTP\/1\.1 502 /],
  ["a header with a bare line feed", "HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: x=y\r\nContent-Length: 0\r\n\r\n", /^HTTP\/1\.1 502 /],
  ["a 101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", /^HTTP\/1\.1 502 /],
  ["no HTTP at all", "hello\r\n\r\n", /^HTTP\/1\.1 502 /],
  ["a status that is none", "HTTP/1.1 20 OK\r\n\r\n", /^HTTP\/1\.1 502 /],
  ["an answer before the answer", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/x>\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok$/],
];
for (const [name, bytes, want] of answered)
  test(`a backend that sends ${name}`, async () => {
    rawAnswer = bytes;
    assert.match(await raw("GET /raw HTTP/1.1\r\nHost: h\r\n\r\n", 30), want);
    rawAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfresh";
    assert.match(await raw("GET /raw HTTP/1.1\r\nHost: h\r\n\r\n", 30), /fresh$/, "the next client gets the next answer");
  });

test("chunks come out the same wherever they are cut", () => {
  const body = Buffer.from("5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nA: b\r\n\r\nrest");
  for (const framed of [true, false])
    for (let size = 1; size <= body.length; size++) {
      const chunks = new Chunks(framed);
      let out = "";
      let used = 0;
      for (let i = 0; i < body.length && !chunks.done; i += size) used += chunks.feed(body.subarray(i, i + size), part => { out += part.toString(); });
      assert.deepEqual([out, used, chunks.length, chunks.done], [framed ? "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n" : "hello world", body.length - 4, 11, true], `in pieces of ${size}`);
    }
});

test("20,000 damaged chunked bodies are understood or refused, never anything else", () => {
  let state = 7;
  const random = (below: number): number => { state = (state * 1103515245 + 12345) & 0x7fffffff; return state % below; };
  const body = Buffer.from("5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nA: b\r\n\r\n");
  for (let i = 0; i < 20_000; i++) {
    const damaged = Buffer.from(body);
    for (let n = 0; n <= random(3); n++) damaged[random(damaged.length)] = random(256);
    const chunks = new Chunks(true);
    const parts: Buffer[] = [];
    try {
      chunks.feed(damaged, part => parts.push(part));
    } catch (error) {
      assert.ok(error instanceof BadMessage);
      continue;
    }
    // What is sent on is understood the same way again.
    const again = new Chunks(false);
    let out = 0;
    again.feed(Buffer.concat(parts), part => { out += part.length; });
    assert.deepEqual([again.done, out], [chunks.done, chunks.length]);
  }
});
