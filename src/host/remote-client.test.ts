import assert from "node:assert/strict";
import { request as httpsRequest } from "node:https";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { testAuthority } from "../../test/certificates.ts";
import type { ForwardTarget, HttpRequest, HttpResponse } from "../api/http.ts";
import { silent } from "../base/log.ts";
import { systemClock } from "./clock.ts";
import { createForward } from "./http-forward.ts";
import { startHttpsServer, type HttpsServer } from "./https-server.ts";
import { createFetchRemote } from "./remote-client.ts";

const [serving, clients, frontProxy, others] = [testAuthority("serving"), testAuthority("clients"), testAuthority("front-proxy"), testAuthority("others")];
const identity = frontProxy.leaf("front-proxy-client", "client");
let front: HttpsServer;
let other: HttpsServer;
let to: Partial<ForwardTarget> = {};
let answer: (request: HttpRequest) => HttpResponse;
const text = (body: string, status = 200, headers = {}): HttpResponse => ({ status, headers, content: { type: "text", text: body } });
const trust = { type: "aggregated" as const, serverName: "api.wardle.svc", ca: others.ca, insecure: false };

before(async () => {
  other = await startHttpsServer({ addresses: ["127.0.0.1"], port: 0, clock: systemClock(), log: silent, credentials: { ...others.leaf("api", "server", [], ["api.wardle.svc"]), clientCa: clients.ca, frontProxyCa: frontProxy.ca }, handler: async request => answer(request) });
  front = await startHttpsServer({
    addresses: ["127.0.0.1"], port: 0, clock: systemClock(), log: silent, credentials: { ...serving.leaf("timonier", "server", [], ["localhost"]), clientCa: clients.ca },
    forward: createForward({ frontProxy: () => identity, node: () => ({ ca: "", cert: "", key: "" }), log: silent, isForbidden: () => false }),
    handler: async ({ target }) => ({ status: 200, headers: {}, content: { type: "forward", to: { address: "127.0.0.1", port: other.port, scheme: "https", target, trust, headers: { "x-remote-user": "alice", "x-remote-group": ["a", "b"] }, ...to } } }),
  });
});
after(async () => void await Promise.all([front.close(0), other.close(0)]));

function ask(headers: { [name: string]: string } = {}, method = "GET"): Promise<{ readonly status: number; readonly type: string; readonly body: string }> {
  return new Promise((resolve, reject) => httpsRequest({ host: "127.0.0.1", servername: "localhost", port: front.port, ca: serving.ca, agent: false, path: "/apis/g/v1/x?watch=1", method, headers }, response => {
    let body = "";
    response.on("data", chunk => (body += String(chunk))).on("end", () => resolve({ status: response.statusCode ?? 0, type: String(response.headers["content-type"]), body }));
  }).on("error", reject).end());
}

test("an aggregated server sees the front-proxy certificate and the caller we name, never the one that the client names", async () => {
  answer = ({ peer, headers, target, method }) => text(JSON.stringify([method, target, peer.certificate?.ca, peer.certificate?.commonName, headers["x-remote-user"], headers["x-remote-group"], headers.authorization ?? null]));
  const { status, body } = await ask({ "x-remote-user": "mallory", "x-remote-group": "system:masters", authorization: "Bearer secret" }, "POST");
  assert.deepEqual([status, JSON.parse(body)], [200, ["POST", "/apis/g/v1/x?watch=1", "front-proxy", "front-proxy-client", "alice", ["a", "b"], null]]);
});

test("a server that is not the service's own, does not answer in time or is not there is a 503 in upstream's words", async () => {
  answer = () => text("no");
  to = { trust: { ...trust, ca: serving.ca } };
  assert.deepEqual(await ask(), { status: 503, type: "text/plain; charset=utf-8", body: "error trying to reach service: tls: failed to verify certificate: x509: certificate signed by unknown authority\n" });
  to = { trust: { ...trust, serverName: "else.wardle.svc" } };
  assert.match((await ask()).body, /x509: certificate is valid for api.wardle.svc, not else.wardle.svc/);
  to = { trust: { type: "aggregated", serverName: "else.wardle.svc", insecure: true } };
  assert.equal((await ask()).status, 200);
  to = { port: 1 };
  assert.equal((await ask()).body, "error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused\n");
  answer = () => ({ status: 200, headers: {}, content: { type: "stream", run: () => new Promise(() => undefined) } });
  to = { address: "localhost", answerMs: 1 };
  assert.match((await ask()).body, /context deadline exceeded/);
  to = {};
  answer = () => text("", 302, { location: "https://169.254.169.254/" });
  assert.deepEqual([(await ask()).status, (await ask()).body], [502, "the backend attempted to redirect this request, which is not permitted"]);
});

test("an upgrade is joined, and its refusal told", async () => {
  answer = request => text(JSON.stringify({ kind: "Status", message: `${String(request.headers["x-remote-user"])} may not`, reason: "Forbidden", code: 403 }), 403);
  const got = await new Promise<string>(resolve => {
    let all = "";
    const socket = connectTls({ host: "127.0.0.1", port: front.port, ca: serving.ca, servername: "localhost", ALPNProtocols: ["http/1.1"] }, () => socket.write("GET /apis/g/v1/x/exec HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
    socket.on("data", chunk => (all += String(chunk))).on("close", () => resolve(all)).on("error", () => socket.destroy());
  });
  assert.match(got, /^HTTP\/1.1 403 [^]*alice may not/);
});

test("what a server says of itself is read with a limit, and failures are told as Go tells them", async () => {
  const fetch = createFetchRemote(() => identity, () => false);
  const at = { address: "127.0.0.1", port: other.port, trust };
  const call = { at, path: "/apis", headers: { "x-remote-group": ["x", "y"] }, timeoutMs: 2_000, bytesMax: 1_000 };
  answer = ({ peer, headers }) => text(`${peer.certificate?.commonName} ${String(headers["x-remote-group"])}`, 200, { etag: "e" });
  const { status, headers, body } = await fetch(call);
  assert.deepEqual([status, headers.etag, body], [200, "e", "front-proxy-client x,y"]);
  answer = () => text("x".repeat(2_000));
  await assert.rejects(fetch(call), { message: `Get "https://127.0.0.1:${other.port}/apis": the answer is larger than 1000 bytes` });
  await assert.rejects(fetch({ ...call, at: { ...at, port: 1 } }), { message: 'Get "https://127.0.0.1:1/apis": dial tcp 127.0.0.1:1: connect: connection refused' });
  await assert.rejects(createFetchRemote(() => identity)(call), /address not allowed/);
});
