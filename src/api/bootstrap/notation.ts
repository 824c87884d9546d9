/** A notation in which the default roles fit on a page: `rule("get list watch", "apps batch", "deployments jobs")`, the core group written `core`. */
import type { Rule } from "../authz/rules.ts";

export type RoleData = {
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly labels?: { readonly [label: string]: string };
  /** Roles with this label are added to it. */
  readonly aggregates?: string;
};
export type SubjectData = { readonly kind: "User" | "Group"; readonly name: string } | { readonly kind: "ServiceAccount"; readonly name: string; readonly namespace: string };
export type BindingData = { readonly name: string; readonly role: string; readonly subjects: readonly SubjectData[] };

export const read = "get list watch";
export const write = "create delete deletecollection patch update";
export const readWrite = `${read} ${write}`;

/** Lists are sorted, as upstream's rule builder sorts them (pkg/apis/rbac/v1/helpers.go). */
export function rule(verbs: string, groups: string, resources: string, names?: string): Rule {
  return {
    verbs: words(verbs), apiGroups: words(groups).map(group => (group === "core" ? "" : group)).sort(), resources: words(resources),
    ...(names === undefined ? {} : { resourceNames: words(names) }),
  };
}
export function urls(verbs: string, paths: string): Rule {
  return { verbs: words(verbs), nonResourceURLs: words(paths) };
}
/** What everything that reports events needs. */
export const events = rule("create patch update", "core events.k8s.io", "events");

export const role = (name: string, ...rules: readonly Rule[]): RoleData => ({ name, rules });
export const user = (name: string): SubjectData => ({ kind: "User", name });
export const group = (name: string): SubjectData => ({ kind: "Group", name });
export const account = (name: string, namespace = "kube-system"): SubjectData => ({ kind: "ServiceAccount", name, namespace });

function words(text: string): string[] {
  return text.split(" ").sort();
}
