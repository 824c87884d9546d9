/** Rules of roles and bindings (kubernetes pkg/apis/rbac/validation). */
import { sameJson } from "../../base/json.ts";
import * as grammar from "../../schema/grammar.ts";
import { invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";
import { validateLabelSelector } from "../meta/rules.ts";
import type { LabelSelector } from "../meta/labelselector.ts";
import { goValue } from "../../schema/go-value.ts";
import { type PolicyRule, RoleRef, type Subject } from "./types.ts";

const group = "rbac.authorization.k8s.io";

export function roleRules(role: { readonly rules?: readonly PolicyRule[] | undefined; readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly LabelSelector[] | undefined } | undefined }, namespaced: boolean): readonly Problem[] {
  const problems: Problem[] = [];
  (role.rules ?? []).forEach((rule, i) => {
    const here = `rules[${i}]`;
    const { nonResourceURLs = [], apiGroups = [], resources = [], resourceNames = [] } = rule;
    if (rule.verbs.length === 0) problems.push(required(`${here}.verbs`, "verbs must contain at least one value"));
    if (nonResourceURLs.length > 0) {
      if (namespaced) problems.push(invalidValue(`${here}.nonResourceURLs`, nonResourceURLs, "namespaced rules cannot apply to non-resource URLs"));
      if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) problems.push(invalidValue(`${here}.nonResourceURLs`, nonResourceURLs, "rules cannot apply to both regular resources and non-resource URLs"));
      return;
    }
    if (apiGroups.length === 0) problems.push(required(`${here}.apiGroups`, "resource rules must supply at least one api group"));
    if (resources.length === 0) problems.push(required(`${here}.resources`, "resource rules must supply at least one resource"));
  });
  if (role.aggregationRule !== undefined) {
    const selectors = role.aggregationRule.clusterRoleSelectors ?? [];
    if (selectors.length === 0) problems.push(required("aggregationRule.clusterRoleSelectors", "at least one clusterRoleSelector required if aggregationRule is non-nil"));
    selectors.forEach((selector, i) => {
      const here = `aggregationRule.clusterRoleSelectors[${i}]`, wrong = validateLabelSelector(selector, here);
      problems.push(...wrong, ...(wrong.length > 0 ? [invalidValue(here, null, "invalid label selector.")] : []));
    });
  }
  return problems;
}

type Binding = { readonly roleRef: RoleRef; readonly subjects?: readonly Subject[] | undefined };
export function bindingRules(next: Binding, previous: Binding | undefined, kinds: readonly string[]): readonly Problem[] {
  const { roleRef } = next;
  const problems: Problem[] = [];
  if (roleRef.apiGroup !== group) problems.push(notSupported("roleRef.apiGroup", roleRef.apiGroup, [group]));
  if (!kinds.includes(roleRef.kind)) problems.push(notSupported("roleRef.kind", roleRef.kind, kinds));
  if (roleRef.name === "") problems.push(required("roleRef.name"));
  else for (const detail of grammar.pathSegment(roleRef.name)) problems.push(invalidValue("roleRef.name", roleRef.name, detail));
  (next.subjects ?? []).forEach((subject, i) => problems.push(...subjectProblems(subject, `subjects[${i}]`, kinds.includes("Role"))));
  if (previous !== undefined && !sameJson(roleRef, previous.roleRef)) problems.push(invalidValue("roleRef", goValue(RoleRef.node, roleRef), "cannot change roleRef"));
  return problems;
}
function subjectProblems({ kind, name, namespace = "", apiGroup = "" }: Subject, path: string, namespaced: boolean): readonly Problem[] {
  const problems: Problem[] = name === "" ? [required(`${path}.name`)] : [];
  switch (kind) {
    case "ServiceAccount":
      if (name !== "") for (const detail of grammar.dnsSubdomain(name)) problems.push(invalidValue(`${path}.name`, name, detail));
      if (apiGroup !== "") problems.push(notSupported(`${path}.apiGroup`, apiGroup, [""]));
      // In a namespace the binding's own is meant (`api/authz/rbac.ts`).
      if (namespace === "" && !namespaced) problems.push(required(`${path}.namespace`));
      break;
    case "User": case "Group": if (apiGroup !== group) problems.push(notSupported(`${path}.apiGroup`, apiGroup, [group])); break;
    default: problems.push(notSupported(`${path}.kind`, kind, ["ServiceAccount", "User", "Group"]));
  }
  return problems;
}
