import * as t from "../../schema/t.ts";

export const PolicyRule = t.object("io.k8s.api.rbac.v1.PolicyRule", {
  apiGroups: t.list(t.string()).pb(2),
  nonResourceURLs: t.list(t.string()).pb(5),
  resourceNames: t.list(t.string()).pb(4),
  resources: t.list(t.string()).pb(3),
  verbs: t.list(t.string()).pb(1).required().always("[]"),
});
export interface PolicyRule extends t.Stored<typeof PolicyRule> {}

export const RoleRef = t.object("io.k8s.api.rbac.v1.RoleRef", {
  apiGroup: t.string().pb(1).default("rbac.authorization.k8s.io").always("zero"),
  kind: t.string().pb(2).required().always("zero"),
  name: t.string().pb(3).required().always("zero"),
}).atomic();
export interface RoleRef extends t.Stored<typeof RoleRef> {}

export const Subject = t.object("io.k8s.api.rbac.v1.Subject", {
  apiGroup: t.string().pb(2),
  kind: t.string().pb(1).required().always("zero"),
  name: t.string().pb(3).required().always("zero"),
  namespace: t.string().pb(4),
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
