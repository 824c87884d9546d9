/** An Ingress on real containers: by host name and path, with TLS from a Secret, through a rolling update. */
import assert from "node:assert/strict";
import { generateKeyPairSync, createPrivateKey } from "node:crypto";
import { Agent, get } from "node:http";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { issueCertificate, pem } from "../../src/host/pki-der.ts";
import { image, Scratch } from "./harness.ts";

const scratch = new Scratch();
before(async () => {
  await scratch.registry();
  Scratch.packages("curl");
  const result = scratch.timonier("up", "--name", "ingress");
  assert.equal(result.code, 0, result.err + result.out);
  scratch.k(`create deployment web --image=${image("hello:v1")} --replicas=3`);
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

const curl = (...args: string[]): string => scratch.run("curl", ["-s", "-m", "5", ...args]).out.trim();
const ports = (): { http: string; https: string } => {
  const [, http = "80", https = "443"] = /ingress proxy listens http=(\d+) https=(\d+)/.exec(scratch.log("server", "ingress")) ?? [];
  return { http, https };
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
  const agent = new Agent({ keepAlive: true });
  const answers = new Map<number | string, number>();
  const ask = (): Promise<void> => new Promise(resolve => {
    const count = (answer: number | string): void => { answers.set(answer, (answers.get(answer) ?? 0) + 1); resolve(); };
    get({ host: "127.0.0.1", port, path: "/", headers: { host: "site.localhost" }, agent }, response => { response.resume().on("end", () => count(response.statusCode ?? 0)); }).on("error", error => count(error.message));
  });
  let asking = true;
  const load = Promise.all(Array.from({ length: 4 }, async () => { while (asking) { await ask(); await new Promise(next => setTimeout(next, 10)); } }));
  const update = scratch.startKubectl(`set image deployment/web hello=${image("hello:v2")}`);
  await new Promise(done => update.child.once("close", done));
  const status = scratch.startKubectl("rollout status deployment web --timeout=90s");
  await new Promise(done => status.child.once("close", done));
  asking = false;
  await load;
  agent.destroy();
  assert.deepEqual([...answers.keys()], [200], JSON.stringify([...answers]));
});
