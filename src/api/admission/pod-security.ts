/** The Pod Security Standards, per namespace: pods are refused, their controllers and namespaces warned (k8s.io/pod-security-admission admission/admission.go). */
import { CronJob } from "../../kinds/batch/cronjob.ts";
import { Job } from "../../kinds/batch/job.ts";
import { DaemonSet } from "../../kinds/apps/daemonset.ts";
import { Deployment } from "../../kinds/apps/deployment.ts";
import { ReplicaSet } from "../../kinds/apps/replicaset.ts";
import { StatefulSet } from "../../kinds/apps/statefulset.ts";
import { Namespace } from "../../kinds/core/namespace.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { PodTemplate } from "../../kinds/core/podtemplate.ts";
import { ReplicationController } from "../../kinds/core/replicationcontroller.ts";
import type { AnyKind } from "../../kinds/kind.ts";
import { invalid } from "../errors.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";
import { refuse } from "./namespace-lifecycle.ts";
import type { Subject } from "./pod-security/checks.ts";
import { compareLevels, detailOf, evaluate, open, policyOf, textOf, type BadLabel, type Policy, type Standard } from "./pod-security/policy.ts";

export type PodSecurityOptions = {
  readonly defaults?: Policy;
  readonly exempt?: { readonly usernames?: readonly string[]; readonly namespaces?: readonly string[]; readonly runtimeClasses?: readonly string[] };
};

const ignoredSubresources: ReadonlySet<string> = new Set(["exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"]);
/** Pods of a namespace that are looked at when its standard rises. */
const podsMax = 3000;
const templated: ReadonlyMap<AnyKind, (object: any) => Subject | undefined> = new Map<AnyKind, (object: any) => Subject | undefined>([
  ...[Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, ReplicationController].map(kind => [kind, (object: any) => object.spec.template] as const),
  [PodTemplate, object => object.template], [CronJob, object => object.spec.jobTemplate.spec.template],
]);

export function podSecurity({ defaults = { enforce: open, audit: open, warn: open }, exempt = {} }: PodSecurityOptions = {}): AdmissionStep {
  const isExempt = ({ namespace, user }: AdmissionRequest): boolean => exempt.namespaces?.includes(namespace) === true || exempt.usernames?.includes(user.name) === true;
  const hasExemptClass = ({ spec }: Subject): boolean => (spec.runtimeClassName ?? "") !== "" && exempt.runtimeClasses?.includes(spec.runtimeClassName) === true;
  // Read once for each state of a namespace, whose labels are the same object as long as nobody writes it.
  const known = new WeakMap<object, Policy>();
  const unlabelled = policyOf(undefined, defaults).policy;
  const policyFor = (request: AdmissionRequest): Policy => {
    const labels: { readonly [label: string]: string } | undefined = request.read.get("", "namespaces", "", request.namespace)?.metadata.labels;
    if (labels === undefined) return unlabelled;
    let policy = known.get(labels);
    if (policy === undefined) known.set(labels, (policy = policyOf(labels, defaults).policy));
    return policy;
  };

  const judgePod = (request: AdmissionRequest): void => {
    const { subresource, operation, object, previous } = request;
    if (!ignoredSubresources.has(subresource) && isExempt(request)) request.annotate?.(annotation("exempt"), exempt.namespaces?.includes(request.namespace) === true ? "namespace" : "user");
    if (ignoredSubresources.has(subresource) || isExempt(request) || (operation === "UPDATE" && !changesImages(object, previous)) || hasExemptClass(object)) return;
    const { enforce, audit, warn } = policyFor(request);
    request.annotate?.(annotation("enforce-policy"), textOf(enforce));
    const findings = evaluate(enforce, object);
    note(request, audit, object);
    if (findings.length > 0) throw refuse(request, `violates PodSecurity ${JSON.stringify(textOf(enforce))}: ${detailOf(findings)}`);
    advise(request, warn, object);
  };

  const judgeTemplate = (request: AdmissionRequest, subject: Subject | undefined): void => {
    if (request.subresource === "" && subject !== undefined && !isExempt(request) && !hasExemptClass(subject)) {
      const { audit, warn } = policyFor(request);
      note(request, audit, subject);
      advise(request, warn, subject);
    }
  };

  const judgeNamespace = (request: AdmissionRequest): void => {
    const { subresource, operation, object, previous, name } = request;
    if (subresource !== "") return;
    const next = policyOf(object.metadata.labels, defaults);
    const before = operation === "UPDATE" ? policyOf(previous.metadata.labels, defaults) : undefined;
    if (next.bad.length > 0 && JSON.stringify(next.bad) !== JSON.stringify(before?.bad)) throw invalidLabels(name, next.bad);
    if (before === undefined) return;
    const [now, then] = [next.policy.enforce, before.policy.enforce];
    if (now.level === "privileged" || textOf(now) === textOf(then) || (now.minor === then.minor && compareLevels(now.level, then.level) < 1) || exempt.namespaces?.includes(name) === true) return;
    for (const text of existingViolations(request, now, hasExemptClass)) request.warn(text);
  };

  return {
    name: "PodSecurity",
    validate(request) {
      const { kind, operation, object } = request;
      if (operation !== "CREATE" && operation !== "UPDATE") return;
      if (kind === Namespace) judgeNamespace(request);
      else if (kind === Pod) judgePod(request);
      else if (templated.has(kind)) judgeTemplate(request, templated.get(kind)!(object));
    },
  };
}

const annotation = (name: string): string => `pod-security.kubernetes.io/${name}`;

function note(request: AdmissionRequest, standard: Standard, subject: Subject): void {
  if (standard.level === "privileged") return;
  const findings = evaluate(standard, { ...subject, metadata: subject.metadata ?? {} });
  if (findings.length > 0) request.annotate?.(annotation("audit-violations"), `would violate PodSecurity ${JSON.stringify(textOf(standard))}: ${detailOf(findings)}`);
}

function advise(request: AdmissionRequest, standard: Standard, subject: Subject): void {
  if (standard.level === "privileged") return;
  const findings = evaluate(standard, { ...subject, metadata: subject.metadata ?? {} });
  if (findings.length > 0) request.warn(`would violate PodSecurity ${JSON.stringify(textOf(standard))}: ${detailOf(findings)}`);
}

function invalidLabels(name: string, bad: readonly BadLabel[]): Error {
  return invalid(Namespace, name, bad.map(({ label, value, detail }) => ({ field: `metadata.labels[${label}]`, reason: "Invalid" as const, value, detail })));
}

/** Pods without a controller first, and one of each controller; the rest are most likely the same. */
function existingViolations(request: AdmissionRequest, standard: Standard, isExempt: (pod: Subject) => boolean): readonly string[] {
  const seen = new Set<string>();
  const [first, more]: [any[], any[]] = [[], []];
  for (const pod of request.read.list("", "pods", request.name)) {
    if (isExempt(pod)) continue;
    const owner = (pod.metadata.ownerReferences ?? []).find((reference: any) => reference.controller === true)?.uid;
    (owner !== undefined && seen.has(owner) ? more : first).push(pod);
    if (owner !== undefined) seen.add(owner);
  }
  const pods = [...first, ...more];
  const checked = pods.slice(0, podsMax);
  const byReason = new Map<string, string[]>();
  for (const pod of checked) {
    const reason = evaluate(standard, pod).map(finding => finding.reason).join(", ");
    if (reason !== "") byReason.set(reason, [...(byReason.get(reason) ?? []), pod.metadata.name]);
  }
  return [
    ...(checked.length < pods.length ? [`new PodSecurity enforce level only checked against the first ${checked.length} of ${pods.length} existing pods`] : []),
    ...(byReason.size === 0 ? [] : [`existing pods in namespace ${JSON.stringify(request.name)} violate the new PodSecurity enforce level ${JSON.stringify(textOf(standard))}`]),
    ...[...byReason].map(([reason, names]) => `${names.sort()[0]}${names.length === 1 ? "" : names.length === 2 ? " (and 1 other pod)" : ` (and ${names.length - 1} other pods)`}: ${reason}`).sort(),
  ];
}

/** Of an update, only other images and added containers could make a pod worse. */
function changesImages({ spec }: any, previous: any): boolean {
  const images = (list: readonly any[] | undefined): string => JSON.stringify((list ?? []).map(({ image }) => image ?? ""));
  const before = new Map((previous.spec.ephemeralContainers ?? []).map(({ name, image }: any) => [name, image]));
  return images(spec.containers) !== images(previous.spec.containers) || images(spec.initContainers) !== images(previous.spec.initContainers)
    || (spec.ephemeralContainers ?? []).some(({ name, image }: any) => !before.has(name) || before.get(name) !== image);
}
