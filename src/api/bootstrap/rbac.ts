/** The default roles and bindings as objects, and what must change in a stored one to have all that the default has (upstream: component-helpers auth/rbac/reconciliation). */
import { isObject, sameJson } from "../../base/json.ts";
import type { AnyKind } from "../../kinds/kind.ts";
import { ClusterRole } from "../../kinds/rbac/clusterrole.ts";
import { ClusterRoleBinding } from "../../kinds/rbac/clusterrolebinding.ts";
import { Role } from "../../kinds/rbac/role.ts";
import { RoleBinding } from "../../kinds/rbac/rolebinding.ts";
import { uncovered } from "../authz/rules.ts";
import { clusterRoleBindings, clusterRoles } from "./cluster-roles.ts";
import { controllerRoleBindings, controllerRoles } from "./controller-roles.ts";
import { namespaceRoleBindings, namespaceRoles } from "./namespace-roles.ts";
import type { BindingData, RoleData, SubjectData } from "./notation.ts";

const autoupdate = "rbac.authorization.kubernetes.io/autoupdate";
const group = "rbac.authorization.k8s.io";

export type Wanted = { readonly kind: AnyKind; readonly object: any };

/** Everything in RBAC that a cluster has from the start. */
export function defaultRbac(): readonly Wanted[] {
  const roles = [...clusterRoles, ...controllerRoles];
  return [
    ...roles.map(data => ({ kind: ClusterRole, object: roleObject(data, "", roles) })),
    ...[...clusterRoleBindings, ...controllerRoleBindings].map(data => ({ kind: ClusterRoleBinding, object: bindingObject(data, "", "ClusterRole") })),
    ...Object.entries(namespaceRoles).flatMap(([namespace, list]) => list.map(data => ({ kind: Role, object: roleObject(data, namespace, []) }))),
    ...Object.entries(namespaceRoleBindings).flatMap(([namespace, list]) => list.map(data => ({ kind: RoleBinding, object: bindingObject(data, namespace, "Role") }))),
  ];
}

/** `stored` with what `wanted` has and it lacks; `undefined` if nothing is missing or the user turned updating off. What the user added stays. */
export function reconcileRbac(wanted: any, stored: any): any | undefined {
  if (stored.metadata.annotations?.[autoupdate] === "false") return undefined;
  const metadata = {
    ...stored.metadata,
    labels: { ...wanted.metadata.labels, ...stored.metadata.labels },
    annotations: { ...wanted.metadata.annotations, ...stored.metadata.annotations },
  };
  const next = wanted.roleRef === undefined ? reconcileRole(wanted, stored) : reconcileBinding(wanted, stored);
  const changed = { ...next, metadata };
  return sameJson(changed, stored) ? undefined : changed;
}

function reconcileRole(wanted: any, stored: any): any {
  if (wanted.aggregationRule !== undefined) {
    // The rules of an aggregated role belong to its controller.
    const selectors: readonly unknown[] = stored.aggregationRule?.clusterRoleSelectors ?? [];
    const missing = wanted.aggregationRule.clusterRoleSelectors.filter((selector: unknown) => !selectors.some(known => sameJson(known, selector)));
    return missing.length === 0 ? stored : { ...stored, aggregationRule: { clusterRoleSelectors: [...selectors, ...missing] } };
  }
  if (sameJson(stored.rules, wanted.rules)) return stored;
  const missing = uncovered(stored.rules ?? [], wanted.rules);
  return missing.length === 0 ? stored : { ...stored, rules: [...(stored.rules ?? []), ...missing] };
}

function reconcileBinding(wanted: any, stored: any): any {
  const subjects: readonly any[] = stored.subjects ?? [];
  const missing = (wanted.subjects ?? []).filter((subject: any) => !subjects.some(known => known.kind === subject.kind && known.name === subject.name && (known.namespace ?? "") === (subject.namespace ?? "")));
  return missing.length === 0 ? stored : { ...stored, subjects: [...subjects, ...missing] };
}

function roleObject({ name, rules, labels = {}, aggregates }: RoleData, namespace: string, all: readonly RoleData[]): any {
  return {
    metadata: metadataOf(name, namespace, labels),
    ...(aggregates === undefined ? { rules } : {
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregates]: "true" } }] },
      // As the aggregation controller will find it, so that the role works from the first moment.
      rules: aggregated(aggregates, all),
    }),
  };
}

/** The rules of every role with the label, in the order of names, and of those that they aggregate in turn. */
function aggregated(label: string, all: readonly RoleData[]): RoleData["rules"] {
  const members = all.filter(({ labels }) => labels?.[label] === "true").sort((a, b) => (a.name < b.name ? -1 : 1));
  const rules = members.flatMap(member => (member.aggregates === undefined ? member.rules : aggregated(member.aggregates, all)));
  return rules.filter((rule, i) => rules.findIndex(other => sameJson(other, rule)) === i);
}

function bindingObject({ name, role, subjects }: BindingData, namespace: string, kind: "Role" | "ClusterRole"): any {
  return {
    metadata: metadataOf(name, namespace, {}), roleRef: { apiGroup: group, kind, name: role },
    ...(subjects.length === 0 ? {} : { subjects: subjects.map(subjectObject) }),
  };
}

function subjectObject(subject: SubjectData): object {
  return subject.kind === "ServiceAccount" ? subject : { ...subject, apiGroup: group };
}

function metadataOf(name: string, namespace: string, labels: { readonly [label: string]: string }): object {
  return {
    name, ...(namespace === "" ? {} : { namespace }),
    labels: { "kubernetes.io/bootstrapping": "rbac-defaults", ...labels }, annotations: { [autoupdate]: "true" },
  };
}

/** A binding that names another role than the default cannot be changed: it has to be made again. */
export function namesOtherRole(wanted: any, stored: any): boolean {
  return isObject(wanted.roleRef) && stored.metadata.annotations?.[autoupdate] !== "false" && !sameJson(wanted.roleRef, stored.roleRef);
}
