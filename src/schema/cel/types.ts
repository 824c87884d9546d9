/** Types of CEL expressions, how they fit one another, and how they are written in messages. */

export type Type =
  | { readonly kind: Exclude<Simple, "dyn"> }
  /** `any`: what may be anything as well, but cannot be looped over (protobuf's Any). */
  | { readonly kind: "dyn"; readonly any?: true }
  | { readonly kind: "list"; readonly item: Type }
  | { readonly kind: "map"; readonly key: Type; readonly value: Type }
  | { readonly kind: "object"; readonly name: string; readonly fields: ReadonlyMap<string, ObjectField> }
  | { readonly kind: "opaque"; readonly name: string; readonly params: readonly Type[] }
  | { readonly kind: "type"; readonly of: Type | undefined }
  | { readonly kind: "param"; readonly name: string };
type Simple = "dyn" | "error" | "null" | "bool" | "int" | "uint" | "double" | "string" | "bytes" | "timestamp" | "duration";
/** `json`: the property's name as it stands in objects; the map's key is its name in expressions. */
export type ObjectField = { readonly json: string; readonly type: Type };

export const types = {
  dyn: { kind: "dyn" }, any: { kind: "dyn", any: true }, error: { kind: "error" }, null: { kind: "null" }, bool: { kind: "bool" }, int: { kind: "int" }, uint: { kind: "uint" }, double: { kind: "double" },
  string: { kind: "string" }, bytes: { kind: "bytes" }, timestamp: { kind: "timestamp" }, duration: { kind: "duration" },
} as const satisfies { readonly [name: string]: Type };
export const listOf = (item: Type): Type => ({ kind: "list", item });
export const mapOf = (key: Type, value: Type): Type => ({ kind: "map", key, value });
export const optionalOf = (type: Type): Type => ({ kind: "opaque", name: "optional_type", params: [type] });
export const opaque = (name: string): Type => ({ kind: "opaque", name, params: [] });
export const param = (name: string): Type => ({ kind: "param", name });
export const isOptional = (type: Type): type is Type & { readonly kind: "opaque" } => type.kind === "opaque" && type.name === "optional_type";

/** As cel-go writes a type in messages (checker/format.go). */
export function renderType(type: Type): string {
  switch (type.kind) {
    case "list": return `list(${renderType(type.item)})`;
    case "map": return `map(${renderType(type.key)}, ${renderType(type.value)})`;
    case "object": return type.name;
    case "opaque": return type.params.length === 0 ? type.name : `${type.name}(${type.params.map(renderType).join(", ")})`;
    case "type": return type.of === undefined ? "type" : `type(${renderType(type.of)})`;
    case "param": return type.name;
    case "error": return "!error!";
    case "dyn": return type.any === true ? "any" : "dyn";
    default: return type.kind;
  }
}

/** As cel-go writes a type where it is asked for its own text (common/types/types.go). */
export function typeText(type: Type): string {
  switch (type.kind) {
    case "null": return "null_type";
    case "timestamp": return "google.protobuf.Timestamp";
    case "duration": return "google.protobuf.Duration";
    case "list": return `list(${typeText(type.item)})`;
    case "map": return `map(${typeText(type.key)}, ${typeText(type.value)})`;
    default: return renderType(type);
  }
}

/** What is known of type parameters so far. */
export class Bindings {
  #bound = new Map<string, Type>();
  copy(): Bindings {
    const copy = new Bindings();
    copy.#bound = new Map(this.#bound);
    return copy;
  }
  replace(other: Bindings): void {
    this.#bound = new Map(other.#bound);
  }

  /** The type with everything known put in; what is not known is dyn if `final`. */
  resolve(type: Type, final = false): Type {
    switch (type.kind) {
      case "param": {
        const bound = this.#bound.get(type.name);
        return bound === undefined ? (final ? types.dyn : type) : this.resolve(bound, final);
      }
      case "list": return { ...type, item: this.resolve(type.item, final) };
      case "map": return mapOf(this.resolve(type.key, final), this.resolve(type.value, final));
      case "opaque": return type.params.length === 0 ? type : { ...type, params: type.params.map(each => this.resolve(each, final)) };
      case "type": return type.of === undefined ? type : { kind: "type", of: this.resolve(type.of, final) };
      default: return type;
    }
  }

  /** Whether a value of `actual` may stand where `wanted` is; binds parameters (cel-go checker/types.go). */
  fits(actual: Type, wanted: Type): boolean {
    const trial = this.copy();
    if (!trial.#assign(actual, wanted)) return false;
    this.replace(trial);
    return true;
  }

  #assign(actual: Type, wanted: Type): boolean {
    if (wanted.kind === "param") return this.#bind(wanted.name, actual);
    if (actual.kind === "param") return this.#bind(actual.name, wanted);
    if (actual.kind === "dyn" || actual.kind === "error" || wanted.kind === "dyn" || wanted.kind === "error") return true;
    if (actual.kind === "null") return wanted.kind === "null" || wanted.kind === "object" || wanted.kind === "opaque" || wanted.kind === "timestamp" || wanted.kind === "duration";
    if (actual.kind !== wanted.kind) return false;
    switch (actual.kind) {
      case "list": return this.#assign(actual.item, (wanted as typeof actual).item);
      case "map": return this.#assign(actual.key, (wanted as typeof actual).key) && this.#assign(actual.value, (wanted as typeof actual).value);
      case "object": return actual.name === (wanted as typeof actual).name;
      case "opaque": {
        const other = wanted as typeof actual;
        return actual.name === other.name && actual.params.length === other.params.length && actual.params.every((each, i) => this.#assign(each, other.params[i]!));
      }
      default: return true;
    }
  }

  #bind(name: string, type: Type): boolean {
    const known = this.#bound.get(name);
    if (type.kind === "param" && type.name === name) return true;
    if (known === undefined) {
      if (this.#mentions(type, name)) return false;
      this.#bound.set(name, type);
      return true;
    }
    if (!this.#assign(type, known)) return false;
    // The more general of the two stands: what is dyn once stays dyn.
    if (type.kind === "dyn" || type.kind === "error") this.#bound.set(name, type.kind === "dyn" ? type : types.dyn);
    return true;
  }
  #mentions(type: Type, name: string): boolean {
    switch (type.kind) {
      case "param": return type.name === name || (this.#bound.has(type.name) && this.#mentions(this.#bound.get(type.name)!, name));
      case "list": return this.#mentions(type.item, name);
      case "map": return this.#mentions(type.key, name) || this.#mentions(type.value, name);
      case "opaque": return type.params.some(each => this.#mentions(each, name));
      case "type": return type.of !== undefined && this.#mentions(type.of, name);
      default: return false;
    }
  }
}
