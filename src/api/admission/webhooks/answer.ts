/** What a webhook answered: read, checked and, where it is no answer, told in upstream's words (client-go rest/request.go, apiserver plugin/webhook/request/admissionreview.go). */
import { decodeBase64 } from "../../../base/base64.ts";
import { isObject, type Json, type JsonObject } from "../../../base/json.ts";
import { parseJson } from "../../../base/json-codec.ts";
import { messageOf } from "../../../base/log.ts";
import { badBase64 } from "../../../schema/decode-explain.ts";
import { goQuote } from "../../../schema/problem.ts";
import type { PostJson } from "../../webhook.ts";

export type Answered = {
  readonly allowed: boolean; readonly status: JsonObject | undefined; readonly warnings: readonly string[]; readonly annotations: ReadonlyMap<string, string>;
  /** Base64; "" if there is none. */
  readonly patch: string; readonly patchType: string;
};

/** Throws an Error whose text goes after `failed calling webhook …: `. */
export async function readAnswer(posted: ReturnType<PostJson>, asked: { readonly uid: string; readonly version: string; readonly mutating: boolean }): Promise<Answered> {
  let answer: Awaited<typeof posted> | Error;
  try {
    answer = await posted;
  } catch (error) {
    answer = error as Error;
  }
  const response = within("failed to call webhook", () => (answer instanceof Error ? wrong(messageOf(answer)) : decoded(answer, asked.version)));
  return within("received invalid webhook response", () => verified(response, asked));
}

function within<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    return wrong(`${what}: ${messageOf(error)}`);
  }
}

const wrong = (text: string): never => { throw new Error(text); };
const kindOf = (review: JsonObject): { readonly apiVersion: string; readonly kind: string } => ({ apiVersion: typeof review.apiVersion === "string" ? review.apiVersion : "", kind: typeof review.kind === "string" ? review.kind : "" });

/** The AdmissionReview in an answer, whose fields have their types. */
function decoded({ status, body, contentType = "" }: Awaited<ReturnType<PostJson>>, version: string): JsonObject {
  if (status < 200 || status > 206) return wrong(refusal(status, body, contentType));
  if (body === "") return wrong(`0-length response with status code: ${status} and content type: ${contentType}`);
  const review = parsed(body), { apiVersion, kind } = kindOf(review);
  if (kind !== "" && apiVersion !== "" && (kind !== "AdmissionReview" || apiVersion !== `admission.k8s.io/${version}`)) {
    const known = (apiVersion === "v1" && kind === "Status") || (kind === "AdmissionReview" && /^admission\.k8s\.io\/v1(beta1)?$/.test(apiVersion));
    return wrong(known ? `converting (${apiVersion.replace(/^.*\//, "")}.${kind}) to (${version}.AdmissionReview): unknown conversion` : `no kind ${goQuote(kind)} is registered for version ${goQuote(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`);
  }
  const { response } = review;
  if (!isObject(response)) return review;
  for (const [field, type] of [["uid", "string"], ["allowed", "boolean"], ["patchType", "string"]] as const) {
    const value = response[field];
    if (value !== undefined && value !== null && typeof value !== type) wrong(`json: cannot unmarshal ${jsonType(value)} into Go struct field AdmissionResponse.response.${field} of type ${type === "boolean" ? "bool" : field === "uid" ? "types.UID" : field === "patchType" ? "v1.PatchType" : type}`);
  }
  const { patch } = response;
  return typeof patch === "string" && decodeBase64(patch) === undefined ? wrong(`illegal base64 data at input byte ${badBase64(patch)}`) : review;
}

function parsed(body: string): JsonObject {
  const type = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
  return within("couldn't get version/kind; json parse error", () => {
    // Quirk: what is no JSON is read as YAML, in which most texts are one string.
    if (!/^\s*[[{"0-9tfn-]/.test(body)) return wrong(`json: cannot unmarshal string into Go value of type ${type}`);
    const { value } = parseJson(body);
    if (value === null) return {};
    return isObject(value) ? value : wrong(`json: cannot unmarshal ${jsonType(value)} into Go value of type ${type}`);
  });
}
function jsonType(value: Json): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value === "bigint" ? "number" : typeof value;
}

const refusals: { readonly [status: number]: string } = {
  400: "the server rejected our request for an unknown reason", 401: "the server has asked for the client to provide credentials", 404: "the server could not find the requested resource",
  405: "the server does not allow this method on the requested resource", 409: "the server reported a conflict", 422: "the server rejected our request due to an error in our request",
  429: "the server has received too many requests and has asked us to try again later", 503: "the server is currently unable to handle the request",
  504: "the server was unable to return a response in the time allotted, but may still be processing the request",
};
/** As apimachinery's NewGenericServerResponse has it; a `Status` speaks for itself. */
function refusal(status: number, body: string, contentType: string): string {
  const said = body.startsWith("{") ? statusMessage(body) : undefined;
  if (said !== undefined) return said;
  const text = contentType === "" || contentType.startsWith("text/") ? body.trim() : "unknown", shown = text === "" ? "unknown" : text;
  if (status === 403 || status === 415) return shown;
  if (status === 406) return shown === "unknown" ? "the server was unable to respond with a content type that the client supports" : shown;
  return refusals[status] ?? (status >= 500 ? `an error on the server (${goQuote(shown)}) has prevented the request from succeeding` : `the server responded with the status code ${status} but did not return more information`);
}
function statusMessage(body: string): string | undefined {
  try {
    const { value } = parseJson(body);
    return isObject(value) && value.kind === "Status" && value.status !== "Success" && typeof value.message === "string" ? value.message : undefined;
  } catch {
    return undefined; // It is no Status: the code speaks.
  }
}

function verified(review: JsonObject, { uid, version, mutating }: { readonly uid: string; readonly version: string; readonly mutating: boolean }): Answered {
  const { response } = review, { apiVersion, kind } = kindOf(review);
  if (!isObject(response)) return wrong("webhook response was absent");
  const patch = typeof response.patch === "string" ? response.patch : "", patchType = typeof response.patchType === "string" ? response.patchType : undefined;
  if (version === "v1") {
    if (response.uid !== uid) wrong(`expected response.uid=${goQuote(uid)}, got ${goQuote(typeof response.uid === "string" ? response.uid : "")}`);
    if (kind !== "AdmissionReview" || apiVersion !== "admission.k8s.io/v1") wrong(`expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${apiVersion === "" ? "/" : apiVersion}, Kind=${kind}`);
    if (!mutating && patch !== "") wrong("validating webhook may not return response.patch");
    if (!mutating && patchType !== undefined) wrong("validating webhook may not return response.patchType");
    if (patch !== "" && patchType === undefined) wrong("webhook returned response.patch but not response.patchType");
    if (patch === "" && patchType !== undefined) wrong("webhook returned response.patchType but not response.patch");
    if (patchType === "") wrong('webhook returned invalid response.patchType of ""');
  }
  const annotations = isObject(response.auditAnnotations) ? Object.entries(response.auditAnnotations) : [];
  return {
    allowed: response.allowed === true, status: isObject(response.status) ? response.status : undefined, warnings: Array.isArray(response.warnings) ? (response.warnings as readonly Json[]).filter(each => typeof each === "string") : [],
    annotations: new Map(annotations.filter((entry): entry is [string, string] => typeof entry[1] === "string")), patch, patchType: version === "v1" ? patchType ?? "" : "JSONPatch",
  };
}
