import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { load } from "js-yaml";
import { KubeconfigRefused, mergeKubeconfig, removeFromKubeconfig, renewInKubeconfig, type Access } from "./kubeconfig.ts";

function home(t: TestContext): string {
  const dir = mkdtempSync(join(realpathSync(tmpdir()), "timonier-kubeconfig-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}
const access = (more: Partial<Access> = {}): Access =>
  ({ name: "timonier", dataDir: "/", server: "https://127.0.0.1:6443", certificateAuthority: "CA", certificate: "CERT", key: "KEY", ...more });
// The shape is kubectl's; only the fields that the tests name are looked at.
const read = (path: string): any => load(readFileSync(path, "utf8"));

const foreign = `apiVersion: v1
clusters:
- cluster:
    server: https://work.example
    future-field:
      deep: [1, two]
  name: work
contexts:
- context:
    cluster: work
    user: work
    namespace: team
  name: work
current-context: work
kind: Config
users:
- name: work
  user:
    token: "0123"
    exec:
      command: get-token
      interactiveMode: IfAvailable
      provideClusterInfo: yes
x-tool: keep me
`;

test("a missing kubeconfig is made with mode 0600 and our context current", async t => {
  const dir = home(t);
  assert.equal(await mergeKubeconfig({ HOME: dir }, access()), join(dir, ".kube", "config"));
  const config = read(join(dir, ".kube", "config"));
  assert.equal(statSync(join(dir, ".kube", "config")).mode & 0o777, 0o600);
  assert.equal(config["current-context"], "timonier");
  assert.equal(config.clusters[0].cluster.server, "https://127.0.0.1:6443");
  assert.equal(config.users[0].user["client-key-data"], Buffer.from("KEY").toString("base64"));
  assert.deepEqual(readdirSync(join(dir, ".kube")), ["config"]);
});

test("merging keeps everybody else's entries and unknown fields; deleting leaves the file as it was", async t => {
  const dir = home(t);
  const path = join(dir, "config");
  writeFileSync(path, foreign);
  const before = read(path);
  await mergeKubeconfig({ KUBECONFIG: path }, access());
  await mergeKubeconfig({ KUBECONFIG: path }, access({ server: "https://127.0.0.1:7443" }));
  const merged = read(path);
  assert.equal(merged["current-context"], "timonier");
  assert.deepEqual(merged.clusters.map((entry: any) => [entry.name, entry.cluster.server]), [["work", "https://work.example"], ["timonier", "https://127.0.0.1:7443"]]);
  assert.deepEqual(merged.users[0].user, { token: "0123", exec: { command: "get-token", interactiveMode: "IfAvailable", provideClusterInfo: true } });
  assert.deepEqual(await removeFromKubeconfig({ KUBECONFIG: path }, access()), [path]);
  assert.deepEqual(read(path), { ...before, users: merged.users.slice(0, 1) });
});

test("deleting does not change a current context that the user chose since", async t => {
  const path = join(home(t), "config");
  writeFileSync(path, foreign);
  await mergeKubeconfig({ KUBECONFIG: path }, access());
  writeFileSync(path, readFileSync(path, "utf8").replace("current-context: timonier", "current-context: other"));
  await removeFromKubeconfig({ KUBECONFIG: path }, access());
  assert.equal(read(path)["current-context"], "other");
});

test("deleting removes a file that held only our entries and was made for them", async t => {
  const path = join(home(t), "config");
  await mergeKubeconfig({ KUBECONFIG: path }, access());
  await mergeKubeconfig({ KUBECONFIG: path }, access());
  assert.deepEqual(await removeFromKubeconfig({ KUBECONFIG: path }, access()), [path]);
  assert.equal(existsSync(path), false);
});

test("deleting clears the current context when the one before is gone", async t => {
  const path = join(home(t), "config");
  writeFileSync(path, "kind: Config\napiVersion: v1\n");
  await mergeKubeconfig({ KUBECONFIG: path }, access());
  await removeFromKubeconfig({ KUBECONFIG: path }, access());
  assert.deepEqual(read(path), { apiVersion: "v1", kind: "Config", "current-context": "", clusters: [], contexts: [], users: [] });
});

test("an entry of the same name that is not ours is refused and left alone", async t => {
  const path = join(home(t), "config");
  writeFileSync(path, foreign);
  await assert.rejects(mergeKubeconfig({ KUBECONFIG: path }, access({ name: "work" })), KubeconfigRefused);
  assert.equal(readFileSync(path, "utf8"), foreign);
  assert.deepEqual(await removeFromKubeconfig({ KUBECONFIG: path }, access({ name: "work" })), []);
});

test("two clusters of one name: the one whose files are gone gives way, the other does not", async t => {
  const dir = home(t);
  const path = join(dir, "config");
  await mergeKubeconfig({ KUBECONFIG: path }, access({ dataDir: join(dir, "gone") }));
  await mergeKubeconfig({ KUBECONFIG: path }, access({ dataDir: dir }));
  await assert.rejects(mergeKubeconfig({ KUBECONFIG: path }, access({ dataDir: "/elsewhere" })), /belongs to the cluster in/);
});

test("KUBECONFIG is a list: the entry's own file, else the first that exists, else the last", async t => {
  const dir = home(t);
  const [a, b, c] = ["a", "b", "c"].map(name => join(dir, name)) as [string, string, string];
  const KUBECONFIG = [a, b, c].join(":");
  assert.equal(await mergeKubeconfig({ KUBECONFIG, HOME: dir }, access()), c);
  writeFileSync(b, foreign);
  assert.equal(await mergeKubeconfig({ KUBECONFIG }, access()), c);
  assert.equal(await mergeKubeconfig({ KUBECONFIG }, access({ name: "second" })), b);
  assert.deepEqual(await removeFromKubeconfig({ KUBECONFIG }, access({ name: "second" })), [b]);
});

test("a renewed certificate replaces only our user's data", async t => {
  const path = join(home(t), "config");
  writeFileSync(path, foreign);
  assert.equal(await renewInKubeconfig({ KUBECONFIG: path }, access()), false);
  assert.equal(readFileSync(path, "utf8"), foreign);
  await mergeKubeconfig({ KUBECONFIG: path }, access());
  assert.equal(await renewInKubeconfig({ KUBECONFIG: path }, access({ certificate: "NEW", key: "NEWKEY" })), true);
  const { user } = read(path).users.find((entry: any) => entry.name === "timonier");
  assert.deepEqual([user["client-certificate-data"], user["client-key-data"]], ["TkVX", "TkVXS0VZ"]);
  assert.deepEqual(await removeFromKubeconfig({ KUBECONFIG: path }, access()), [path]);
});

test("a namespace the user set on our context survives the next merge", async t => {
  const path = join(home(t), "config");
  await mergeKubeconfig({ KUBECONFIG: path }, access());
  writeFileSync(path, readFileSync(path, "utf8").replace("    user: timonier\n", "    user: timonier\n    namespace: team\n"));
  await mergeKubeconfig({ KUBECONFIG: path }, access());
  assert.equal(read(path).contexts[0].context.namespace, "team");
});

test("a link to the kubeconfig stays a link", async t => {
  const dir = home(t);
  mkdirSync(join(dir, "dotfiles"));
  writeFileSync(join(dir, "dotfiles", "config"), foreign);
  symlinkSync(join(dir, "dotfiles", "config"), join(dir, "config"));
  await mergeKubeconfig({ KUBECONFIG: join(dir, "config") }, access());
  assert.equal(realpathSync(join(dir, "config")), join(dir, "dotfiles", "config"));
  assert.equal(read(join(dir, "dotfiles", "config"))["current-context"], "timonier");
});

test("what is not a kubeconfig is left alone", async t => {
  const path = join(home(t), "config");
  for (const text of ["a: [", "- 1\n", "just words\n"]) {
    writeFileSync(path, text);
    await assert.rejects(mergeKubeconfig({ KUBECONFIG: path }, access()), KubeconfigRefused);
    assert.equal(readFileSync(path, "utf8"), text);
  }
});

test("concurrent changes wait for each other's lock", async t => {
  const path = join(home(t), "config");
  await Promise.all(["a", "b", "c"].map(name => mergeKubeconfig({ KUBECONFIG: path }, access({ name }))));
  assert.deepEqual(read(path).contexts.map((entry: any) => entry.name).sort(), ["a", "b", "c"]);
});
