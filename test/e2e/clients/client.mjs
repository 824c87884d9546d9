// What @kubernetes/client-node does against a running cluster; prints one line for each thing that holds.
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import * as k8s from "@kubernetes/client-node";

const image = process.argv[2];
const config = new k8s.KubeConfig();
config.loadFromDefault();
const core = config.makeApiClient(k8s.CoreV1Api);
const apps = config.makeApiClient(k8s.AppsV1Api);
const namespace = "javascript";

assert.ok((await core.listNamespace()).items.some(item => item.metadata.name === "default"));
console.log("list");
await core.createNamespace({ body: { metadata: { name: namespace } } });
const seen = [];
const informer = k8s.makeInformer(config, `/api/v1/namespaces/${namespace}/pods`, () => core.listNamespacedPod({ namespace }));
for (const what of ["add", "update", "delete"]) informer.on(what, pod => seen.push([what, pod]));
informer.on("error", error => { throw error; });
await informer.start();
const labels = { app: "js" };
await apps.createNamespacedDeployment({
  namespace, body: { metadata: { name: "js" }, spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: [{ name: "c", image }] } } } },
});
console.log("create");
const until = async (what, ask) => {
  for (let tries = 0; tries < 600; tries++) {
    const value = ask();
    if (value) return value;
    await wait(100);
  }
  throw new Error(`not seen: ${what}`);
};
const [, pod] = await until("a running pod", () => seen.find(([, one]) => one.status?.phase === "Running"));
console.log("informer");
await apps.patchNamespacedDeployment({ name: "js", namespace, body: { spec: { replicas: 2 } } }, k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.StrategicMergePatch));
await apps.patchNamespacedDeployment({ name: "js", namespace, body: [{ op: "add", path: "/metadata/labels", value: { by: "json" } }] }, k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.JsonPatch));
const applied = await core.patchNamespacedConfigMap({ name: "applied", namespace, fieldManager: "js", force: true, body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "applied" }, data: { a: "b" } } }, k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.ServerSideApply));
assert.equal(applied.metadata.managedFields[0].operation, "Apply");
assert.equal((await apps.readNamespacedDeployment({ name: "js", namespace })).spec.replicas, 2);
console.log("patch");
const out = new PassThrough();
const typed = new PassThrough();
let text = "";
out.on("data", part => { text += part; });
const status = await new Promise((done, fail) => {
  new k8s.Exec(config).exec(namespace, pod.metadata.name, "c", ["sh", "-c", "echo to out; read line; echo got $line; exit 3"], out, process.stderr, typed, false, done).catch(fail);
  typed.write("typed\n");
});
assert.match(text, /to out\ngot typed/);
assert.equal(status.details.causes[0].message, "3");
console.log("exec");
assert.match(await core.readNamespacedPodLog({ name: pod.metadata.name, namespace }), /hello/);
console.log("logs");
await assert.rejects(core.readNamespacedPod({ name: "nothing", namespace }), error => error.code === 404);
console.log("refusal");
await apps.deleteNamespacedDeployment({ name: "js", namespace });
await until("the pod's end", () => seen.some(([what]) => what === "delete"));
await core.deleteNamespace({ name: namespace });
console.log("delete");
// Ending the informer would abort its watch, which this library reports as an unhandled rejection.
process.exit(0);
