/**
 * `pod-template-hash`: FNV-1a over the text that Go's spew prints of a PodTemplateSpec (upstream pkg/controller/controller_utils.go
 * ComputeHash, k8s.io/utils/dump ForHash), so that ReplicaSets and pods have the very names they have upstream.
 */
import { getOwn, isObject, type Json, type JsonObject } from "../base/json.ts";
import { podTemplateStructs } from "./pod-template-structs.ts";
import { dumpQuantity } from "./quantity-dump.ts";

type GoField = { readonly name: string; readonly type: string; readonly json: string };
type Structs = ReadonlyMap<string, readonly GoField[]>;

/** The hash of a template, as it stands in names and labels. */
export function podTemplateHash(template: unknown, collisionCount: number | undefined, structs: Structs = goStructs()): string {
  const encoder = new TextEncoder();
  let hash = fnv1a(0x811c9dc5, encoder.encode(dump("PodTemplateSpec", template as Json, structs)));
  if (collisionCount !== undefined) {
    const bytes = new Uint8Array(8);
    for (let i = 0; i < 4; i++) bytes[i] = (collisionCount >>> (8 * i)) & 0xff;
    hash = fnv1a(hash, bytes);
  }
  return safeEncode(String(hash));
}

/** Upstream's rand.SafeEncodeString: no vowels, nothing that reads badly. */
export function safeEncode(text: string): string {
  const alphabet = "bcdfghjklmnpqrstvwxz2456789";
  return [...text].map(char => alphabet[char.charCodeAt(0) % alphabet.length]).join("");
}
export function fnv1a(hash: number, bytes: Uint8Array): number {
  let value = hash;
  for (const byte of bytes) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}

/** What spew prints with types (`%#v`) for a value of the Go type `type` in package v1. */
export function dump(type: string, value: Json | undefined, structs: Structs): string {
  return typed(type, value, structs);
}

function typed(type: string, value: Json | undefined, structs: Structs): string {
  return `(${typeName(type)})${type.startsWith("*") && value !== undefined && value !== null ? untyped(type.slice(1), value, structs) : untyped(type, value, structs)}`;
}

/** The value without its type in front, as inside slices and maps and after a pointer's type. */
function untyped(type: string, value: Json | undefined, structs: Structs): string {
  if (type.startsWith("*")) return "<nil>";
  if (type.startsWith("[]")) {
    if (!Array.isArray(value) || value.length === 0) return "<nil>";
    return `[${value.map(item => untyped(type.slice(2), item as Json, structs)).join(" ")}]`;
  }
  if (type.startsWith("map[") || type === "ResourceList") {
    const entries = Object.entries((isObject(value) ? value : {}) as JsonObject);
    if (entries.length === 0) return "<nil>";
    const item = type === "ResourceList" ? "resource.Quantity" : type.slice(type.indexOf("]") + 1);
    return `map[${entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => `${key}:${untyped(item, entry, structs)}`).join(" ")}]`;
  }
  const fields = structs.get(type);
  if (fields !== undefined) {
    const object = isObject(value) ? value : {};
    return `{${fields.map(field => `${field.name}:${typed(field.type, field.json === "" ? object : getOwn(object, field.json), structs)}`).join(" ")}}`;
  }
  switch (type) {
    case "bool": return value === true ? "true" : "false";
    case "int32": case "int64": return String(value ?? 0);
    case "resource.Quantity": return dumpQuantity(value);
    case "intstr.IntOrString":
      return `{Type:(intstr.Type)${typeof value === "string" ? 1 : 0} IntVal:(int32)${typeof value === "number" ? value : 0} StrVal:(string)${typeof value === "string" ? value : ""}}`;
    // A template's own times are never set.
    case "Time": return "{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}";
    default: return typeof value === "string" ? value : "";
  }
}

const builtIn: ReadonlySet<string> = new Set(["string", "bool", "int32", "int64"]);
function typeName(type: string): string {
  if (type.startsWith("*")) return `*${typeName(type.slice(1))}`;
  if (type.startsWith("[]")) return `[]${typeName(type.slice(2))}`;
  return builtIn.has(type) || type.includes(".") || type.startsWith("map[") ? type : `v1.${type}`;
}

/** Reads the table of structs. */
export function parseStructs(text: string): Structs {
  return new Map(text.trim().split("\n").map(line => {
    const colon = line.indexOf(": ");
    const fields = line.slice(colon + 2).split(", ").filter(Boolean).map(field => {
      const [names = "", type = ""] = field.split(" ");
      const [name = "", json] = names.split("=");
      return { name, type, json: json ?? name.charAt(0).toLowerCase() + name.slice(1) };
    });
    return [line.slice(0, colon), fields];
  }));
}
function goStructs(): Structs {
  return parseStructs(podTemplateStructs);
}
