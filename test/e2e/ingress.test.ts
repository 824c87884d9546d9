/** An Ingress and a Gateway on real containers, whose backends are spread over the nodes: by host name and path, with TLS from a Secret, through a rolling update. */
import assert from "node:assert/strict";
import { generateKeyPairSync, createPrivateKey } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { issueCertificate, pem } from "../../src/host/pki-der.ts";
import { steadyLoad } from "../../tools/ingress-load.ts";
import { image, kubectlPath, Scratch } from "./harness.ts";

const scratch = new Scratch();
before(async () => {
  await scratch.registry();
  Scratch.packages("curl");
  await scratch.up("--name", "ingress");
  // The image ends at once on TERM. A POST that it has taken is lost with it, whoever carried it, so it is given time to be forgotten first.
  scratch.k("apply -f -", JSON.stringify({
    apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" },
    spec: { replicas: 3, selector: { matchLabels: { app: "web" } }, template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "hello", image: image("hello:v1"), lifecycle: { preStop: { sleep: { seconds: 1 } } } }] } } },
  }));
  scratch.k(`create deployment api --image=${image("hello:v2")}`);
  for (const name of ["web", "api"]) {
    scratch.k(`expose deployment ${name} --port=80 --target-port=5000`);
    scratch.k(`rollout status deployment ${name} --timeout=90s`);
  }
});
after(async () => {
  scratch.timonier("delete", "--name", "ingress");
  await scratch.close();
});

let lastPort = "";
const curl = (...args: string[]): string => scratch.run("curl", ["-s", "-m", "5", ...args]).out.trim();
/** As `timonier status` tells them: `http://NAME.localhost, https://NAME.localhost:8443 (port 443 is taken); pid 7, 60 MB`. */
const told = (): string => /^Ingress: +(.*)$/m.exec(scratch.timonier("status", "--name", "ingress").out)?.[1] ?? "";
const ports = (): { http: string; https: string } => {
  const [http, https] = ["http", "https"].map(scheme => new RegExp(`(?:^|\\s)${scheme}://NAME\\.localhost(?::(\\d+))?`).exec(told()));
  assert.ok(http && https, `timonier status tells the ports: ${told()}`);
  return { http: http[1] ?? "80", https: https[1] ?? "443" };
};

test("hosts and paths lead to their services, and the address is told", async () => {
  scratch.k("create ingress site --class=nginx --rule=site.localhost/api=api:80 --rule=site.localhost/*=web:80");
  await scratch.until("the ingress has an address", () => scratch.k("get ingress site -o jsonpath={.status.loadBalancer.ingress[0].ip}") !== "");
  const { http } = ports();
  assert.equal(curl("--resolve", `site.localhost:${http}:127.0.0.1`, `http://site.localhost:${http}/`), "hello v1");
  assert.match(curl("--resolve", `other.localhost:${http}:127.0.0.1`, `http://other.localhost:${http}/`), /404/);
});

test("TLS comes from the Secret, and a new certificate is served without a restart", async () => {
  const { https } = ports();
  const fromSecret = (attempt: string): void => {
    const key = createPrivateKey(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }));
    const now = Date.now();
    const cert = pem("CERTIFICATE", issueCertificate({ commonName: "site.localhost", key, notBefore: now - 60_000, notAfter: now + 3_600_000, usage: ["server"], names: ["site.localhost"] }, { key, certificate: undefined }));
    writeFileSync(join(scratch.folder, `${attempt}.crt`), cert);
    const manifest = { apiVersion: "v1", kind: "Secret", metadata: { name: "site-tls" }, type: "kubernetes.io/tls", data: { "tls.crt": Buffer.from(cert).toString("base64"), "tls.key": Buffer.from(key.export({ type: "pkcs8", format: "pem" })).toString("base64") } };
    scratch.k("apply -f -", JSON.stringify(manifest));
  };
  scratch.k("patch ingress site --type=merge -p '{\"spec\":{\"tls\":[{\"hosts\":[\"site.localhost\"],\"secretName\":\"site-tls\"}]}}'");
  for (const attempt of ["first", "second"]) {
    fromSecret(attempt);
    await scratch.until(`the ${attempt} certificate is served`, () => curl("--cacert", join(scratch.folder, `${attempt}.crt`), "--resolve", `site.localhost:${https}:127.0.0.1`, "-w", " over HTTP/%{http_version}", `https://site.localhost:${https}/`) === "hello v1\n over HTTP/2", 10);
  }
  assert.match(curl("-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "--resolve", `site.localhost:${ports().http}:127.0.0.1`, `http://site.localhost:${ports().http}/x`), /^308 https:\/\/site.localhost/);
});

test("no request is lost while the backends are replaced", async () => {
  scratch.k("annotate ingress site nginx.ingress.kubernetes.io/ssl-redirect=false");
  const port = Number(ports().http);
  await scratch.until("plain HTTP is served", () => curl("--resolve", `site.localhost:${port}:127.0.0.1`, `http://site.localhost:${port}/`) === "hello v1", 10);
  const stop = new AbortController();
  const [gets, posts] = ["GET", "POST"].map(method => steadyLoad(new URL(`http://site.localhost:${port}/`), 1_000_000, 100, method, stop.signal));
  const update = scratch.startKubectl(`set image deployment/web hello=${image("hello:v2")}`);
  await new Promise(done => update.child.once("close", done));
  const status = scratch.startKubectl("rollout status deployment web --timeout=90s");
  await new Promise(done => status.child.once("close", done));
  scratch.k("scale deployment web --replicas=6");
  scratch.k("rollout status deployment web --timeout=90s");
  scratch.k("scale deployment web --replicas=1");
  await scratch.until("one pod is left", () => scratch.k("get pods -l app=web -o name").trim().split("\n").length === 1, 60);
  stop.abort();
  // The web server of the image knows no POST: its refusal has reached the client.
  assert.deepEqual([Object.keys(await gets!), Object.keys(await posts!)], [["200"], ["501"]]);
});

test("a Gateway and its routes are served beside the Ingresses, and say so", async () => {
  const route = { hostnames: ["shop.localhost"], rules: [{ matches: [{ path: { value: "/api" } }], filters: [{ type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" } } }], backendRefs: [{ name: "api", port: 80 }] }, { backendRefs: [{ name: "web", port: 80 }] }] };
  const objects = [
    { kind: "Gateway", metadata: { name: "shop" }, spec: { gatewayClassName: "timonier", listeners: [{ name: "http", port: 80, protocol: "HTTP" }] } },
    { kind: "HTTPRoute", metadata: { name: "shop" }, spec: { parentRefs: [{ name: "shop" }], ...route } },
  ];
  scratch.k("wait --for=condition=Accepted gatewayclass/timonier --timeout=30s");
  scratch.k("apply -f -", JSON.stringify({ apiVersion: "v1", kind: "List", items: objects.map(object => ({ apiVersion: "gateway.networking.k8s.io/v1", ...object })) }));
  scratch.k("wait --for=condition=Programmed gateway/shop --timeout=30s");
  const { http } = ports();
  const ask = (path: string): string => curl("--resolve", `shop.localhost:${http}:127.0.0.1`, `http://shop.localhost:${http}${path}`);
  await scratch.until("the route is served", () => ask("/") === "hello v2", 10);
  assert.deepEqual([ask("/api/"), curl("--resolve", `site.localhost:${http}:127.0.0.1`, `http://site.localhost:${http}/`)], ["hello v2", "hello v2"]);
  assert.equal(scratch.k("get httproute shop -o 'jsonpath={.status.parents[0].conditions[*].reason}'"), "Accepted ResolvedRefs");
  assert.equal(scratch.k("get gateway shop -o 'jsonpath={.status.listeners[0].attachedRoutes}'"), "1");
  scratch.k("delete gateway shop");
  scratch.k("delete httproute shop");
});

test("the control plane may go, and the proxy be killed meanwhile: what runs is served", async () => {
  const port = ports().http;
  const served = (): boolean => curl("--resolve", `site.localhost:${port}:127.0.0.1`, `http://site.localhost:${port}/`) === "hello v2";
  assert.match(scratch.timonier("down", "--name", "ingress").out, /keep running/);
  assert.ok(served());
  process.kill(Number(/pid (\d+)/.exec(told())?.[1]), "SIGKILL");
  await scratch.until("the proxy is back without anybody's help", served, 30);
  const pid = (): string | undefined => /pid (\d+)/.exec(told())?.[1];
  const before = pid();
  process.kill(Number(before), "SIGTERM");
  await scratch.until("also when it was told to end", () => pid() !== undefined && pid() !== before && served(), 30);
  const up = scratch.timonier("up", "--name", "ingress");
  assert.equal(up.code, 0, up.err);
  assert.match(up.out, /Ingress http:\/\/NAME\.localhost/);
  assert.ok(served());
  lastPort = port;
  scratch.k("delete ingress site");
  await scratch.until("without an ingress there is no proxy", () => told() === "", 30);
});

test("a port that a LoadBalancer service has is left to it, by the proxy and by the machine's other clusters", async () => {
  scratch.k(`expose deployment web --name=lb --type=LoadBalancer --port=${lastPort} --target-port=5000`);
  const address = await scratch.until("an address", () => scratch.k("get service lb -o jsonpath={.status.loadBalancer.ingress[0].ip}"), 5);
  const served = (): boolean => curl(`http://${address}:${lastPort}/`) === "hello v2";
  await scratch.until("the service is served", served, 10);
  scratch.k("create ingress again --class=nginx --rule=again.localhost/*=api:80");
  await scratch.until("the ingress has an address", () => scratch.k("get ingress again -o jsonpath={.status.loadBalancer.ingress[0].ip}") !== "");
  const { http } = ports();
  assert.notEqual(http, lastPort);
  assert.equal(curl("--resolve", `again.localhost:${http}:127.0.0.1`, `http://again.localhost:${http}/`), "hello v2");
  assert.ok(served(), "the service has its port");
  try {
    const up = scratch.timonier("up", "--name", "second", "--port", "17944", "--node-port", "17951");
    assert.equal(up.code, 0, up.err);
    scratch.k("config use-context timonier-ingress");
    const second = (...words: string[]): string => scratch.run(kubectlPath(), ["--context=timonier-second", ...words]).out;
    second("create", "service", "loadbalancer", "lb", `--tcp=${lastPort}:5000`);
    await scratch.until("the other cluster says who has it", () => second("get", "service", "lb", "-o", "jsonpath={.status.conditions[0].message}") === `port ${lastPort}/TCP of ${address} is taken by Service default/lb of cluster ingress on this machine`, 10);
    assert.ok(served());
    scratch.k("delete service lb");
    await scratch.until("it is the other's when it is free", () => second("get", "service", "lb", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}") === address, 20);
  } finally {
    assert.equal(scratch.timonier("delete", "--name", "second").code, 0);
  }
});
