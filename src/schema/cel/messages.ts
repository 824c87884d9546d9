/** Objects that expressions make by name: `Object.spec{replicas: 3}`, `JSONPatch{op: "add", …}` (apiserver pkg/cel/mutation). */
import { encodeBase64 } from "../../base/base64.ts";
import { type Json, setOwn } from "../../base/json.ts";
import { CelError } from "./error.ts";
import { renderDuration, renderTimestamp } from "./time.ts";
import { type ObjectField, type Type, types } from "./types.ts";
import { Duration, List, Mapping, Timestamp, Uint, type Value, typeNameOf } from "./values.ts";

/** A type whose values expressions can make. */
export type MessageType = {
  readonly type: Type;
  /** `undefined`: there is no such field. */
  field(name: string): Type | undefined;
  make(fields: ReadonlyMap<string, Value>): Value;
};
/** Which names stand for types; where there are none, no objects can be made. */
export type Messages = (name: string) => MessageType | undefined;

/** Any field may be there, of any type. */
class AnyFields extends Map<string, ObjectField> {
  override get(name: string): ObjectField {
    return { json: name, type: types.dyn };
  }
}
const objectType = (name: string): Type => ({ kind: "object", name, fields: new AnyFields() });

export class ObjectValue extends Mapping {
  override readonly typeName: string;
  readonly fields: ReadonlyMap<string, Value>;
  constructor(name: string, fields: ReadonlyMap<string, Value>) {
    super();
    this.typeName = name;
    this.fields = fields;
  }
  override get size(): number {
    return this.fields.size;
  }
  override get(key: Value): Value | undefined {
    return typeof key === "string" ? this.fields.get(key) : undefined;
  }
  override keys(): Iterable<Value> {
    return this.fields.keys();
  }
}

export const applyType = objectType("Object");
export const patchType: Type = { kind: "object", name: "JSONPatch", fields: new Map([...["op", "path", "from"].map((name): [string, ObjectField] => [name, { json: name, type: types.string }]), ["value", { json: "value", type: types.dyn }]]) };

/** What mutations of policies may make. */
export const patchMessages: Messages = name => {
  if (name === "JSONPatch") return { type: patchType, field: field => (patchType.kind === "object" ? patchType.fields.get(field)?.type : undefined), make: fields => new ObjectValue(name, fields) };
  if (name !== "Object" && !name.startsWith("Object.")) return undefined;
  return { type: objectType(name), field: () => types.dyn, make: fields => new ObjectValue(name, fields) };
};

/** Types of objects say where they stand; they must stand there. */
export function misplaced(value: Value, path: string): readonly string[] {
  if (value instanceof ObjectValue) {
    const here = value.typeName === path ? [] : [`unexpected type name ${JSON.stringify(value.typeName)}, expected ${JSON.stringify(path)}, which matches field name path from root Object type`];
    return [...here, ...[...value.fields].flatMap(([name, each]) => misplaced(each, `${path}.${name}`))];
  }
  if (value instanceof List) return Array.from(value, each => misplaced(each, path)).flat();
  return value instanceof Mapping ? Array.from(value.keys(), key => misplaced(value.get(key)!, path)).flat() : [];
}

/** A value as JSON; throws CelError for what JSON does not have. */
export function jsonOf(value: Value): Json {
  switch (typeof value) {
    case "string": case "boolean": return value;
    case "number":
      if (!Number.isFinite(value)) throw new CelError("a number that is not finite has no JSON");
      return value;
    case "bigint": return numberOf(value);
    default:
  }
  if (value === null) return null;
  if (value instanceof Uint) return numberOf(value.value);
  if (value instanceof Uint8Array) return encodeBase64(value);
  if (value instanceof Timestamp) return renderTimestamp(value);
  if (value instanceof Duration) return renderDuration(value);
  if (value instanceof List) return Array.from(value, jsonOf);
  if (value instanceof Mapping) {
    const object: { [key: string]: Json } = {};
    for (const key of value.keys()) {
      if (typeof key !== "string") throw new CelError(`unsupported map key of type ${typeNameOf(key)}`);
      setOwn(object, key, jsonOf(value.get(key)!));
    }
    return object;
  }
  throw new CelError(`a value of type ${typeNameOf(value)} has no JSON`);
}

const numberOf = (value: bigint): number | bigint => (value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value);
