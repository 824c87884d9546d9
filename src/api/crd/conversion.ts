/** Custom resources in another version, as their definition's webhook makes it (apiextensions pkg/apiserver/conversion/webhook_converter.go). */
import { ApiError } from "../../base/api-error.ts";
import { isObject, type Json, type JsonObject } from "../../base/json.ts";
import { parseJson, stringifyJson } from "../../base/json-codec.ts";
import { labelKeyProblems, labelValueProblems } from "../../base/label-grammar.ts";
import { messageOf } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import type { Conversion } from "../../kinds/kind.ts";
import { goType } from "../../schema/go-format.ts";
import { goQuote } from "../../schema/problem.ts";
import type { Reader } from "../context.ts";
import { callOf, type ClientConfig, type PostJson } from "../webhook.ts";

/** What calling webhooks takes; `post` absent: every conversion fails. */
export type ConversionServices = { readonly post: PostJson | undefined; readonly read: Reader; readonly random: Random };

/** Upstream's client waits as long as the request; ours has half of that. */
const timeoutSeconds = 30;
/** A whole list comes back in one answer. */
const answerBytesMax = 64 * 1024 * 1024;

/** The webhook of this definition. */
export function conversionOf(crd: any, services: ConversionServices): Conversion {
  /** What each stored state looks like in other versions, for as long as the state itself is held; and what is being asked. */
  const known = new WeakMap<object, Map<string, any>>();
  const asking = new WeakMap<object, Map<string, Promise<any>>>();
  const set = <V>(all: WeakMap<object, Map<string, V>>, object: any, apiVersion: string, value: V): void => {
    const versions = all.get(object) ?? new Map<string, V>();
    all.set(object, versions.set(apiVersion, value));
  };
  const convert = async (objects: readonly any[], apiVersion: string): Promise<readonly any[]> => {
    const waiting = objects.filter(object => object.apiVersion !== apiVersion);
    if (waiting.length === 0) return objects;
    const made = await ask(crd, services, waiting, apiVersion);
    return objects.map(object => (object.apiVersion === apiVersion ? object : made[waiting.indexOf(object)]));
  };
  return {
    convert,
    async prepare(objects, apiVersion, { fresh = true } = {}) {
      const old = [...new Set(objects)].filter(object => object.apiVersion !== apiVersion);
      const isKnown = (object: any): boolean => known.get(object)?.has(apiVersion) === true;
      const waiting = fresh ? old : old.filter(object => !isKnown(object) && asking.get(object)?.has(apiVersion) !== true);
      if (waiting.length > 0) {
        const made = convert(waiting, apiVersion);
        for (const [i, object] of waiting.entries()) {
          const one = made.then(all => all[i]);
          const done = (): void => void asking.get(object)?.delete(apiVersion);
          one.then(done, done);
          set(asking, object, apiVersion, one);
        }
        const all = await made;
        for (const [i, object] of waiting.entries()) set(known, object, apiVersion, all[i]);
      }
      // Asked for by somebody else at this moment.
      for (const object of old) {
        const made = isKnown(object) ? undefined : asking.get(object)?.get(apiVersion);
        if (made !== undefined) set(known, object, apiVersion, await made);
      }
    },
    converted(object, apiVersion) {
      if (object.apiVersion === apiVersion) return object;
      const value = known.get(object)?.get(apiVersion);
      if (value === undefined) throw new ApiError("", `conversion webhook for ${object.apiVersion}, Kind=${object.kind} failed: the object was not converted`, undefined, 500);
      return value;
    },
  };
}

/** As it is in storage. */
function unversioned(object: any): any {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** Every object in the version wanted, in the same order. Upstream asks for each of a list on its own: what goes wrong with one is told of that one. */
async function ask(crd: any, { post, read, random }: ConversionServices, objects: readonly any[], apiVersion: string): Promise<readonly any[]> {
  const fail = (why: string, of: any = objects[0]): never => {
    throw new ApiError("", `conversion webhook for ${of.apiVersion}, Kind=${of.kind} ${why}`, undefined, 500);
  };
  const { clientConfig, conversionReviewVersions } = crd.spec.conversion.webhook as { readonly clientConfig: ClientConfig; readonly conversionReviewVersions: readonly string[] };
  const version = conversionReviewVersions.find(each => each === "v1" || each === "v1beta1");
  if (version === undefined) throw new ApiError("", "no supported conversion review versions", undefined, 500);
  const uid = random.uuid();
  let response: JsonObject;
  try {
    if (post === undefined) throw new Error("this server calls no webhooks");
    const body = stringifyJson({ kind: "ConversionReview", apiVersion: `apiextensions.k8s.io/${version}`, request: { uid, desiredAPIVersion: apiVersion, objects: objects.map(unversioned) }, response: { uid: "", convertedObjects: null, result: { metadata: {} } } });
    const answer = await post({ ...callOf(clientConfig, body, timeoutSeconds, read, random), answerBytesMax });
    response = responseOf(answer, version, uid);
  } catch (error) {
    return fail(`failed: ${messageOf(error)}`);
  }
  const converted = Array.isArray(response.convertedObjects) ? (response.convertedObjects as readonly Json[]) : [];
  if (converted.length !== objects.length) fail(`returned ${converted.length} objects, expected ${objects.length}`);
  return converted.map((value, i) => {
    const invalid = (why: string): never => fail(`returned invalid object at index 0: ${why}`, objects[i]);
    if (!isObject(value)) return invalid("Object 'Kind' is missing");
    if (value.apiVersion !== apiVersion) invalid(`invalid groupVersion (expected ${apiVersion}, received ${textOf(value.apiVersion)})`);
    if (value.kind !== objects[i].kind) invalid(`invalid kind (expected ${objects[i].kind}, received ${textOf(value.kind)})`);
    const different = differenceOf(objects[i], value);
    if (different !== undefined) fail(`returned invalid object: ${different}`, objects[i]);
    const metadata = restoredMeta(objects[i].metadata, value.metadata);
    if (typeof metadata === "string") return fail(`returned invalid metadata: ${metadata}`, objects[i]);
    return { ...value, metadata };
  });
}

const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : "");

function responseOf({ status, body }: { readonly status: number; readonly body: string }, version: string, uid: string): JsonObject {
  if (status === 404) throw new Error("the server could not find the requested resource");
  if (status < 200 || status > 299) throw new Error(`an error on the server (${goQuote(body.trim().slice(0, 2048))}) has prevented the request from succeeding`);
  const answer = parseJson(body).value;
  const review = isObject(answer) ? answer : {};
  const { response } = review;
  if (version === "v1" && (review.apiVersion !== "apiextensions.k8s.io/v1" || review.kind !== "ConversionReview")) throw new Error(`expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got ${textOf(review.apiVersion) === "" ? "/" : textOf(review.apiVersion)}, Kind=${textOf(review.kind)}`);
  if (!isObject(response)) throw new Error("no response provided");
  if (version === "v1" && response.uid !== uid) throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(textOf(response.uid))}`);
  const result = isObject(response.result) ? response.result : {};
  if (result.status !== "Success") throw new Error(textOf(result.message) === "" ? `response.result.status was '${textOf(result.status)}', not 'Success'` : textOf(result.message));
  return response;
}

/** What a conversion may never change. */
function differenceOf(before: any, after: JsonObject): string | undefined {
  const metadata = isObject(after.metadata) ? after.metadata : {};
  for (const [name, field] of [["name", "name"], ["namespace", "namespace"], ["UID", "uid"]] as const) {
    const [was, is] = [before.metadata?.[field] ?? "", textOf(metadata[field])];
    if (was !== is) return `must have the same ${name}: ${was} != ${is}`;
  }
  return undefined;
}

/** Labels and annotations are the webhook's, all else is as it was. A text says what is wrong. */
function restoredMeta(before: any, after: Json | undefined): any | string {
  if (after === undefined) return "missing metadata in converted object";
  if (!isObject(after)) return `invalid metadata of type ${goType(after)} in converted object`;
  const { labels: _l, annotations: _a, ...metadata } = before;
  for (const field of ["labels", "annotations"] as const) {
    const given = after[field];
    if (given === undefined || given === null) continue;
    if (!isObject(given)) return `invalid metadata.${field} of type ${goType(given)} in converted object`;
    for (const [key, value] of Object.entries(given)) {
      if (typeof value !== "string") return `metadata.${field}[${key}] must be a string, but is ${goType(value)} in converted object`;
      const path = field === "labels" ? "metadata.labels" : "metadata.annotation";
      const [wrongKey] = before[field]?.[key] === value ? [] : labelKeyProblems(field === "labels" ? key : key.toLowerCase());
      if (wrongKey !== undefined) return `${path}: Invalid value: ${JSON.stringify(key)}: ${wrongKey}`;
      const [wrongValue] = field === "labels" && before[field]?.[key] !== value ? labelValueProblems(value) : [];
      if (wrongValue !== undefined) return `${path}: Invalid value: ${JSON.stringify(value)}: ${wrongValue}`;
    }
    metadata[field] = given;
  }
  return metadata;
}
