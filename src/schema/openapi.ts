/** OpenAPI schemas of nodes: definitions that name each other. v2 and v3 differ in how they refer, and in what v3 adds. */
import { type Json, type JsonObject } from "../base/json.ts";
import type { Node } from "./t.ts";

export type Dialect = "v2" | "v3";
type Schema = { [keyword: string]: Json };
const prefixes = { v2: "#/definitions/", v3: "#/components/schemas/" } as const;

/** Definitions of values that Go has types for. */
const shared: { readonly [name: string]: { readonly v2: Schema; readonly v3?: Schema; readonly description: string } } = {
  "io.k8s.apimachinery.pkg.api.resource.Quantity": { v2: { type: "string" }, v3: { oneOf: [{ type: "string" }, { type: "number" }] }, description: "An exact amount, such as 500m, 1.5 or 128Mi." },
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": { v2: { type: "string", format: "int-or-string" }, v3: { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] }, description: "A number, or a text such as a name or a percentage." },
  "io.k8s.apimachinery.pkg.apis.meta.v1.Time": { v2: { type: "string", format: "date-time" }, description: "A time in RFC 3339, to the second." },
  "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": { v2: { type: "string", format: "date-time" }, description: "A time in RFC 3339, to the microsecond." },
  "io.k8s.apimachinery.pkg.runtime.RawExtension": { v2: { type: "object" }, description: "An object of any kind." },
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": { v2: { type: "object" }, description: "A set of fields as a tree of their paths." },
  "io.k8s.apimachinery.pkg.apis.meta.v1.Patch": { v2: { type: "object" }, description: "The body of a PATCH, in the form that Content-Type names." },
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": { v2: {}, description: "Any JSON value." },
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": { v2: {}, description: "One schema, or a list of them." },
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": { v2: {}, description: "A schema, or whether anything is allowed." },
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": { v2: {}, description: "A schema, or a list of field names." },
};
const formatRefs: { readonly [format: string]: string } = {
  quantity: "io.k8s.apimachinery.pkg.api.resource.Quantity", "int-or-string": "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
  "date-time": "io.k8s.apimachinery.pkg.apis.meta.v1.Time", "micro-time": "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
};

/** What Go has in a field of this type that nobody set. */
const zeroOf = ({ kind, format }: Node): Json | undefined => (kind === "string" && format === undefined ? "" : kind === "integer" ? 0 : kind === "boolean" ? false : undefined);

/** Collects definitions while references to them are written. */
export class Definitions {
  readonly dialect: Dialect;
  readonly schemas = new Map<string, Schema>();
  constructor(dialect: Dialect) {
    this.dialect = dialect;
  }

  /** The definition of a named object and all that it names. */
  add(node: Node, more: JsonObject = {}): void {
    const name = node.ref!;
    if (this.schemas.has(name)) return;
    const schema: Schema = {};
    this.schemas.set(name, schema);
    // What is said of this one field says nothing of the definition.
    const { description: _, ...definition } = node.custom === undefined ? this.#object(node) : this.#custom(node, node.custom);
    for (const [keyword, value] of Object.entries({ ...definition, ...more })) schema[keyword] = value;
  }
  addShared(name: string): void {
    const known = shared[name];
    if (known === undefined) throw new Error(`no shared definition ${name}`);
    if (!this.schemas.has(name)) this.schemas.set(name, { description: known.description, ...((this.dialect === "v3" ? known.v3 : undefined) ?? known.v2) });
  }
  reference(name: string): string {
    return prefixes[this.dialect] + name;
  }
  /** In the order of their names. */
  sorted(): JsonObject {
    return Object.fromEntries([...this.schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** What a definition wrote is published as it wrote it, around the parts that every object has. */
  #custom(node: Node, custom: NonNullable<Node["custom"]>): Schema {
    const { properties, ...rest } = custom.publish(this.dialect);
    // Quirk: with fields named, kubectl would take all others for mistakes. See apiextensions pkg/controller/openapi/builder buildKubeNative.
    if (this.dialect === "v2" && node.preserveUnknown === true) return { type: "object" };
    const { apiVersion, kind, metadata } = node.fields as { readonly [name: string]: Node };
    return { ...rest, type: "object", properties: { ...(properties as JsonObject | undefined), apiVersion: this.#property(apiVersion!), kind: this.#property(kind!), metadata: this.#property(metadata!) } };
  }

  #object(node: Node): Schema {
    const fields = Object.entries(node.fields ?? {});
    const required = fields.filter(([, field]) => field.presence === "required").map(([name]) => name).sort();
    const properties = fields.map(([name, field]) => [name, this.#property(field)] as const).sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      ...(node.doc === undefined ? {} : { description: node.doc }), type: "object",
      ...(properties.length === 0 ? {} : { properties: Object.fromEntries(properties) }), ...(required.length === 0 ? {} : { required }),
      ...(node.atomic === true ? { "x-kubernetes-map-type": "atomic" } : {}),
      ...(node.union === undefined ? {} : { "x-kubernetes-unions": [{ ...(node.union.discriminator === undefined ? {} : { discriminator: node.union.discriminator }), "fields-to-discriminateBy": node.union.members }] }),
    };
  }

  #property(node: Node): Schema {
    const schema = this.#type(node);
    const notes: Schema = {
      ...(node.doc === undefined ? {} : { description: node.doc }),
      ...(this.dialect === "v3" ? this.#default(node) : {}),
      ...(node.kind === "list" && node.list && !("implied" in node.list) ? { "x-kubernetes-list-type": node.list.type } : {}),
      // Bytes are a list to Go.
      ...(node.format === "byte" && node.atomic === true ? { "x-kubernetes-list-type": "atomic" } : {}),
      ...(node.list?.type === "map" ? { "x-kubernetes-list-map-keys": node.list.keys } : {}),
      ...((node.kind === "map" || (node.kind === "object" && node.atomic === false)) && node.atomic !== undefined ? { "x-kubernetes-map-type": node.atomic ? "atomic" : "granular" } : {}),
      ...(node.patchMergeKey === undefined ? {} : { "x-kubernetes-patch-merge-key": node.patchMergeKey }),
      ...(node.patchStrategy === undefined ? {} : { "x-kubernetes-patch-strategy": node.patchStrategy }),
    };
    // In v3 nothing may stand beside a reference: it is wrapped.
    if (this.dialect === "v3" && "$ref" in schema && Object.keys(notes).length > 0) return { allOf: [schema], ...notes };
    return { ...notes, ...schema };
  }

  #default(node: Node): Schema {
    if (node.publishedDefault === true) return { default: node.default! };
    if (node.always === "{}" && node.kind === "object") return { default: {} };
    const zero = node.always === "zero" ? zeroOf(node) : undefined;
    return zero === undefined ? {} : { default: zero };
  }

  #type(node: Node): Schema {
    const named = node.kind === "string" || node.kind === "any" ? (node.ref ?? formatRefs[node.format ?? ""]) : undefined;
    if (named !== undefined) {
      this.addShared(named);
      return { $ref: this.reference(named) };
    }
    switch (node.kind) {
      case "string": return { type: "string", ...(node.format === "byte" ? { format: "byte" } : {}), ...(node.enum === undefined ? {} : { enum: node.enum }) };
      case "integer": return { type: "integer", format: node.format ?? "int64" };
      case "number": return { type: "number", format: "double" };
      case "boolean": return { type: "boolean" };
      case "list": return { type: "array", items: this.#item(node.items!) };
      case "map": return { type: "object", additionalProperties: this.#item(node.items!) };
      case "any": return {};
      case "object": {
        if (node.ref === undefined) return this.#object(node);
        this.add(node);
        return { $ref: this.reference(node.ref) };
      }
    }
  }
  #item(node: Node): Schema {
    const schema = this.#type(node);
    if (this.dialect === "v2") return schema;
    const value = node.kind === "object" ? {} : zeroOf(node);
    if (value === undefined) return schema;
    return "$ref" in schema ? { allOf: [schema], default: value } : { ...schema, default: value };
  }
}
