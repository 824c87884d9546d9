/** P25, class L: marked words go in wherever a secret may stand; none comes out in logs at the finest level, audit events, metrics, Events, or answers to others. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { request } from "node:https";
import { test } from "node:test";
import { createAuthenticator } from "../src/api/authn/authenticator.ts";
import { isBootstrapToken, reviewBootstrapToken } from "../src/api/authn/bootstrap-token.ts";
import { issuer, ServiceAccountTokens } from "../src/api/authn/service-account-token.ts";
import { createTokenIssuer } from "../src/api/authn/token-issuer.ts";
import { systemClock } from "../src/host/clock.ts";
import { startHttpsServer } from "../src/host/https-server.ts";
import { signingKey } from "../src/host/jwt.ts";
import { lineLog } from "../src/host/log.ts";
import { systemRandom } from "../src/host/random.ts";
import { parseYaml } from "../src/host/yaml.ts";
import { Secret } from "../src/kinds/core/secret.ts";
import { sealEnvelope } from "../src/schema/envelope.ts";
import { encodeProtobuf } from "../src/schema/protobuf.ts";
import { testAuthority } from "./certificates.ts";
import { startHarness } from "./transcripts/harness.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const json = "application/json";
type Sent = { readonly method: string; readonly path: string; readonly headers?: { readonly [name: string]: string }; readonly body?: string | Uint8Array };

test("no marked word of 200 leaves by a log, an audit event, a metric, an Event or an answer to somebody else (P25)", async () => {
  let words = 0;
  const canary = (): string => `kanarie${String(++words).padStart(4, "0")}zz`;
  const said: string[] = [];
  const log = lineLog(line => void said.push(line), "debug");
  const keys = [signingKey(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey)] as const;
  const now = (): number => Date.UTC(2026, 0, 1);
  const harness = await startHarness({
    log, parseYaml, audit: line => void said.push(line), tokens: createTokenIssuer({ address: "127.0.0.1:6443", keys: () => keys, now, random: systemRandom(), audiences: [issuer] }),
    authenticator: read => {
      const accounts = new ServiceAccountTokens({ keys: () => keys, read, now, audiences: [issuer] });
      return createAuthenticator({ review: (token, audiences) => (isBootstrapToken(token) ? reviewBootstrapToken(token, read, now()) : accounts.review(token, audiences)), frontProxyNames: [] });
    },
  });
  const [serving, clients] = [testAuthority("serving"), testAuthority("clients")];
  const https = await startHttpsServer({ addresses: ["127.0.0.1"], port: 0, credentials: { ...serving.leaf("api", "server", [], ["127.0.0.1", "localhost"]), clientCa: clients.ca }, clock: systemClock(), log, handler: sent => harness.api.handle(sent) });
  const admin = clients.leaf("admin", "client", ["system:masters"]);
  const send = ({ method, path, headers = {}, body = "" }: Sent, as?: typeof admin): Promise<{ status: number; text: string }> => new Promise((resolve, reject) => {
    const sending = request({ host: "127.0.0.1", port: https.port, path, method, headers, ca: serving.ca, agent: false, ...(as === undefined ? {} : { cert: as.cert, key: as.key }) }, answer => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => { text += chunk; }).on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sending.on("error", reject).end(body);
  });
  const secrets = "/api/v1/namespaces/default/secrets";
  const typed = (type: string) => ({ "content-type": type });
  const secret = (name: string, more: object = {}) => JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata: { name }, data: { key: base64(canary()) }, stringData: { other: canary() }, ...more });
  await send({ method: "POST", path: "/api/v1/namespaces", headers: typed(json), body: '{"metadata":{"name":"default"}}' }, admin);
  await send({ method: "POST", path: "/api/v1/namespaces/default/serviceaccounts", headers: typed(json), body: '{"metadata":{"name":"default"}}' }, admin);

  const patches = ["application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"];
  const byAdmin = (round: number): Sent[] => [
    { method: "POST", path: secrets, headers: typed(json), body: secret(`a${round}`) },
    { method: "POST", path: `${secrets}?dryRun=All&fieldValidation=Strict&pretty=true`, headers: typed("application/yaml"), body: secret(`b${round}`) },
    { method: "POST", path: secrets, headers: typed("application/vnd.kubernetes.protobuf"), body: sealEnvelope("v1", "Secret", encodeProtobuf(Secret.schema.node, { metadata: { name: `c${round}`, namespace: "default" }, data: { key: base64(canary()) } })) },
    { method: "POST", path: secrets, headers: typed(json), body: secret(`a${round}`) },
    { method: "POST", path: secrets, headers: typed(json), body: secret("No Name") },
    { method: "POST", path: secrets, headers: typed(json), body: secret(`d${round}`, { type: "kubernetes.io/tls" }) },
    { method: "POST", path: secrets, headers: typed(json), body: secret(`d${round}`).slice(0, -5) },
    { method: "POST", path: secrets, headers: typed(json), body: JSON.stringify({ metadata: { name: "e" }, data: { key: { wrong: canary() } } }) },
    { method: "PUT", path: `${secrets}/a${round}`, headers: typed(json), body: secret(`a${round}`) },
    { method: "PUT", path: `${secrets}/a${round}`, headers: typed(json), body: secret(`a${round}`, { metadata: { name: `a${round}`, resourceVersion: "1" } }) },
    ...patches.map(type => ({ method: "PATCH", path: `${secrets}/a${round}?fieldManager=m`, headers: typed(type), body: secret(`a${round}`) })),
    { method: "PATCH", path: `${secrets}/a${round}`, headers: typed("application/json-patch+json"), body: JSON.stringify([{ op: "add", path: "/data/x", value: base64(canary()) }, { op: "test", path: "/data/key", value: canary() }]) },
    { method: "GET", path: `${secrets}/a${round}` }, { method: "GET", path: `${secrets}?unknown=${canary()}` },
    { method: "POST", path: "/api/v1/namespaces/default/serviceaccounts/default/token", headers: typed(json), body: '{"spec":{}}' },
    { method: "POST", path: "/apis/authentication.k8s.io/v1/tokenreviews", headers: typed(json), body: JSON.stringify({ spec: { token: canary() } }) },
    { method: "GET", path: `/api/v1/namespaces/default/pods/p/proxy/login?password=${canary()}`, headers: { cookie: `session=${canary()}` } },
    { method: "GET", path: `/api/v1/pods?access_token=${canary()}` },
    { method: "DELETE", path: `${secrets}/a${round}` },
  ];
  // Whatever these are answered is told to somebody without rights.
  const byOthers = (): Sent[] => [
    { method: "GET", path: "/api", headers: { authorization: `Bearer ${canary()}` } }, { method: "GET", path: "/api", headers: { authorization: `Basic ${base64(`admin:${canary()}`)}` } },
    { method: "GET", path: "/api", headers: { authorization: `Bearer abcdef.${canary().slice(-14)}ab` } }, { method: "GET", path: "/api", headers: { authorization: `Bearer ${base64(canary())}.${canary()}.${canary()}` } },
    { method: "GET", path: "/api/v1/pods?watch=1", headers: { connection: "Upgrade", upgrade: "websocket", "sec-websocket-key": base64("x".repeat(16)), "sec-websocket-version": "13", "sec-websocket-protocol": `base64url.bearer.authorization.k8s.io.${canary()}, v4.channel.k8s.io` } },
    { method: "GET", path: `/api/v1/secrets?token=${canary()}`, headers: { "x-remote-user": "admin", "x-remote-extra-key": canary(), cookie: canary() } }, { method: "GET", path: "/metrics", headers: { "proxy-authorization": `Basic ${canary()}` } },
    { method: "POST", path: secrets, headers: typed(json), body: secret("x") },
  ];
  let tokens: string[] = [];
  for (let round = 0; round < 6; round++) {
    for (const sent of byAdmin(round)) {
      const { text } = await send(sent, admin);
      tokens = [...tokens, ...[...text.matchAll(/"token":"(eyJ[^"]+)"/g)].map(match => match[1]!)];
    }
    for (const sent of byOthers()) said.push((await send(sent)).text);
  }
  // A good token is a secret as well.
  for (const token of tokens) said.push((await send({ method: "GET", path: "/api/v1/secrets", headers: { authorization: `Bearer ${token}` } })).text);
  for (const path of ["/metrics", "/api/v1/events", "/apis/events.k8s.io/v1/events", "/readyz?verbose", "/openapi/v3"]) said.push((await send({ method: "GET", path }, admin)).text);
  await https.close(0);
  await harness.close();

  assert.ok(words >= 200 && tokens.length === 6, `void: ${words} words, ${tokens.length} tokens`);
  assert.ok(said.some(line => line.includes('"kind":"Event"')) && said.some(line => line.includes("apiserver_request_total")), "void: the sinks are empty");
  const all = said.join("\n");
  const forms = Array.from({ length: words }, (_, i) => `kanarie${String(i + 1).padStart(4, "0")}zz`).flatMap(word => [word, base64(word).slice(0, -3)]);
  assert.deepEqual([...forms, ...tokens.map(token => token.split(".")[2]!)].filter(form => all.includes(form)), []);
});
