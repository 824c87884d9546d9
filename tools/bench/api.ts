/** Requests through TLS, authentication, authorization, admission and the disk: the server on one core, the load from another. */
import { cpuSeconds, type BenchCluster } from "./cluster.ts";
import { load, LoadClient } from "./http.ts";
import { percentile, rowsOfClusters, type AddRow, type Row } from "./table.ts";

const concurrency = 64;
const sessions = 8;
/** V8 has compiled what a new server needs to create pods after some six seconds of it, on one core; until then it is slower. */
const newServerMs = 6_000;
/** Pods in a list. */
const listed = 5_000;

/** A pod of about 3.4 KB as clients send it, 7.2 KB once it is stored. Another scheduler's, so that only its creation is measured. */
export function podBody(name: string): Buffer {
  const container = (i: number) => ({
    name: `c${i}`, image: `registry.example.com/team/service-${i}:v1.2.3`, ports: [{ name: `http${i}`, containerPort: 8080 + i }],
    env: Array.from({ length: 10 }, (_, j) => ({ name: `SETTING_${j}`, value: `value-of-setting-${j}-for-container-${i}` })),
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "500m", memory: "256Mi" } },
    readinessProbe: { httpGet: { path: "/healthz", port: `http${i}` }, periodSeconds: 10 },
    volumeMounts: [{ name: "config", mountPath: "/etc/config" }, { name: "data", mountPath: "/var/data" }],
  });
  return Buffer.from(JSON.stringify({
    apiVersion: "v1", kind: "Pod",
    metadata: { name, labels: { app: "bench", tier: `t${name.length % 10}` }, annotations: { "example.com/about": "x".repeat(400) } },
    spec: { schedulerName: "nobody", containers: [container(0), container(1)], volumes: [{ name: "config", configMap: { name: "config" } }, { name: "data", emptyDir: {} }] },
  }));
}

/** The least that is a pod. */
export function smallPodBody(name: string): Buffer {
  return Buffer.from(JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name, labels: { app: "bench" } }, spec: { schedulerName: "nobody", containers: [{ name: "c", image: "hello:v1" }] } }));
}

/** Comes to 3.4 KB once it is stored. */
export function middlePodBody(name: string): Buffer {
  const env = Array.from({ length: 6 }, (_, j) => ({ name: `SETTING_${j}`, value: `value-of-setting-${j}` }));
  const container = { name: "c", image: "registry.example.com/team/service:v1.2.3", ports: [{ name: "http", containerPort: 8080 }], env, resources: { requests: { cpu: "100m", memory: "128Mi" } } };
  return Buffer.from(JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name, labels: { app: "bench" }, annotations: { "example.com/about": "x".repeat(400) } }, spec: { schedulerName: "nobody", containers: [container] } }));
}

/** A definition with 50 rules, of the kinds that are found in the wild: bounds, comparisons of fields, patterns, lists, immutable fields. */
const rulesCount = 50;
function ruledDefinition(): Buffer {
  const names = Array.from({ length: rulesCount / 5 }, (_, i) => `f${i}`);
  const rules = names.flatMap(name => [
    { rule: `self.${name}.min <= self.${name}.max` }, { rule: `self.${name}.name.startsWith('n') && self.${name}.name.size() < 20` }, { rule: `self.${name}.items.all(x, x > 0)` },
    { rule: `!has(self.${name}.other) || self.${name}.other != self.${name}.name` }, { rule: `self.${name}.name == oldSelf.${name}.name` },
  ]);
  const properties = Object.fromEntries(names.map(name => [name, { type: "object", properties: { min: { type: "integer" }, max: { type: "integer" }, name: { type: "string", maxLength: 30 }, other: { type: "string", maxLength: 30 }, items: { type: "array", maxItems: 10, items: { type: "integer" } } } }]));
  return Buffer.from(JSON.stringify({
    apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: { name: "widgets.bench.example.com" },
    spec: { group: "bench.example.com", scope: "Namespaced", names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" }, versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties, "x-kubernetes-validations": rules } } } } }] },
  }));
}
function widgetBody(name: string): Buffer {
  const spec = Object.fromEntries(Array.from({ length: rulesCount / 5 }, (_, i) => [`f${i}`, { min: i, max: i + 10, name: `n${i}`, items: [1, 2, 3] }]));
  return Buffer.from(JSON.stringify({ apiVersion: "bench.example.com/v1", kind: "Widget", metadata: { name }, spec }));
}

export async function benchApi(runs: number): Promise<Row[]> {
  return rowsOfClusters(runs, measure);
}

async function measure(cluster: BenchCluster, add: AddRow): Promise<void> {
  const client = await LoadClient.open(cluster.credentials, sessions);
  const [server] = cluster.pids();
  const cpu = () => cpuSeconds(server ?? 0);
  const expect = async (status: number, method: string, path: string, body?: Buffer) => {
    const answer = await client.request(method, path, body);
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString("utf8").slice(0, 300)}`);
  };
  try {
    /** Creates pods for `warmMs`, then for three seconds; how many there are. Who owns which fields and what was defaulted double what a client sends. */
    const creating = async (namespace: string, what: string, bodyOf: (name: string) => Buffer, warmMs: number): Promise<number> => {
      await expect(201, "POST", "/api/v1/namespaces", Buffer.from(JSON.stringify({ metadata: { name: namespace } })));
      await ready(client, namespace);
      let made = 0;
      const create = () => expect(201, "POST", podsIn(namespace), bodyOf(nameOf(made++)));
      await load(concurrency, warmMs, create);
      const start = cpu();
      const { done, seconds, sortedMs } = await load(concurrency, 3_000, create);
      add(`creates of a pod ${what}, 64 in flight`, "/s", done / seconds, "≥ 4,000");
      add(`  p99, ${what}`, "ms", percentile(sortedMs, 0.99));
      add(`  server CPU per create, ${what}`, "µs", ((cpu() - start) / done) * 1e6, "≤ 250");
      const single = await load(1, 1_000, create);
      add(`creates of a pod ${what}, one at a time`, "/s", single.done / single.seconds);
      return made;
    };
    // The goals are for pods of 3.4 KB (../shared/performance.md), whose list of 5,000 has 17 MB; the others show what size makes of it.
    const middles = await creating("middle", "of 3.4 KB as stored", middlePodBody, newServerMs);
    const larges = await creating("large", "of 7.2 KB as stored", podBody, 2_000);
    await creating("small", "with one container", smallPodBody, 2_000);

    const start = cpu();
    const gets = await load(concurrency, 2_000, i => expect(200, "GET", `${podsIn("large")}/${nameOf((i * 7919) % larges)}`));
    add("GET one pod of 7.2 KB as stored", "/s", gets.done / gets.seconds, "30,000");
    add("  server CPU per GET", "µs", ((cpu() - start) / gets.done) * 1e6, "≤ 45");

    const listing = async (namespace: string, what: string, made: number) => {
      await prune(expect, podsIn(namespace), made, listed);
      const bytes = (await client.request("GET", podsIn(namespace), undefined, true)).body.length;
      const start = cpu();
      const lists = await load(1, 2_000, () => expect(200, "GET", podsIn(namespace)));
      add(`LIST ${listed.toLocaleString("en")} pods, ${what} each as stored`, "ms", percentile(lists.sortedMs, 0.5), "≤ 20");
      add(`  its size, ${what} each`, "MB", bytes / 1e6);
      add(`  server CPU per LIST, ${what}`, "ms", ((cpu() - start) / lists.done) * 1e3, "≤ 10 of the loop");
    };
    await listing("large", "7.2 KB", larges);
    await listing("middle", "3.4 KB", middles);

    let made = 0;
    const perCreate = async (path: string, bodyOf: (name: string) => Buffer): Promise<{ readonly rate: number; readonly each: number }> => {
      const one = () => expect(201, "POST", path, bodyOf(`c${String(made++).padStart(6, "0")}`));
      await load(concurrency, 1_500, one);
      const start = cpu();
      const { done, seconds } = await load(concurrency, 2_500, one);
      return { rate: done / seconds, each: ((cpu() - start) / done) * 1e6 };
    };
    // Beside each other, in a server of the same age.
    const small = await perCreate(podsIn("small"), smallPodBody);
    await expect(201, "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", ruledDefinition());
    const widgets = "/apis/bench.example.com/v1/namespaces/default/widgets";
    for (let status = 0; status !== 200; await new Promise(resolve => setTimeout(resolve, 50))) ({ status } = await client.request("GET", widgets));
    const ruled = await perCreate(widgets, widgetBody);
    add(`creates of a custom resource with ${rulesCount} rules`, "/s", ruled.rate);
    add("  server CPU per create, custom", "µs", ruled.each);
    add("  … as a multiple of a pod's with one container", "×", ruled.each / small.each, "≤ 3");
  } finally {
    client.close();
  }
}

/** The default service account must be there before pods are. */
async function ready(client: LoadClient, namespace: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while ((await client.request("GET", `/api/v1/namespaces/${namespace}/serviceaccounts/default`)).status !== 200) {
    if (performance.now() > deadline) throw new Error("the default service account does not appear");
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

const podsIn = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`;
const nameOf = (i: number): string => `p${String(i).padStart(6, "0")}`;

async function prune(expect: (status: number, method: string, path: string) => Promise<void>, pods: string, made: number, keep: number): Promise<void> {
  let next = keep;
  await Promise.all(Array.from({ length: concurrency }, async () => {
    while (next < made) await expect(200, "DELETE", `${pods}/${nameOf(next++)}?gracePeriodSeconds=0`);
  }));
}
