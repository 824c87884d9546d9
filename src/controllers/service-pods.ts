/** Which pods are behind a service, and at which addresses and ports. */
import { sameJson } from "../base/json.ts";
import { msOf, timeOf } from "../base/time.ts";
import { byNamespace, keyOf, type Change } from "../client/informer.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { Service } from "../kinds/core/service.ts";
import type { Context } from "./controller.ts";
import { isPodFinished, isPodReady, podCondition } from "./pods.ts";

type ServicePort = NonNullable<Service["spec"]["ports"]>[number];
export const headlessLabel = "service.kubernetes.io/headless";
export const triggerAnnotation = "endpoints.kubernetes.io/last-change-trigger-time";

/** True for a service whose endpoints are made from pods. */
export function selectsPods({ spec }: Service): boolean {
  return spec.selector !== undefined && Object.keys(spec.selector).length > 0 && spec.type !== "ExternalName";
}
function isSelected({ spec: { selector } }: Service, labels: { readonly [name: string]: string } | undefined): boolean {
  if (selector === undefined) return false;
  let some = false;
  for (const name of Object.keys(selector)) {
    if (labels?.[name] !== selector[name]) return false;
    some = true;
  }
  return some;
}
export function podsOf(service: Service, pods: readonly Pod[]): readonly Pod[] {
  return pods.filter(pod => isSelected(service, pod.metadata.labels));
}

/** The services whose endpoints a pod's change touches; none if nothing of it shows in endpoints. */
export function servicesOfPod(pod: Pod, context: Context, { type, previous }: Change<Pod>): Iterable<string> {
  if (type === "updated" && previous !== undefined && !showsInEndpoints(previous, pod)) return [];
  return context.read(Service).by(byNamespace, pod.metadata.namespace ?? "")
    .filter(service => isSelected(service, pod.metadata.labels) || (previous !== undefined && isSelected(service, previous.metadata.labels))).map(keyOf);
}
function showsInEndpoints(a: Pod, b: Pod): boolean {
  return a.metadata.deletionTimestamp !== b.metadata.deletionTimestamp || isPodReady(a) !== isPodReady(b) || isPodFinished(a) !== isPodFinished(b)
    || a.spec.nodeName !== b.spec.nodeName || !sameJson(a.status.podIPs ?? [], b.status.podIPs ?? []) || !sameJson(a.metadata.labels ?? {}, b.metadata.labels ?? {});
}

export function hasAddress(pod: Pod, includeTerminating: boolean): boolean {
  return !isPodFinished(pod) && (pod.status.podIP !== undefined || (pod.status.podIPs ?? []).length > 0) && (includeTerminating || pod.metadata.deletionTimestamp === undefined);
}
export function addressesOf(pod: Pod, family: "IPv4" | "IPv6"): readonly string[] {
  const ips = pod.status.podIPs?.map(({ ip }) => ip) ?? (pod.status.podIP === undefined ? [] : [pod.status.podIP]);
  return ips.filter(ip => ip.includes(":") === (family === "IPv6"));
}
/** The families in which a service has endpoints. */
export function familiesOf({ spec }: Service): readonly ("IPv4" | "IPv6")[] {
  const families = (spec.ipFamilies ?? []).filter((family): family is "IPv4" | "IPv6" => family === "IPv4" || family === "IPv6");
  if (families.length > 0) return families;
  if (isHeadless(spec)) return ["IPv4", "IPv6"];
  return [spec.clusterIP?.includes(":") === true ? "IPv6" : "IPv4"];
}
export function isHeadless({ clusterIP }: Service["spec"]): boolean {
  return clusterIP === undefined || clusterIP === "" || clusterIP === "None";
}

export type TargetPort = { readonly name: string; readonly port: number; readonly protocol: "TCP" | "UDP" | "SCTP"; readonly appProtocol?: string };
/** The service's ports on this pod; a named target that the pod does not have is left out. */
export function portsOf({ spec }: Service, pod: Pod): readonly TargetPort[] {
  return (spec.ports ?? []).flatMap(port => {
    const number = targetPort(port, pod);
    return number === undefined ? [] : [{ name: port.name ?? "", port: number, protocol: port.protocol ?? "TCP", ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }) }];
  });
}
function targetPort({ targetPort, port, protocol = "TCP" }: ServicePort, pod: Pod): number | undefined {
  if (targetPort === undefined || targetPort === 0 || targetPort === "") return port;
  if (typeof targetPort === "number") return targetPort;
  const sidecars = (pod.spec.initContainers ?? []).filter(container => container.restartPolicy === "Always");
  for (const { ports = [] } of [...pod.spec.containers, ...sidecars]) {
    const found = ports.find(candidate => candidate.name === targetPort && (candidate.protocol ?? "TCP") === protocol);
    if (found !== undefined) return found.containerPort;
  }
  return undefined;
}
export function hostnameOf(pod: Pod, service: Service): string | undefined {
  const { hostname, subdomain } = pod.spec;
  return hostname && subdomain === service.metadata.name ? hostname : undefined;
}
export function targetRef(pod: Pod): { readonly kind: "Pod"; readonly namespace: string; readonly name: string; readonly uid: string } {
  return { kind: "Pod", namespace: pod.metadata.namespace ?? "", name: pod.metadata.name, uid: pod.metadata.uid };
}

/** What made the change that is about to be written: the earliest event newer than the one written last. */
export function triggerTime(service: Service, pods: readonly Pod[], last: string | undefined): string | undefined {
  const since = msOf(last) ?? -Infinity;
  const times = [service.metadata.creationTimestamp, ...pods.map(pod => podCondition(pod, "Ready")?.lastTransitionTime)].map(time => msOf(time)).filter((time): time is number => time !== undefined && time > since);
  return times.length === 0 ? undefined : timeOf(Math.min(...times));
}
