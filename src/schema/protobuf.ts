/**
 * Kubernetes' objects in protobuf, driven by the schema's field numbers: no .proto files. As gogo writes them: plain scalars and
 * structs always, pointers only when set, maps sorted, and some fields nested in messages that JSON does not have (`within`).
 */
import { must } from "../base/assert.ts";
import { decodeBase64, encodeBase64 } from "../base/base64.ts";
import { JsonError, parseJson, stringifyJson } from "../base/json-codec.ts";
import { isObject, type Json, setOwn } from "../base/json.ts";
import { decode } from "./decode.ts";
import { ProtobufError, Reader, Writer } from "./protobuf-bytes.ts";
import { codecOfScalar } from "./protobuf-scalars.ts";
import type { Node } from "./t.ts";

export { ProtobufError } from "./protobuf-bytes.ts";
/** Deeper nesting than any message of upstream's but JSON schemas, which stop at this as well. */
const depthMax = 100;

/** The message of an object, without apiVersion and kind, as `runtime.Unknown.raw` holds it. */
export function encodeProtobuf(node: Node, object: unknown): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  messageOf(node).write(writer, object as Fields);
  return writer.finish();
}
/** Reads a message into the form that `decode` gives; unknown fields are skipped, as upstream does. */
export function decodeProtobuf(node: Node, raw: Uint8Array): any {
  const reader = new Reader(raw);
  return decode(node, messageOf(node).read(reader, 0) as Json).object;
}

type Fields = { readonly [name: string]: unknown };
type Target = { [name: string]: unknown };
/** How one field, or one item of it, is written and read; `write` writes the value with its tag. */
export type Codec = {
  readonly write: (writer: Writer, number: number, value: any) => void;
  readonly read: (reader: Reader, wireType: number, depth: number) => unknown;
};
type Message = {
  readonly write: (writer: Writer, object: Fields | undefined) => void;
  readonly read: (reader: Reader, depth: number) => Target;
};
type Entry = { readonly number: number } & ({ readonly name: string; readonly node: Node } | { readonly group: readonly Entry[] });

const messages = new WeakMap<Node, Message>();
function messageOf(node: Node): Message {
  let message = messages.get(node);
  if (message) return message;
  messages.set(node, { write: (writer, object) => messageOf(node).write(writer, object), read: (reader, depth) => messageOf(node).read(reader, depth) });
  message = compileMessage(entriesOf(node));
  messages.set(node, message);
  return message;
}

/** The fields by number, the nested ones under the number of the message around them. */
function entriesOf(node: Node): readonly Entry[] {
  const gather = (fields: readonly (readonly [string, Node, readonly number[]])[]): readonly Entry[] => {
    const groups = Map.groupBy(fields.filter(([, , within]) => within.length > 0), ([, , within]) => within[0]!);
    return [
      ...fields.filter(([, , within]) => within.length === 0).map(([name, field]) => ({ number: field.pb!, name, node: field })),
      ...[...groups].map(([number, inner]) => ({ number, group: gather(inner.map(([name, field, within]) => [name, field, within.slice(1)])) })),
    ].sort((a, b) => a.number - b.number);
  };
  return gather(Object.entries(node.fields ?? {}).filter(([, field]) => field.pb !== undefined).map(([name, field]) => [name, field, field.within ?? []]));
}

function compileMessage(entries: readonly Entry[]): Message {
  const writers: ((writer: Writer, object: Fields | undefined) => void)[] = [];
  const readers = new Map<number, (reader: Reader, wireType: number, target: Target, depth: number) => void>();
  for (const entry of entries.toReversed()) {
    if ("group" in entry) {
      const inner = compileMessage(entry.group);
      writers.push((writer, object) => {
        const mark = writer.length;
        inner.write(writer, object);
        writer.header(entry.number, mark);
      });
      readers.set(entry.number, (reader, _wireType, target, depth) => {
        const fields = reader.within(() => inner.read(reader, depth + 1));
        for (const name of Object.keys(fields)) setOwn(target, name, fields[name]);
      });
    } else {
      const field = fieldCodec(entry.node);
      writers.push((writer, object) => field.write(writer, entry.number, object !== undefined && Object.hasOwn(object, entry.name) ? object[entry.name] : undefined));
      readers.set(entry.number, (reader, wireType, target, depth) => setOwn(target, entry.name, field.read(reader, wireType, depth, Object.hasOwn(target, entry.name) ? target[entry.name] : undefined)));
    }
  }
  return {
    write: (writer, object) => { for (const write of writers) write(writer, object); },
    read: (reader, depth) => {
      if (depth > depthMax) throw new ProtobufError(`nested deeper than ${depthMax}`);
      const target: Target = {};
      while (reader.at < reader.end) {
        const tag = Number(reader.int());
        const read = readers.get(Math.floor(tag / 8));
        if (read) read(reader, tag % 8, target, depth);
        else reader.skip(tag % 8);
      }
      return target;
    },
  };
}

type FieldCodec = { readonly write: (writer: Writer, number: number, value: any) => void; readonly read: (reader: Reader, wireType: number, depth: number, sofar: unknown) => unknown };

function fieldCodec(node: Node): FieldCodec {
  if (node.kind === "map") return mapCodec(node);
  if (node.kind === "list" && node.wire === undefined) return listCodec(node);
  const codec = valueCodec(node);
  // Whatever is no pointer in Go is written even when it is empty.
  const plain = node.kind === "object" ? node.always === "{}" : node.pointer !== true && node.format !== "byte" && (node.kind !== "any" || node.wire === "raw");
  if (!plain) {
    return { write: (writer, number, value) => { if (value !== undefined && value !== null) codec.write(writer, number, value); }, read: (reader, wireType, depth) => codec.read(reader, wireType, depth) };
  }
  return { write: codec.write, read: (reader, wireType, depth) => codec.read(reader, wireType, depth) };
}

function listCodec(node: Node): FieldCodec {
  const item = valueCodec(node.items!);
  const packable = node.items!.kind === "integer" || node.items!.kind === "boolean" || node.items!.kind === "number";
  return {
    write: (writer, number, value: readonly unknown[] | undefined | null) => { for (let i = (value?.length ?? 0) - 1; i >= 0; i--) item.write(writer, number, value![i]); },
    read: (reader, wireType, depth, sofar) => {
      const list = (sofar as unknown[] | undefined) ?? [];
      if (packable && wireType === 2) reader.within(() => { while (reader.at < reader.end) list.push(item.read(reader, node.items!.kind === "number" ? 1 : 0, depth)); });
      else list.push(item.read(reader, wireType, depth));
      return list;
    },
  };
}

function mapCodec(node: Node): FieldCodec {
  const item = valueCodec(node.items!);
  return {
    write: (writer, number, value: Fields | undefined | null) => {
      if (!isObject(value)) return;
      for (const key of Object.keys(value).sort(byUtf8).reverse()) {
        const mark = writer.length;
        item.write(writer, 2, value[key]);
        writer.text(1, key);
        writer.header(number, mark);
      }
    },
    read: (reader, _wireType, depth, sofar) => {
      const map = (sofar as Target | undefined) ?? {};
      reader.within(() => {
        let key = "";
        let value: unknown = null;
        while (reader.at < reader.end) {
          const tag = Number(reader.int());
          if (tag === 10) key = reader.text();
          else if (Math.floor(tag / 8) === 2) value = item.read(reader, tag % 8, depth + 1);
          else reader.skip(tag % 8);
        }
        setOwn(map, key, value);
      });
      return map;
    },
  };
}
/** Go sorts keys by their bytes; UTF-16 order differs above the surrogates. */
function byUtf8(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return (x >= 0xd800 && x <= 0xdfff) !== (y >= 0xd800 && y <= 0xdfff) ? (x >= 0xd800 && x <= 0xdfff ? 1 : -1) : x - y;
  }
  return a.length - b.length;
}

function valueCodec(node: Node): Codec {
  if (node.wire === "bool-or-schema" || node.wire === "schema-or-array" || node.wire === "schema-or-strings") return unionCodec(node);
  if (node.wire === "list-wrapper") return wrapperCodec(node);
  if (node.kind === "object") return objectCodec(node);
  if (node.kind === "any") return rawCodec;
  if (node.format === "byte") return base64Codec;
  return codecOfScalar(node);
}

const objectCodec = (node: Node): Codec => ({
  write: (writer, number, value: Fields | undefined) => {
    const mark = writer.length;
    messageOf(node).write(writer, value ?? undefined);
    writer.header(number, mark);
  },
  read: (reader, _wireType, depth) => reader.within(() => messageOf(node).read(reader, depth + 1)),
});
/** `{1 items}`: ExtraValue and Verbs. */
function wrapperCodec(node: Node): Codec {
  const item = valueCodec(node.items!);
  return {
    write: (writer, number, value: readonly unknown[] | undefined | null) => {
      const mark = writer.length;
      for (const each of (value ?? []).toReversed()) item.write(writer, 1, each);
      writer.header(number, mark);
    },
    read: (reader, _wireType, depth) => reader.within(() => {
      const list: unknown[] = [];
      while (reader.at < reader.end) {
        const tag = Number(reader.int());
        if (tag === 10) list.push(item.read(reader, 2, depth + 1));
        else reader.skip(tag % 8);
      }
      return list;
    }),
  };
}
/** `{1 raw}`: JSON in bytes, as RawExtension, FieldsV1 and JSON hold it. */
const rawCodec: Codec = {
  write: (writer, number, value: unknown) => {
    const mark = writer.length;
    if (value !== undefined && value !== null) writer.text(1, stringifyJson(value));
    writer.header(number, mark);
  },
  read: reader => reader.within(() => {
    let value: Json = null;
    while (reader.at < reader.end) {
      const tag = Number(reader.int());
      if (tag !== 10) reader.skip(tag % 8);
      else {
        const text = reader.text();
        value = text === "" ? null : jsonIn(text);
      }
    }
    return value;
  }),
};
/** Whoever sends bytes as JSON must have made them of JSON. */
function jsonIn(text: string): Json {
  try {
    return parseJson(text).value;
  } catch (error) {
    if (error instanceof JsonError) throw new ProtobufError(error.message);
    throw error;
  }
}
const base64Codec: Codec = {
  write: (writer, number, value: string) => {
    const mark = writer.length;
    writer.raw(must(decodeBase64(value), "a bytes field that was decoded is base64"));
    writer.header(number, mark);
  },
  read: reader => encodeBase64(reader.block()),
};

/** JSONSchemaPropsOrBool {1 allows, 2 schema}, …OrArray {1 schema, 2 schemas}, …OrStringArray {1 schema, 2 strings}. */
function unionCodec(node: Node): Codec {
  const schema: Codec = { write: (writer, number, value) => objectCodec(node.items!).write(writer, number, value), read: (reader, wireType, depth) => objectCodec(node.items!).read(reader, wireType, depth) };
  const schemaNumber = node.wire === "bool-or-schema" ? 2 : 1;
  return {
    write: (writer, number, value: unknown) => {
      const mark = writer.length;
      if (Array.isArray(value)) for (const item of value.toReversed()) typeof item === "string" ? writer.text(2, item) : schema.write(writer, 2, item);
      else if (typeof value === "object" && value !== null) schema.write(writer, schemaNumber, value);
      if (node.wire === "bool-or-schema") {
        // Upstream's Allows is true beside a schema as well.
        writer.varint(value === false ? 0 : 1);
        writer.tag(1, 0);
      }
      writer.header(number, mark);
    },
    read: (reader, _wireType, depth) => reader.within(() => {
      let allows: unknown;
      let single: unknown;
      const many: unknown[] = [];
      while (reader.at < reader.end) {
        const tag = Number(reader.int());
        if (tag === 8) allows = Number(reader.int()) !== 0;
        else if (tag === schemaNumber * 8 + 2) single = schema.read(reader, 2, depth + 1);
        else if (tag === 18) many.push(node.wire === "schema-or-strings" ? reader.text() : schema.read(reader, 2, depth + 1));
        else reader.skip(tag % 8);
      }
      return single ?? (node.wire === "bool-or-schema" ? allows : many);
    }),
  };
}
