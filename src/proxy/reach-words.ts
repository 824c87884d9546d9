/** Words for `reach.ts`: why a service leads nowhere, which policies are in the way, and what would help. */
import { selectorFromSet } from "../base/selector.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { Service } from "../kinds/core/service.ts";
import type { Direction, End, Judgement } from "./policy-match.ts";
import type { ReachWorld, Step } from "./reach.ts";
import type { ServicePort } from "./services.ts";

/** `Running, not ready`, `Pending (ContainerCreating)`, `Running`. */
export function stateOf({ metadata, status }: Pod): string {
  if (metadata.deletionTimestamp !== undefined) return "Terminating";
  const waiting = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])].map(({ state }) => state?.waiting?.reason).find(Boolean);
  const condition = status.conditions?.find(({ type }) => type === (status.phase === "Pending" ? "PodScheduled" : "Ready"));
  const why = waiting ?? (condition?.status === "False" ? condition.reason : undefined);
  const ready = status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;
  return `${status.phase ?? "Unknown"}${status.phase === "Running" && !ready ? ", not ready" : ""}${why === undefined ? "" : ` (${why})`}`;
}

/** Why no endpoint of a service can be used. */
export function emptyService(service: Service, port: ServicePort | undefined, world: ReachWorld): { readonly detail: string; readonly change?: string } {
  const { name = "", namespace = "" } = service.metadata;
  const { selector } = service.spec;
  const slices = world.slices.filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.["kubernetes.io/service-name"] === name);
  const listed = slices.flatMap(({ endpoints }) => endpoints ?? []);
  const shown = `Service ${namespace}/${name}`;
  if (selector === undefined || Object.keys(selector).length === 0)
    return { detail: `${shown} has no selector, and ${listed.length === 0 ? "nobody has listed endpoints for it" : "none of the endpoints listed for it is ready"}`, change: `kubectl set selector service ${name} -n ${namespace} 'app=…', or make an EndpointSlice with the label kubernetes.io/service-name=${name}` };
  const text = Object.entries(selector).map(([label, value]) => `${label}=${value}`).join(",");
  const there = world.pods.filter(pod => pod.metadata.namespace === namespace);
  const pods = there.filter(pod => selectorFromSet(selector).matches(pod.metadata.labels ?? {}));
  if (pods.length === 0) {
    const partly = there.find(({ metadata }) => Object.keys(selector).some(label => metadata.labels?.[label] !== undefined));
    const hint = partly === undefined ? "" : `; Pod ${partly.metadata.name}, for instance, has ${Object.entries(partly.metadata.labels ?? {}).map(([label, value]) => `${label}=${value}`).join(",")}`;
    return { detail: `no pod in namespace ${namespace} has the labels of ${shown}'s selector ${text}${hint}`, change: `kubectl set selector service ${name} -n ${namespace} '…', or label the pods: kubectl get pods -n ${namespace} --show-labels` };
  }
  const ready = pods.filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true);
  if (ready.length === 0)
    return { detail: `none of the ${pods.length} pods that ${shown} selects (${text}) is ready: ${pods.slice(0, 3).map(pod => `${pod.metadata.name} is ${stateOf(pod)}`).join(", ")}`, change: `kubectl describe pod ${pods[0]!.metadata.name} -n ${namespace}` };
  const wanted = service.spec.ports?.find(each => port === undefined || (each.port === port.port && (each.protocol ?? "TCP").toLowerCase() === port.protocol))?.targetPort;
  if (typeof wanted === "string") {
    const names = [...new Set(ready.flatMap(({ spec }) => spec.containers.flatMap(({ ports = [] }) => ports.flatMap(each => each.name ?? []))))];
    if (!names.includes(wanted)) return { detail: `${shown} sends to the port named "${wanted}", which none of its pods has: they have ${names.join(", ") || "no named ports"}`, change: `kubectl edit service ${name} -n ${namespace}: set targetPort to a number or to one of those names` };
  }
  return { detail: `${ready.length} ready pods are selected by ${shown}, but no EndpointSlice lists them for this port and address family yet`, change: `kubectl get endpointslices -n ${namespace} -l kubernetes.io/service-name=${name}` };
}

/** Which policies are in the way, rule by rule, and a policy that would open the way. */
export function blockedBy(direction: Direction, { policies }: Judgement, client: End, server: End, protocol: string, port: number, what: string, step: Step["step"] = "Policy"): Step {
  const judged = direction === "ingress" ? server : client;
  const other = direction === "ingress" ? client : server;
  const told = policies.map(({ policy, rules }) => {
    const own = rules.length === 0 ? `it has no ${direction} rules` : rules.map(({ peers, ports }, i) => `rule ${i + 1} is for other ${!peers && !ports ? "peers and ports" : peers ? "ports" : "peers"}`).join(", ");
    return `NetworkPolicy ${policy.metadata.namespace}/${policy.metadata.name} isolates Pod ${judged.pod?.namespace}/${judged.pod?.name} for ${direction}: ${own}`;
  });
  return { step, result: "blocked", detail: `${what}: ${told.join("; ")}`, change: `kubectl apply -f - <<< '${JSON.stringify(opening(direction, judged, other, protocol, port))}'` };
}

/** Policies add up: one more, as narrow as it can be, lets this connection through. */
function opening(direction: Direction, judged: End, other: End, protocol: string, port: number): object {
  const pod = other.pod;
  const peer = pod === undefined ? { ipBlock: { cidr: `${other.ip}/${other.ip.includes(":") ? 128 : 32}` } } : {
    ...(pod.namespace === judged.pod?.namespace ? {} : { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": pod.namespace } } }),
    podSelector: Object.keys(pod.labels).length === 0 ? {} : { matchLabels: pod.labels },
  };
  const rule = { [direction === "ingress" ? "from" : "to"]: [peer], ports: [{ port, protocol }] };
  return {
    apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: `allow-${direction}-${port}`, namespace: judged.pod?.namespace },
    spec: { podSelector: Object.keys(judged.pod?.labels ?? {}).length === 0 ? {} : { matchLabels: judged.pod?.labels }, policyTypes: [direction === "ingress" ? "Ingress" : "Egress"], [direction]: [rule] },
  };
}
