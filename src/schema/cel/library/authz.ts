/** Questions to the authorizer (apiserver pkg/cel/library/authz.go). Answers come from whoever made the `Authorizer` value. */
import { dnsLabel, dnsSubdomain } from "../../grammar.ts";
import { CelError } from "../error.ts";
import { type Library, member } from "../functions.ts";
import { opaque, types } from "../types.ts";
import { Opaque, type Value } from "../values.ts";

/** What is asked, before the verb. */
export type Check =
  | { readonly path: string }
  | { readonly group: string; readonly resource: string; readonly subresource: string; readonly namespace: string; readonly name: string; readonly fieldSelector?: string; readonly labelSelector?: string };
export type Answer = { readonly allowed: boolean; readonly reason: string; readonly error?: string };
/** Asks for one user; `as` asks for a service account instead. */
export interface Asker {
  ask(check: Check, verb: string): Answer;
  as(namespace: string, name: string): Asker;
}

abstract class Part extends Opaque {
  equals(other: Opaque): boolean {
    return this === other;
  }
}
export class AuthorizerValue extends Part {
  override readonly typeName = "kubernetes.authorization.Authorizer";
  readonly asker: Asker;
  constructor(asker: Asker) {
    super();
    this.asker = asker;
  }
}
class PathCheck extends Part {
  override readonly typeName = "kubernetes.authorization.PathCheck";
  readonly asker: Asker;
  readonly path: string;
  constructor(asker: Asker, path: string) {
    super();
    this.asker = asker;
    this.path = path;
  }
}
class GroupCheck extends Part {
  override readonly typeName = "kubernetes.authorization.GroupCheck";
  readonly asker: Asker;
  readonly group: string;
  constructor(asker: Asker, group: string) {
    super();
    this.asker = asker;
    this.group = group;
  }
}
type Resource = Exclude<Check, { readonly path: string }>;
export class ResourceCheck extends Part {
  override readonly typeName = "kubernetes.authorization.ResourceCheck";
  readonly asker: Asker;
  readonly check: Resource;
  constructor(asker: Asker, check: Resource) {
    super();
    this.asker = asker;
    this.check = check;
  }
}
class Decision extends Part {
  override readonly typeName = "kubernetes.authorization.Decision";
  readonly answer: Answer;
  constructor(answer: Answer) {
    super();
    this.answer = answer;
  }
}

export const authorizerType = opaque("kubernetes.authorization.Authorizer");
export const resourceCheckType = opaque("kubernetes.authorization.ResourceCheck");
const pathCheckType = opaque("kubernetes.authorization.PathCheck"), groupCheckType = opaque("kubernetes.authorization.GroupCheck"), decisionType = opaque("kubernetes.authorization.Decision");
const { string, bool } = types;
/** So that an expression can ask no more than twice. */
const checkCost = (): number => 350_000;
const blank = (text: Value): boolean => (text as string).trim() === "";
const narrowed = (field: keyof Resource) => ([from, value]: readonly Value[]): Value => {
  const { asker, check } = from as ResourceCheck;
  return new ResourceCheck(asker, { ...check, [field]: value as string });
};
const narrow = (name: keyof Resource, id: string): [string, Library extends ReadonlyMap<string, infer O> ? O : never] => [name, [member(id, [resourceCheckType, string], resourceCheckType, narrowed(name))]];
const told = (name: string, result: typeof string | typeof bool, get: (answer: Answer) => Value): [string, Library extends ReadonlyMap<string, infer O> ? O : never] => [name, [member(`decision_${name}`, [decisionType], result, ([decision]) => get((decision as Decision).answer))]];

export const authzLibrary: Library = new Map([
  ["path", [member("authorizer_path", [authorizerType, string], pathCheckType, ([from, path]) => {
    if (blank(path!)) throw new CelError("path must not be empty");
    return new PathCheck((from as AuthorizerValue).asker, path as string);
  })]],
  ["group", [member("authorizer_group", [authorizerType, string], groupCheckType, ([from, group]) => new GroupCheck((from as AuthorizerValue).asker, group as string))]],
  ["serviceAccount", [member("authorizer_serviceaccount", [authorizerType, string, string], authorizerType, ([from, namespace, name]) => {
    if (dnsSubdomain(name as string).length > 0) throw new CelError("Invalid service account name");
    if (dnsLabel(namespace as string).length > 0) throw new CelError("Invalid service account namespace");
    return new AuthorizerValue((from as AuthorizerValue).asker.as(namespace as string, name as string));
  })]],
  ["resource", [member("groupcheck_resource", [groupCheckType, string], resourceCheckType, ([from, resource]) => {
    if (blank(resource!)) throw new CelError("resource must not be empty");
    const { asker, group } = from as GroupCheck;
    return new ResourceCheck(asker, { group, resource: resource as string, subresource: "", namespace: "", name: "" });
  })]],
  narrow("subresource", "resourcecheck_subresource"), narrow("namespace", "resourcecheck_namespace"), narrow("name", "resourcecheck_name"),
  narrow("fieldSelector", "authorizer_fieldselector"), narrow("labelSelector", "authorizer_labelselector"),
  ["check", [
    member("pathcheck_check", [pathCheckType, string], decisionType, ([from, verb]) => new Decision((from as PathCheck).asker.ask({ path: (from as PathCheck).path }, verb as string)), checkCost),
    member("resourcecheck_check", [resourceCheckType, string], decisionType, ([from, verb]) => new Decision((from as ResourceCheck).asker.ask((from as ResourceCheck).check, verb as string)), checkCost),
  ]],
  told("allowed", bool, ({ allowed }) => allowed), told("reason", string, ({ reason }) => reason), told("error", string, ({ error = "" }) => error), told("errored", bool, ({ error }) => error !== undefined),
]);
