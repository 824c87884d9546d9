/**
 * Role-based access control over an index of all roles and bindings, kept current by a watch on the store: a change counts from the moment it is
 * visible. Decisions and reasons as upstream's (plugin/pkg/auth/authorizer/rbac/rbac.go, pkg/registry/rbac/validation/rule.go).
 */
import { assert } from "../../base/assert.ts";
import type { Store } from "../../store/store.ts";
import type { Authorizer, Decision, RequestAttributes, User, UserRules } from "../context.ts";
import { ruleAllows, type Rule } from "./rules.ts";

export const rbacGroup = "rbac.authorization.k8s.io";
const prefix = `/registry/${rbacGroup}/`;
const accountPrefix = "system:serviceaccount:";

export type RoleRef = { readonly apiGroup?: string; readonly kind: string; readonly name: string };
type Subject = { readonly kind: string; readonly name: string; readonly namespace?: string };
type Binding = { readonly namespace: string; readonly name: string; readonly roleRef: RoleRef; readonly subjects: readonly Subject[] };
/** A binding as it applies to one of its subjects. */
type Grant = { readonly binding: Binding; readonly subject: Subject };

/** One namespace's bindings (or, under "", the cluster's) by subject: `u alice`, `g admins`, `u system:serviceaccount:default:web`. */
type Grants = Map<string, Map<string, Grant>>;

export class Rbac implements Authorizer {
  /** Rules by `namespace/name`; ClusterRoles under `/name`. */
  readonly #roles = new Map<string, readonly Rule[]>();
  readonly #bindings = new Map<string, Binding>();
  readonly #grants = new Map<string, Grants>();

  /** Fills the index from the store and follows it until the returned function is called. */
  follow(store: Store): () => void {
    const { entries, revision } = store.list(prefix);
    for (const entry of entries) this.#put(entry.key, JSON.parse(entry.value));
    const watch = store.watch(prefix, revision, ({ changes }) => {
      for (const change of changes) this.#put(change.key, change.type === "put" ? JSON.parse(change.entry.value) : undefined);
    });
    assert("close" in watch, "the revision just listed is not compacted");
    return () => watch.close();
  }

  /** Puts one object in the index, or takes it out when `object` is undefined. `key` is its store key. */
  #put(key: string, object: any): void {
    const [plural = "", ...path] = key.slice(prefix.length).split("/");
    const [namespace, name] = path.length === 1 ? ["", path[0]!] : [path[0]!, path[1]!];
    if (plural === "roles" || plural === "clusterroles") {
      if (object === undefined) this.#roles.delete(`${namespace}/${name}`);
      else this.#roles.set(`${namespace}/${name}`, object.rules ?? []);
    } else if (plural === "rolebindings" || plural === "clusterrolebindings") {
      const id = `${namespace}/${name}`;
      const known = this.#bindings.get(id);
      if (known !== undefined) this.#grant(known, id, false);
      this.#bindings.delete(id);
      if (object === undefined) return;
      const binding: Binding = { namespace, name, roleRef: object.roleRef, subjects: object.subjects ?? [] };
      this.#bindings.set(id, binding);
      this.#grant(binding, id, true);
    }
  }

  #grant(binding: Binding, id: string, add: boolean): void {
    const grants = this.#grants.get(binding.namespace) ?? new Map<string, Map<string, Grant>>();
    for (const subject of binding.subjects) {
      const key = subjectKey(subject, binding.namespace);
      if (key === undefined) continue;
      const granted = grants.get(key) ?? new Map<string, Grant>();
      if (!add) granted.delete(id);
      else if (!granted.has(id)) granted.set(id, { binding, subject });
      if (granted.size === 0) grants.delete(key);
      else grants.set(key, granted);
    }
    if (grants.size === 0) this.#grants.delete(binding.namespace);
    else this.#grants.set(binding.namespace, grants);
  }

  authorize(user: User, request: RequestAttributes): Decision {
    const missing = new Set<string>();
    for (const { binding, subject } of this.#grantsOf(user, request.resourceRequest ? request.namespace : "")) {
      const rules = this.rulesOf(binding.roleRef, binding.namespace);
      if (rules === undefined) missing.add(notFoundText(binding.roleRef));
      else if (rules.some(rule => ruleAllows(rule, request))) return { allowed: true, reason: `RBAC: allowed by ${describe(binding, subject)}` };
    }
    return missing.size === 0 ? { allowed: false } : { allowed: false, reason: `RBAC: ${aggregate([...missing])}` };
  }

  rules(user: User, namespace: string): UserRules {
    const { rules, errors } = this.allRules(user, namespace);
    const resourceRules: Required<Pick<UserRules, "resourceRules">>["resourceRules"][number][] = [];
    const nonResourceRules: UserRules["nonResourceRules"][number][] = [];
    for (const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } of rules) {
      if ((resources ?? []).length > 0)
        resourceRules.push({ verbs, ...(apiGroups ? { apiGroups } : {}), ...(resources ? { resources } : {}), ...(resourceNames?.length ? { resourceNames } : {}) });
      if ((nonResourceURLs ?? []).length > 0) nonResourceRules.push({ verbs, ...(nonResourceURLs ? { nonResourceURLs } : {}) });
    }
    return { resourceRules, nonResourceRules, incomplete: false, ...(errors.length > 0 ? { evaluationError: aggregate(errors) } : {}) };
  }

  /** Every rule that applies to the user in a namespace ("" for cluster-wide ones only), and the roles that could not be found. */
  allRules(user: User, namespace: string): { readonly rules: readonly Rule[]; readonly errors: readonly string[] } {
    const rules: Rule[] = [];
    const errors = new Set<string>();
    for (const { binding } of this.#grantsOf(user, namespace)) {
      const found = this.rulesOf(binding.roleRef, binding.namespace);
      if (found === undefined) errors.add(notFoundText(binding.roleRef));
      else rules.push(...found);
    }
    return { rules, errors: [...errors] };
  }

  /** The rules of the role that a binding in `namespace` names; `undefined` if there is no such role. */
  rulesOf(roleRef: RoleRef, namespace: string): readonly Rule[] | undefined {
    if (roleRef.kind === "ClusterRole") return this.#roles.get(`/${roleRef.name}`);
    return roleRef.kind === "Role" && namespace !== "" ? this.#roles.get(`${namespace}/${roleRef.name}`) : undefined;
  }

  /** Cluster-wide grants first, then the namespace's. */
  *#grantsOf(user: User, namespace: string): Iterable<Grant> {
    for (const scope of namespace === "" ? [""] : ["", namespace]) {
      const grants = this.#grants.get(scope);
      if (grants === undefined) continue;
      for (const key of [`u ${user.name}`, ...user.groups.map(group => `g ${group}`)]) yield* grants.get(key)?.values() ?? [];
    }
  }
}

/** A service account is the user of its name; one without a namespace takes the binding's, and in a cluster binding is nobody. */
function subjectKey({ kind, name, namespace = "" }: Subject, bindingNamespace: string): string | undefined {
  if (kind === "User") return `u ${name}`;
  if (kind === "Group") return `g ${name}`;
  if (kind !== "ServiceAccount") return undefined;
  const home = namespace === "" ? bindingNamespace : namespace;
  return home === "" ? undefined : `u ${accountPrefix}${home}:${name}`;
}

function describe({ name, namespace, roleRef }: Binding, subject: Subject): string {
  const quote = JSON.stringify;
  const who = subject.kind === "ServiceAccount" ? `${subject.name}/${subject.namespace || namespace}` : subject.name;
  const binding = namespace === "" ? `ClusterRoleBinding ${quote(name)}` : `RoleBinding ${quote(`${name}/${namespace}`)}`;
  return `${binding} of ${roleRef.kind} ${quote(roleRef.name)} to ${subject.kind} ${quote(who)}`;
}

export function notFoundText({ kind, name }: RoleRef): string {
  return `${kind.toLowerCase()}.${rbacGroup} ${JSON.stringify(name)} not found`;
}

/** Several errors as upstream's aggregate prints them. */
export function aggregate(errors: readonly string[]): string {
  return errors.length === 1 ? errors[0]! : `[${errors.join(", ")}]`;
}
