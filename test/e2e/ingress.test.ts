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
const curl = (...args: string[]): string => scratch.curl("-m", "20", ...args).trim();
/** What the proxy gives for a host. */
const site = (host: string, port: string | number, path = "/"): string => curl("--resolve", `${host}:${port}:127.0.0.1`, `http://${host}:${port}${path}`);
const addressed = (name: string): Promise<unknown> => scratch.until("the ingress has an address", () => scratch.k(`get ingress ${name} -o jsonpath={.status.loadBalancer.ingress[0].ip}`) !== "");
const pid = (): string | undefined => /pid (\d+)/.exec(told())?.[1];
/** A command of kubectl, while this process goes on. */
async function meanwhile(line: string): Promise<void> {
  const running = scratch.startKubectl(line);
  assert.equal(await running.ended(), 0, `kubectl ${line}: ${running.err}${running.out}`);
}
const told = (): string => scratch.ingress("ingress");
const ports = (): Promise<{ readonly http: string; readonly https: string }> => scratch.ingressPorts("ingress");

test("hosts and paths lead to their services, and the address is told", async () => {
  scratch.k("create ingress site --class=nginx --rule=site.localhost/api=api:80 --rule=site.localhost/*=web:80");
  await addressed("site");
  const { http } = await ports();
  await scratch.says("it is served", "hello v1", () => site("site.localhost", http));
  assert.match(site("other.localhost", http), /404/);
});

test("TLS comes from the Secret, and a new certificate is served without a restart", async () => {
  const { http, https } = await ports();
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
    await scratch.says(`the ${attempt} certificate is served`, "hello v1\n over HTTP/2", () => curl("--cacert", join(scratch.folder, `${attempt}.crt`), "--resolve", `site.localhost:${https}:127.0.0.1`, "-w", " over HTTP/%{http_version}", `https://site.localhost:${https}/`));
  }
  assert.match(curl("-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "--resolve", `site.localhost:${http}:127.0.0.1`, `http://site.localhost:${http}/x`), /^308 https:\/\/site.localhost/);
});

test("no request is lost while the backends are replaced", async () => {
  scratch.k("annotate ingress site nginx.ingress.kubernetes.io/ssl-redirect=false");
  const port = Number((await ports()).http);
  await scratch.says("plain HTTP is served", "hello v1", () => site("site.localhost", port));
  const stop = new AbortController();
  const [gets, posts] = ["GET", "POST"].map(method => steadyLoad(new URL(`http://site.localhost:${port}/`), 1_000_000, 100, method, stop.signal));
  await meanwhile(`set image deployment/web hello=${image("hello:v2")}`);
  await meanwhile("rollout status deployment web --timeout=120s");
  await meanwhile("scale deployment web --replicas=6");
  await meanwhile("rollout status deployment web --timeout=120s");
  await meanwhile("scale deployment web --replicas=1");
  await scratch.until("one pod is left", () => scratch.k("get pods -l app=web -o name").trim().split("\n").length === 1);
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
  scratch.k("wait --for=condition=Accepted gatewayclass/timonier --timeout=60s");
  scratch.k("apply -f -", JSON.stringify({ apiVersion: "v1", kind: "List", items: objects.map(object => ({ apiVersion: "gateway.networking.k8s.io/v1", ...object })) }));
  scratch.k("wait --for=condition=Programmed gateway/shop --timeout=60s");
  const { http } = await ports();
  await scratch.says("the route is served", "hello v2", () => site("shop.localhost", http));
  assert.deepEqual([site("shop.localhost", http, "/api/"), site("site.localhost", http)], ["hello v2", "hello v2"]);
  await scratch.says("the route says so", "Accepted ResolvedRefs", () => scratch.k("get httproute shop -o 'jsonpath={.status.parents[0].conditions[*].reason}'"));
  await scratch.says("the gateway counts it", "1", () => scratch.k("get gateway shop -o 'jsonpath={.status.listeners[0].attachedRoutes}'"));
  scratch.k("delete gateway shop");
  scratch.k("delete httproute shop");
});

test("the control plane may go, and the proxy be killed meanwhile: what runs is served", async () => {
  const port = (await ports()).http;
  const served = (): string => site("site.localhost", port);
  assert.match(scratch.timonier("down", "--name", "ingress").out, /keep running/);
  assert.equal(served(), "hello v2");
  for (const signal of ["SIGKILL", "SIGTERM"]) {
    const before = await scratch.until("the proxy's pid", pid);
    process.kill(Number(before), signal);
    await scratch.until(`another one after ${signal}`, () => ![undefined, before].includes(pid()));
    await scratch.says("the proxy is back without anybody's help", "hello v2", served);
  }
  const up = scratch.timonier("up", "--name", "ingress");
  assert.equal(up.code, 0, up.err);
  assert.match(up.out, /Ingress http:\/\/NAME\.localhost/);
  assert.equal(served(), "hello v2");
  lastPort = port;
  scratch.k("delete ingress site");
  await scratch.says("without an ingress there is no proxy", "", told);
});

test("a port that a LoadBalancer service has is left to it, by the proxy and by the machine's other clusters", async () => {
  scratch.k(`expose deployment web --name=lb --type=LoadBalancer --port=${lastPort} --target-port=5000`);
  const address = await scratch.until("an address", () => scratch.k("get service lb -o jsonpath={.status.loadBalancer.ingress[0].ip}") || undefined);
  const served = (): string => curl(`http://${address}:${lastPort}/`);
  await scratch.says("the service is served", "hello v2", served);
  scratch.k("create ingress again --class=nginx --rule=again.localhost/*=api:80");
  await addressed("again");
  const { http } = await ports();
  assert.notEqual(http, lastPort);
  await scratch.says("the ingress is served", "hello v2", () => site("again.localhost", http));
  assert.equal(served(), "hello v2", "the service has its port");
  try {
    const up = scratch.timonier("up", "--name", "second", "--port", "17944", "--node-port", "17951");
    assert.equal(up.code, 0, up.err);
    scratch.k("config use-context timonier-ingress");
    const second = (...words: string[]): string => scratch.run(kubectlPath(), ["--context=timonier-second", ...words]).out;
    second("create", "service", "loadbalancer", "lb", `--tcp=${lastPort}:5000`);
    await scratch.until("the other cluster says who has it", () => second("get", "service", "lb", "-o", "jsonpath={.status.conditions[0].message}") === `port ${lastPort}/TCP of ${address} is taken by Service default/lb of cluster ingress on this machine`);
    assert.equal(served(), "hello v2", "the service still has its port");
    scratch.k("delete service lb");
    await scratch.until("it is the other's when it is free", () => second("get", "service", "lb", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}") === address);
  } finally {
    const gone = scratch.timonier("delete", "--name", "second");
    assert.equal(gone.code, 0, gone.err);
  }
});
