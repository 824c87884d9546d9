import { ConfigMap } from "../../src/kinds/core/configmap.ts";
import { Event } from "../../src/kinds/core/event.ts";
import { Pod } from "../../src/kinds/core/pod.ts";
import type { ContainerRuntime } from "../../src/node/runtime.ts";
import { annotation, label } from "../../src/node/runtime.ts";
import type { SimulatedRuntime } from "../../src/node/simulated.ts";
import { runAgent } from "../node-world.ts";
import { Cluster } from "./cluster.ts";
import { calm, rough } from "./faulty-client.ts";
import { property } from "./property.ts";

const shapes = [
  { restartPolicy: "Always", containers: [{ name: "a", image: "x" }, { name: "b", image: "x" }] },
  { restartPolicy: "Always", initContainers: [{ name: "i", image: "x", command: ["sleep", "1"] }, { name: "s", image: "x", restartPolicy: "Always" }], containers: [{ name: "a", image: "x" }] },
  { restartPolicy: "Never", containers: [{ name: "a", image: "x", command: ["sleep", "3"] }] },
  { restartPolicy: "OnFailure", containers: [{ name: "a", image: "x", command: ["sh", "-c", "exit 0"] }] },
  { restartPolicy: "Always", containers: [{ name: "a", image: "x", volumeMounts: [{ name: "v", mountPath: "/v" }] }], volumes: [{ name: "v", configMap: { name: "late" } }] },
] as const;

property("an agent that dies at any line finds its pods again, restarts nothing that is well, and leaves nothing behind: a pod goes from the API after its containers", 12, async (seed, mutant) => {
  const cluster = new Cluster(seed, { faults: rough, crashEveryMs: 1_500, serverCrashEveryMs: 9_000 });
  const { random } = cluster;
  await cluster.start();
  const starts = new Map<string, number>();
  const watched = (runtime: SimulatedRuntime): ContainerRuntime => {
    let forgets = mutant === "amnesia" && random.chance(0.2);
    return new Proxy(runtime, {
      get: (object, name) => {
        if (name === "startContainer")
          return async (id: string): Promise<void> => {
            const found = (await object.list()).containers.find(container => container.id === id);
            const state = (await object.podState(found?.podUID ?? "")).containers.find(container => container.id === id);
            const key = `${state?.labels[label.podName]}/${state?.name}`;
            const others = (await object.podState(found?.podUID ?? "")).containers.filter(each => each.name === state?.name && each.id !== id && each.state === "running");
            if (others.length > 0) cluster.violate(`two containers ${key} run at once`);
            // Refused when a newer agent has replaced it: then it has not run.
            await object.startContainer(id);
            cluster.trace(`runtime  started ${key}`);
            starts.set(key, (starts.get(key) ?? 0) + 1);
          };
        if (name === "podState" && forgets)
          return async (uid: string) => {
            const { sandboxes, containers } = await object.podState(uid);
            if (containers.length > 0) forgets = false;
            return { sandboxes, containers: containers.map(container => ({ ...container, annotations: { ...container.annotations, [annotation.hash]: "forgotten" } })) };
          };
        if (mutant === "haste" && /^(stop|remove)(Container|Sandbox)$/.test(String(name))) return async (): Promise<void> => undefined;
        const member: unknown = Reflect.get(object, name);
        return typeof member === "function" ? member.bind(object) as unknown : member;
      },
    });
  };
  const { runtime } = runAgent(cluster, "n1", 100, watched);
  const pods = Array.from({ length: 10 }, (_, index) => ({ name: `p${index}`, shape: shapes[index % shapes.length]! }));
  for (const { name, shape } of pods) {
    await cluster.run(cluster.admin.create(Pod, { metadata: { name, namespace: "default", annotations: { "timonier.dev/sim.start-ms": String(random.pick([20, 1_000])) } }, spec: { nodeName: "n1", terminationGracePeriodSeconds: 1, ...shape } } as never));
    await cluster.clock.pass(random.next() * 800);
  }
  await cluster.run(cluster.admin.create(ConfigMap, { metadata: { name: "late", namespace: "default" }, data: { a: "b" } }));
  const phase = (name: string): string | undefined => cluster.all(Pod).find(({ metadata }) => metadata.name === name)?.status.phase;
  const settled = ({ name, shape }: (typeof pods)[number]): boolean => phase(name) === (shape.restartPolicy === "Always" ? "Running" : "Succeeded");
  await cluster.until(() => pods.every(settled), 600_000, "every pod is as it should be");
  await cluster.clock.pass(20_000);

  // Whatever crashed and however often: each container that never ends has been started once; one that ended well, once.
  for (const { name, shape } of pods)
    for (const container of shape.containers) {
      const count = starts.get(`${name}/${container.name}`);
      if (count !== 1) cluster.violate(`container ${name}/${container.name} was started ${count ?? 0} times`);
    }
  // A start that was under way when its agent died is waited for, not held against the pod (which cost ten seconds).
  for (const { message, involvedObject } of cluster.all(Event)) if (message?.includes("starting state") === true) cluster.violate(`pod ${involvedObject.name} was told: ${message}`);
  await cluster.until(() => true, 1, "no violation");

  const forced = new Set<string>();
  cluster.onChange((type, object) => {
    if (type === "delete" && object.kind === "Pod" && !forced.has(object.metadata.name))
      void runtime.podState(object.metadata.uid!).then(({ containers }) => { if (containers.some(({ state }) => state === "running")) cluster.violate(`pod ${object.metadata.name} is gone from the API while its containers run`); });
  });
  for (const { name } of pods) if (random.chance(0.7)) {
    const force = random.chance(0.3);
    if (force) forced.add(name);
    await cluster.run(cluster.admin.delete(Pod, "default", name, force ? { gracePeriodSeconds: 0 } : {}).catch(() => undefined));
  }
  cluster.faults = calm;
  let left: readonly string[] = ["unknown"];
  const look = async (): Promise<void> => {
    const kept = new Set(cluster.all(Pod).map(({ metadata }) => metadata.uid));
    left = [...new Set((await runtime.list()).sandboxes.map(({ podUID }) => podUID))].filter(uid => !kept.has(uid));
    cluster.clock.after(500, () => void look());
  };
  void look();
  await cluster.until(() => cluster.all(Pod).every(({ metadata }) => metadata.deletionTimestamp === undefined) && left.length === 0, 600_000, "what was deleted is gone from API and node");
  await cluster.stop();
}, ["amnesia", "haste"]);
