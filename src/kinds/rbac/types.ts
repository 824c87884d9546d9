import * as t from "../../schema/t.ts";

export const PolicyRule = t.object("io.k8s.api.rbac.v1.PolicyRule", {
  apiGroups: t.list(t.string()).pb(2).doc("API groups; * is all, and the empty name is the core group."),
  nonResourceURLs: t.list(t.string()).pb(5).doc("Paths that are no resources, in which * at the end stands for anything."),
  resourceNames: t.list(t.string()).pb(4).doc("Names of objects; all if empty."),
  resources: t.list(t.string()).pb(3).doc("Resources, such as pods or pods/log; * is all."),
  verbs: t.list(t.string()).pb(1).required().always("[]").doc("What may be done; * is everything."),
});
export interface PolicyRule extends t.Stored<typeof PolicyRule> {}

export const RoleRef = t.object("io.k8s.api.rbac.v1.RoleRef", {
  apiGroup: t.string().pb(1).default("rbac.authorization.k8s.io").always("zero").doc("API group of the role."),
  kind: t.string().pb(2).required().always("zero").doc("Role or ClusterRole."),
  name: t.string().pb(3).required().always("zero").doc("Its name."),
}).atomic();
export interface RoleRef extends t.Stored<typeof RoleRef> {}

export const Subject = t.object("io.k8s.api.rbac.v1.Subject", {
  apiGroup: t.string().pb(2).doc("API group of the subject; empty for service accounts."),
  kind: t.string().pb(1).required().always("zero").doc("User, Group or ServiceAccount."),
  name: t.string().pb(3).required().always("zero").doc("Its name."),
  namespace: t.string().pb(4).doc("Its namespace, for service accounts."),
}).atomic();
export interface Subject extends t.Stored<typeof Subject> {}

/** Users and groups belong to the RBAC group unless said otherwise; service accounts to the core group. */
export function defaultSubjects(binding: { readonly subjects?: readonly { apiGroup?: string; readonly kind: string }[] }): void {
  for (const subject of binding.subjects ?? []) if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup ??= "rbac.authorization.k8s.io";
}
/** Names of the subjects of one kind, for a column. */
export function subjectNames(subjects: readonly Subject[] | undefined, kind: string): string {
  return (subjects ?? []).filter(subject => subject.kind === kind).map(({ name, namespace }) => (kind === "ServiceAccount" ? `${namespace ?? ""}/${name}` : name)).join(", ");
}
