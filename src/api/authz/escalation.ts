/**
 * Nobody can give what they do not have: a role may hold only rights its writer holds, a binding only roles whose rights its writer holds,
 * unless the writer may `escalate` or `bind` (pkg/registry/rbac/{clusterrole,role,clusterrolebinding,rolebinding}/policybased/storage.go).
 */
import { sameJson } from "../../base/json.ts";
import { ClusterRole } from "../../kinds/rbac/clusterrole.ts";
import { ClusterRoleBinding } from "../../kinds/rbac/clusterrolebinding.ts";
import { Role } from "../../kinds/rbac/role.ts";
import { RoleBinding } from "../../kinds/rbac/rolebinding.ts";
import type { AdmissionRequest, AdmissionStep } from "../admission/admission.ts";
import type { Authorizer, RequestAttributes, User } from "../context.ts";
import { badRequest, forbidden, notFound } from "../errors.ts";
import { privilegedGroup } from "./authorizer.ts";
import { rbacGroup, type Rbac, type RoleRef } from "./rbac.ts";
import { compactRules, goList, ruleText, uncovered, type Rule } from "./rules.ts";

const everything: readonly Rule[] = [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }, { verbs: ["*"], nonResourceURLs: ["*"] }];

/** The check as an admission step, since every write path passes those. */
export function escalationCheck(rbac: Rbac, authorizer: Authorizer): AdmissionStep {
  return {
    name: "RBACEscalation", isOurs: true,
    validate(request) {
      const { kind, operation, user, object, previous } = request;
      const isRole = kind === Role || kind === ClusterRole;
      if ((!isRole && kind !== RoleBinding && kind !== ClusterRoleBinding) || (operation !== "CREATE" && operation !== "UPDATE") || user.groups.includes(privilegedGroup)) return undefined;
      if (operation === "UPDATE" && changesOnlyOwnership(object, previous)) return undefined;
      return isRole ? judgeRole(rbac, authorizer, request) : judgeBinding(rbac, authorizer, request);
    },
  };
}

async function judgeRole(rbac: Rbac, authorizer: Authorizer, request: AdmissionRequest): Promise<void> {
  const { kind, user, object, previous, namespace } = request;
  const name: string = object.metadata.name ?? "";
  if (await may(authorizer, user, { verb: "escalate", resource: kind.plural, namespace: kind === Role ? namespace : "", name })) return;
  if ((object.aggregationRule !== undefined || previous?.aggregationRule !== undefined) && missingFrom(rbac, user, "", everything).rules.length > 0)
    throw forbidden({ group: rbacGroup, resource: kind.plural }, name, "must have cluster-admin privileges to use the aggregationRule");
  confirm(rbac, request, object.rules ?? []);
}

async function judgeBinding(rbac: Rbac, authorizer: Authorizer, request: AdmissionRequest): Promise<void> {
  const { kind, user, object, namespace } = request;
  const roleRef: RoleRef = object.roleRef;
  const home = kind === RoleBinding ? namespace : "";
  const role = roleRef.kind === "ClusterRole" ? { resource: "clusterroles" } : { resource: "roles" };
  if (await may(authorizer, user, { verb: "bind", resource: role.resource, namespace: home, name: roleRef.name })) return;
  if (kind !== RoleBinding && roleRef.kind !== "ClusterRole") throw badRequest("Namespace parameter required.");
  const rules = rbac.rulesOf(roleRef, home);
  // Quirk: it names the binding's resource, not the role's.
  if (rules === undefined) throw notFound({ group: rbacGroup, resource: kind.plural }, roleRef.name);
  confirm(rbac, request, rules);
}

function confirm(rbac: Rbac, { kind, user, object, namespace }: AdmissionRequest, rules: readonly Rule[]): void {
  const missing = missingFrom(rbac, user, kind.namespaced ? namespace : "", rules);
  if (missing.rules.length === 0) return;
  const texts = [...new Set(compactRules(missing.rules).map(ruleText))].sort();
  const errors = missing.errors.length === 0 ? "" : `; resolution errors: [${missing.errors.join(" ")}]`;
  throw forbidden({ group: rbacGroup, resource: kind.plural }, object.metadata.name ?? "",
    `user ${JSON.stringify(user.name)} (groups=${goList(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${texts.join("\n")}${errors}`);
}

function missingFrom(rbac: Rbac, user: User, namespace: string, wanted: readonly Rule[]): { readonly rules: readonly Rule[]; readonly errors: readonly string[] } {
  const held = rbac.allRules(user, namespace);
  return { rules: uncovered(held.rules, wanted), errors: held.errors };
}

async function may(authorizer: Authorizer, user: User, what: Pick<RequestAttributes, "verb" | "resource" | "namespace" | "name">): Promise<boolean> {
  return (await authorizer.authorize(user, { group: rbacGroup, version: "v1", subresource: "", path: "", resourceRequest: true, ...what })).allowed;
}

/** The garbage collector takes owners and finalizers off roles that it could not write itself. */
function changesOnlyOwnership(object: any, previous: any): boolean {
  const rest = ({ metadata: { ownerReferences, finalizers, managedFields, resourceVersion, ...metadata }, ...more }: any): object => ({ ...more, metadata });
  return sameJson(rest(object), rest(previous));
}
