/** Single values in protobuf. Quantity, IntOrString, Time, MicroTime and Duration are messages of their own. */
import { formatDuration, parseDuration } from "../base/duration.ts";
import type { Codec } from "./protobuf.ts";
import type { Reader, Writer } from "./protobuf-bytes.ts";
import type { Node } from "./t.ts";

export function codecOfScalar(node: Node): Codec {
  switch (node.kind) {
    case "boolean": return boolean;
    case "integer": return integer;
    case "number": return double;
    default: return texts[node.format ?? "plain"] ?? plain;
  }
}

const boolean: Codec = {
  write: (writer, number, value: boolean | undefined) => {
    writer.varint(value === true ? 1 : 0);
    writer.tag(number, 0);
  },
  read: reader => Number(reader.int()) !== 0,
};
const integer: Codec = {
  write: (writer, number, value: number | bigint | undefined) => {
    writer.int(value ?? 0);
    writer.tag(number, 0);
  },
  read: reader => reader.int(),
};
const double: Codec = {
  // A large one is stored with all its digits, and read again as an exact integer.
  write: (writer, number, value: number | bigint | undefined) => writer.double(number, Number(value ?? 0)),
  read: reader => reader.double(),
};
const plain: Codec = { write: (writer, number, value: string | undefined) => writer.text(number, value ?? ""), read: reader => reader.text() };

/** A message of a few scalars: calls `field` with each tag it knows how to read. */
function message(reader: Reader, field: (tag: number) => boolean): void {
  reader.within(() => {
    while (reader.at < reader.end) {
      const tag = Number(reader.int());
      if (!field(tag)) reader.skip(tag % 8);
    }
  });
}
function wrapped(writer: Writer, number: number, body: () => void): void {
  const mark = writer.length;
  body();
  writer.header(number, mark);
}

const texts: { readonly [format: string]: Codec } = {
  plain,
  quantity: {
    write: (writer, number, value: string | undefined) => wrapped(writer, number, () => writer.text(1, value ?? "0")),
    read: reader => {
      let text = "0";
      message(reader, tag => tag === 10 && ((text = reader.text()), true));
      return text === "" ? "0" : text;
    },
  },
  "int-or-string": {
    write: (writer, number, value: number | string | undefined) => wrapped(writer, number, () => {
      writer.text(3, typeof value === "string" ? value : "");
      writer.int(typeof value === "string" ? 0 : (value ?? 0));
      writer.tag(2, 0);
      writer.varint(typeof value === "string" ? 1 : 0);
      writer.tag(1, 0);
    }),
    read: reader => {
      let [type, int, text] = [0, 0, ""];
      message(reader, tag => {
        if (tag === 8) type = Number(reader.int());
        else if (tag === 16) int = Number(reader.int());
        else if (tag === 26) text = reader.text();
        else return false;
        return true;
      });
      return type === 1 ? text : int;
    },
  },
  duration: {
    write: (writer, number, value: string | undefined) => wrapped(writer, number, () => {
      writer.int(parseDuration(value ?? "0s") ?? 0n);
      writer.tag(1, 0);
    }),
    read: reader => {
      let nanos = 0n;
      message(reader, tag => tag === 8 && ((nanos = BigInt(reader.int())), true));
      return formatDuration(nanos);
    },
  },
  "date-time": timeCodec(false),
  "micro-time": timeCodec(true),
};

/** `{1 seconds, 2 nanos}`; an empty message is the zero time. Whole seconds only, but for MicroTime. */
function timeCodec(micro: boolean): Codec {
  return {
    write: (writer, number, value: string | null | undefined) => wrapped(writer, number, () => {
      if (value === undefined || value === null) return;
      writer.varint(micro ? Number(value.slice(20, 26)) * 1000 : 0);
      writer.tag(2, 0);
      writer.int(Date.parse(`${value.slice(0, 19)}Z`) / 1000);
      writer.tag(1, 0);
    }),
    read: reader => {
      let [seconds, nanos, empty] = [0, 0, true];
      message(reader, tag => {
        if (tag === 8) seconds = Number(reader.int());
        else if (tag === 16) nanos = Number(reader.int());
        else return false;
        empty = false;
        return true;
      });
      // The zero time of Go (year 1) and everything outside of what JSON can say reads as none.
      if (empty || seconds <= -62135596800 || seconds > 253402300799) return null;
      const iso = new Date(seconds * 1000).toISOString().slice(0, 19);
      return micro ? `${iso}.${String(Math.floor(nanos / 1000)).padStart(6, "0")}Z` : `${iso}Z`;
    },
  };
}
