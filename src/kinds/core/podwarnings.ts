/** Advice on pods and templates that are accepted all the same (kubernetes pkg/api/pod/warnings.go). */
import { quantityMilli } from "../../base/quantity.ts";
import { dnsLabel, labelValue } from "../../schema/grammar.ts";
import type { Container, ContainerPort } from "./container.ts";
import type { PodSpec } from "./podspec.ts";
import type { Volume } from "./volume.ts";

type Made = { readonly metadata: { readonly annotations?: { readonly [key: string]: string } | undefined }; readonly spec: PodSpec };
const oldLabels = new Map([
  ["beta.kubernetes.io/arch", 'deprecated since v1.14; use "kubernetes.io/arch" instead'], ["beta.kubernetes.io/os", 'deprecated since v1.14; use "kubernetes.io/os" instead'],
  ["failure-domain.beta.kubernetes.io/region", 'deprecated since v1.17; use "topology.kubernetes.io/region" instead'], ["failure-domain.beta.kubernetes.io/zone", 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'],
  ["beta.kubernetes.io/instance-type", 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'], ["app.kubernetes.io/created-by", "deprecated since v1.9"],
  ["scheduler.alpha.kubernetes.io/preferAvoidPods", "deprecated since v1.22; use Taints and Tolerations instead"], ["node-role.kubernetes.io/master", 'use "node-role.kubernetes.io/control-plane" instead'],
]);
const oldAnnotations = new Map([
  ["scheduler.alpha.kubernetes.io/critical-pod", 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ["security.alpha.kubernetes.io/sysctls", 'non-functional in v1.11+; use the "sysctls" field instead'], ["security.alpha.kubernetes.io/unsafe-sysctls", 'non-functional in v1.11+; use the "sysctls" field instead'],
]);
const oldVolumes: readonly (readonly [keyof Volume, string, string])[] = [
  ["photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"], ["gitRepo", "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"], ["scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"], ["storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"], ["quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"],
  ["glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"], ["cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"], ["rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"],
];

/** `path` is where the template stands; empty for a pod. */
export function* podWarnings({ metadata, spec }: Made, path: string): Iterable<string> {
  const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
  yield* placementWarnings(spec, at("spec"));
  for (const key of Object.keys(metadata.annotations ?? {})) if (oldAnnotations.has(key)) yield `${at("metadata.annotations")}[${key}]: ${oldAnnotations.get(key)!}`;
  for (const [i, volume] of (spec.volumes ?? []).entries()) {
    for (const [name, shown, text] of oldVolumes) if (volume[name] !== undefined) yield `${at("spec.volumes")}[${i}].${shown}: ${text}`;
    const claim = volume.ephemeral?.volumeClaimTemplate?.spec.resources;
    if (claim !== undefined) yield* fractions(claim, `${at("spec.volumes")}[${i}].ephemeral.volumeClaimTemplate.spec.resources`, ["storage"]);
    yield* overlapWarnings(volume);
  }
  yield* repeated((spec.hostAliases ?? []).map(({ ip }) => ip), (i, ip) => `${at("spec.hostAliases")}[${i}].ip: duplicate ip ${JSON.stringify(ip)}`);
  const secrets = (spec.imagePullSecrets ?? []).map(({ name = "" }) => name);
  yield* repeated(secrets, (i, name) => `${at("spec.imagePullSecrets")}[${i}].name: duplicate name ${JSON.stringify(name)}`);
  for (const [i, name] of secrets.entries()) if (name === "") yield `${at("spec.imagePullSecrets")}[${i}].name: invalid empty name ""`;
  const containers = ([["initContainers", spec.initContainers ?? []], ["containers", spec.containers], ["ephemeralContainers", (spec.ephemeralContainers ?? []) as unknown as readonly Container[]]] as const)
    .flatMap(([list, all]) => all.map((container, i) => ({ container, path: `${at(`spec.${list}`)}[${i}]` })));
  for (const { container, path: here } of containers) {
    yield* fractions(container.resources, `${here}.resources`, ["memory", "ephemeral-storage"]);
    yield* hiddenVariables(container, here);
  }
  yield* portWarnings(containers);
  if (spec.terminationGracePeriodSeconds < 0) yield `${at("spec.terminationGracePeriodSeconds")}: must be >= 0; negative values are invalid and will be treated as 1`;
  yield* selectorless(spec, at("spec.affinity"));
}
/** On creates, and on changes of the template. */
export function templateWarnings(path: string, templateOf: (object: any) => Made): (next: any, previous: any | undefined) => Iterable<string> {
  return (next, previous) => (previous !== undefined && next.metadata.generation === previous.metadata.generation ? [] : podWarnings(templateOf(next), path));
}
/** Names that pods are called after should fit into a host name. */
export function* nameWarnings(name: string): Iterable<string> {
  const details = dnsLabel(name);
  if (details.length > 0) yield `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${details.join(" ")}]`;
}

function* repeated(texts: readonly string[], text: (index: number, value: string) => string): Iterable<string> {
  for (const [i, value] of texts.entries()) if (texts.indexOf(value) < i) yield text(i, value);
}

function* placementWarnings(spec: PodSpec, path: string): Iterable<string> {
  if (spec.nodeSelector === undefined && spec.affinity === undefined && spec.topologySpreadConstraints === undefined) return;
  for (const key of Object.keys(spec.nodeSelector ?? {})) if (oldLabels.has(key)) yield `${path}.nodeSelector[${key}]: ${oldLabels.get(key)!}`;
  const { requiredDuringSchedulingIgnoredDuringExecution: demanded, preferredDuringSchedulingIgnoredDuringExecution: preferred = [] } = spec.affinity?.nodeAffinity ?? {};
  const terms = [
    ...(demanded?.nodeSelectorTerms ?? []).map((term, i) => ({ term, checked: false, path: `${path}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}]` })),
    ...preferred.map(({ preference }, i) => ({ term: preference, checked: true, path: `${path}.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference` })),
  ];
  for (const { term, checked, path: here } of terms) {
    for (const [i, { key, values = [] }] of (term.matchExpressions ?? []).entries()) {
      if (oldLabels.has(key)) yield `${here}.matchExpressions[${i}].key: ${key} is ${oldLabels.get(key)!}`;
      if (checked) for (const [j, value] of values.entries()) for (const detail of labelValue(value)) yield `${here}.matchExpressions[${i}].values[${j}]: ${value} is invalid, ${detail}`;
    }
  }
  for (const [i, { topologyKey, labelSelector }] of (spec.topologySpreadConstraints ?? []).entries()) {
    if (oldLabels.has(topologyKey)) yield `${path}.topologySpreadConstraints[${i}].topologyKey: ${topologyKey} is ${oldLabels.get(topologyKey)!}`;
    if (labelSelector === undefined) yield `${path}.topologySpreadConstraints[${i}].labelSelector: a null labelSelector results in matching no pod`;
  }
}
function* selectorless({ affinity }: PodSpec, path: string): Iterable<string> {
  if (affinity === undefined) return;
  for (const side of ["podAffinity", "podAntiAffinity"] as const) {
    const { requiredDuringSchedulingIgnoredDuringExecution: demanded = [], preferredDuringSchedulingIgnoredDuringExecution: preferred = [] } = affinity[side] ?? {};
    for (const [i, { labelSelector }] of demanded.entries()) if (labelSelector === undefined) yield `${path}.${side}.requiredDuringSchedulingIgnoredDuringExecution[${i}].labelSelector: a null labelSelector results in matching no pod`;
    for (const [i, { podAffinityTerm }] of preferred.entries()) if (podAffinityTerm.labelSelector === undefined) yield `${path}.${side}.preferredDuringSchedulingIgnoredDuringExecution[${i}].podAffinityTerm.labelSelector: a null labelSelector results in matching no pod`;
  }
}

type Amounts = { readonly limits?: { readonly [name: string]: string } | undefined; readonly requests?: { readonly [name: string]: string } | undefined };
/** Parts of bytes. */
export function* fractions(amounts: Amounts, path: string, names: readonly string[]): Iterable<string> {
  if (amounts.limits === undefined && amounts.requests === undefined) return;
  for (const list of ["limits", "requests"] as const) {
    for (const name of names) {
      const amount = amounts[list]?.[name];
      if (amount !== undefined && quantityMilli(amount) % 1000 !== 0) yield `${path}.${list}[${name}]: fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`;
    }
  }
}
function* hiddenVariables({ env = [] }: Container, path: string): Iterable<string> {
  if (env.length < 2) return;
  const seen = new Set<string>();
  for (let i = 0; i < env.length; i++) {
    const { name, value = "", valueFrom } = env[i]!;
    if (!seen.has(name)) {
      seen.add(name);
      continue;
    }
    const reference = `$(${name})`;
    if (valueFrom !== undefined || value === reference || !value.includes(reference)) yield `${path}.env[${i}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`;
  }
}

type Placed = { readonly port: ContainerPort; readonly path: string };
function* portWarnings(containers: readonly { readonly container: Container; readonly path: string }[]): Iterable<string> {
  const ports: readonly Placed[] = containers.flatMap(({ container, path }) => (container.ports ?? []).map((port, i) => ({ port, path: `${path}.ports[${i}]` })));
  if (ports.length === 0) return;
  const seen = new Map<string, Placed[]>();
  for (const here of ports) {
    const { port, path } = here;
    const { hostIP = "", hostPort = 0, containerPort, protocol, name = "" } = port;
    if (hostIP !== "" && hostPort === 0) yield `${path}: hostIP set without hostPort: {Name:${name} HostPort:0 ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;
    const key = `${containerPort}/${protocol}`;
    const others = seen.get(key) ?? [];
    for (const other of others) yield* clash(port, path, other);
    seen.set(key, [...others, here]);
  }
  const names = new Map<string, string>();
  for (const { port: { name = "" }, path } of ports) {
    if (name === "") continue;
    const first = names.get(name);
    if (first === undefined) names.set(name, path);
    else yield `${path}: duplicate port name ${JSON.stringify(name)} with ${first}, services and probes that select ports by name will use ${first}`;
  }
}
function* clash({ hostIP = "", hostPort = 0 }: ContainerPort, path: string, other: Placed): Iterable<string> {
  const { hostIP: otherIP = "", hostPort: otherPort = 0 } = other.port;
  if (hostIP === otherIP && hostPort === otherPort) yield `${path}: duplicate port definition with ${other.path}`;
  else if (hostPort === 0 || otherPort === 0) yield `${path}: overlapping port definition with ${other.path}`;
  else if (hostPort === otherPort && (hostIP === "") !== (otherIP === "")) yield `${path}: dangerously ambiguous port definition with ${other.path}`;
}

type File = { readonly path: string; readonly source: string };
/** Files of one volume that would lie in or over each other. */
function* overlapWarnings(volume: Volume): Iterable<string> {
  if (volume.configMap?.items === undefined && volume.secret?.items === undefined && volume.downwardAPI?.items === undefined && volume.projected === undefined) return;
  const files = (items: readonly { readonly path: string }[] | undefined, source = ""): readonly File[] => (items ?? []).map(({ path }) => ({ path, source }));
  const told = (what: string, all: readonly File[]): readonly string[] => overlaps(all).map(text => `volume ${JSON.stringify(volume.name)} (${what}): overlapping paths: ${text}`);
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) yield* told(`ConfigMap ${JSON.stringify(configMap.name ?? "")}`, files(configMap.items));
  if (secret !== undefined) yield* told(`Secret ${JSON.stringify(secret.secretName ?? "")}`, files(secret.items));
  if (downwardAPI !== undefined) yield* told("DownwardAPI", files(downwardAPI.items));
  if (projected === undefined) return;
  for (const source of projected.sources) if (Object.values(source).every(each => each === undefined)) yield `volume ${JSON.stringify(volume.name)} (Projected) has no sources provided`;
  yield* told("Projected", projected.sources.flatMap(source => {
    if (source.configMap?.items !== undefined) return files(source.configMap.items, `ConfigMap ${JSON.stringify(source.configMap.name ?? "")}`);
    if (source.secret?.items !== undefined) return files(source.secret.items, `Secret ${JSON.stringify(source.secret.name ?? "")}`);
    if (source.downwardAPI?.items !== undefined) return files(source.downwardAPI.items, "DownwardAPI");
    return source.serviceAccountToken === undefined ? [] : [{ path: source.serviceAccountToken.path, source: "ServiceAccountToken" }];
  }));
}
function overlaps(files: readonly File[]): readonly string[] {
  if (files.length < 2) return [];
  const bare = files.map(({ path, source }) => ({ path: withoutSlashes(path), source }));
  const shown = ({ path, source }: File): string => (source === "" ? JSON.stringify(path) : `${JSON.stringify(path)} (${source})`);
  return bare.flatMap((file, i) => (file.path === "" ? [] : bare.slice(0, i).filter(({ path }) => path !== "" && (path === file.path || path.startsWith(`${file.path}/`) || file.path.startsWith(`${path}/`))).map(other => `${shown(file)} with ${shown(other)}`)));
}

/** A regular expression would take quadratic time for a path of slashes. */
function withoutSlashes(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === "/") end--;
  return path.slice(0, end);
}
