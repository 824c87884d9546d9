/** What may be created as a pod, and what may change of one, by endpoint (kubernetes pkg/apis/core/validation ValidatePodCreate, ValidatePodUpdate, ValidatePodStatusUpdate and around). */
import { sameJson } from "../../base/json.ts";
import * as grammar from "../../schema/grammar.ts";
import { duplicate, forbidden, invalidValue, type Problem, required } from "../../schema/problem.ts";
import type { ObjectOf, PrepareContext, Shape } from "../kind.ts";
import { goDiff } from "../../schema/go-value.ts";
import { type Container, EphemeralContainer } from "./container.ts";
import { validateTolerations } from "./affinityrules.ts";
import { validateIp } from "./iprules.ts";
import { qosClassOf } from "./podqos.ts";
import { PodSpec } from "./podspec.ts";
import { validatePodSpec } from "./podspecrules.ts";
import { claimStatusProblems } from "./podclaimrules.ts";
import type { ContainerStatus, PodStatus } from "./podstatus.ts";

type PodLike = ObjectOf<Shape> & { readonly spec: PodSpec; readonly status: PodStatus };
const int32Max = 2 ** 31 - 1;
const mirrorAnnotation = "kubernetes.io/config.mirror";

export function podRules(next: PodLike, previous: PodLike | undefined, { subresource }: PrepareContext): readonly Problem[] {
  if (previous === undefined) return creation(next, wholePod(next));
  switch (subresource) {
    case "status": return statusUpdate(next, previous);
    case "ephemeralcontainers": return [...wholePod(next), ...ephemeralUpdate(next, previous)];
    case "resize": return [...wholePod(next), ...resize(next, previous)];
    // Unchanged specs are not looked at again: most updates are of labels, annotations and finalizers.
    default: return [...annotations(next, previous), ...(sameJson(next.spec, previous.spec) ? [] : [...wholePod(next), ...specUpdate(next.spec, previous.spec)])];
  }
}

function wholePod(pod: PodLike): Problem[] {
  const problems = validatePodSpec(pod.spec, pod.metadata, "spec");
  if (!pod.spec.serviceAccountName) {
    (pod.spec.volumes ?? []).forEach(({ projected }, i) => projected?.sources.forEach(({ serviceAccountToken }, j) => {
      if (serviceAccountToken) problems.push(forbidden(`spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`, "must not be specified when serviceAccountName is not set"));
    }));
  }
  const annotation = pod.metadata.annotations?.[mirrorAnnotation];
  if (annotation !== undefined && !pod.spec.nodeName) problems.push(invalidValue(`metadata.annotations[${mirrorAnnotation}]`, annotation, "must set spec.nodeName if mirror pod annotation is set"));
  const cost = pod.metadata.annotations?.["controller.kubernetes.io/pod-deletion-cost"];
  if (cost !== undefined && (!/^-?(0|[1-9][0-9]{0,9})$/.test(cost) || Math.abs(Number(cost)) > int32Max)) problems.push(invalidValue("metadata.annotations[controller.kubernetes.io/pod-deletion-cost]", cost, "must be a 32bit integer"));
  return problems;
}

function creation({ spec }: PodLike, problems: Problem[]): readonly Problem[] {
  if ((spec.ephemeralContainers ?? []).length > 0) problems.push(forbidden("spec.ephemeralContainers", "cannot be set on create"));
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) problems.push(forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"));
  return problems;
}

function annotations(next: PodLike, previous: PodLike): readonly Problem[] {
  const [now, before] = [next.metadata.annotations?.[mirrorAnnotation], previous.metadata.annotations?.[mirrorAnnotation]];
  if (now === before) return [];
  return [forbidden(`metadata.annotations[${mirrorAnnotation}]`, before === undefined ? "may not add mirror pod annotation" : "may not remove or update mirror pod annotation")];
}

const changeable = [
  "`spec.containers[*].image`", "`spec.initContainers[*].image`", "`spec.activeDeadlineSeconds`", "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
];
function specUpdate(next: PodSpec, previous: PodSpec): readonly Problem[] {
  const problems: Problem[] = [];
  for (const list of ["containers", "initContainers"] as const) {
    const [now, before] = [next[list] ?? [], previous[list] ?? []];
    if (now.length !== before.length) return [forbidden(`spec.${list}`, "pod updates may not add or remove containers")];
    now.forEach(({ image = "" }, i) => {
      if (image === "") problems.push(required(`spec.${list}[${i}].image`));
      if (image.trim() !== image) problems.push(invalidValue(`spec.${list}[${i}].image`, image, "must not have leading or trailing whitespace"));
    });
  }
  const [deadline, earlier] = [next.activeDeadlineSeconds, previous.activeDeadlineSeconds];
  if (deadline !== undefined) {
    if (deadline < 0 || deadline > int32Max) return [...problems, invalidValue("spec.activeDeadlineSeconds", deadline, grammar.inclusiveRange(0, int32Max))];
    if (earlier !== undefined && earlier < deadline) return [...problems, invalidValue("spec.activeDeadlineSeconds", deadline, "must be less than or equal to previous value")];
  } else if (earlier !== undefined) problems.push(invalidValue("spec.activeDeadlineSeconds", null, "must not update from a positive integer to nil value"));
  problems.push(...tolerationUpdate(next, previous), ...gateUpdate(next, previous));

  const rest = leftOver(next, previous, problems);
  if (Object.keys({ ...rest, ...previous }).some(name => !sameJson((rest as Fields)[name], (previous as Fields)[name]))) problems.push(forbidden("spec", `pod updates may not change fields other than ${changeable.join(",")}\n${goDiff(PodSpec.node, previous, rest)}`));
  return problems;
}
type Fields = { readonly [name: string]: unknown };

/** The new specification with everything put back that may change. */
function leftOver(next: PodSpec, previous: PodSpec, problems: Problem[]): PodSpec {
  const images = (now: readonly Container[] | undefined, before: readonly Container[] | undefined): readonly Container[] | undefined =>
    now?.map((container, i) => without({ ...container, image: before?.[i]?.image }));
  let rest: PodSpec = {
    ...next, containers: images(next.containers, previous.containers)!, activeDeadlineSeconds: previous.activeDeadlineSeconds, schedulingGates: previous.schedulingGates, tolerations: previous.tolerations,
    ...(next.initContainers === undefined ? {} : { initContainers: images(next.initContainers, previous.initContainers) }),
    ...(previous.terminationGracePeriodSeconds < 0 && next.terminationGracePeriodSeconds === 1 ? { terminationGracePeriodSeconds: previous.terminationGracePeriodSeconds } : {}),
  };
  if ((previous.schedulingGates ?? []).length > 0) {
    for (const [key, value] of Object.entries(previous.nodeSelector ?? {})) {
      if (next.nodeSelector?.[key] !== value) {
        problems.push(invalidValue("spec.nodeSelector", next.nodeSelector ?? null, "only additions to spec.nodeSelector are allowed (no mutations or deletions)"));
        break;
      }
    }
    problems.push(...nodeAffinityUpdate(next.affinity?.nodeAffinity, previous.affinity?.nodeAffinity));
    const { nodeAffinity: _, ...others } = next.affinity ?? {};
    const affinity = { ...others, ...(previous.affinity?.nodeAffinity === undefined ? {} : { nodeAffinity: previous.affinity.nodeAffinity }) };
    rest = { ...rest, nodeSelector: previous.nodeSelector, affinity: Object.keys(affinity).length === 0 && previous.affinity === undefined ? undefined : affinity };
  }
  return without(rest);
}
type NodeAffinity = NonNullable<PodSpec["affinity"]>["nodeAffinity"];
/** Of a gated pod, the nodes demanded may only become fewer. */
function nodeAffinityUpdate(next: NodeAffinity, previous: NodeAffinity): readonly Problem[] {
  const path = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
  const before = previous?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const now = next?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (before.length > 0 && before.length !== now.length) return [invalidValue(path, now, "no additions/deletions to non-empty NodeSelectorTerms list are allowed")];
  const begins = (list: readonly unknown[] = [], start: readonly unknown[] = []): boolean => list.length >= start.length && sameJson(list.slice(0, start.length), start);
  return before.flatMap((old, i) => {
    const term = now[i]!;
    const wasEmpty = (old.matchExpressions ?? []).length === 0 && (old.matchFields ?? []).length === 0;
    const isEmpty = (term.matchExpressions ?? []).length === 0 && (term.matchFields ?? []).length === 0;
    const added = (!wasEmpty || isEmpty) && begins(term.matchExpressions, old.matchExpressions) && begins(term.matchFields, old.matchFields);
    return added ? [] : [invalidValue(`${path}[${i}]`, term, "only additions are allowed (no mutations or deletions)")];
  });
}
/** The same without undefined fields. */
const without = <T extends object>(object: T): T => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;

function tolerationUpdate(next: PodSpec, previous: PodSpec): readonly Problem[] {
  const now = next.tolerations ?? [];
  const kept = (previous.tolerations ?? []).every(old => now.some(toleration => sameJson(without({ ...toleration, tolerationSeconds: undefined }), without({ ...old, tolerationSeconds: undefined }))));
  return kept ? validateTolerations(now, "spec.tolerations") : [forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")];
}
function gateUpdate(next: PodSpec, previous: PodSpec): readonly Problem[] {
  const before = new Set((previous.schedulingGates ?? []).map(({ name }) => name));
  return (next.schedulingGates ?? []).flatMap(({ name }, i) => (before.has(name) ? [] : [forbidden(`spec.schedulingGates[${i}].name`, `only deletion is allowed, but found new scheduling gate '${name}'`)]));
}

function ephemeralUpdate(next: PodLike, previous: PodLike): readonly Problem[] {
  if (previous.metadata.annotations?.[mirrorAnnotation] !== undefined) return [forbidden("", "static pods do not support ephemeral containers")];
  const now = new Map((next.spec.ephemeralContainers ?? []).map(container => [container.name, container]));
  return (previous.spec.ephemeralContainers ?? []).flatMap(old => {
    const found = now.get(old.name);
    if (found === undefined) return [forbidden("spec.ephemeralContainers", `existing ephemeral containers ${JSON.stringify(old.name)} may not be removed\n`)];
    return sameJson(found, old) ? [] : [forbidden("spec.ephemeralContainers", `existing ephemeral containers ${JSON.stringify(old.name)} may not be changed\n${goDiff(EphemeralContainer.node, old, found)}`)];
  });
}

function resize(next: PodLike, previous: PodLike): readonly Problem[] {
  if (previous.metadata.annotations?.[mirrorAnnotation] !== undefined) return [forbidden("", "static pods cannot be resized")];
  if (previous.spec.os?.name === "windows") return [forbidden("", "windows pods cannot be resized")];
  const problems: Problem[] = [];
  if (qosClassOf(next.spec) !== (previous.status.qosClass ?? qosClassOf(previous.spec))) problems.push(invalidValue("spec", next.status.qosClass ?? "", "Pod QOS Class may not change as a result of resizing"));
  for (const list of ["containers", "initContainers"] as const) {
    (previous.spec[list] ?? []).forEach((old, i) => {
      const now = next.spec[list]?.[i];
      if (now === undefined || (list === "initContainers" && old.restartPolicy !== "Always")) return;
      problems.push(...resizeOf(now, old, `spec.${list}[${i}].resources`));
    });
  }
  const bare = (spec: PodSpec): unknown => ({ ...spec, containers: spec.containers.map(bareContainer), initContainers: spec.initContainers?.map(container => (container.restartPolicy === "Always" ? bareContainer(container) : container)) });
  if (!sameJson(bare(next.spec), bare(previous.spec))) problems.push(forbidden("spec", "only cpu and memory resources are mutable"));
  return problems;
}
const bareContainer = ({ resources, resizePolicy: _, ...container }: Container): unknown => {
  const others = (list: { readonly [name: string]: string } | undefined): unknown => Object.fromEntries(Object.entries(list ?? {}).filter(([name]) => name !== "cpu" && name !== "memory"));
  return { ...container, resources: { limits: others(resources.limits), requests: others(resources.requests), claims: resources.claims } };
};
function resizeOf(now: Container, old: Container, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  for (const list of ["requests", "limits"] as const) {
    const gone = Object.keys(old.resources[list] ?? {}).some(name => now.resources[list]?.[name] === undefined);
    if (gone) problems.push(forbidden(`${path}.${list}`, `resource ${list} cannot be removed`));
  }
  return problems;
}

function statusUpdate(next: PodLike, previous: PodLike): readonly Problem[] {
  const problems: Problem[] = [...annotations(next, previous)];
  (next.status.conditions ?? []).forEach(({ type }, i) => {
    if (!["PodScheduled", "Ready", "Initialized"].includes(type)) for (const detail of grammar.qualifiedName(type)) problems.push(invalidValue(`metadata.conditions[${i}].Type`, type, detail));
  });
  const nominated = next.status.nominatedNodeName ?? "";
  if (nominated !== "" && nominated !== previous.status.nominatedNodeName) for (const detail of grammar.dnsSubdomain(nominated)) problems.push(invalidValue("status.nominatedNodeName", nominated, detail));
  if (nominated !== "" && nominated !== previous.status.nominatedNodeName && (previous.spec.nodeName ?? "") !== "") problems.push(forbidden("status.nominatedNodeName", "may not be set on pods that are already bound to a node"));
  const { observedGeneration = 0 } = next.status;
  if (observedGeneration < 0) problems.push(invalidValue("status.observedGeneration", observedGeneration, "must be a non-negative integer"));
  if (next.status.qosClass !== undefined && next.status.qosClass !== previous.status.qosClass) problems.push(invalidValue("status.qosClass", next.status.qosClass ?? "", "field is immutable"));
  const sidecars = new Set((previous.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always").map(({ name }) => name));
  const lists = [["containerStatuses", previous.spec.restartPolicy], ["initContainerStatuses", previous.spec.restartPolicy], ["ephemeralContainerStatuses", "Never"]] as const;
  for (const [list, policy] of lists) problems.push(...stateTransition(next.status[list], previous.status[list], policy, sidecars, `status.${list}`));
  for (const list of ["podIPs", "hostIPs"] as const) problems.push(...addresses(next.status[list] ?? [], `status.${list}`, previous?.status[list]));
  const { hostIP, hostIPs } = next.status;
  if (hostIPs?.[0] !== undefined && hostIP !== hostIPs[0].ip) problems.push(invalidValue("status.hostIPs[0].ip", hostIPs[0].ip, "must be equal to `hostIP`"));
  return [...problems, ...claimStatusProblems(next)];
}
function stateTransition(now: readonly ContainerStatus[] | undefined, before: readonly ContainerStatus[] | undefined, policy: string, exempt: ReadonlySet<string>, path: string): readonly Problem[] {
  if (policy === "Always") return [];
  return (before ?? []).flatMap((old, i) => {
    const ended = old.state.terminated;
    if (ended === undefined || exempt.has(old.name) || (ended.exitCode !== 0 && policy === "OnFailure")) return [];
    const revived = (now ?? []).some(status => status.name === old.name && status.state.terminated === undefined);
    return revived ? [forbidden(`${path}[${i}].state`, "may not be transitioned to non-terminated state")] : [];
  });
}
function addresses(list: readonly { readonly ip: string }[], path: string, previous: typeof list = []): readonly Problem[] {
  const problems: Problem[] = list.flatMap(({ ip }, i) => validateIp(ip, `${path}[${i}]`, previous.map(old => old.ip)));
  const families = list.map(({ ip }) => ip.includes(":"));
  if (list.length > 2 || (list.length === 2 && families[0] === families[1])) problems.push(invalidValue(path, list, "may specify no more than one IP for each IP family"));
  list.forEach((each, i) => { if (list.findIndex(({ ip }) => ip === each.ip) < i) problems.push(duplicate(`${path}[${i}]`, each)); });
  return problems;
}
