/** Defaults of pods and pod templates that one field alone cannot express (kubernetes pkg/apis/core/v1/defaults.go). All change a private copy. */
import { getOwn, setOwn } from "../../base/json.ts";
import { addQuantities, compareQuantities, formatQuantity, parseQuantity, quantityMilli, quantityOfMilli } from "../../base/quantity.ts";

type Writable<T> = T extends readonly (infer I)[] ? Writable<I>[] : T extends object ? { -readonly [K in keyof T]: Writable<T[K]> } : T;
type Spec = Writable<import("./podspec.ts").PodSpec>;
type Container = Spec["containers"][number];
type ResourceList = { [name: string]: string };

/** What holds for every pod spec, in templates too. */
export function defaultPodSpec(given: unknown): void {
  const spec = given as Spec;
  // Quirk: `serviceAccount` is the old name of `serviceAccountName`, read when the new one is absent and always written beside it.
  const account = spec.serviceAccountName ?? spec.serviceAccount;
  if (account !== undefined) [spec.serviceAccountName, spec.serviceAccount] = [account, account];
  for (const container of containersOf(spec)) {
    container.imagePullPolicy ??= pullPolicyOf(container.image ?? "");
    roundResources(container.resources);
  }
  for (const volume of spec.volumes ?? []) {
    if (Object.keys(volume).length === 1) volume.emptyDir = {};
    if (volume.image !== undefined) volume.image.pullPolicy ??= pullPolicyOf(volume.image.reference ?? "");
  }
}

/** Behind feature gates that are off in 1.36: what they gate is dropped, though who gave it has come to own it (kubernetes pkg/api/pod dropDisabledFields). */
export function dropGatedPodFields(given: unknown): void {
  const spec = given as Spec;
  if (spec.schedulingGroup !== undefined) delete spec.schedulingGroup;
  for (const container of containersOf(spec)) {
    if (container.lifecycle?.stopSignal === undefined) continue;
    delete container.lifecycle.stopSignal;
    if (Object.keys(container.lifecycle).length === 0) delete container.lifecycle;
  }
  for (const { projected } of spec.volumes ?? []) for (const source of projected?.sources ?? []) for (const name of ["clusterTrustBundle", "podCertificate"] as const) if (source[name] !== undefined) delete source[name];
}

/** What holds for pods but not for templates. */
export function defaultPod(given: unknown): void {
  const pod = given as { spec: Spec; status?: { podIP?: string; podIPs?: { ip: string }[] } };
  defaultPodSpec(pod.spec);
  // Quirk: podIP is the first of podIPs; each fills the other in, and the older name wins (conversion of PodStatus).
  const { podIP, podIPs = [] } = pod.status ?? {};
  if (podIP && podIPs[0]?.ip !== podIP) pod.status!.podIPs = [{ ip: podIP }];
  else if (!podIP && podIPs[0] !== undefined) pod.status!.podIP = podIPs[0].ip;
  if (pod.spec.terminationGracePeriodSeconds < 0) pod.spec.terminationGracePeriodSeconds = 1;
  pod.spec.enableServiceLinks ??= true;
  for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
    if (container.resources?.limits !== undefined) container.resources.requests = { ...container.resources.limits, ...container.resources.requests };
    if (pod.spec.hostNetwork === true) for (const port of container.ports ?? []) port.hostPort ??= port.containerPort;
  }
  if (Object.keys(pod.spec.resources?.limits ?? {}).length > 0) defaultPodRequests(pod.spec);
}

const containersOf = (spec: Spec): readonly Container[] => [...(spec.containers ?? []), ...(spec.initContainers ?? []), ...((spec.ephemeralContainers ?? []) as unknown as Container[])];

// [domain/]path[:tag][@digest] (github.com/distribution/reference).
const reference = /^(?![a-f0-9]{64}$)(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?\/)?[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@[A-Za-z][\w+.-]*:[a-fA-F0-9]{32,})?$/;

/** Always for images that may move: tagged `latest`, or with neither tag nor digest. */
export function pullPolicyOf(image: string): "Always" | "IfNotPresent" {
  if (image.length > 255 || !reference.test(image)) return "IfNotPresent";
  if (image.includes("@")) return /:latest@/.test(image) ? "Always" : "IfNotPresent";
  const name = image.slice(image.lastIndexOf("/") + 1);
  const tag = name.includes(":") ? name.slice(name.indexOf(":") + 1) : "latest";
  return tag === "latest" ? "Always" : "IfNotPresent";
}

/** Amounts finer than a thousandth are rounded up. */
function roundResources(resources: { limits?: ResourceList | undefined; requests?: ResourceList | undefined } | undefined): void {
  if (resources?.limits !== undefined) roundAmounts(resources.limits);
  if (resources?.requests !== undefined) roundAmounts(resources.requests);
}
function roundAmounts(list: ResourceList): void {
  for (const name in list) {
    const amount = list[name]!;
    if (!/[nu]$|\.\d{4}|e-/.test(amount)) continue;
    const quantity = parseQuantity(amount);
    list[name] = formatQuantity(quantityOfMilli(quantityMilli(quantity), quantity.format));
  }
}

/** Pod-level requests: what the containers ask for together, else the pod-level limit. */
function defaultPodRequests(spec: Spec): void {
  const resources = spec.resources!;
  const requests: ResourceList = { ...resources.requests };
  const asked = containerRequests(spec);
  const supported = (name: string): boolean => name === "cpu" || name === "memory" || name.startsWith("hugepages-");
  for (const [name, amount] of Object.entries(asked)) if (requests[name] === undefined && (name === "cpu" || name === "memory")) requests[name] = amount;
  for (const [name, amount] of Object.entries(resources.limits ?? {})) if (requests[name] === undefined && supported(name)) requests[name] = amount;
  if (Object.keys(requests).length > 0) resources.requests = requests;
}

type Asking = { readonly resources?: { readonly requests?: { readonly [name: string]: string } | undefined } | undefined; readonly restartPolicy?: string | undefined };
/** The most that the containers need at once: all that keep running, or an init container with the sidecars before it. */
export function containerRequests(spec: { readonly containers: readonly Asking[]; readonly initContainers?: readonly Asking[] | undefined }): ResourceList {
  const sum = (into: ResourceList, list: { readonly [name: string]: string } | undefined): ResourceList => {
    const result = { ...into };
    for (const [name, amount] of Object.entries(list ?? {})) {
      const sofar = getOwn(result, name);
      setOwn(result, name, sofar === undefined ? amount : formatQuantity(addQuantities(sofar, amount)));
    }
    return result;
  };
  const most = (into: ResourceList, list: ResourceList): ResourceList => {
    const result = { ...into };
    for (const [name, amount] of Object.entries(list)) {
      const sofar = getOwn(result, name);
      if (sofar === undefined || compareQuantities(amount, sofar) > 0) setOwn(result, name, amount);
    }
    return result;
  };
  let sidecars: ResourceList = {};
  let peak: ResourceList = {};
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === "Always") peak = most(peak, (sidecars = sum(sidecars, container.resources?.requests)));
    else peak = most(peak, sum(sidecars, container.resources?.requests));
  }
  return most(peak, spec.containers.reduce((total, container) => sum(total, container.resources?.requests), sidecars));
}
