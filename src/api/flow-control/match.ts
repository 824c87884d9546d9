/** Which flow schema a request falls under (apiserver pkg/util/flowcontrol/rule.go), with the subjects of all rules judged once for each user. */
import type { User } from "../context.ts";
import type { RequestInfo } from "../request-info.ts";
import type { PathRule, PolicyRule, ResourceRule, SchemaObject } from "./objects.ts";

/** Users whose rules are remembered; beyond them all are forgotten and found again. */
const usersMax = 2_000;

/** What of a user a schema can ask for. */
type Rule<T> = { readonly target: T; readonly resourceRules: readonly CompiledRule[]; readonly pathRules: readonly PathRule[] };
type CompiledRule = { readonly everything: boolean; readonly rule: ResourceRule };
type Candidate<T> = Rule<T> & { readonly subjects: PolicyRule["subjects"] };
export type Asked = Pick<RequestInfo, "resourceRequest" | "verb" | "group" | "resource" | "subresource" | "namespace" | "path">;

/** In order of precedence, then of name. */
export function byPrecedence(a: SchemaObject, b: SchemaObject): number {
  const difference = a.spec.matchingPrecedence - b.spec.matchingPrecedence;
  return difference !== 0 ? difference : a.metadata.name < b.metadata.name ? -1 : 1;
}

export class Matcher<T> {
  readonly #candidates: readonly Candidate<T>[];
  readonly #fallback: T;
  readonly #byName = new Map<string, readonly Rule<T>[]>();
  /** A connection's user is the same object for all of its requests. */
  readonly #byObject = new WeakMap<User, readonly Rule<T>[]>();

  /** `schemas` in their order; `fallback` is for what none of them matches. */
  constructor(schemas: readonly { readonly spec: SchemaObject["spec"]; readonly target: T }[], fallback: T) {
    this.#fallback = fallback;
    this.#candidates = schemas.flatMap(({ spec, target }) => (spec.rules ?? []).map(({ subjects, resourceRules = [], nonResourceRules = [] }) => ({
      target, subjects, resourceRules: resourceRules.map(rule => ({ everything: coversEverything(rule), rule })), pathRules: nonResourceRules,
    })));
  }

  match(user: User, asked: Asked): T {
    const rules = this.#byObject.get(user) ?? this.#remember(user);
    for (const rule of rules) {
      if (asked.resourceRequest ? rule.resourceRules.some(each => each.everything || matchesResource(each.rule, asked)) : rule.pathRules.some(each => matchesPath(each, asked))) return rule.target;
    }
    return this.#fallback;
  }

  #remember(user: User): readonly Rule<T>[] {
    const key = [user.name, ...user.groups].join("\0");
    let rules = this.#byName.get(key);
    if (rules === undefined) {
      rules = this.#candidates.filter(({ subjects }) => subjects.some(subject => isSubject(subject, user)));
      if (this.#byName.size >= usersMax) this.#byName.clear();
      this.#byName.set(key, rules);
    }
    this.#byObject.set(user, rules);
    return rules;
  }
}

function isSubject(subject: PolicyRule["subjects"][number], { name, groups }: User): boolean {
  switch (subject.kind) {
    case "User": return subject.user !== undefined && (subject.user.name === "*" || subject.user.name === name);
    case "Group": return subject.group !== undefined && (subject.group.name === "*" || groups.includes(subject.group.name));
    case "ServiceAccount": {
      if (subject.serviceAccount === undefined) return false;
      const prefix = `system:serviceaccount:${subject.serviceAccount.namespace}:`;
      return subject.serviceAccount.name === "*" ? name.startsWith(prefix) : name === prefix + subject.serviceAccount.name;
    }
    default: return false;
  }
}

/** `*` counts only when it stands alone: validation sees to that. */
const has = (list: readonly string[], wanted: string): boolean => (list.length === 1 && list[0] === "*") || list.includes(wanted);
const isAll = (list: readonly string[] | undefined): boolean => list?.length === 1 && list[0] === "*";
const coversEverything = (rule: ResourceRule): boolean => isAll(rule.verbs) && isAll(rule.apiGroups) && isAll(rule.resources) && isAll(rule.namespaces) && rule.clusterScope === true;

function matchesResource(rule: ResourceRule, { verb, group, resource, subresource, namespace }: Asked): boolean {
  if (!has(rule.verbs, verb) || !has(rule.apiGroups, group)) return false;
  if (!has(rule.resources, subresource === "" ? resource : `${resource}/${subresource}`)) return false;
  return namespace === "" ? rule.clusterScope === true : has(rule.namespaces ?? [], namespace);
}

function matchesPath({ verbs, nonResourceURLs }: PathRule, { verb, path }: Asked): boolean {
  return has(verbs, verb) && nonResourceURLs.some(url => {
    if (url === "*" || url === path) return true;
    const prefix = url.endsWith("*") ? url.slice(0, -1) : url;
    return path.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
  });
}
