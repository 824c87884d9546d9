/** What stands around a message on the wire: `k8s\0` and runtime.Unknown (apimachinery pkg/runtime/serializer/protobuf), and the frames of a watch. */
import { ProtobufError, Reader, Writer } from "./protobuf-bytes.ts";

const prefix = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);

export type Envelope = { readonly apiVersion: string; readonly kind: string; readonly raw: Uint8Array; readonly contentEncoding: string; readonly contentType: string };

export function sealEnvelope(apiVersion: string, kind: string, raw: Uint8Array): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  writer.text(4, "");
  writer.text(3, "");
  let mark = writer.length;
  writer.raw(raw);
  writer.header(2, mark);
  mark = writer.length;
  writer.text(2, kind);
  writer.text(1, apiVersion);
  writer.header(1, mark);
  writer.raw(prefix);
  return writer.finish();
}

/** Throws ProtobufError with upstream's texts; apiVersion and kind are empty where the sender left them to the request. */
export function openEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length === 0) throw new ProtobufError("empty data");
  if (bytes.length < prefix.length || prefix.some((byte, i) => bytes[i] !== byte)) throw new ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  if (bytes.length === prefix.length) throw new ProtobufError("empty body");
  const reader = new Reader(bytes.subarray(prefix.length));
  const envelope = { apiVersion: "", kind: "", raw: new Uint8Array(), contentEncoding: "", contentType: "" } as { -readonly [K in keyof Envelope]: Envelope[K] };
  while (reader.at < reader.end) {
    const tag = Number(reader.int());
    if (tag === 10) readTypeMeta(reader, envelope);
    else if (tag === 18) envelope.raw = reader.block();
    else if (tag === 26) envelope.contentEncoding = reader.text();
    else if (tag === 34) envelope.contentType = reader.text();
    else reader.skip(tag % 8);
  }
  return envelope;
}
function readTypeMeta(reader: Reader, envelope: { apiVersion: string; kind: string }): void {
  reader.within(() => {
    while (reader.at < reader.end) {
      const tag = Number(reader.int());
      if (tag === 10) envelope.apiVersion = reader.text();
      else if (tag === 18) envelope.kind = reader.text();
      else reader.skip(tag % 8);
    }
  });
}

/** One event of a protobuf watch: four bytes of length, then `WatchEvent {1 type, 2 RawExtension {1 raw}}` around a whole envelope. */
export function frameWatchEvent(type: string, envelope: Uint8Array): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  const mark = writer.length;
  const inner = writer.length;
  writer.raw(envelope);
  writer.header(1, inner);
  writer.header(2, mark);
  writer.text(1, type);
  const length = writer.length;
  writer.raw(Uint8Array.of(length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff));
  return writer.finish();
}
