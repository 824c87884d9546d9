/**
 * P33 in part: what the CIS benchmark and kube-hunter look for, asked of a running cluster from outside: files that others may read, ports, answers without credentials, profilers, old TLS.
 * (The rest of the benchmark is about flags of other programs, or is tried elsewhere: docs/guide/promises.md.)
 */
import assert from "node:assert/strict";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { Scratch } from "./harness.ts";

const scratch = new Scratch();
const [apiPort, nodePort] = [17963, 17970];
before(() => {
  const up = scratch.timonier("up", "--runtime", "simulated", "--nodes", "1", "--port", String(apiPort), "--node-port", String(nodePort));
  assert.equal(up.code, 0, up.err + up.out);
});
after(async () => {
  const gone = scratch.timonier("delete");
  assert.equal(gone.code, 0, gone.err);
  await scratch.close();
});

type Answer = { readonly status: number; readonly body: string };
const ask = (port: number, path: string, method = "GET", headers: { readonly [name: string]: string } = {}): Promise<Answer> => new Promise((resolve, reject) => {
  request({ host: "127.0.0.1", port, path, method, headers, rejectUnauthorized: false, agent: false }, answer => {
    let body = "";
    answer.setEncoding("utf8").on("data", (text: string) => (body += text)).on("end", () => resolve({ status: answer.statusCode ?? 0, body }));
  }).on("error", reject).end();
});

test("nobody else may read keys, the database, logs and settings, nor list their folders", () => {
  const wrong: string[] = [];
  const walk = (path: string): void => {
    const { mode, uid } = lstatSync(path), isFolder = lstatSync(path).isDirectory();
    if (lstatSync(path).isSymbolicLink()) return;
    if (uid !== process.getuid!()) wrong.push(`${path} is ${uid}'s`);
    // A folder that nobody may enter keeps what is below it.
    if ((mode & 0o077) !== 0 && (isFolder || /PRIVATE KEY|client-key-data|token:/.test(readFileSync(path, "latin1")))) wrong.push(`${path} is ${(mode & 0o777).toString(8)}`);
    if (isFolder) for (const name of readdirSync(path)) walk(join(path, name));
  };
  walk(join(scratch.dataDir, "timonier", "pki"));
  walk(join(scratch.dataDir, "timonier", "store"));
  assert.equal(lstatSync(join(scratch.dataDir, "timonier")).mode & 0o077, 0, "the cluster's folder is closed");
  assert.equal(lstatSync(scratch.kubeconfig).mode & 0o077, 0, "the kubeconfig is closed");
  assert.deepEqual(wrong, []);
});

test("without credentials there is health and the version, and nothing else", async () => {
  for (const path of ["/livez", "/readyz", "/healthz", "/version"]) assert.equal((await ask(apiPort, path)).status, 200, path);
  const closed = ["/", "/api", "/api/v1", "/apis", "/openapi/v2", "/openapi/v3", "/metrics", "/metrics/slis", "/logs", "/debug/pprof/", "/debug/pprof/heap", "/debug/flags/v", "/configz", "/flagz", "/statusz", "/api/v1/pods", "/api/v1/secrets", "/api/v1/nodes", "/apis/apps/v1/deployments", "/.well-known/openid-configuration",
    "/openid/v1/jwks", "/api/v1/namespaces/kube-system/services/https:x:/proxy/", "/api/v1/namespaces/kube-public/configmaps/cluster-info", "/swagger.json", "/ui", "/apis/metrics.k8s.io/v1beta1/nodes"];
  for (const path of closed) {
    const { status, body } = await ask(apiPort, path);
    assert.equal(status, 403, `${path}: ${body.slice(0, 200)}`);
    assert.doesNotMatch(body, /node_modules|\.ts:\d|at Object\./, path);
  }
  for (const token of ["x", "null", "abcdef.0123456789abcdef", "eyJhbGciOiJub25lIn0.e30."]) assert.equal((await ask(apiPort, "/api/v1/pods", "GET", { authorization: `Bearer ${token}` })).status, 401, token);
  assert.equal((await ask(apiPort, "/api/v1/secrets", "GET", { "x-remote-user": "admin", "x-remote-group": "system:masters" })).status, 403, "headers of a proxy that is none");
  assert.equal((await ask(apiPort, "/api/v1/secrets", "GET", { "impersonate-user": "admin" })).status, 403);
  assert.equal((await ask(apiPort, "/api/v1/secrets", "GET", { authorization: "Bearer " })).status, 403, "no token at all");
});

test("a node answers nobody it does not know", async () => {
  for (const path of ["/pods", "/runningpods/", "/exec/default/a/b?command=id", "/run/default/a/b", "/attach/default/a/b", "/portForward/default/a", "/containerLogs/default/a/b", "/logs/", "/logs/../../etc/shadow", "/metrics", "/metrics/cadvisor", "/stats/summary", "/configz", "/debug/pprof/", "/spec/", "/cri/exec/x"])
    for (const method of ["GET", "POST"]) assert.equal((await ask(nodePort, path, method)).status, 401, `${method} ${path}`);
});

test("nobody looks inside the process over the network, administrators neither", () => {
  for (const path of ["/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/profile?seconds=1", "/debug/flags/v", "/logs/"]) assert.match(scratch.kubectl("get", "--raw", path).err, /the server could not find the requested resource/, path);
});

const handshake = (port: number, options: ConnectionOptions): Promise<string> => new Promise(resolve => {
  const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options }, () => { resolve(`${socket.getProtocol()} ${socket.getCipher().name}`); socket.destroy(); });
  socket.on("error", () => resolve("refused"));
});
test("TLS is 1.2 at least, with authenticated encryption only; what is no TLS gets no answer", async () => {
  for (const port of [apiPort, nodePort]) {
    assert.match(await handshake(port, {}), /^TLSv1\.3 TLS_/);
    assert.match(await handshake(port, { maxVersion: "TLSv1.2" }), /^TLSv1\.2 ECDHE-.*(GCM|CHACHA20)/);
    for (const old of ["TLSv1", "TLSv1.1"] as const) assert.equal(await handshake(port, { minVersion: old, maxVersion: old, ciphers: "DEFAULT@SECLEVEL=0" }), "refused", `${port} ${old}`);
    for (const ciphers of ["AES128-SHA", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256", "NULL@SECLEVEL=0", "DES-CBC3-SHA@SECLEVEL=0"])
      assert.equal(await handshake(port, { maxVersion: "TLSv1.2", ciphers }).catch(() => "refused"), "refused", `${port} ${ciphers}`);
    const said = await new Promise<string>(resolve => {
      let text = "";
      const socket = connect(port, "127.0.0.1", () => socket.write("GET /api/v1/secrets HTTP/1.1\r\nhost: a\r\n\r\n"));
      socket.on("data", bytes => (text += bytes.toString("latin1"))).on("error", () => undefined).on("close", () => resolve(text));
    });
    assert.doesNotMatch(said, /kind|Status|HTTP\/1\.1 200/);
  }
});

test("the cluster listens where its documents say, and nowhere else", () => {
  const own = new Set<string>();
  for (const pid of readdirSync("/proc").filter(name => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, "latin1").includes(scratch.dataDir)) continue;
      for (const fd of readdirSync(`/proc/${pid}/fd`)) own.add(readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch (error) {
      // A process, or one of its files, that went meanwhile.
      if (!["ENOENT", "ESRCH", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }
  const listening = ["tcp", "tcp6"].flatMap(name => readFileSync(`/proc/net/${name}`, "utf8").split("\n").slice(1).map(line => line.trim().split(/\s+/)))
    .filter(([, , , state, , , , , , inode]) => state === "0A" && own.has(`socket:[${inode}]`)).map(([, local = ""]) => parseInt(local.split(":")[1]!, 16));
  assert.deepEqual([...new Set(listening)].sort(), [apiPort, nodePort]);
});
