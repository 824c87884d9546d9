/** Two servers to compare: those of kubeconfigs, or started here. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { load } from "js-yaml";

/** Longest wait for an answer. */
const answerMs = 5_000;
export type Answer = { readonly status: number; readonly type: string; readonly warnings: readonly string[]; readonly body: string };
export type Send = (method: string, target: string, contentType?: string, body?: string) => Promise<Answer>;

/** Sends with the client certificate of a kubeconfig's first cluster and user, one connection. */
export function connect(kubeconfig: string): Send {
  const { clusters, users } = load(readFileSync(kubeconfig, "utf8")) as any;
  const { cluster } = clusters[0], { user } = users[0];
  const part = (holder: any, name: string) => (holder[`${name}-data`] === undefined ? readFileSync(holder[name]) : Buffer.from(holder[`${name}-data`], "base64"));
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: part(cluster, "certificate-authority"), cert: part(user, "client-certificate"), key: part(user, "client-key") });
  const once: Send = (method, target, contentType = "application/json", body) => new Promise((resolve, reject) => {
    const sent = request(new URL(target, cluster.server), { method, agent, headers: { accept: "application/json", "user-agent": "beside", ...(body === undefined ? {} : { "content-type": contentType, "content-length": Buffer.byteLength(body) }) } }, response => {
      const chunks: Buffer[] = [];
      response.on("data", chunk => chunks.push(chunk)).on("error", reject).on("end", () => {
        const warnings = response.rawHeaders.flatMap((name, i) => (i % 2 === 0 && name.toLowerCase() === "warning" ? [response.rawHeaders[i + 1]!] : []));
        resolve({ status: response.statusCode!, type: response.headers["content-type"] ?? "", warnings, body: Buffer.concat(chunks).toString() });
      });
    });
    sent.setTimeout(answerMs, () => sent.destroy(new Error(`no answer in ${answerMs} ms`))).on("error", reject);
    sent.end(body);
  });
  // A connection may be closed while a request is on its way; one that is closed again got no answer.
  return (...args) => once(...args).catch(() => once(...args)).catch((error: Error) => ({ status: 0, type: "", warnings: [], body: error.message }));
}

/** A fresh etcd and kube-apiserver of `binaries` on the loopback, and a cluster of ours without nodes. */
export async function startBoth(binaries: string, ports: readonly [number, number, number, number]): Promise<{ readonly upstream: string; readonly ours: string; stop(): void }> {
  const folder = mkdtempSync(join(tmpdir(), "timonier-beside-"));
  const [api, etcd, peer, port] = ports;
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=ca", "-days", "2");
  const sign = (name: string, subject: string, extension: string): void => {
    writeFileSync(file(`${name}.ext`), extension);
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", subject);
    openssl("x509", "-req", "-in", `${name}.csr`, "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-out", `${name}.crt`, "-extfile", `${name}.ext`);
  };
  sign("server", "/CN=kube-apiserver", "subjectAltName=IP:127.0.0.1");
  sign("admin", "/O=system:masters/CN=kubernetes-admin", "extendedKeyUsage=clientAuth");
  openssl("genrsa", "-out", "sa.key", "2048");
  openssl("rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub");
  writeFileSync(file("upstream.kc"), JSON.stringify({ clusters: [{ cluster: { server: `https://127.0.0.1:${api}`, "certificate-authority": file("ca.crt") } }], users: [{ user: { "client-certificate": file("admin.crt"), "client-key": file("admin.key") } }] }));
  const children: ChildProcess[] = [];
  const run = (program: string, ...args: string[]): void => void children.push(spawn(existsSync(join(binaries, program)) ? join(binaries, program) : program, args, { cwd: folder, stdio: "ignore" }));
  run("etcd", "--data-dir", file("etcd"), "--listen-client-urls", `http://127.0.0.1:${etcd}`, "--advertise-client-urls", `http://127.0.0.1:${etcd}`, "--listen-peer-urls", `http://127.0.0.1:${peer}`, "--initial-advertise-peer-urls", `http://127.0.0.1:${peer}`, "--initial-cluster", `default=http://127.0.0.1:${peer}`, "--unsafe-no-fsync");
  run("kube-apiserver", `--etcd-servers=http://127.0.0.1:${etcd}`, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none", `--secure-port=${api}`, "--tls-cert-file=server.crt", "--tls-private-key-file=server.key", "--client-ca-file=ca.crt", "--service-account-key-file=sa.pub", "--service-account-signing-key-file=sa.key", "--service-account-issuer=https://kubernetes.default.svc.cluster.local", "--service-cluster-ip-range=10.139.0.0/16", "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true");
  mkdirSync(file("data"));
  const environment = { ...process.env, TIMONIER_DATA_DIR: file("data"), KUBECONFIG: file("ours.kc") };
  const timonier = (...args: string[]): void => void execFileSync(new URL("../../timonier", import.meta.url).pathname, args, { env: environment, stdio: "ignore" });
  const stop = (): void => {
    timonier("delete", "--name", "beside");
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    timonier("up", "--name", "beside", "--runtime", "simulated", "--nodes", "0", "--port", String(port), "--service-cidr", "10.139.0.0/16", "--external-ips");
    const upstream = connect(file("upstream.kc"));
    for (let tries = 240; ; tries--) {
      if ((await upstream("GET", "/readyz").catch(() => undefined))?.status === 200) break;
      if (tries === 0) throw new Error(`kube-apiserver of ${binaries} is not ready after two minutes`);
      await sleep(500);
    }
  } catch (error) {
    stop();
    throw error;
  }
  return { upstream: file("upstream.kc"), ours: file("ours.kc"), stop };
}
