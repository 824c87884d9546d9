/**
 * Nodes and pods in a few letters, for tests of scheduling.
 *
 *   node  name[:option,…]        cpu=4 mem=8Gi eph=1Gi pods=110 gpu=1 zone=1 cordoned taint=key/value/effect image=name/MiB, any other k=v is a label
 *   pod   name[@node][:option,…] cpu=1 mem=1Gi eph=1Gi gpu=1 init=2 sidecar=1 overhead=1 podcpu=1 prio=5 ns=x port=80/UDP/ip phase=Succeeded dying
 *                                select=k/v need=k/In/v|w named=node like=k/In/v/weight tol=key/operator/value near|avoid=topology/k/v[/ns label=value]
 *                                wish|shun=topology/k/v/weight spread|softspread=topology/maxSkew[/minDomains] siblings=k/v promised=node never, else a label
 */
import type { Random } from "../../src/base/random.ts";
import { selectorFromSet, everything } from "../../src/base/selector.ts";
import type { Node } from "../../src/kinds/core/node.ts";
import type { Pod } from "../../src/kinds/core/pod.ts";
import { Cluster } from "../../src/scheduler/cluster.ts";
import { PodInfo } from "../../src/scheduler/pod-info.ts";
import { type Volumes, volumeNeeds } from "../../src/scheduler/volume-needs.ts";

type Options = readonly (readonly [string, string])[];
type Tree = { [key: string]: unknown };

function parse(text: string): { readonly name: string; readonly node: string | undefined; readonly options: Options } {
  const [head = "", ...rest] = text.split(":");
  const [name = "", node] = head.split("@");
  const options = rest.join(":").split(",").filter(Boolean).map(option => { const at = option.indexOf("="); return at < 0 ? [option, ""] as const : [option.slice(0, at), option.slice(at + 1)] as const; });
  return { name, node, options };
}

function words(text: string): readonly string[] {
  return text.split(" ").filter(Boolean);
}

const topologies: { readonly [short: string]: string } = { host: "kubernetes.io/hostname", zone: "topology.kubernetes.io/zone" };

export function nodeOf(text: string): Node {
  const { name, options } = parse(text);
  const labels: { [key: string]: string } = { "kubernetes.io/hostname": name }, allocatable: { [key: string]: string } = { cpu: "100", memory: "100Gi", "ephemeral-storage": "100Gi", pods: "110" };
  const taints: Tree[] = [], images: Tree[] = [];
  let unschedulable = false;
  for (const [key, value] of options) {
    const parts = value.split("/");
    if (key === "cpu" || key === "pods") allocatable[key] = value;
    else if (key === "mem") allocatable["memory"] = value;
    else if (key === "eph") allocatable["ephemeral-storage"] = value;
    else if (key === "gpu") allocatable["example.com/gpu"] = value;
    else if (key === "zone") labels[topologies["zone"]!] = value;
    else if (key === "cordoned") unschedulable = true;
    else if (key === "taint") taints.push({ key: parts[0], value: parts[1], effect: parts[2] });
    else if (key === "image") images.push({ names: [`${parts[0]}:latest`], sizeBytes: Number(parts[1]) * 1024 * 1024 });
    else labels[key] = value;
  }
  return { apiVersion: "v1", kind: "Node", metadata: { name, uid: `node-${name}`, labels }, spec: { taints, ...(unschedulable ? { unschedulable } : {}) }, status: { allocatable, images } } as unknown as Node;
}

export function podObject(text: string): Pod {
  const { name, node, options } = parse(text);
  const labels: { [key: string]: string } = {}, requests: Tree = {}, ports: Tree[] = [], tolerations: Tree[] = [], spread: Tree[] = [], init: Tree[] = [];
  const terms: Tree[] = [], likes: Tree[] = [], near: Tree[] = [], avoid: Tree[] = [], wish: Tree[] = [], shun: Tree[] = [], names: Tree[] = [];
  const spec: Tree = {}, status: Tree = { phase: "Pending" }, metadata: Tree = { name, namespace: "default", uid: `uid-${name}`, labels };
  for (const [key, value] of options) {
    const [first = "", second = "", third = "", fourth] = value.split("/");
    const selector = { labelSelector: { matchLabels: { [second]: third } }, topologyKey: topologies[first] };
    switch (key) {
      case "cpu": requests["cpu"] = value; break;
      case "mem": requests["memory"] = value; break;
      case "eph": requests["ephemeral-storage"] = value; break;
      case "gpu": requests["example.com/gpu"] = value; break;
      case "init": init.push({ name: "init", resources: { requests: { cpu: value } } }); break;
      case "sidecar": init.push({ name: "sidecar", restartPolicy: "Always", resources: { requests: { cpu: value } } }); break;
      case "overhead": spec["overhead"] = { cpu: value }; break;
      case "podcpu": spec["resources"] = { requests: { cpu: value } }; break;
      case "prio": spec["priority"] = Number(value); break;
      case "never": spec["preemptionPolicy"] = "Never"; break;
      case "ns": metadata["namespace"] = value; break;
      case "port": ports.push({ containerPort: Number(first), hostPort: Number(first), protocol: second === "" ? "TCP" : second, ...(third === "" ? {} : { hostIP: third }) }); break;
      case "phase": status["phase"] = value; break;
      case "started": status["startTime"] = new Date(Number(value) * 1000).toISOString(); break;
      case "dying": metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"; break;
      case "gated": spec["schedulingGates"] = [{ name: "gate" }]; break;
      case "promised": status["nominatedNodeName"] = value; break;
      case "select": spec["nodeSelector"] = { [first]: second }; break;
      case "need": terms.push({ key: first, operator: second, ...(third === "" ? {} : { values: third.split("|") }) }); break;
      case "named": names.push({ key: "metadata.name", operator: "In", values: [value] }); break;
      case "like": likes.push({ weight: Number(fourth), preference: { matchExpressions: [{ key: first, operator: second, ...(third === "" ? {} : { values: [third] }) }] } }); break;
      case "tol": tolerations.push({ key: first, operator: second, ...(third === "" ? {} : { value: third }) }); break;
      case "near": case "avoid": (key === "near" ? near : avoid).push({ ...selector, ...(fourth === undefined ? {} : { namespaceSelector: { matchLabels: Object.fromEntries([fourth.split("=")]) } }) }); break;
      case "wish": case "shun": (key === "wish" ? wish : shun).push({ weight: Number(fourth), podAffinityTerm: selector }); break;
      case "spread": case "softspread": spread.push({ topologyKey: topologies[first], maxSkew: Number(second), whenUnsatisfiable: key === "spread" ? "DoNotSchedule" : "ScheduleAnyway", labelSelector: { matchLabels: { app: "web" } }, ...(third === "" ? {} : { minDomains: Number(third) }) }); break;
      case "siblings": metadata["annotations"] = { [first]: second }; break;
      default: labels[key] = value;
    }
  }
  return {
    apiVersion: "v1", kind: "Pod", metadata,
    spec: {
      schedulerName: "default-scheduler", ...spec, containers: [{ name: "c", image: "i", resources: { requests }, ports }], initContainers: init, tolerations,
      ...(node === undefined ? {} : { nodeName: node }), ...(spread.length > 0 ? { topologySpreadConstraints: spread } : {}),
      affinity: {
        ...(terms.length + names.length + likes.length === 0 ? {} : { nodeAffinity: {
          ...(terms.length + names.length === 0 ? {} : { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: terms, matchFields: names }] } }),
          ...(likes.length === 0 ? {} : { preferredDuringSchedulingIgnoredDuringExecution: likes }),
        } }),
        podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: near, preferredDuringSchedulingIgnoredDuringExecution: wish },
        podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: avoid, preferredDuringSchedulingIgnoredDuringExecution: shun },
      },
    },
    status,
  } as unknown as Pod;
}

export function podOf(text: string): PodInfo {
  return new PodInfo(podObject(text));
}

const noVolumes: Volumes = { claim: () => undefined, volume: () => undefined, waits: () => false };

/** Nodes, the pods on them, and pods that have no node yet. */
export function clusterOf(nodes: string, placed: string, waiting = "", budgets: readonly { readonly labels: { readonly [key: string]: string }; readonly allowed: number }[] = [], volumes: Volumes = noVolumes): { readonly cluster: Cluster; readonly pods: readonly PodInfo[] } {
  const cluster = new Cluster({
    namespaceLabels: namespace => (namespace === "other" ? { team: "red" } : {}),
    siblingsOf: ({ metadata }) => (metadata.annotations === undefined ? everything : selectorFromSet(metadata.annotations)),
    budgetsOf: namespace => (namespace === "default" ? budgets.map(({ labels, allowed }) => ({ selector: selectorFromSet(labels), allowed, disrupted: {} })) : []),
    volumesOf: pod => volumeNeeds(pod, volumes),
  });
  for (const node of words(nodes)) cluster.setNode(nodeOf(node));
  for (const pod of words(placed)) cluster.setPod(podObject(pod));
  return { cluster, pods: words(waiting).map(podOf) };
}

/** The same numbers every time. */
export function random(): Random {
  let state = 1;
  return { next: () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647, uuid: () => "00000000-0000-4000-8000-000000000000", bytes: length => new Uint8Array(length) };
}
