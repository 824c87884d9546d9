/** Rules of metadata that hold for every kind (apimachinery pkg/api/validation/objectmeta.go). */
import { sameJson } from "../../base/json.ts";
import * as grammar from "../../schema/grammar.ts";
import { duplicate, forbidden, invalidValue, notSupported, type Problem, required, tooLong, typed } from "../../schema/problem.ts";
import type { AnyKind } from "../kind.ts";
import type { LabelSelector } from "./labelselector.ts";
import type { ObjectMeta, OwnerReference } from "./objectmeta.ts";

const annotationsMaxBytes = 256 * 1024;
type Labels = { readonly [key: string]: string };

/** Problems of an object's metadata; `previous` is the metadata it replaces, if any. */
type Judged = Pick<AnyKind, "namespaced" | "nameGrammar"> & Partial<Pick<AnyKind, "group" | "plural" | "custom">>;
export function validateObjectMeta(kind: Judged, meta: ObjectMeta, previous?: ObjectMeta): readonly Problem[] {
  const problems: Problem[] = [];
  if (previous === undefined) checkNew(kind, meta, problems);
  else checkChange(meta, previous, problems);
  problems.push(...validateLabels(meta.labels, "metadata.labels"), ...validateAnnotations(meta.annotations, "metadata.annotations"));
  if (meta.ownerReferences !== undefined) checkOwners(meta.ownerReferences, problems);
  if (meta.finalizers !== undefined) checkFinalizers(kind, meta.finalizers, problems);
  if (meta.managedFields !== undefined) {
    for (const entry of meta.managedFields) {
      if (entry.operation === undefined) problems.push(required("metadata.managedFields.operation", "must not be empty"));
      else if (entry.operation !== "Apply" && entry.operation !== "Update") problems.push(notSupported("metadata.managedFields.operation", entry.operation, ["Apply", "Update"]));
      if (entry.fieldsType !== undefined && entry.fieldsType !== "FieldsV1") problems.push(invalidValue("metadata.managedFields.fieldsType", entry.fieldsType, "must be `FieldsV1`"));
    }
  }
  return problems;
}

function checkNew(kind: Judged, meta: ObjectMeta, problems: Problem[]): void {
  const names = grammar.grammars[kind.nameGrammar ?? "dns-1123-subdomain"]!;
  if (meta.generateName !== undefined) for (const detail of grammar.prefixProblems(names, meta.generateName)) problems.push(invalidValue("metadata.generateName", meta.generateName, detail));
  if (meta.name === undefined || meta.name === "") problems.push(required("metadata.name", "name or generateName is required"));
  else for (const detail of names(meta.name)) problems.push(invalidValue("metadata.name", meta.name, detail));
  if (!kind.namespaced) {
    if (meta.namespace !== undefined && meta.namespace !== "") problems.push(forbidden("metadata.namespace", "not allowed on this type"));
  } else if (meta.namespace === undefined || meta.namespace === "") problems.push(required("metadata.namespace"));
  else for (const detail of grammar.dnsLabel(meta.namespace)) problems.push(invalidValue("metadata.namespace", meta.namespace, detail));
  if ((meta.generation ?? 0) < 0) problems.push(invalidValue("metadata.generation", meta.generation, "must be greater than or equal to 0"));
}

/** Kinds of which a finalizer may have any name; of the others one without a domain has to be Kubernetes' own (pkg/apis/core/validation ValidateObjectMeta, which these do not pass through). */
const freeFinalizers: ReadonlySet<string> = new Set(["admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "coordination.k8s.io", "events.k8s.io", "node.k8s.io", "policy"]);
const ownFinalizers: ReadonlySet<string> = new Set(["kubernetes", "orphan", "foregroundDeletion"]);
function checkFinalizers({ group, plural, custom }: Judged, finalizers: readonly string[], problems: Problem[]): void {
  for (const name of finalizers) for (const detail of grammar.qualifiedName(name)) problems.push(invalidValue("metadata.finalizers", name, detail));
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) problems.push(invalidValue("metadata.finalizers", finalizers, "finalizer orphan and foregroundDeletion cannot be both set"));
  if (group === undefined || custom === true || freeFinalizers.has(group) || plural === "events") return;
  for (const [i, name] of finalizers.entries()) if (!name.includes("/") && !ownFinalizers.has(name)) problems.push(invalidValue(`metadata.finalizers[${i}]`, name, "name is neither a standard finalizer name nor is it fully qualified"));
}

const immutable = ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] as const;
function checkChange(meta: ObjectMeta, previous: ObjectMeta, problems: Problem[]): void {
  if (previous.deletionTimestamp !== undefined) {
    const added = (meta.finalizers ?? []).filter(name => !(previous.finalizers ?? []).includes(name)).sort();
    if (added.length > 0) problems.push(forbidden("metadata.finalizers", `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map(name => JSON.stringify(name)).join(", ")}}`));
  }
  if (meta.resourceVersion === undefined || meta.resourceVersion === "") problems.push(invalidValue("metadata.resourceVersion", "", "must be specified for an update"));
  if ((meta.generation ?? 0) < (previous.generation ?? 0)) problems.push(invalidValue("metadata.generation", meta.generation ?? 0, "must not be decremented"));
  for (const name of immutable) if (!sameJson(meta[name], previous[name])) problems.push(invalidValue(`metadata.${name}`, meta[name] ?? (name === "name" || name === "namespace" || name === "uid" ? "" : null), "field is immutable"));
}

function checkOwners(owners: readonly OwnerReference[], problems: Problem[]): void {
  let controller: string | undefined;
  owners.forEach(owner => {
    // Quirk: upstream does not say which of them.
    const path = "metadata.ownerReferences";
    const parts = owner.apiVersion.split("/");
    if (parts.length > 2 || parts.at(-1) === "") problems.push(invalidValue(`${path}.apiVersion`, owner.apiVersion, "version must not be empty"));
    for (const name of ["kind", "name", "uid"] as const) if (owner[name] === "") problems.push(invalidValue(`${path}.${name}`, "", "must not be empty"));
    if (owner.apiVersion === "v1" && owner.kind === "Event") problems.push(invalidValue(path, owner, "/v1, Kind=Event is disallowed from being an owner"));
    if (owner.controller !== true) return;
    const here = `${owner.kind}/${owner.name}`;
    if (controller === undefined) controller = here;
    else problems.push(invalidValue("metadata.ownerReferences", owners, `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${here}`));
  });
}

export function validateLabels(labels: Labels | undefined, path: string): readonly Problem[] {
  if (labels === undefined) return [];
  const problems: Problem[] = [];
  for (const key of Object.keys(labels)) {
    for (const detail of grammar.qualifiedName(key)) problems.push(invalidValue(path, key, detail));
    for (const detail of grammar.labelValue(labels[key]!)) problems.push(invalidValue(path, labels[key], detail));
  }
  return problems;
}

export function validateAnnotations(annotations: Labels | undefined, path: string): readonly Problem[] {
  if (annotations === undefined) return [];
  const problems: Problem[] = [];
  let size = 0;
  for (const key of Object.keys(annotations)) {
    for (const detail of grammar.qualifiedName(key.toLowerCase())) problems.push(invalidValue(path, key, detail));
    size += grammar.byteLength(key) + grammar.byteLength(annotations[key]!);
  }
  if (size > annotationsMaxBytes) problems.push(tooLong(path, annotationsMaxBytes));
  return problems;
}

/** A selector's own rules (apimachinery pkg/apis/meta/v1/validation). */
export function validateLabelSelector(selector: LabelSelector | undefined, path: string): readonly Problem[] {
  if (selector === undefined) return [];
  const problems: Problem[] = [...validateLabels(selector.matchLabels, `${path}.matchLabels`)];
  (selector.matchExpressions ?? []).forEach((expression, i) => {
    const here = `${path}.matchExpressions[${i}]`;
    const values = expression.values ?? [];
    if (expression.operator === "In" || expression.operator === "NotIn") {
      if (values.length === 0) problems.push(required(`${here}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (expression.operator === "Exists" || expression.operator === "DoesNotExist") {
      if (values.length > 0) problems.push(forbidden(`${here}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else problems.push(invalidValue(`${here}.operator`, typed(expression.operator), "not a valid selector operator"));
    for (const detail of grammar.qualifiedName(expression.key)) problems.push(invalidValue(`${here}.key`, expression.key, detail));
    values.forEach((value, j) => { for (const detail of grammar.labelValue(value)) problems.push(invalidValue(`${here}.values[${j}]`, value, detail)); });
  });
  return problems;
}

/** Conditions in the common shape (`metav1.Condition`). */
export function validateConditions(conditions: readonly { readonly type: string; readonly status: string; readonly reason: string; readonly lastTransitionTime?: string | undefined }[] | undefined, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  (conditions ?? []).forEach((condition, i) => {
    const here = `${path}[${i}]`;
    if (seen.has(condition.type)) problems.push(duplicate(`${here}.type`, condition.type));
    seen.add(condition.type);
    if (condition.type === "") problems.push(required(`${here}.type`, "is required"));
    else for (const detail of grammar.qualifiedName(condition.type)) problems.push(invalidValue(`${here}.type`, condition.type, detail));
    if (condition.status === "") problems.push(required(`${here}.status`));
    else if (!["True", "False", "Unknown"].includes(condition.status)) problems.push(notSupported(`${here}.status`, condition.status, ["False", "True", "Unknown"]));
    if (condition.lastTransitionTime === undefined || condition.lastTransitionTime === null) problems.push(required(`${here}.lastTransitionTime`));
    if (condition.reason === "") problems.push(required(`${here}.reason`));
    else if (!/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/.test(condition.reason)) problems.push(invalidValue(`${here}.reason`, condition.reason, "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')"));
  });
  return problems;
}

/** `example.com/name`: upstream's IsDomainPrefixedPath. */
export function domainPath(value: string, path: string): readonly Problem[] {
  if (value === "") return [required(path)];
  const at = value.indexOf("/");
  if (at <= 0 || at === value.length - 1) return [invalidValue(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  const host = grammar.dnsSubdomain(value.slice(0, at)).map(detail => invalidValue(path, value.slice(0, at), detail));
  if (host.length > 0) return host;
  const rest = value.slice(at + 1);
  return /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(rest) ? [] : [invalidValue(path, rest, grammar.patternMessage("Invalid path", "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"))];
}

/** What is unwise in new finalizers of custom resources (apiextensions-apiserver pkg/registry/customresource validateKubeFinalizerName). */
export function* finalizerWarnings({ finalizers = [] }: Pick<ObjectMeta, "finalizers">, previous: Pick<ObjectMeta, "finalizers"> | undefined): Iterable<string> {
  for (const name of [...new Set(finalizers)].filter(each => previous?.finalizers?.includes(each) !== true).sort()) {
    const told = `metadata.finalizers: ${JSON.stringify(name)}`;
    for (const detail of grammar.qualifiedName(name)) yield `${told}: ${detail}`;
    if (!name.includes("/") && !ownFinalizers.has(name)) yield `${told}: prefer a domain-qualified finalizer name ${name.includes(".") ? "including a path (/) " : ""}to avoid accidental conflicts with other finalizer writers`;
  }
}

/** Kinds whose own validation looks at metadata twice in an update, and those where it does not (by what upstream's API server answers). */
const checkedTwice: ReadonlySet<string> = new Set(["apiservices", "certificatesigningrequests", "clusterrolebindings", "clusterroles", "configmaps", "controllerrevisions", "csistoragecapacities", "deviceclasses", "endpoints", "ingressclasses", "ingresses", "ipaddresses", "jobs", "namespaces", "nodes", "persistentvolumeclaims", "persistentvolumes", "pods", "resourceclaims", "resourceclaimtemplates", "rolebindings", "roles", "runtimeclasses", "secrets", "serviceaccounts", "storageclasses", "volumeattributesclasses"]);
const neverChecked: ReadonlySet<string> = new Set(["events", "poddisruptionbudgets"]);
/** Problems of metadata as often as upstream tells them: the machinery checks an update twice, then come the kind's own checks, which alone know the names of finalizers (rest/update.go). */
export function repeatedOnUpdate({ group, plural, custom }: Pick<AnyKind, "group" | "plural" | "custom">, problems: readonly Problem[]): readonly Problem[] {
  if (custom === true || problems.length === 0) return problems;
  const own = neverChecked.has(plural) && (plural !== "events" || group === "") ? 0 : checkedTwice.has(plural) ? 2 : 1;
  const named = /^metadata\.finalizers\[/, fixed = /^metadata\.(name|namespace|uid|resourceVersion|generation|creationTimestamp|deletionTimestamp|deletionGracePeriodSeconds)$/;
  const common = problems.filter(({ field }) => !named.test(field));
  // What changed is told by the check of the update alone, in each round once.
  const isState = ({ field, reason }: Problem): boolean => !fixed.test(field) && !(field === "metadata.finalizers" && reason === "Forbidden");
  // And how finalizers look by the check of what is there.
  const isChange = ({ field, reason }: Problem): boolean => field !== "metadata.finalizers" || reason === "Forbidden";
  return [...common.filter(isState), ...common.filter(isChange), ...(own > 0 ? problems.filter(isChange) : []), ...(own > 1 ? problems.filter(isState) : [])];
}
