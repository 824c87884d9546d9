import assert from "node:assert/strict";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { testAuthority } from "../../test/certificates.ts";
import { messageOf } from "../base/log.ts";
import { createPostJson } from "./webhook-client.ts";

const postJson = createPostJson();
const authority = testAuthority("webhook-ca");
const { cert, key } = authority.leaf("hook.default.svc", "server", [], ["hook.default.svc"]);

type Server = { readonly port: number; readonly heard: string[]; closeIdle(): void; close(): Promise<void> };
async function start(answer: (url: string) => { readonly status: number; readonly headers?: { readonly [name: string]: string }; readonly body: string } | undefined, identity = { cert, key }, onConnection = (): void => undefined): Promise<Server> {
  const heard: string[] = [];
  const server = createServer(identity, (incoming, outgoing) => {
    let body = "";
    incoming.on("data", chunk => (body += String(chunk)));
    incoming.on("end", () => {
      heard.push(`${incoming.method} ${incoming.headers.host} ${incoming.url} ${body}`);
      const made = answer(incoming.url ?? "");
      if (made !== undefined) outgoing.writeHead(made.status, made.headers).end(made.body);
    });
  });
  server.on("secureConnection", onConnection);
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, heard, closeIdle: () => server.closeIdleConnections(), close: () => new Promise(resolve => { server.closeAllConnections(); server.close(() => resolve()); }) };
}
const call = (port: number, more: object = {}) => ({ url: "https://hook.default.svc:443/check?timeout=1s", address: { host: "127.0.0.1", port }, ca: authority.ca, body: "{}", timeoutMs: 1_000, ...more });

test("a webhook is reached at the given address under the service's name", async () => {
  const server = await start(() => ({ status: 200, body: "yes" }));
  assert.deepEqual(await postJson(call(server.port)), { status: 200, body: "yes", contentType: "" });
  assert.deepEqual(server.heard, ["POST hook.default.svc /check?timeout=1s {}"]);
  await server.close();
});

test("a certificate of another authority or another name is not accepted", async () => {
  const server = await start(() => ({ status: 200, body: "yes" }));
  await assert.rejects(postJson(call(server.port, { ca: testAuthority("other").ca })), { message: 'Post "https://hook.default.svc:443/check?timeout=1s": tls: failed to verify certificate: x509: certificate signed by unknown authority' });
  await assert.rejects(postJson(call(server.port, { url: "https://else.default.svc/check" })), /x509: certificate is valid for hook\.default\.svc, not else\.default\.svc$/);
  assert.deepEqual(server.heard, []);
  await server.close();
  // What a client reads is this alone, without Node's own words for it.
  await assert.rejects(postJson(call(server.port)), error => messageOf(error) === `Post "https://hook.default.svc:443/check?timeout=1s": dial tcp 127.0.0.1:${server.port}: connect: connection refused`);
});

test("a URL with an address wants a certificate for that address", async () => {
  const server = await start(() => ({ status: 200, body: "yes" }), authority.leaf("local", "server", [], ["127.0.0.1", "::1"]));
  const url = `https://127.0.0.1:${server.port}/check`;
  assert.equal((await postJson(call(server.port, { url, address: undefined }))).status, 200);
  assert.equal((await postJson(call(server.port, { url: "https://[::1]/check" }))).status, 200);
  assert.deepEqual(server.heard, [`POST 127.0.0.1:${server.port} /check {}`, "POST [::1] /check {}"]);
  await server.close();
  const named = await start(() => ({ status: 200, body: "yes" }));
  await assert.rejects(postJson(call(named.port, { url: `https://127.0.0.1:${named.port}/`, address: undefined })), /x509: /);
  await named.close();
});

test("the server's own certificate is as good as its authority's, and another of that authority's is not", async () => {
  const server = await start(() => ({ status: 200, body: "yes" }));
  assert.equal((await postJson(call(server.port, { ca: cert }))).status, 200);
  await assert.rejects(postJson(call(server.port, { ca: authority.leaf("hook.default.svc", "server", [], ["hook.default.svc"]).cert })), /certificate signed by unknown authority$/);
  await server.close();
});

test("a certificate that has its authority's name is no self-signed one, as Knative's and Tekton's webhooks have it", async () => {
  const same = testAuthority("hook.default.svc");
  const server = await start(() => ({ status: 200, body: "yes" }), same.leaf("hook.default.svc", "server", [], ["hook.default.svc"]));
  assert.equal((await postJson(call(server.port, { ca: same.ca }))).status, 200);
  assert.equal((await postJson(call(server.port, { ca: authority.ca + same.ca }))).status, 200);
  await assert.rejects(postJson(call(server.port, { ca: authority.ca })), /certificate signed by unknown authority$/);
  await assert.rejects(postJson(call(server.port, { ca: testAuthority("hook.default.svc").ca })), /x509: certificate signed by unknown authority \(possibly because of "x509: ECDSA verification failure" while trying to verify candidate authority certificate "hook\.default\.svc"\)$/);
  await assert.rejects(postJson(call(server.port, { ca: same.ca, url: "https://else.default.svc/" })), /x509: certificate is valid for hook\.default\.svc, not else\.default\.svc$/);
  await assert.rejects(postJson(call(server.port, { ca: same.leaf("hook.default.svc", "server").cert })), /certificate signed by unknown authority/);
  assert.equal(server.heard.length, 2);
  await server.close();
  const refused = async (leaf: ReturnType<typeof same.leaf>, why: RegExp): Promise<void> => {
    const other = await start(() => ({ status: 200, body: "yes" }), leaf);
    await assert.rejects(postJson(call(other.port, { ca: same.ca })), why);
    assert.deepEqual(other.heard, []);
    await other.close();
  };
  for (const name of ["hook.default.svc", "hook"]) await refused(same.leaf(name, "server", [], ["hook.default.svc"], -1_000), /x509: certificate has expired or is not yet valid: current time \S+Z is after \S+Z$/);
  await refused(same.leaf("hook.default.svc", "client", [], ["hook.default.svc"]), /x509: certificate specifies an incompatible key usage$/);
  await refused(same.leaf("hook.default.svc", "server"), /x509: certificate relies on legacy Common Name field, use SANs instead$/);
  await refused(same.leaf("hook", "server"), /x509: certificate is not valid for any names, but wanted to match hook\.default\.svc$/);
});

test("redirects are not followed, endless and silent answers are given up", async () => {
  const server = await start(url => (url.startsWith("/redirect") ? { status: 302, headers: { location: "https://127.0.0.1/secret" }, body: "" } : url.startsWith("/big") ? { status: 200, body: "x".repeat(4 << 20) } : undefined));
  assert.equal((await postJson(call(server.port, { url: "https://hook.default.svc/redirect" }))).status, 302);
  await assert.rejects(postJson(call(server.port, { url: "https://hook.default.svc/big" })), /larger than/);
  await assert.rejects(postJson(call(server.port, { timeoutMs: 50 })), /context deadline exceeded/);
  await assert.rejects(postJson(call(server.port, { url: "http://hook.default.svc/" })), /https only/);
  await server.close();
});

test("a connection is kept for the next call under the same trust; one that was closed meanwhile is none", async () => {
  let connections = 0;
  const server = await start(() => ({ status: 200, body: "yes" }), { cert, key }, () => connections++);
  const post = createPostJson();
  for (let i = 0; i < 3; i++) await post(call(server.port));
  assert.equal(connections, 1);
  await post(call(server.port, { ca: cert }));
  assert.equal(connections, 2, "another trust is another connection");
  server.closeIdle();
  assert.equal((await post(call(server.port))).status, 200);
  assert.equal(connections, 3);
  await server.close();
});

// When a server names a time to come back, and how often it is asked then: client-go rest/with_retry.go.
for (const [status, retryAfter, expected] of [[429, "0", 11], [503, "0", 11], [500, "-1", 11], [429, "Wed, 21 Oct 2015 07:28:00 GMT", 1], [400, "0", 1], [429, undefined, 1], [429, "30", "late"]] as const) {
  test(`a webhook that answers ${status} with Retry-After ${retryAfter} is asked again as upstream does`, async () => {
    const server = await start(() => ({ status, ...(retryAfter === undefined ? {} : { headers: { "retry-after": retryAfter } }), body: "busy" }));
    const asked = createPostJson()(call(server.port, { timeoutMs: expected === "late" ? 50 : 1_000 }));
    if (expected === "late") await assert.rejects(asked, /: context deadline exceeded$/);
    else assert.deepEqual([(await asked).status, server.heard.length], [status, expected]);
    await server.close();
  });
}
