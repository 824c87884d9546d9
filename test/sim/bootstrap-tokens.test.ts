import { ConfigMap } from "../../src/kinds/core/configmap.ts";
import { Secret } from "../../src/kinds/core/secret.ts";
import { Cluster } from "./cluster.ts";
import { calm, rough } from "./faulty-client.ts";
import { property } from "./property.ts";

const encoded = (fields: { readonly [name: string]: string }): { readonly [name: string]: string } => Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, Buffer.from(value).toString("base64")]));

property("tokens go when they expire and not before, and cluster-info comes to be signed by those that are left", 5, async (seed, mutant) => {
  const first = new Map<string, string>();
  // The mutant signs what was there to be signed at first.
  const sign = (content: string, id: string, secret: string): string => {
    if (!first.has(id)) first.set(id, content);
    return `${id} ${secret} ${mutant === "old-content" ? first.get(id) : content}`;
  };
  const cluster = new Cluster(seed, { settings: { signWithToken: sign }, faults: rough, crashEveryMs: 3_000, serverCrashEveryMs: 9_000, rbac: true });
  const { random, clock } = cluster;
  await cluster.start();
  const text = ({ data }: Secret, name: string): string => Buffer.from(data?.[name] ?? "", "base64").toString();
  /** By name, as stored last. */
  const expires = new Map<string, string>();
  cluster.onChange((type, object) => {
    if (object.kind !== "Secret") return;
    const { name } = object.metadata;
    if (type === "put") expires.set(name, text(object as Secret, "expiration"));
    else if (!(Date.parse(expires.get(name) ?? "") <= clock.now())) cluster.violate(`${name} is gone before its time`);
  });
  cluster.runControllers(["token-cleaner", "bootstrap-signer"]);
  // The server may be down: then nothing is changed this time.
  const attempt = (change: () => Promise<unknown>): Promise<void> => cluster.run((async () => void (await change()))().catch(() => undefined));
  for (let i = 0; i < 30; i++) {
    const id = `token${random.between(0, 5)}`, name = `bootstrap-token-${id}`, at = clock.now() + random.between(500, 8_000);
    const fields = { "token-id": id, "token-secret": `s${i}`, "usage-bootstrap-signing": "true", ...(random.chance(0.3) ? {} : { expiration: new Date(at).toISOString() }) };
    const exists = cluster.all(Secret).some(({ metadata }) => metadata.name === name);
    await attempt(() => exists ? cluster.admin.patch(Secret, "kube-system", name, { type: "merge", body: { data: { expiration: null, ...encoded(fields) } } as never }) : cluster.admin.create(Secret, { metadata: { name, namespace: "kube-system" }, type: "bootstrap.kubernetes.io/token", data: encoded(fields) } as never));
    const map = { metadata: { name: "cluster-info", namespace: "kube-public" }, data: { kubeconfig: `version ${i}` } };
    if (random.chance(0.5)) await attempt(() => cluster.all(ConfigMap).some(({ metadata }) => metadata.name === "cluster-info") ? cluster.admin.patch(ConfigMap, "kube-public", "cluster-info", { type: "merge", body: { data: map.data } as never }) : cluster.admin.create(ConfigMap, map as never));
    await clock.pass(random.between(0, 400));
  }
  cluster.faults = calm;
  const tokens = (): readonly Secret[] => cluster.all(Secret).filter(({ type }) => type === "bootstrap.kubernetes.io/token");
  await cluster.until(() => tokens().every(secret => text(secret, "expiration") === ""), 60_000, "every token that expires is gone");
  await cluster.until(() => {
    const map = cluster.all(ConfigMap).find(({ metadata }) => metadata.name === "cluster-info");
    if (map === undefined) return true;
    const signatures = Object.entries(map.data ?? {}).filter(([key]) => key.startsWith("jws-kubeconfig-")).map(([, value]) => value).sort();
    return JSON.stringify(signatures) === JSON.stringify(tokens().map(secret => `${text(secret, "token-id")} ${text(secret, "token-secret")} ${map.data?.["kubeconfig"]}`).sort());
  }, 60_000, "cluster-info is signed by the tokens that are left");
  await cluster.stop();
}, ["old-content"]);
