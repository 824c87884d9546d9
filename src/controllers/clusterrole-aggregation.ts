import { sameJson, type Json } from "../base/json.ts";
import { selectorOf } from "../base/selector.ts";
import { apiVersionOf } from "../kinds/kind.ts";
import { ClusterRole } from "../kinds/rbac/clusterrole.ts";
import type { PolicyRule } from "../kinds/rbac/types.ts";
import type { Controller } from "./controller.ts";

/** ClusterRoles that say so hold the rules of all that carry a label (pkg/controller/clusterroleaggregation). */
export const clusterRoleAggregationController: Controller = {
  name: "clusterrole-aggregation",
  account: "clusterrole-aggregation-controller",
  reconciles: ClusterRole,
  // Any role may be, become or cease to be part of any aggregated one; there are few of those.
  watches: [{ kind: ClusterRole, keysOf: (_, context) => context.read(ClusterRole).list().filter(role => role.aggregationRule !== undefined).map(role => role.metadata.name!) }],

  async reconcile(key, context) {
    const roles = context.read(ClusterRole);
    const role = roles.get(key);
    if (role?.aggregationRule === undefined) return undefined;
    const rules = planRules(role, roles.list());
    if (sameJson(rules, role.rules ?? [])) return undefined;
    const body = { apiVersion: apiVersionOf(ClusterRole), kind: ClusterRole.kind, metadata: { name: key }, rules: rules as readonly object[] as readonly Json[] };
    await context.ifThere(context.patch(ClusterRole, role, { type: "apply", body, force: true }, { fieldManager: "clusterrole-aggregation-controller" }));
    return undefined;
  },
};

/** The rules of every role that a selector picks, by name within each selector, each rule once. */
export function planRules(role: ClusterRole, all: readonly ClusterRole[]): readonly PolicyRule[] {
  const rules: PolicyRule[] = [];
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const picked = selectorOf(selector);
    const members = all.filter(({ metadata }) => metadata.name !== role.metadata.name && picked.matches(metadata.labels ?? {})).sort((a, b) => (a.metadata.name! < b.metadata.name! ? -1 : 1));
    for (const rule of members.flatMap(member => member.rules ?? [])) if (!rules.some(known => sameJson(known, rule))) rules.push(rule);
  }
  return rules;
}
