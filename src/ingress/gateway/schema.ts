/**
 * The words in which the definitions of Gateway API's kinds are written: OpenAPI schemas as a CustomResourceDefinition holds them. Bounds, patterns,
 * defaults and the texts of rules are those of upstream's standard channel (config/crd/standard of gateway-api 1.4.1); documentation is ours.
 */
import type { Json } from "../../base/json.ts";
import { defineKind } from "../../kinds/kind.ts";

export type Schema = { readonly [keyword: string]: Json };
type More = { readonly [keyword: string]: Json };

export const gatewayGroup = "gateway.networking.k8s.io";
/** Which release of Gateway API the definitions follow; `kubectl get crd -o yaml` shows it, and charts look for it. */
export const bundleVersion = "v1.4.1";

/** On definitions that we made; they follow our version as long as nobody has put in another bundle. */
export const bundledAnnotation = "timonier.dev/bundled";

export const text = (description: string, more: More = {}): Schema => ({ type: "string", description, ...more });
export const oneOf = (description: string, values: readonly string[], more: More = {}): Schema => ({ type: "string", description, enum: [...values], ...more });
export const number = (description: string, minimum: number, maximum: number | undefined, more: More = {}): Schema => ({ type: "integer", format: "int32", description, minimum, ...(maximum === undefined ? {} : { maximum }), ...more });
export function object(description: string, properties: { readonly [name: string]: Schema }, required: readonly string[] = [], more: More = {}): Schema {
  return { type: "object", description, properties, ...(required.length === 0 ? {} : { required: [...required] }), ...more };
}
export const list = (description: string, items: Schema, maxItems: number, more: More = {}): Schema => ({ type: "array", description, items, maxItems, "x-kubernetes-list-type": "atomic", ...more });
export const listBy = (key: string): More => ({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key] });
/** CEL rules with their messages. */
export const rules = (...pairs: readonly (readonly [rule: string, message: string])[]): More => ({ "x-kubernetes-validations": pairs.map(([rule, message]) => ({ rule, message })) });

const subdomain = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
export const patterns = {
  subdomain: `^${subdomain}$`, group: `^$|^${subdomain}$`, kind: "^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$", label: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", hostname: `^(\\*\\.)?${subdomain}$`,
  headerName: "^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$", duration: "^([0-9]{1,5}(h|m|s|ms)){1,4}$", controller: `^${subdomain}\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$`,
  addressType: `^Hostname|IPAddress|NamedAddress|${subdomain}\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$`, protocol: `^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|${subdomain}\\/[A-Za-z0-9]+$`,
} as const;

export const group = (value: string | undefined): Schema => text("API group of the object; empty is the core group.", { maxLength: 253, pattern: patterns.group, ...(value === undefined ? {} : { default: value }) });
export const kindField = (value: string | undefined): Schema => text("Kind of the object.", { minLength: 1, maxLength: 63, pattern: patterns.kind, ...(value === undefined ? {} : { default: value }) });
export const objectName: Schema = text("Name of the object.", { minLength: 1, maxLength: 253 });
export const namespaceField: Schema = text("Namespace of the object; its own if absent. Another one needs a ReferenceGrant there.", { minLength: 1, maxLength: 63, pattern: patterns.label });
export const sectionName = (description: string): Schema => text(description, { minLength: 1, maxLength: 253, pattern: patterns.subdomain });
export const portField = (description: string): Schema => number(description, 1, 65535);
export const hostnames = (description: string): Schema => list(description, text("A name, or *. and a name for all below it.", { minLength: 1, maxLength: 253, pattern: patterns.hostname }), 16);

export const conditions = (more: More = {}): Schema => list("What is known about it.", object("One condition.", {
  type: text("What it is about.", { maxLength: 316, pattern: "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$" }),
  status: oneOf("Whether it holds.", ["True", "False", "Unknown"]),
  observedGeneration: { type: "integer", format: "int64", minimum: 0, description: "The generation of the object that was looked at." },
  lastTransitionTime: text("When the status last changed.", { format: "date-time" }),
  reason: text("Why, in one word.", { minLength: 1, maxLength: 1024, pattern: "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$" }),
  message: text("Why, in a sentence.", { maxLength: 32768 }),
}, ["lastTransitionTime", "message", "reason", "status", "type"]), 8, { ...listBy("type"), ...more });

/** Before a controller has looked. */
export const pending = (...types: readonly string[]): Json => types.map(type => ({ type, status: "Unknown", reason: "Pending", message: "Waiting for controller", lastTransitionTime: "1970-01-01T00:00:00Z" }));

export type Column = { readonly name: string; readonly type: "string" | "date"; readonly jsonPath: string; readonly priority?: number };
export const ageColumn: Column = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };

export type Declared = {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  readonly namespaced: boolean;
  readonly version: string;
  /** Other versions with the same fields. */
  readonly also?: readonly string[];
  readonly doc: string;
  readonly spec: Schema;
  readonly isSpecRequired: boolean;
  readonly status?: Schema;
  readonly columns: readonly Column[];
};

/** The definition as it is stored, and the kind by which our controller reads it. */
export function declare<T extends { readonly spec: unknown; readonly status?: unknown }>({ kind, plural, shortNames = [], namespaced, version, also = [], doc, spec, isSpecRequired, status, columns }: Declared) {
  const schema = (): Schema => object(doc, {
    apiVersion: text("Version of the schema of this object."), kind: text("Kind of this object."), metadata: { type: "object" }, spec, ...(status ? { status } : {}),
  }, isSpecRequired ? ["spec"] : []);
  const versions = [version, ...also].map((name, i) => ({
    name, served: true, storage: i === 0, schema: { openAPIV3Schema: schema() }, additionalPrinterColumns: columns as Json, ...(status ? { subresources: { status: {} } } : {}),
  }));
  const definition = {
    apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition",
    metadata: {
      name: `${plural}.${gatewayGroup}`,
      // Names in k8s.io are upstream's to give; the annotation says where this one was agreed upon.
      annotations: { [bundledAnnotation]: "true", "api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/3328", "gateway.networking.k8s.io/bundle-version": bundleVersion, "gateway.networking.k8s.io/channel": "standard" },
    },
    spec: { group: gatewayGroup, scope: namespaced ? "Namespaced" : "Cluster", names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List`, categories: ["gateway-api"], ...(shortNames.length > 0 ? { shortNames } : {}) }, versions },
  };
  const served = defineKind({ group: gatewayGroup, version, kind, plural, namespaced, custom: true, definition: `${gatewayGroup}.${version}.${kind}`, doc, fields: {} });
  return { definition, kind: served, as: (stored: unknown): Stored<T> => stored as Stored<T> };
}
export type Stored<T> = T & { readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid: string; readonly generation?: number; readonly creationTimestamp: string; readonly deletionTimestamp?: string; readonly labels?: { readonly [name: string]: string } } };
export type Condition = { readonly type: string; readonly status: string; readonly reason: string; readonly message: string; readonly observedGeneration?: number; readonly lastTransitionTime: string };
