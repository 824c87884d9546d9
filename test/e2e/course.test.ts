/**
 * The course's site on real containers: a Django site in two deployments and PostgreSQL, reached by service DNS, through `kubectl proxy`, through an
 * Ingress with host names, and kept apart by a NetworkPolicy.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pushCourseImages } from "../../tools/images/course.ts";
import { image, Scratch, type Node } from "./harness.ts";

const scratch = new Scratch();
let nodes: readonly Node[] = [];
const labels = (app: string): object => ({ metadata: { labels: { app } } });
const probe = (path: string): object => ({ httpGet: { path, port: 8000 }, periodSeconds: 1, failureThreshold: 60 });

before(async () => {
  await scratch.registry();
  await pushCourseImages("127.0.0.1:5000", join(tmpdir(), "timonier-registry", "debs"));
  Scratch.packages("curl");
  nodes = await scratch.up("--name", "course");
});
after(async () => {
  scratch.timonier("delete", "--name", "course");
  await scratch.close();
});

const curl = (...args: string[]): string => scratch.curl("-m", "20", ...args).trim();
const apply = (...items: object[]): string => scratch.k("apply -f -", JSON.stringify({ apiVersion: "v1", kind: "List", items }));
const deployment = (name: string, replicas: number, container: object): object => ({
  apiVersion: "apps/v1", kind: "Deployment", metadata: { name },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: { ...labels(name), spec: { terminationGracePeriodSeconds: 2, containers: [{ name, ...container }] } } },
});
const service = (name: string, port: number, targetPort: number): object => ({ apiVersion: "v1", kind: "Service", metadata: { name }, spec: { selector: { app: name }, ports: [{ port, targetPort }] } });

test("a site of three replicas and its database find each other by the names of their services", async () => {
  scratch.k("create secret generic db --from-literal=password=correct-horse");
  const password = (name: string): object => ({ name, valueFrom: { secretKeyRef: { name: "db", key: "password" } } });
  apply(
    {
      apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name: "db" },
      spec: {
        serviceName: "db", replicas: 1, selector: { matchLabels: { app: "db" } },
        template: {
          ...labels("db"), spec: {
            containers: [{
              name: "db", image: image("postgres:15"), env: [password("POSTGRES_PASSWORD"), { name: "POSTGRES_DB", value: "site" }], ports: [{ containerPort: 5432 }],
              volumeMounts: [{ name: "data", mountPath: "/var/lib/postgresql/data" }], readinessProbe: { exec: { command: ["pg_isready", "-U", "postgres", "-h", "127.0.0.1"] }, periodSeconds: 1, failureThreshold: 60 },
            }],
          },
        },
        volumeClaimTemplates: [{ metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "100Mi" } } } }],
      },
    },
    service("db", 5432, 5432),
    deployment("front", 3, { image: image("site:v1"), env: [{ name: "APP", value: "public" }], readinessProbe: probe("/healthz") }),
    service("front", 80, 8000),
    deployment("api", 3, { image: image("site:v1"), env: [{ name: "APP", value: "api" }, password("DATABASE_PASSWORD")], readinessProbe: probe("/api/healthz") }),
    service("api", 80, 8000),
  );
  for (const name of ["statefulset/db", "deployment/front", "deployment/api"])
    await scratch.until(`${name} is ready`, () => scratch.kubectl("rollout", "status", name, "--timeout=60s").code === 0, 300).catch((error: Error) => assert.fail(`${error.message}${scratch.kubectl("logs", name, "--tail=30").out}`));
  for (const app of ["front", "api"]) assert.equal(new Set(scratch.k(`get pods -l app=${app} -o jsonpath={.items[*].spec.nodeName}`).split(" ")).size, nodes.length, `${app} is on every node`);
  const ask = ["exec", "deploy/front", "--", "python3", "-c", "import urllib.request;print(urllib.request.urlopen('http://api/api/visits').read().decode())"];
  const answer = await scratch.until("one finds the other by its name", () => { const { code, out } = scratch.kubectl(...ask); return code === 0 && out; });
  assert.equal((JSON.parse(answer) as { visits: number }).visits, 0);
});

test("kubectl proxy reaches all three replicas behind the service", async () => {
  const proxy = scratch.startKubectl("proxy --port=0");
  const [, port] = await scratch.until("kubectl proxy listens", () => /:(\d+)\n/.exec(proxy.out) ?? undefined);
  const seen = new Set<string>();
  await scratch.until("every replica has answered", () => {
    const by = /served by (\S+)</.exec(curl(`http://127.0.0.1:${port}/api/v1/namespaces/default/services/front:80/proxy/`))?.[1];
    if (by !== undefined) seen.add(by);
    return seen.size === 3;
  });
  await proxy.end();
});

test("an Ingress leads / and /api of a host name to two services, and visits are counted in the database", async () => {
  scratch.k("create ingress site --class=nginx --rule=site.localhost/api*=api:80 --rule=site.localhost/*=front:80");
  await scratch.until("the ingress has an address", () => scratch.k("get ingress site -o jsonpath={.status.loadBalancer.ingress[0].ip}") !== "");
  const { http: port } = await scratch.ingressPorts("course");
  const site = (...args: string[]): string => curl("--resolve", `site.localhost:${port}:127.0.0.1`, ...args.slice(0, -1), `http://site.localhost:${port}${args.at(-1)}`);
  await scratch.until("both services are served", () => /A site on timonier/.test(site("/")) && site("/api/visits").startsWith("{"));
  const servers = new Set<string>();
  for (let visit = 1; visit <= 12; visit++) {
    const said = site("-X", "POST", "/api/visits");
    assert.match(said, /^\{/, `visit ${visit}`);
    const answer = JSON.parse(said) as { visits: number; served_by: string };
    assert.equal(answer.visits, visit);
    servers.add(answer.served_by);
  }
  assert.equal(servers.size, 3);
});

test("what the database holds survives its pod", async () => {
  scratch.k("delete pod db-0");
  scratch.k("rollout status statefulset/db --timeout=120s");
  await scratch.until("its visits are there again", () => scratch.kubectl("exec", "db-0", "--", "psql", "-U", "postgres", "-tA", "site", "-c", "select count(*) from api_visit").out.trim() === "12");
});

test("only pods that a NetworkPolicy names reach the database, until it is lifted", async () => {
  scratch.k(`run stranger --image=${image("postgres:15")} --labels=app=stranger --command -- sleep 3600`);
  scratch.k(`run friend --image=${image("postgres:15")} --labels=app=api --command -- sleep 3600`);
  for (const pod of ["stranger", "friend"]) scratch.k(`wait --for=condition=Ready pod/${pod} --timeout=120s`);
  const reaches = (pod: string): boolean => scratch.kubectl("exec", pod, "--", "pg_isready", "-h", "db", "-t", "2").code === 0;
  await scratch.until("the stranger reaches the database without a policy", () => reaches("stranger"));
  apply({
    apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "db" },
    spec: { podSelector: { matchLabels: { app: "db" } }, policyTypes: ["Ingress"], ingress: [{ from: [{ podSelector: { matchExpressions: [{ key: "app", operator: "In", values: ["front", "api"] }] } }], ports: [{ port: 5432 }] }] },
  });
  await scratch.until("the stranger is kept out", () => !reaches("stranger"));
  await scratch.until("the friend is not", () => reaches("friend"));
  scratch.k("delete networkpolicy db");
  await scratch.until("the stranger reaches the database again", () => reaches("stranger"));
});
