/** Types of what policies' expressions see, by which they are checked when they are written (apiserver pkg/admission/plugin/cel). Part of what is loaded with CEL. */
import { authorizerType, resourceCheckType } from "../../../schema/cel/library/authz.ts";
import { type ObjectField, type Type, listOf, mapOf, types } from "../../../schema/cel/types.ts";

const object = (name: string, fields: { readonly [name: string]: Type }): Type => ({ kind: "object", name: `kubernetes.${name}`, fields: new Map(Object.entries(fields).map(([json, type]): [string, ObjectField] => [json, { json, type }])) });
const { bool, dyn, int, string, timestamp } = types, strings = listOf(string), labels = mapOf(string, string);
const kind = object("GroupVersionKind", { group: string, version: string, kind: string }), resource = object("GroupVersionResource", { group: string, version: string, resource: string });

export const userInfoType = object("UserInfo", { username: string, uid: string, groups: strings, extra: mapOf(string, strings) });
export const requestType = object("AdmissionRequest", {
  kind, resource, subResource: string, requestKind: kind, requestResource: resource, requestSubResource: string, name: string, namespace: string, operation: string,
  userInfo: userInfoType, dryRun: bool, options: dyn,
});
const namespaceType = object("Namespace", {
  metadata: object("NamespaceMetadata", { name: string, generateName: string, namespace: string, labels, annotations: labels, UID: string, creationTimestamp: timestamp, deletionGracePeriodSeconds: int, deletionTimestamp: timestamp, generation: int, resourceVersion: string, finalizers: strings }),
  spec: object("NamespaceSpec", { finalizers: strings }),
  status: object("NamespaceStatus", { conditions: listOf(object("NamespaceCondition", { status: string, type: string, lastTransitionTime: timestamp, message: string, reason: string })), phase: string }),
});
export const authorizers: readonly (readonly [string, Type])[] = [["authorizer", authorizerType], ["authorizer.requestResource", resourceCheckType]];

/** Variables of expressions that are being written. `variables` are those of the policy that are known so far: one sees those before it. */
export class InputTypes {
  readonly #plain: readonly (readonly [string, Type])[];
  readonly #fields = new Map<string, ObjectField>();
  readonly #variables: readonly (readonly [string, Type])[];
  /** `composed`: whether there are `variables`. */
  constructor(hasParams: boolean, composed: boolean) {
    this.#plain = [["object", dyn], ["oldObject", dyn], ["namespaceObject", namespaceType], ["request", requestType], ...(hasParams ? [["params", dyn] as const] : [])];
    this.#variables = composed ? [["variables", { kind: "object", name: "kubernetes.variables", fields: this.#fields }]] : [];
  }
  /** Conditions have no `variables`. */
  get conditions(): ReadonlyMap<string, Type> {
    return new Map([...this.#plain, ...authorizers]);
  }
  get all(): ReadonlyMap<string, Type> {
    return new Map([...this.#plain, ...authorizers, ...this.#variables]);
  }
  /** Messages may not ask the authorizer. */
  get messages(): ReadonlyMap<string, Type> {
    return new Map([...this.#plain, ...this.#variables]);
  }
  /** `type`: of its expression, if that compiles. */
  add(name: string, type: Type | undefined): void {
    this.#fields.set(name, { json: name, type: variableType(type) });
  }
}

/** Only plain types, and lists and maps of them, are known of a variable. */
function variableType(type: Type | undefined): Type {
  switch (type?.kind) {
    case "list": return listOf(variableType(type.item));
    case "map": return mapOf(variableType(type.key), variableType(type.value));
    case "bool": case "bytes": case "double": case "duration": case "int": case "null": case "string": case "timestamp": case "uint": return type;
    default: return dyn;
  }
}
