/** Objects that expressions make by name: `Object.spec{replicas: 3}`, `JSONPatch{op: "add", …}` (apiserver pkg/cel/mutation). */
import { encodeBase64 } from "../../base/base64.ts";
import { formatDuration } from "../../base/duration.ts";
import { type Json, setOwn } from "../../base/json.ts";
import { Foreign } from "../go-format.ts";
import { CelError } from "./error.ts";
import { renderDuration, renderTimestamp } from "./time.ts";
import { type ObjectField, type Type, types } from "./types.ts";
import { Duration, List, Mapping, Optional, Timestamp, TypeValue, Uint, type Value, typeNameOf } from "./values.ts";

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

function keyOf(key: Value): string {
  if (typeof key !== "string") throw new CelError(`unsupported map key of type ${typeNameOf(key)}`);
  return key;
}

/** A value as JSON; throws CelError for what JSON does not have (cel-go's ConvertToNative to structpb.Value). */
export function jsonOf(value: Value): Json {
  switch (typeof value) {
    case "string": case "boolean": return value;
    case "number":
      if (!Number.isFinite(value)) throw noJson(`json: error calling MarshalJSON for type *structpb.Value: proto: google.protobuf.Value.number_value: invalid ${Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf"} value`);
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
  if (value instanceof Optional) {
    if (value.value === undefined) throw noJson("optional.none() dereference");
    return jsonOf(value.value);
  }
  if (value instanceof Mapping) {
    const object: { [key: string]: Json } = {};
    for (const key of value.keys()) setOwn(object, keyOf(key), jsonOf(value.get(key)!));
    return object;
  }
  throw noJson(value instanceof TypeValue ? "type conversion not supported for 'type'" : `type conversion error from '${typeNameOf(value).split(".").at(-1)}' to '*structpb.Value'`);
}
const noJson = (why: string): CelError => new CelError(`JSONPath valueExpression evaluated to a type that could not marshal to JSON: ${why}`);

/** A value as an applied configuration has it, where Go keeps its own types (apiserver pkg/cel/mutation/dynamic/objects.go). */
export function appliedOf(value: Value): Json {
  if (value instanceof Optional) return value.value === undefined ? null : appliedOf(value.value);
  if (value instanceof TypeValue) return typeNameOf(value) === "type" ? value.name : typeNameOf(value);
  if (value instanceof ObjectValue || value instanceof Mapping) return Object.fromEntries(Array.from(value.keys(), key => [keyOf(key), appliedOf(value.get(key)!)]));
  if (value instanceof List) return Array.from(value, appliedOf);
  if (typeof value === "bigint") return BigInt.asIntN(54, value) === value ? Number(value) : value;
  const foreign = (type: string, plain: string, syntax: string): Json => new Foreign(type, plain, syntax, jsonOf(value)) as unknown as Json;
  if (value === null) return foreign("structpb.NullValue", "NULL_VALUE", "0");
  if (value instanceof Uint) return foreign("uint64", String(value.value), `0x${value.value.toString(16)}`);
  if (value instanceof Uint8Array) return foreign("[]uint8", `[${[...value].join(" ")}]`, `[]uint8{${Array.from(value, byte => `0x${byte.toString(16)}`).join(", ")}}`);
  if (value instanceof Duration) return foreign("time.Duration", formatDuration(value.nanos), String(value.nanos));
  if (value instanceof Timestamp) {
    const [, year, month, day, hour, minute, seconds, fraction = ""] = /^(\d+)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?Z$/.exec(renderTimestamp(value))!;
    const parts = [day, hour, minute, seconds].map(Number).join(", ");
    return foreign("time.Time", `${year}-${month}-${day} ${hour}:${minute}:${seconds}${fraction === "" ? "" : `.${fraction}`} +0000 UTC`, `time.Date(${Number(year)}, time.${months[Number(month) - 1]}, ${parts}, ${Number(fraction.padEnd(9, "0"))}, time.UTC)`);
  }
  return jsonOf(value);
}
const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/** Numbers that a double does not hold are texts. */
const numberOf = (value: bigint): number | string => (value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value));
