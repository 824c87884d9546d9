import assert from "node:assert/strict";
import { request as httpsRequest } from "node:https";
import { after, before, test } from "node:test";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { createDeflate, createInflate, type Deflate, type Inflate } from "node:zlib";
import WebSocket, { type ClientOptions } from "ws";
import { ApiError } from "../base/api-error.ts";
import { silent } from "../base/log.ts";
import type { NodeApi, ProcessStreams } from "../node/api.ts";
import { AgentFigures } from "../node/figures.ts";
import { encodeFrame, encodeHeaders, decodeHeaders, FrameReader, type Frame } from "../node/streaming/spdy.ts";
import { spdyDictionary } from "../node/streaming/spdy-dictionary.ts";
import { assertGrown, parseMetrics, valueOf } from "../../test/prometheus.ts";
import { testAuthority, type Leaf } from "../../test/certificates.ts";
import { systemClock } from "./clock.ts";
import type { HttpsServer } from "./https-server.ts";
import { startNodeServer } from "./node-server.ts";

const serving = testAuthority("serving");
const clients = testAuthority("clients");
const apiServer = clients.leaf("kube-apiserver-kubelet-client", "client");
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

/** A container in which `cat` copies, `sum` counts its input, `exit N` ends so, `size` says how its terminal changes, `wait` never ends. */
const asked: string[] = [];
async function run([command, argument]: readonly string[], streams: ProcessStreams, signal: AbortSignal): Promise<{ exitCode: number }> {
  asked.push(Object.keys(streams).sort().join(" "));
  switch (command) {
    case "cat": for await (const chunk of streams.stdin ?? []) await streams.stdout?.write(chunk); return { exitCode: 0 };
    case "sum": {
      let size = 0;
      for await (const chunk of streams.stdin ?? []) size += chunk.length;
      await streams.stdout?.write(bytes(String(size)));
      return { exitCode: 0 };
    }
    case "exit": await streams.stderr?.write(bytes("bad")); return { exitCode: Number(argument) };
    case "size": for await (const { width, height } of streams.resize ?? []) { await streams.stdout?.write(bytes(`${width}x${height}`)); return { exitCode: 0 }; } return { exitCode: 1 };
    case "big": for (let i = 0; i < 64; i++) await streams.stdout?.write(new Uint8Array(32_768)); return { exitCode: 0 };
    case "wait": return new Promise(resolve => signal.addEventListener("abort", () => { asked.push("gone"); resolve({ exitCode: 137 }); }));
    default: throw new Error(`no ${command}`);
  }
}
const figures = new AgentFigures("node-1");
const node: NodeApi = {
  pods: () => [{ metadata: { name: "web", namespace: "default", uid: "u1" } }] as never,
  logs: async request => {
    if (request.pod !== "web") throw new ApiError("NotFound", `pod "${request.pod}" not found`);
    return async out => { await out.write(bytes(`log of ${request.container} tail ${request.tailLines}\n`)); };
  },
  exec: async request => {
    if (request.pod !== "web") throw new ApiError("NotFound", `pod "${request.pod}" not found`);
    return (streams, signal) => run(request.command, streams, signal);
  },
  attach: async () => async (streams, signal) => { await run(["cat"], streams, signal); },
  portForward: async (_pod, port, local) => {
    if (port === 1) throw new Error("connection refused");
    for await (const chunk of local.input) await local.output.write(bytes(`${port}:${text(chunk)}`));
    await local.output.write(bytes("end"));
    local.end();
  },
  statsSummary: async () => ({ node: { cpu: { time: "2026-01-01T00:00:00Z", usageCoreNanoSeconds: 2_500_000_000 } }, pods: [] }),
  cadvisorMetrics: () => "container_last_seen 1\n",
  metrics: async () => figures.metrics.render(),
  probeMetrics: () => figures.probes.render(),
  runningPods: async () => [{ metadata: { name: "web", namespace: "default", uid: "u1" }, spec: { containers: [{ name: "c", image: "i", resources: {} }] }, status: {} }],
  configuration: () => ({ kind: "KubeletConfiguration", maxPods: 7 }),
  healthz: async () => undefined,
};
let server: HttpsServer;
before(async () => {
  server = await startNodeServer({ addresses: ["127.0.0.1"], port: 0, credentials: { ...serving.leaf("node-1", "server", [], ["node-1"]), clientCa: clients.ca }, node, figures, clock: systemClock(), log: silent });
});
after(() => server.close(0));

function get(path: string, leaf: Partial<Leaf> = apiServer, headers: { [name: string]: string } = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    httpsRequest({ host: "127.0.0.1", port: server.port, servername: "node-1", ca: serving.ca, path, headers, agent: false, ...leaf }, response => {
      let body = "";
      response.setEncoding("utf8").on("data", chunk => { body += chunk; }).on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    }).on("upgrade", () => reject(new Error("upgraded"))).on("error", reject).end();
  });
}

test("without a certificate nobody gets in, with another's than the API server's neither", async () => {
  assert.deepEqual(await get("/pods", {}), { status: 401, body: "Unauthorized" });
  assert.equal((await get("/exec/default/web/c?command=cat&input=1", {})).status, 401);
  assert.equal((await get("/pods", clients.leaf("system:node:node-2", "client", ["system:nodes"]))).status, 403);
  assert.equal((await get("/healthz", clients.leaf("admin", "client", ["system:masters"]))).body, "ok");
});

for (const [path, status, body] of [
  ["/healthz", 200, /^ok$/], ["/pods", 200, /"kind":"PodList".*"uid":"u1"/], ["/stats/summary", 200, /usageCoreNanoSeconds/],
  ["/metrics", 200, /^kubelet_node_name\{node="node-1"\} 1$/m], ["/metrics/probes", 200, /^$/], ["/metrics/nothing", 404, /404/], ["/configz", 200, /^\{"kubeletconfig":\{"kind":"KubeletConfiguration","maxPods":7\}\}$/], ["/configz/x", 404, /404/],
  ["/runningpods/", 200, /^\{"kind":"PodList","apiVersion":"v1","metadata":\{\},"items":\[\{"metadata":\{"name":"web",.*"image":"i"/], ["/healthz/syncloop", 200, /^ok$/], ["/healthz?verbose", 200, /^\[\+\]ping ok\n\[\+\]log ok\n\[\+\]syncloop ok\nhealthz check passed\n$/], ["/healthz/nothing", 404, /404/],
  ["/metrics/resource", 200, /^node_cpu_usage_seconds_total 2.5 \d{13}$/m], ["/metrics/cadvisor", 200, /^container_last_seen 1$/m], ["/nothing", 404, /404/], ["/logs/", 405, /^logs endpoint is disabled\.\n$/], ["/logs/../shadow", 405, /disabled/], ["/pods%zz", 400, /not encoded/],
  ["/containerLogs/default/web/c?tailLines=3", 200, /^log of c tail 3\n$/], ["/containerLogs/default/none/c", 404, /pod \\"none\\" not found/], ["/containerLogs/default/web/c?tailLines=x", 400, /tailLines/],
  ["/exec/default/web/c?command=cat", 400, /at least 1 of stdin, stdout, stderr/], ["/exec/default/web/c?input=1", 400, /specify a command/],
  ["/exec/default/none/c?command=cat&input=1", 404, /NotFound/], ["/exec/default/web/c?command=cat&input=1", 400, /missing upgrade headers/], ["/portForward/default/none", 404, /pod does not exist/],
] as const)
  test(`GET ${path} answers ${status}`, async () => {
    const got = await get(path);
    assert.equal(got.status, status);
    assert.match(got.body, body);
  });

test("requests are counted by the server's own paths and health checks by their outcome; what a client makes up is one series", async () => {
  const before = parseMetrics((await get("/metrics")).body);
  for (const path of ["/made-up-1", "/made-up-2", "/metrics/made-up", "/healthz", "/healthz"]) await get(path);
  const after = parseMetrics((await get("/metrics")).body);
  assertGrown(before, after);
  const grown = (path: string): number => (valueOf(after, "kubelet_http_requests_total", { path }) ?? 0) - (valueOf(before, "kubelet_http_requests_total", { path }) ?? 0);
  assert.deepEqual(["other", "healthz", "metrics", "made-up-1"].map(grown), [3, 2, 1, 0]);
  const slis = parseMetrics((await get("/metrics/slis")).body);
  assert.equal(valueOf(slis, "kubernetes_healthcheck", { name: "syncloop", type: "healthz" }), 1);
  assert.ok((valueOf(slis, "kubernetes_healthchecks_total", { name: "ping", type: "healthz", status: "success" }) ?? 0) >= 2);
});

const tls: ClientOptions & ConnectionOptions = { ca: serving.ca, servername: "node-1", ...apiServer };
type Message = { channel: number; data: string };
/** Opens a WebSocket, sends when the first message has come, and gathers everything until the server closes. */
function socket(path: string, protocols: string[], send: (ws: WebSocket) => void = () => undefined, enough: (messages: Message[]) => boolean = () => false): Promise<{ protocol: string; code: number; messages: Message[] }> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(`wss://127.0.0.1:${server.port}${path}`, protocols, tls);
    const messages: Message[] = [];
    ws.on("message", (data: Buffer, binary) => {
      if (messages.length === 0) send(ws);
      messages.push(binary ? { channel: data[0] ?? -1, data: data.subarray(1).toString() } : { channel: (data[0] ?? 0) - 48, data: Buffer.from(data.subarray(1).toString(), "base64").toString() });
      if (enough(messages)) ws.close();
    });
    ws.on("close", code => resolve({ protocol: ws.protocol, code, messages })).on("error", reject);
  });
}
const on = (messages: Message[], channel: number): string => messages.filter(message => message.channel === channel).map(message => message.data).join("");
const success = '{"metadata":{},"status":"Success"}';

test("v5: stdin ends by itself and everything arrives before the close", async () => {
  const input = "x".repeat(300_000);
  const got = await socket("/exec/default/web/c?command=sum&input=1&output=1&error=1", ["v5.channel.k8s.io"], ws => {
    for (let at = 0; at < input.length; at += 32_768) ws.send(Buffer.concat([Buffer.of(0), Buffer.from(input.slice(at, at + 32_768))]));
    ws.send(Buffer.of(255, 0));
  });
  assert.deepEqual(got, { protocol: "v5.channel.k8s.io", code: 1000, messages: [{ channel: 1, data: "" }, { channel: 1, data: "300000" }, { channel: 3, data: success }] });
});

test("v4: the exit code is told in a Status, without stdout the first message is on the error channel", async () => {
  const got = await socket("/exec/default/web/c?command=exit&command=3&error=1", ["v9.nothing", "v4.channel.k8s.io"]);
  assert.deepEqual(got.messages[0], { channel: 2, data: "" });
  assert.equal(on(got.messages, 2), "bad");
  assert.deepEqual(JSON.parse(on(got.messages, 3)), { metadata: {}, status: "Failure", reason: "NonZeroExitCode", message: "command terminated with non-zero exit code: error executing command [exit 3], exit code 3", details: { causes: [{ reason: "ExitCode", message: "3" }] } });
});

test("channel.k8s.io: no Status on success, the words of a failure", async () => {
  assert.deepEqual((await socket("/exec/default/web/c?command=big&output=1", ["channel.k8s.io"])).messages.filter(({ channel }) => channel !== 1), []);
  assert.equal(on((await socket("/exec/default/web/c?command=nonsense&output=1", ["channel.k8s.io"])).messages, 3), "Internal error occurred: error executing command in container: no nonsense");
});

test("base64.channel.k8s.io: text both ways", async () => {
  const got = await socket("/attach/default/web/c?stdin=true&stdout=true", ["base64.channel.k8s.io"], ws => ws.send("0" + Buffer.from("grüße").toString("base64")), messages => on(messages, 1) !== "");
  assert.equal(on(got.messages, 1), "grüße");
  assert.equal(got.protocol, "base64.channel.k8s.io");
});

test("a terminal's size reaches the process, and it has no stderr", async () => {
  asked.length = 0;
  const got = await socket("/exec/default/web/c?command=size&output=1&error=1&tty=1&input=1", ["v5.channel.k8s.io"], ws => ws.send(Buffer.concat([Buffer.of(4), Buffer.from('{"Width":80,"Height":24}\n')])));
  assert.equal(on(got.messages, 1), "80x24");
  assert.deepEqual(asked, ["resize stdin stdout"]);
});

test("when the client goes, the process is told", async () => {
  asked.length = 0;
  await socket("/exec/default/web/c?command=wait&output=1", ["v5.channel.k8s.io"], ws => ws.terminate());
  while (!asked.includes("gone")) await new Promise(resolve => setImmediate(resolve));
});

test("logs over a WebSocket have no channels", async () => {
  for (const [protocol, first] of [["binary.k8s.io", "log of"], ["base64.binary.k8s.io", "bG9nIG9m"]] as const) {
    const ws = new WebSocket(`wss://127.0.0.1:${server.port}/containerLogs/default/web/c`, [protocol], tls);
    const messages: string[] = [];
    ws.on("message", (data: Buffer) => messages.push(data.toString()));
    await new Promise(resolve => ws.on("close", resolve));
    assert.equal(messages[0], "");
    assert.equal(messages[1]?.startsWith(first), true);
  }
});

test("subprotocols that are not known are refused with 403, bad handshakes with 400", async () => {
  const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": Buffer.alloc(16).toString("base64") };
  const path = "/exec/default/web/c?command=cat&input=1";
  const unknown = await get(path, apiServer, { ...headers, "sec-websocket-protocol": "v9.channel.k8s.io, x" });
  assert.deepEqual([unknown.status, JSON.parse(unknown.body).message.includes("requested protocol(s) are not supported: [v9.channel.k8s.io x]")], [403, true]);
  assert.equal((await get(path, apiServer, { ...headers, "sec-websocket-version": "8" })).status, 400);
  assert.equal((await get(path, apiServer, { ...headers, "sec-websocket-key": "short" })).status, 400);
  const spdy = await get(path, apiServer, { connection: "Upgrade", upgrade: "SPDY/3.1", "x-stream-protocol-version": "v9.channel.k8s.io" });
  assert.deepEqual([spdy.status, JSON.parse(spdy.body).message], [403, "unable to upgrade: unable to negotiate protocol: client supports [v9.channel.k8s.io], server accepts [v4.channel.k8s.io v3.channel.k8s.io v2.channel.k8s.io channel.k8s.io]"]);
  assert.equal((await get(path, apiServer, { connection: "Upgrade", upgrade: "SPDY/3.1" })).status, 400);
});

test("port-forward over channels starts with the port and tells what failed", async () => {
  const got = await socket("/portForward/default/web?port=80,1", ["v4.channel.k8s.io"], ws => ws.send(Buffer.concat([Buffer.of(0), Buffer.from("hi")])), messages => on(messages, 0).includes("hi") && on(messages, 3).includes("refused"));
  assert.equal(on(got.messages, 0), "P\0" + "80:hi");
  assert.equal(on(got.messages, 3), "\x01\0error forwarding port 1 to pod web_default, uid u1: connection refused");
});

/** A SPDY client as Go's is: compressed headers with the dictionary, no flow control of its own. */
class SpdyClient {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #deflate: Deflate = createDeflate({ dictionary: spdyDictionary() });
  readonly #inflate: Inflate = createInflate({ dictionary: spdyDictionary() });
  readonly #reader = new FrameReader();
  #next = 1;
  readonly received = new Map<number, string>();
  readonly finished = new Set<number>();
  readonly frames: Frame["type"][] = [];
  #changed: (() => void)[] = [];

  constructor(write: (bytes: Uint8Array) => void) { this.#write = write; }
  async open(headers: { [name: string]: string }): Promise<number> {
    const stream = this.#next;
    this.#next += 2;
    this.#write(encodeFrame({ type: "synStream", stream, fin: false, unidirectional: false, block: await through(this.#deflate, encodeHeaders(headers)) }));
    return stream;
  }
  send(stream: number, content: string | Uint8Array, fin = false): void {
    this.#write(encodeFrame({ type: "data", stream, fin, bytes: typeof content === "string" ? bytes(content) : content }));
  }
  ping(): void { this.#write(encodeFrame({ type: "ping", id: 1 })); }
  async push(chunk: Uint8Array): Promise<void> {
    for (const frame of this.#reader.push(chunk)) {
      this.frames.push(frame.type);
      if (frame.type === "synReply") decodeHeaders(await through(this.#inflate, frame.block));
      if (frame.type !== "data") continue;
      this.received.set(frame.stream, (this.received.get(frame.stream) ?? "") + text(frame.bytes));
      if (frame.fin) this.finished.add(frame.stream);
    }
    for (const wake of this.#changed.splice(0)) wake();
  }
  async until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise<void>(resolve => { this.#changed.push(resolve); });
  }
}
function through(zlib: Deflate | Inflate, input: Uint8Array): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const take = (chunk: Buffer): void => void chunks.push(chunk);
  zlib.on("data", take);
  return new Promise(resolve => zlib.write(input, () => {
    const done = (): void => { zlib.off("data", take); resolve(Buffer.concat(chunks)); };
    if ("flush" in zlib && zlib instanceof createDeflateClass) zlib.flush(2, done);
    else done();
  }));
}
const createDeflateClass = createDeflate().constructor as unknown as abstract new () => Deflate;

async function spdy(path: string, version: string): Promise<{ client: SpdyClient; head: string; closed: Promise<void> }> {
  const connection: TLSSocket = connectTls({ host: "127.0.0.1", port: server.port, servername: "node-1", ca: serving.ca, ALPNProtocols: ["http/1.1"], ...apiServer });
  const client = new SpdyClient(frame => connection.write(frame));
  let head = "";
  let upgraded = false;
  const closed = new Promise<void>(resolve => connection.on("close", () => resolve()));
  connection.on("error", () => connection.destroy()).on("end", () => connection.end());
  await new Promise<void>((resolve, reject) => {
    let order: Promise<void> = Promise.resolve();
    connection.on("data", (chunk: Buffer) => {
      let rest = chunk;
      if (!upgraded) {
        head += chunk.toString("latin1");
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) return;
        rest = Buffer.from(head.slice(end + 4), "latin1");
        head = head.slice(0, end);
        upgraded = true;
        if (head.startsWith("HTTP/1.1 101")) resolve();
        else reject(new Error(head));
      }
      order = order.then(() => client.push(rest));
    });
    connection.on("secureConnect", () => connection.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${version}\r\nX-Stream-Protocol-Version: channel.k8s.io\r\nContent-Length: 0\r\n\r\n`));
  });
  return { client, head, closed };
}

test("SPDY v4: stdin of any size ends by itself, is given back as window, and the Status says how it ended", async () => {
  const { client, head, closed } = await spdy("/exec/default/web/c?command=sum&input=1&output=1&error=1", "v4.channel.k8s.io");
  assert.match(head, /X-Stream-Protocol-Version: v4.channel.k8s.io/);
  const error = await client.open({ streamType: "error" });
  const stdin = await client.open({ streamType: "stdin" });
  const stdout = await client.open({ streamType: "stdout" });
  const stderr = await client.open({ streamType: "stderr" });
  client.ping();
  for (let i = 0; i < 100; i++) client.send(stdin, new Uint8Array(32_768));
  client.send(stdin, "", true);
  await client.until(() => client.frames.includes("goAway"));
  await closed;
  assert.deepEqual([client.received.get(stdout), client.received.get(error), client.received.get(stderr)], [String(100 * 32_768), success, ""]);
  assert.deepEqual([...client.finished].sort(), [error, stdout, stderr, stdin].sort());
  assert.deepEqual(["synReply", "ping", "windowUpdate", "goAway"].filter(type => !client.frames.includes(type as Frame["type"])), []);
});

test("SPDY v1: no Status, a failure in words", async () => {
  const { client, closed } = await spdy("/exec/default/web/c?command=exit&command=2&output=1", "v8.channel.k8s.io");
  const error = await client.open({ streamType: "error" });
  await client.open({ streamType: "stdout" });
  await client.until(() => client.finished.has(error));
  await closed;
  assert.match(client.received.get(error) ?? "", /exit code 2$/);
});

test("SPDY: a stream that was not asked for is refused", async () => {
  const { client } = await spdy("/exec/default/web/c?command=cat&input=1", "v4.channel.k8s.io");
  await client.open({ streamType: "stderr" });
  await client.until(() => client.frames.includes("rstStream"));
});

/** The same conversation over the two carriers of port-forward. */
async function forward(client: SpdyClient): Promise<void> {
  const pair = async (port: string, requestid: string): Promise<[number, number]> => [await client.open({ streamType: "error", port, requestID: requestid }), await client.open({ streamType: "data", port, requestID: requestid })];
  const [, first] = await pair("80", "0");
  const [refusedError, refusedData] = await pair("1", "1");
  const [, second] = await pair("81", "2");
  client.send(first, "a");
  client.send(second, "b", true);
  await client.until(() => client.finished.has(second) && client.finished.has(refusedData));
  assert.equal(client.received.get(second), "81:bend");
  assert.equal(client.received.get(refusedError), "error forwarding port 1 to pod web_default, uid u1: connection refused");
  client.send(first, "c", true);
  await client.until(() => client.finished.has(first));
  assert.match(client.received.get(first) ?? "", /^80:a(80:)?cend$/);
  const bad = client.frames.length;
  await client.open({ streamType: "data", port: "x" });
  await client.until(() => client.frames.slice(bad).includes("rstStream"));
}
test("port-forward over SPDY: many connections, each ends on its own", async () => {
  await forward((await spdy("/portForward/default/web", "portforward.k8s.io")).client);
});
test("port-forward over SPDY inside a WebSocket", async () => {
  // Not with `ws`: the subprotocol's slash is not allowed in its name, but it is what kubectl sends.
  const connection = connectTls({ host: "127.0.0.1", port: server.port, servername: "node-1", ca: serving.ca, ALPNProtocols: ["http/1.1"], ...apiServer });
  connection.write(`GET /portForward/default/web HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString("base64")}\r\nSec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io\r\n\r\n`);
  const client = new SpdyClient(frame => connection.write(masked(2, frame)));
  let pending = Buffer.alloc(0);
  let head = "";
  let order: Promise<void> = Promise.resolve();
  connection.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    if (head === "") {
      const end = pending.indexOf("\r\n\r\n");
      if (end < 0) return;
      head = pending.subarray(0, end).toString();
      pending = pending.subarray(end + 4);
    }
    for (;;) {
      const short = (pending[1] ?? 127) & 127;
      const start = short === 126 ? 4 : 2;
      if (pending.length < start) return;
      const length = short === 126 ? pending.readUInt16BE(2) : short;
      if (pending.length < start + length) return;
      const message = pending.subarray(start, start + length);
      pending = pending.subarray(start + length);
      order = order.then(() => client.push(message));
    }
  });
  await forward(client);
  assert.match(head, /^HTTP\/1.1 101 [^]*Sec-WebSocket-Protocol: SPDY\/3.1\+portforward.k8s.io/);
  const closed = new Promise(resolve => connection.on("close", resolve));
  connection.on("end", () => connection.end()).write(masked(8, Buffer.of(3, 232)));
  await closed;
});
function masked(opcode: number, payload: Uint8Array): Buffer {
  const mask = Buffer.of(1, 2, 3, 4);
  const length = payload.length < 126 ? Buffer.of(0x80 | payload.length) : Buffer.of(0x80 | 126, payload.length >> 8, payload.length & 255);
  return Buffer.concat([Buffer.of(0x80 | opcode), length, mask, Buffer.from(payload).map((byte, i) => byte ^ (mask[i % 4] ?? 0))]);
}
