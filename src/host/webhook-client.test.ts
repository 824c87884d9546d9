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

test("for whom a certificate is, is judged and told as Go does", async () => {
  // The certificate's names, its common name, the host that is called, what is said. Seen of kube-apiserver 1.36.3.
  const rows: readonly (readonly [readonly string[], string, string, string])[] = [
    [["*.test"], "x", "hook.test", ""], [["HOOK.Test"], "x", "hook.test", ""], [["*"], "x", "hook.test", "certificate is valid for *, not hook.test"], [["h*.test"], "x", "hook.test", "certificate is valid for h*.test, not hook.test"],
    [["hook.test."], "x", "hook.test", "certificate is valid for hook.test., not hook.test"], [["a.test", "b.test", "1.2.3.4"], "x", "hook.test", "certificate is valid for a.test, b.test, not hook.test"],
    [["1.2.3.4"], "x", "hook.test", "certificate is not valid for any names, but wanted to match hook.test"], [["a.test"], "x", "127.0.0.1", "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs"],
    [["127.0.0.2", "::1"], "x", "127.0.0.1", "certificate is valid for 127.0.0.2, ::1, not 127.0.0.1"], [["a.test, DNS:hook.test"], "x", "hook.test", 'certificate is valid for "a.test\\u002c DNS:hook.test", not hook.test'],
    [[], "127.0.0.1", "127.0.0.1", "certificate relies on legacy Common Name field, use SANs instead"], [[], "x", "hook.test", "certificate is not valid for any names, but wanted to match hook.test"],
    [Array.from({ length: 100 }, (_, at) => `n${at}.test`), "x", "hook.test", "certificate is valid for 100 names, but none matched hook.test"],
  ];
  for (const [names, commonName, host, said] of rows) {
    const server = await start(() => ({ status: 200, body: "yes" }), authority.leaf(commonName, "server", [], names));
    const answer = await postJson(call(server.port, { url: `https://${host}/` })).then(({ status }) => status, (error: Error) => error.message.replace(/.*x509: /, ""));
    assert.equal(answer, said === "" ? 200 : said);
    await server.close();
  }
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

test("the same server may want the request at another path, and nobody leads it to another server or to another method", async () => {
  const places: { readonly [path: string]: string } = { "//slash?timeout=1s": "/slash?timeout=1s", "/other": "https://else.default.svc/secret", "/port": "https://hook.default.svc:444/secret", "/plain": "http://hook.default.svc/secret", "/odd": "https://[/", "/round": "/round" };
  const server = await start(url => ({ status: url === "/slash?timeout=1s" ? 200 : url === "/found" ? 302 : url === "/port" ? 308 : 307, headers: { location: places[url] ?? "/secret" }, body: url }));
  const asked = async (path: string): Promise<string> => { const { status, body } = await postJson(call(server.port, { url: `https://hook.default.svc${path}` })); return `${status} ${body}`; };
  assert.deepEqual(await Promise.all(["//slash?timeout=1s", "/other", "/port", "/plain", "/odd", "/found"].map(asked)), ["200 /slash?timeout=1s", "307 /other", "308 /port", "307 /plain", "307 /odd", "302 /found"]);
  assert.deepEqual(server.heard.filter(line => line.includes("slash")), ["POST hook.default.svc //slash?timeout=1s {}", "POST hook.default.svc /slash?timeout=1s {}"]);
  assert.ok(!server.heard.some(line => line.includes("secret")));
  await assert.rejects(asked("/round"), { message: 'Post "https://hook.default.svc/round": stopped after 10 redirects' });
  await server.close();
});

test("endless and silent answers are given up", async () => {
  const server = await start(url => (url.startsWith("/big") ? { status: 200, body: "x".repeat(4 << 20) } : undefined));
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
