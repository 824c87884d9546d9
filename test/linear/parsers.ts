/** Everything that reads what others write, against texts that nearly make sense: whether twice as much takes about twice as long (P19). */
import { parseDuration } from "../../src/base/duration.ts";
import { parseCidr, parseIp } from "../../src/base/ip.ts";
import { parseJson } from "../../src/base/json-codec.ts";
import { isObject, type Json, type JsonObject } from "../../src/base/json.ts";
import { parseQuantity } from "../../src/base/quantity.ts";
import { parseFieldSelector, parseLabelSelector } from "../../src/base/selector.ts";
import { parseJsonPath } from "../../src/api/crd/json-path.ts";
import { parseAccept } from "../../src/api/negotiate.ts";
import { parseRequest } from "../../src/api/request-info.ts";
import { prepareAndValidate, setDefaults } from "../../src/api/strategy.ts";
import { duplicatesInYaml } from "../../src/api/yaml-duplicates.ts";
import { parseSchedule } from "../../src/controllers/cron.ts";
import { parseIndexes } from "../../src/controllers/job-indexes.ts";
import { parseQuery } from "../../src/dns/message.ts";
import { rewriteHtml } from "../../src/host/http-forward-rewrite.ts";
import { parseCertificateRequest } from "../../src/host/pki-csr.ts";
import { parseYaml } from "../../src/host/yaml.ts";
import { routeOptions } from "../../src/ingress/annotations.ts";
import { kinds } from "../../src/kinds/index.ts";
import { ConfigMap } from "../../src/kinds/core/configmap.ts";
import { Pod } from "../../src/kinds/core/pod.ts";
import { withTag } from "../../src/node/images.ts";
import { parseLogLine } from "../../src/node/log-line.ts";
import { parseResolver } from "../../src/node/sandbox-config.ts";
import { decodeHeaders, FrameReader } from "../../src/node/streaming/spdy.ts";
import { WebSocketReader } from "../../src/node/streaming/websocket.ts";
import { parse as parseCel } from "../../src/schema/cel/parser.ts";
import { parseDuration as parseCelDuration, parseTimestamp } from "../../src/schema/cel/time.ts";
import { parseUrl } from "../../src/schema/cel/url.ts";
import { decode } from "../../src/schema/decode.ts";
import { jsonPatch } from "../../src/schema/json-patch.ts";
import { mergePatch } from "../../src/schema/merge-patch.ts";
import { decodeProtobuf } from "../../src/schema/protobuf.ts";
import { strategicMerge } from "../../src/schema/strategic-merge.ts";
import { strictProblems } from "../../src/schema/strict.ts";
import { seedOf } from "../fuzz/seeds.ts";

/** `charsMax`: how much of it can arrive at once. */
export type Reader = { readonly name: string; readonly charsMax: number; readonly read: (text: string) => unknown };

const body = 3 << 20;
const headers = 128 << 10;
const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const html = { prefix: "/api/v1/namespaces/a/pods/b/proxy", hosts: ["a", "b"] } as const;
const pod: JsonObject = { metadata: { name: "a" }, spec: { containers: [{ name: "c", image: "i" }] } };

const plain: readonly Reader[] = [
  { name: "JSON", charsMax: body, read: parseJson }, { name: "YAML", charsMax: body, read: parseYaml }, { name: "YAML duplicates", charsMax: body, read: text => duplicatesInYaml(text, ["a", "b"]) }, { name: "strict", charsMax: body, read: text => strictProblems(Pod.schema.node, (parseJson(text), text)) },
  { name: "protobuf", charsMax: body, read: text => decodeProtobuf(Pod.schema.node, bytes(text)) }, { name: "JSON patch", charsMax: body, read: text => jsonPatch(pod, parseJson(text).value) }, { name: "JSON patch pointer", charsMax: body, read: text => jsonPatch(pod, [{ op: "add", path: `/${text}`, value: 1 }]) }, { name: "merge patch", charsMax: body, read: text => mergePatch(pod, parseJson(text).value) }, { name: "strategic patch", charsMax: body, read: text => strategicMerge(Pod.schema.node, pod, parseJson(text).value) },
  { name: "label selector", charsMax: headers, read: parseLabelSelector }, { name: "field selector", charsMax: headers, read: parseFieldSelector }, { name: "quantity", charsMax: body, read: parseQuantity }, { name: "duration", charsMax: body, read: parseDuration }, { name: "address", charsMax: body, read: parseIp }, { name: "range", charsMax: body, read: parseCidr },
  { name: "JSON path", charsMax: body, read: parseJsonPath }, { name: "Accept", charsMax: headers, read: parseAccept }, { name: "URL", charsMax: headers, read: text => parseRequest("GET", `/${text}`) }, { name: "schedule", charsMax: body, read: text => parseSchedule(text, undefined) }, { name: "time zone", charsMax: body, read: text => parseSchedule("* * * * *", text) }, { name: "indexes", charsMax: body, read: text => parseIndexes(text, 1_000) },
  { name: "DNS", charsMax: 65_535, read: text => parseQuery(bytes(`\u0000\u0001\u0001\u0000\u0000\u0001\u0000\u0000\u0000\u0000\u0000\u0000${text}`)) }, { name: "HTML", charsMax: body, read: text => rewriteHtml(text, html) }, { name: "HTML attributes", charsMax: body, read: text => rewriteHtml(`<a ${text}`, html) }, { name: "certificate request", charsMax: body, read: parseCertificateRequest }, { name: "annotations", charsMax: 256 << 10, read: text => routeOptions(Object.fromEntries(["rewrite-target", "proxy-body-size", "whitelist-source-range", "canary-weight", "affinity"].map(name => [`nginx.ingress.kubernetes.io/${name}`, text])), () => undefined) },
  { name: "image", charsMax: body, read: withTag }, { name: "log line", charsMax: 1 << 20, read: parseLogLine }, { name: "resolv.conf", charsMax: 1 << 20, read: parseResolver }, { name: "SPDY frames", charsMax: 1 << 20, read: text => [...new FrameReader().push(bytes(text))] }, { name: "SPDY headers", charsMax: 64 << 10, read: text => decodeHeaders(bytes(text)) }, { name: "WebSocket", charsMax: 1 << 20, read: text => [...new WebSocketReader().push(bytes(text))] },
  { name: "CEL", charsMax: 64 << 10, read: parseCel }, { name: "CEL duration", charsMax: body, read: parseCelDuration }, { name: "CEL timestamp", charsMax: body, read: parseTimestamp }, { name: "CEL URL", charsMax: body, read: parseUrl },
];

/** A good object of each kind with every text in it replaced by the hostile one, decoded, defaulted and judged. */
const judged: readonly Reader[] = kinds.flatMap(kind => {
  const seed = seedOf(kind, "a");
  if (seed === undefined || kind.custom === true) return [];
  const texts = [...textsOf(seed as JsonObject, [])].filter(path => path.at(-1) !== "apiVersion");
  return texts.map(path => ({
    name: `${kind.kind} ${path.join(".")}`, charsMax: 1 << 20,
    read: (text: string) => {
      const object = decode(kind.schema.node, replaced(seed as JsonObject, path, text)).object;
      setDefaults(kind, object);
      void prepareAndValidate({ kind, node: kind.schema.node } as Parameters<typeof prepareAndValidate>[0], undefined, object, undefined, { now: 0, operation: "create", subresource: "", writer: "", warn: () => undefined }, async () => undefined);
    },
  }));
});
function* textsOf(value: Json, path: readonly string[]): Iterable<readonly string[]> {
  if (typeof value === "string") yield path;
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) yield* textsOf(item as Json, [...path, String(i)]);
  else if (isObject(value)) for (const [name, item] of Object.entries(value)) yield* textsOf(item as Json, [...path, name]);
}
function replaced(value: Json, [name, ...rest]: readonly string[], text: string): Json {
  if (name === undefined) return text;
  if (Array.isArray(value)) return value.map((item, i) => (String(i) === name ? replaced(item as Json, rest, text) : item)) as Json;
  return { ...(value as JsonObject), [name]: replaced((value as JsonObject)[name]!, rest, text) };
}

export const readers: readonly Reader[] = [...plain, ...judged, { name: "ConfigMap with many keys", charsMax: body, read: text => decode(ConfigMap.schema.node, { data: Object.fromEntries(Array.from({ length: text.length / 10 }, (_, i) => [`${i}`, "x"])) }) }];

const units = ["a", "A", "0", "9", " ", "\n", "\t", ".", "-", "/", ":", ",", "=", "!", "(", ")", "[", "]", "{", "}", "<", ">", "\"", "'", "\\", "%", "*", "&a ", "*a ", "#", "|", "~", "\u0000", "\u0001", "\u00ff", "\u000a\u0000", "\u0012\u0000", "a.", "a-", "a/", "a=b,", "a in (b),", "1,", "0-", "- ", "-\n", "a:\n", "a: ", "a: 1\n", "? ", "[1,", "[[", "{\"a\":", "{\"a\":1,", "\"a\",", "\\u0000", "\\\"", "<a ", "<a b='", "<!--", "</", "&amp;", "${", "$(a)", "%41", "%", "::", "1h", "1.", "1e9", "Ki", "x && ", "a ? b : ", "1+", "!(", "a.b", "[0]", ".*", "[?(@.a)]", "/a", "~0", "@every 1s", "*/1,", "\u00e9", "\ud83d\ude00"];
const charsShort = 4_000;
const factor = 8;
const growthMax = 24;
const worthMs = 20;
/** P19's bound for any one case. */
const caseMsMax = 50;

/** What is wrong with how a reader takes hostile texts. */
export function slowTexts({ name, charsMax, read }: Reader): string[] {
  const problems: string[] = [];
  for (const unit of units)
    for (const [before, after] of [["", ""], ["", "\u0001"], ["\"", "\""], ["a: ", "\n"]] as const) {
      const text = (chars: number): string => before + unit.repeat(Math.max(1, Math.floor(Math.min(chars, charsMax) / unit.length))) + after;
      let [short, long] = [timeOf(read, text(charsShort)), timeOf(read, text(charsShort * factor))];
      if (long < worthMs) continue;
      [short, long] = [Math.min(short, timeOf(read, text(charsShort))), Math.min(long, timeOf(read, text(charsShort * factor)))];
      if (long >= worthMs && (long / Math.max(short, 0.02) > growthMax || long > caseMsMax)) problems.push(`${name}: ${short.toFixed(2)} ms for ${charsShort} and ${long.toFixed(2)} ms for ${charsShort * factor} characters of ${JSON.stringify(before + unit)}`);
    }
  return problems;
}

function timeOf(read: (text: string) => unknown, text: string): number {
  const began = process.cpuUsage();
  try {
    read(text);
  } catch {
    // Refused, as most of them should be; how long it took is the question.
  }
  const used = process.cpuUsage(began);
  return (used.user + used.system) / 1_000;
}
