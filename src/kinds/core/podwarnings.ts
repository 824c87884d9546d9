/** Advice on pods and templates that are accepted all the same (kubernetes pkg/api/pod/warnings.go). */
import { quantityMilli } from "../../base/quantity.ts";
import { repeatsOf } from "../../base/repeats.ts";
import { dnsLabel, labelValue } from "../../schema/grammar.ts";
import { sameJson } from "../../base/json.ts";
import type { Container, ContainerPort } from "./container.ts";
import { ipWarnings } from "./iprules.ts";
import { isWithin, meetEarlier } from "./overlaps.ts";
import type { PodSpec } from "./podspec.ts";
import type { Volume } from "./volume.ts";

/** Warnings of one sort in one place: an answer shows twenty, and each takes looking at all the others. */
const alikeMax = 40;
type Made = { readonly metadata: { readonly annotations?: { readonly [key: string]: string } | undefined }; readonly spec: PodSpec };
export const oldLabels: ReadonlyMap<string, string> = new Map([
  ["beta.kubernetes.io/arch", 'deprecated since v1.14; use "kubernetes.io/arch" instead'], ["beta.kubernetes.io/os", 'deprecated since v1.14; use "kubernetes.io/os" instead'],
  ["failure-domain.beta.kubernetes.io/region", 'deprecated since v1.17; use "topology.kubernetes.io/region" instead'], ["failure-domain.beta.kubernetes.io/zone", 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'],
  ["beta.kubernetes.io/instance-type", 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'], ["app.kubernetes.io/created-by", "deprecated since v1.9"],
  ["scheduler.alpha.kubernetes.io/preferAvoidPods", "deprecated since v1.22; use Taints and Tolerations instead"], ["node-role.kubernetes.io/master", 'use "node-role.kubernetes.io/control-plane" instead'],
]);
const oldAnnotations = {
  "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
  "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead', "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
};
/** Of volumes and claims. */
export const oldClass = { "volume.beta.kubernetes.io/storage-class": 'deprecated since v1.8; use "storageClassName" attribute instead' };
export function* oldAnnotationsIn(annotations: { readonly [key: string]: string } | undefined, old: { readonly [key: string]: string }, path = "metadata.annotations"): Iterable<string> {
  if (annotations !== undefined) for (const key in old) if (Object.hasOwn(annotations, key)) yield `${path}[${key}]: ${old[key]!}`;
}
const oldVolumes: readonly (readonly [keyof Volume, string, string])[] = [
  ["photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"], ["gitRepo", "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"], ["scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"], ["storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"], ["quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"],
  ["glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"], ["cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"], ["rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"],
];

/** `path` is where the template stands; empty for a pod. Nearly every pod has nothing to be warned of: nothing is made for those but what is looked at. */
export function podWarnings({ metadata, spec }: Made, path: string): readonly string[] {
  const out: string[] = [];
  const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
  placementWarnings(spec, at("spec"), out);
  if (metadata.annotations !== undefined) out.push(...oldAnnotationsIn(metadata.annotations, oldAnnotations, at("metadata.annotations")));
  spec.volumes?.forEach((volume, i) => {
    for (let j = 0; j < oldVolumes.length; j++) {
      const [name, shown, text] = oldVolumes[j]!;
      if (volume[name] !== undefined) out.push(`${at("spec.volumes")}[${i}].${shown}: ${text}`);
    }
    const claim = volume.ephemeral?.volumeClaimTemplate?.spec.resources;
    if (claim !== undefined) addFractions(claim, () => `${at("spec.volumes")}[${i}].ephemeral.volumeClaimTemplate.spec.resources`, bytesOfClaims, requestsFirst, out);
  });
  spec.volumes?.forEach(volume => overlapWarnings(volume, out));
  if (spec.hostAliases !== undefined) for (const i of repeatsOf(spec.hostAliases, ({ ip }) => ip)) out.push(`${at("spec.hostAliases")}[${i}].ip: duplicate ip ${JSON.stringify(spec.hostAliases[i]!.ip)}`);
  if (spec.imagePullSecrets !== undefined) {
    const secrets = spec.imagePullSecrets.map(({ name = "" }) => name);
    for (const i of repeatsOf(secrets, name => name)) out.push(`${at("spec.imagePullSecrets")}[${i}].name: duplicate name ${JSON.stringify(secrets[i])}`);
    secrets.forEach((name, i) => { if (name === "") out.push(`${at("spec.imagePullSecrets")}[${i}].name: invalid empty name ""`); });
  }
  if (spec.overhead !== undefined) for (const name of bytesOfContainers) addFraction(spec.overhead, name, () => at("spec.overhead"), out);
  if (metadata.annotations?.[seccompPod] !== undefined && spec.securityContext?.seccompProfile === undefined) out.push(`${at("metadata.annotations")}[${seccompPod}]: ${oldSeccomp}`);
  const containers: Listed[] = [];
  for (let l = 0; l < lists.length; l++) {
    const list = lists[l]!;
    const all = spec[list] as readonly Container[] | undefined;
    if (all !== undefined) for (let i = 0; i < all.length; i++) containers.push({ container: all[i]!, path: () => `${at(`spec.${list}`)}[${i}]` });
  }
  for (const { container, path: here } of containers) {
    if (metadata.annotations !== undefined) profileWarnings(container, metadata.annotations, spec, path, out);
    addFractions(container.resources, () => `${here()}.resources`, bytesOfContainers, limitsFirst, out);
    hiddenVariables(container, here, out);
  }
  portWarnings(containers, out);
  if (spec.terminationGracePeriodSeconds < 0) out.push(`${at("spec.terminationGracePeriodSeconds")}: must be >= 0; negative values are invalid and will be treated as 1`);
  selectorless(spec, at("spec.affinity"), out);
  spec.dnsConfig?.nameservers?.forEach((server, i) => out.push(...ipWarnings(server, `${at("spec.dnsConfig.nameservers")}[${i}]`)));
  spec.hostAliases?.forEach(({ ip }, i) => out.push(...ipWarnings(ip, `${at("spec.hostAliases")}[${i}].ip`)));
  return out;
}
const appArmorPrefix = "container.apparmor.security.beta.kubernetes.io/", oldAppArmor = 'deprecated since v1.30; use the "appArmorProfile" field instead';
const seccompPod = "seccomp.security.alpha.kubernetes.io/pod", oldSeccomp = 'non-functional in v1.27+; use the "seccompProfile" field instead';
/** Annotations for one container that fields have replaced. */
function profileWarnings({ name, securityContext }: Container, annotations: { readonly [key: string]: string }, { securityContext: pod }: PodSpec, path: string, out: string[]): void {
  const seccomp = `container.seccomp.security.alpha.kubernetes.io/${name}`, appArmor = appArmorPrefix + name;
  const at = path === "" ? "metadata.annotations" : `${path}.metadata.annotations`;
  if (Object.hasOwn(annotations, seccomp) && securityContext?.seccompProfile === undefined) out.push(`${at}[${seccomp}]: ${oldSeccomp}`);
  if (path === "" || !Object.hasOwn(annotations, appArmor) || securityContext?.appArmorProfile !== undefined) return;
  if (pod?.appArmorProfile === undefined || !sameJson(pod.appArmorProfile, appArmorOf(annotations[appArmor]!))) out.push(`${at}[${appArmor}]: ${oldAppArmor}`);
}
/** Profiles in annotations, from before there were fields, become fields of a new pod (registry/core/pod strategy.go applyAppArmorVersionSkew). */
export function adoptAppArmor({ metadata, spec }: any, warn: ((text: string) => void) | undefined): void {
  for (const key in metadata.annotations) {
    if (!key.startsWith(appArmorPrefix) || spec.os?.name === "windows") continue;
    for (const list of lists) for (const container of spec[list] ?? []) {
      if (appArmorPrefix + container.name !== key || container.securityContext?.appArmorProfile !== undefined) continue;
      const profile = appArmorOf(metadata.annotations[key]);
      const valid = profile !== undefined && (profile.localhostProfile === undefined || (profile.localhostProfile.trim() === profile.localhostProfile && profile.localhostProfile.length <= 4095));
      const differs = valid && !sameJson(profile, spec.securityContext?.appArmorProfile);
      if (differs) container.securityContext = { ...container.securityContext, appArmorProfile: profile };
      if (differs || !valid) warn?.(`metadata.annotations[${key}]: ${oldAppArmor}`);
    }
  }
}
/** The profile that an annotation names. */
function appArmorOf(annotation: string): { readonly type: string; readonly localhostProfile?: string } | undefined {
  if (annotation === "runtime/default") return { type: "RuntimeDefault" };
  if (annotation === "unconfined") return { type: "Unconfined" };
  return annotation.startsWith("localhost/") && annotation.length > 10 ? { type: "Localhost", localhostProfile: annotation.slice(10) } : undefined;
}
const lists = ["initContainers", "containers", "ephemeralContainers"] as const;
/** A container, and where it stands: told only to who asks. */
type Listed = { readonly container: Container; readonly path: () => string };
const bytesOfClaims: readonly string[] = ["storage"];
const bytesOfContainers: readonly string[] = ["memory", "ephemeral-storage"];
/** On creates, and on changes of the template; `named`: pods are called after the object. */
export function templateWarnings(path: string, templateOf: (object: any) => Made, named?: "named"): (next: any, previous: any | undefined) => Iterable<string> {
  return function* (next, previous) {
    if (previous === undefined && named !== undefined) yield* nameWarnings(next.metadata.name);
    if (previous === undefined || next.metadata.generation !== previous.metadata.generation) yield* podWarnings(templateOf(next), path);
  };
}
/** Names that pods are called after should fit into a host name. */
export function* nameWarnings(name: string, used = "Pod names and hostnames"): Iterable<string> {
  const details = dnsLabel(name);
  if (details.length > 0) yield `metadata.name: this is used in ${used}, which can result in surprising behavior; a DNS label is recommended: [${details.join(" ")}]`;
}

const oldLabel = (key: string, path: string): string => `${path}.key: ${key} is ${oldLabels.get(key)!}`;
/** Labels that are called otherwise by now, in requirements on nodes. */
export function* oldLabelsIn(requirements: readonly { readonly key: string }[] | undefined, path: string): Iterable<string> {
  for (const [i, { key }] of (requirements ?? []).entries()) if (oldLabels.has(key)) yield oldLabel(key, `${path}.matchExpressions[${i}]`);
}

function placementWarnings(spec: PodSpec, path: string, out: string[]): void {
  if (spec.nodeSelector === undefined && spec.affinity === undefined && spec.topologySpreadConstraints === undefined) return;
  for (const key of Object.keys(spec.nodeSelector ?? {})) if (oldLabels.has(key)) out.push(`${path}.nodeSelector[${key}]: ${oldLabels.get(key)!}`);
  const { requiredDuringSchedulingIgnoredDuringExecution: demanded, preferredDuringSchedulingIgnoredDuringExecution: preferred = [] } = spec.affinity?.nodeAffinity ?? {};
  const terms = [
    ...(demanded?.nodeSelectorTerms ?? []).map((term, i) => ({ term, checked: false, path: `${path}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}]` })),
    ...preferred.map(({ preference }, i) => ({ term: preference, checked: true, path: `${path}.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference` })),
  ];
  for (const { term, checked, path: here } of terms) {
    // A label's age is told before its values, requirement by requirement.
    for (const [i, { key, values = [] }] of (term.matchExpressions ?? []).entries()) {
      if (oldLabels.has(key)) out.push(oldLabel(key, `${here}.matchExpressions[${i}]`));
      if (checked) for (const [j, value] of values.entries()) for (const detail of labelValue(value)) out.push(`${here}.matchExpressions[${i}].values[${j}]: ${value} is invalid, ${detail}`);
    }
  }
  for (const [i, { topologyKey, labelSelector }] of (spec.topologySpreadConstraints ?? []).entries()) {
    if (oldLabels.has(topologyKey)) out.push(`${path}.topologySpreadConstraints[${i}].topologyKey: ${topologyKey} is ${oldLabels.get(topologyKey)!}`);
    if (labelSelector === undefined) out.push(`${path}.topologySpreadConstraints[${i}].labelSelector: a null labelSelector results in matching no pod`);
  }
}
function selectorless({ affinity }: PodSpec, path: string, out: string[]): void {
  if (affinity === undefined) return;
  for (const side of ["podAffinity", "podAntiAffinity"] as const) {
    const { requiredDuringSchedulingIgnoredDuringExecution: demanded = [], preferredDuringSchedulingIgnoredDuringExecution: preferred = [] } = affinity[side] ?? {};
    for (const [i, { labelSelector }] of demanded.entries()) if (labelSelector === undefined) out.push(`${path}.${side}.requiredDuringSchedulingIgnoredDuringExecution[${i}].labelSelector: a null labelSelector results in matching no pod`);
    for (const [i, { podAffinityTerm }] of preferred.entries()) if (podAffinityTerm.labelSelector === undefined) out.push(`${path}.${side}.preferredDuringSchedulingIgnoredDuringExecution[${i}].podAffinityTerm.labelSelector: a null labelSelector results in matching no pod`);
  }
}

type Amounts = { readonly limits?: { readonly [name: string]: string } | undefined; readonly requests?: { readonly [name: string]: string } | undefined };
/** Parts of bytes. */
export function claimFractions(amounts: Amounts, path: string): readonly string[] {
  const out: string[] = [];
  addFractions(amounts, () => path, bytesOfClaims, requestsFirst, out);
  return out;
}
const limitsFirst = ["limits", "requests"] as const, requestsFirst = ["requests", "limits"] as const;
function addFractions(amounts: Amounts, path: () => string, names: readonly string[], sides: typeof limitsFirst | typeof requestsFirst, out: string[]): void {
  if (amounts.limits === undefined && amounts.requests === undefined) return;
  for (const name of names) for (const side of sides) addFraction(amounts[side], name, () => `${path()}.${side}`, out);
}
function addFraction(list: { readonly [name: string]: string } | undefined, name: string, path: () => string, out: string[]): void {
  const amount = list?.[name];
  if (amount !== undefined && quantityMilli(amount) % 1000 !== 0) out.push(`${path()}[${name}]: fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`);
}
function hiddenVariables({ env = [] }: Container, path: () => string, out: string[]): void {
  for (const i of repeatsOf(env, nameOf)) {
    const { name, value = "", valueFrom } = env[i]!;
    const reference = `$(${name})`;
    if (valueFrom !== undefined || value === reference || !value.includes(reference)) out.push(`${path()}.env[${i}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`);
  }
}

const nameOf = ({ name }: { readonly name: string }): string => name;

type Placed = { readonly port: ContainerPort; readonly path: () => string };
function portWarnings(containers: readonly Listed[], out: string[]): void {
  if (!containers.some(({ container }) => container.ports !== undefined)) return;
  const ports: Placed[] = [];
  for (const { container, path } of containers) container.ports?.forEach((port, i) => ports.push({ port, path: () => `${path()}.ports[${i}]` }));
  const seen = new Map<string, Alike>();
  let clashes = 0;
  for (const here of ports) {
    const { port, path } = here;
    const { hostIP = "", hostPort = 0, containerPort, protocol, name = "" } = port;
    if (hostIP !== "" && hostPort === 0) out.push(`${path()}: hostIP set without hostPort: {Name:${name} HostPort:0 ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`);
    const key = `${containerPort}/${protocol}`;
    let alike = seen.get(key);
    if (alike === undefined) seen.set(key, (alike = new Alike()));
    else if (clashes < alikeMax && alike.anyClash(port)) for (const other of alike.all) if (clash(port, path, other, out) && ++clashes === alikeMax) break;
    alike.add(here);
  }
  const names = new Map<string, () => string>();
  for (const { port: { name = "" }, path } of ports) {
    if (name === "") continue;
    const first = names.get(name);
    if (first === undefined) names.set(name, path);
    else out.push(`${path()}: duplicate port name ${JSON.stringify(name)} with ${first()}, services and probes that select ports by name will use ${first()}`);
  }
}
/** Whether it was told. */
function clash({ hostIP = "", hostPort = 0 }: ContainerPort, path: () => string, other: Placed, out: string[]): boolean {
  const { hostIP: otherIP = "", hostPort: otherPort = 0 } = other.port;
  if (hostIP === otherIP && hostPort === otherPort) out.push(`${path()}: duplicate port definition with ${other.path()}`);
  else if (hostPort === 0 || otherPort === 0) out.push(`${path()}: overlapping port definition with ${other.path()}`);
  else if (hostPort === otherPort && (hostIP === "") !== (otherIP === "")) out.push(`${path()}: dangerously ambiguous port definition with ${other.path()}`);
  else return false;
  return true;
}
/** Earlier ports of one number and protocol; knows without looking at each whether another clashes with any. */
class Alike {
  readonly all: Placed[] = [];
  readonly #bound = new Set<string>();
  readonly #anywhere = new Set<number>();
  readonly #somewhere = new Set<number>();
  add(placed: Placed): void {
    const { hostIP = "", hostPort = 0 } = placed.port;
    this.all.push(placed);
    this.#bound.add(`${hostIP} ${hostPort}`);
    (hostIP === "" ? this.#anywhere : this.#somewhere).add(hostPort);
  }
  anyClash({ hostIP = "", hostPort = 0 }: ContainerPort): boolean {
    return hostPort === 0 || this.#anywhere.has(0) || this.#somewhere.has(0) || this.#bound.has(`${hostIP} ${hostPort}`) || (hostIP === "" ? this.#somewhere : this.#anywhere).has(hostPort);
  }
}

type File = { readonly path: string; readonly source: string };
/** Files of one volume that would lie in or over each other. */
function overlapWarnings(volume: Volume, out: string[]): void {
  if (volume.configMap?.items === undefined && volume.secret?.items === undefined && volume.downwardAPI?.items === undefined && volume.projected === undefined) return;
  const files = (items: readonly { readonly path: string }[] | undefined, source = ""): readonly File[] => (items ?? []).map(({ path }) => ({ path, source }));
  const told = (what: () => string, all: readonly File[]): void => { for (const text of overlaps(all)) out.push(`volume ${JSON.stringify(volume.name)} (${what()}): overlapping paths: ${text}`); };
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) told(() => `ConfigMap ${JSON.stringify(configMap.name ?? "")}`, files(configMap.items));
  if (secret !== undefined) told(() => `Secret ${JSON.stringify(secret.secretName ?? "")}`, files(secret.items));
  if (downwardAPI !== undefined) told(() => "DownwardAPI", files(downwardAPI.items));
  if (projected === undefined) return;
  for (const source of projected.sources) if (Object.values(source).every(each => each === undefined)) out.push(`volume ${JSON.stringify(volume.name)} (Projected) has no sources provided`);
  told(() => "Projected", projected.sources.flatMap(source => {
    if (source.configMap?.items !== undefined) return files(source.configMap.items, `ConfigMap ${JSON.stringify(source.configMap.name ?? "")}`);
    if (source.secret?.items !== undefined) return files(source.secret.items, `Secret ${JSON.stringify(source.secret.name ?? "")}`);
    if (source.downwardAPI?.items !== undefined) return files(source.downwardAPI.items, "DownwardAPI");
    return source.serviceAccountToken === undefined ? [] : [{ path: source.serviceAccountToken.path, source: "ServiceAccountToken" }];
  }));
}
function overlaps(files: readonly File[]): readonly string[] {
  const found: string[] = [];
  if (files.length < 2) return found;
  const bare = files.map(({ path }) => withoutSlashes(path));
  const shown = (i: number): string => (files[i]!.source === "" ? JSON.stringify(bare[i]) : `${JSON.stringify(bare[i])} (${files[i]!.source})`);
  for (const [i, meets] of meetEarlier(bare).entries()) {
    if (!meets) continue;
    for (let j = 0; j < i && found.length < alikeMax; j++) if (bare[j] !== "" && (isWithin(bare[i]!, bare[j]!) || isWithin(bare[j]!, bare[i]!))) found.push(`${shown(i)} with ${shown(j)}`);
    if (found.length >= alikeMax) break;
  }
  return found;
}

/** A regular expression would take quadratic time for a path of slashes. */
function withoutSlashes(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === "/") end--;
  return path.slice(0, end);
}
