/** Which representation the client gets, and in which one it sent its body (apiserver pkg/endpoints/handlers/negotiation). */
import type { Headers } from "./http.ts";
import { noRepresentation, notAcceptable, unsupportedMediaType } from "./errors.ts";

export const jsonType = "application/json";
export const yamlType = "application/yaml";
export const protobufType = "application/vnd.kubernetes.protobuf";
export type MediaType = typeof jsonType | typeof yamlType | typeof protobufType;
export const mediaTypes: readonly MediaType[] = [jsonType, yamlType, protobufType];

/** `as=Table;g=meta.k8s.io;v=v1` */
export type Transform = { readonly as: "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList"; readonly version: "v1" | "v1beta1" };
export type Output = { readonly type: MediaType; readonly transform?: Transform; readonly pretty: boolean };

/** Clauses looked at in one Accept header. */
const clausesMax = 32;

export type Clause = { readonly type: string; readonly params: { readonly [name: string]: string }; readonly quality: number };

/** The clauses of an Accept header, best first; equal ones in the order written, `*` after the named. */
export function parseAccept(header: string): readonly Clause[] {
  const clauses = header.split(",").slice(0, clausesMax).map((text): Clause => {
    const [type = "", ...rest] = text.split(";").map(part => part.trim());
    const params = Object.fromEntries(rest.map(part => {
      const at = part.indexOf("=");
      return at < 0 ? [part.toLowerCase(), ""] : [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim().replace(/^"(.*)"$/, "$1")];
    }));
    const quality = params.q === undefined ? 1 : Number(params.q);
    return { type: type.toLowerCase(), params, quality: Number.isFinite(quality) ? quality : 1 };
  });
  const wildness = ({ type }: Clause): number => (type === "*/*" ? 2 : type.endsWith("/*") ? 1 : 0);
  return clauses.filter(({ type }) => type !== "").sort((a, b) => b.quality - a.quality || wildness(a) - wildness(b));
}

/** The few headers that a server's clients send, read once. */
const known = new Map<string, readonly Clause[]>();
const [knownMax, knownCharsMax] = [100, 512];
function clausesOf(header: string): readonly Clause[] {
  let clauses = known.get(header);
  if (clauses !== undefined) return clauses;
  clauses = parseAccept(header);
  if (header.length > knownCharsMax) return clauses;
  if (known.size >= knownMax) known.clear();
  known.set(header, clauses);
  return clauses;
}

export type OutputRules = {
  /** Custom resources and Tables have no protobuf, the metadata of custom resources does. */
  readonly protobuf: boolean;
  /** Whether an object may be asked for in another form: as a Table, or its metadata alone. */
  readonly transforms: "all" | "metadata" | "none";
};

/** Objects; custom resources; what has no columns; what is only ever itself. */
export const allForms: OutputRules = { protobuf: true, transforms: "all" };
export const customForms: OutputRules = { protobuf: false, transforms: "all" };
export const plainForms: OutputRules = { protobuf: true, transforms: "metadata" };
export const oneForm: OutputRules = { protobuf: true, transforms: "none" };

export function negotiateOutput(headers: Headers, query: URLSearchParams, rules: OutputRules): Output {
  const accept = one(headers.accept) ?? "";
  const pretty = wantsPretty(headers, query);
  if (accept === "") return { type: jsonType, pretty };
  for (const { type, params } of clausesOf(accept))
    for (const offered of mediaTypes) {
      if (type !== offered && type !== "*/*" && type !== "application/*") continue;
      const transform = transformOf(params, offered, rules);
      if (transform === "refused" || (transform === undefined && offered === protobufType && !rules.protobuf) || (params.stream !== undefined && params.stream !== "" && params.stream !== "watch") || (params.sv !== undefined && params.sv !== "" && (params.sv !== "v1" || rules.transforms === "none"))) continue;
      return { type: offered, pretty: pretty || params.pretty === "1", ...(transform === undefined ? {} : { transform }) };
    }
  throw notAcceptable(mediaTypes);
}

/** Upstream's router looks at the media types alone, before anything else does: which of them the route can answer in. */
export function checkRoute(headers: Headers, list: boolean, produced: readonly string[] = mediaTypes): void {
  const accept = one(headers.accept) ?? "";
  if (accept !== "" && !clausesOf(accept).some(({ type }) => type === "*/*" || produced.some(each => each === type))) throw noRepresentation(list ? [...produced, `${jsonType};stream=watch`, `${protobufType};stream=watch`] : produced);
}

function transformOf(params: Clause["params"], offered: MediaType, rules: OutputRules): Transform | "refused" | undefined {
  const { as, g, v } = params;
  if (as === undefined && g === undefined && v === undefined) return undefined;
  if (rules.transforms === "none" || g !== "meta.k8s.io" || (v !== "v1" && v !== "v1beta1")) return "refused";
  if (as === "Table") return rules.transforms === "all" && offered !== protobufType ? { as, version: v } : "refused";
  return as === "PartialObjectMetadata" || as === "PartialObjectMetadataList" ? { as, version: v } : "refused";
}

export function wantsPretty(headers: Headers, query: URLSearchParams): boolean {
  const asked = query.get("pretty");
  if (asked !== null && asked !== "") return /^(1|t|T|true|True|TRUE)$/.test(asked);
  return /^(curl|Wget|Mozilla\/5\.0)/.test(one(headers["user-agent"]) ?? "");
}

/** The body's media type; an absent header means JSON. */
export function negotiateInput(headers: Headers, protobuf: boolean): MediaType {
  const supported = mediaTypes.filter(type => protobuf || type !== protobufType);
  const given = mediaTypeOf(headers);
  if (given === "") return jsonType;
  const found = supported.find(type => type === given);
  if (found === undefined) throw unsupportedMediaType(supported);
  return found;
}

/** Content-Type without parameters, in lower case. */
export function mediaTypeOf(headers: Headers): string {
  return (one(headers["content-type"]) ?? "").split(";")[0]!.trim().toLowerCase();
}

export function one(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" || value === undefined ? value : value.join(",");
}
