/** Continue tokens, as upstream writes them (apiserver pkg/storage/continue.go): base64url of `{"v","rv","start"}`. */
import type { ApiError } from "../base/api-error.ts";
import { badRequest } from "./errors.ts";
import { JsonError, parseJson } from "../base/json-codec.ts";
import { isObject, type Json, type JsonObject } from "../base/json.ts";
import { decodeBase64Url, encodeBase64Url } from "../base/base64.ts";

/** `revision` -1: an inconsistent continuation, answered from the newest state. */
export type Continue = { readonly after: string; readonly revision: number };

/** `lastKey` is the last key returned, below the `prefix` that is listed; the next page starts just behind it. */
export function encodeContinue(lastKey: string, prefix: string, revision: number): string {
  return encodeBase64Url(new TextEncoder().encode(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: `${lastKey.slice(prefix.length)}\u0000` })));
}

const invalidToken = (why: string): ApiError => badRequest(`invalid continue token: continue key is not valid${why}`);

export function decodeContinue(token: string, prefix: string): Continue {
  const bytes = decodeBase64Url(token);
  if (bytes === undefined) throw invalidToken(`: illegal base64 data at input byte ${Math.max(0, token.search(/[^A-Za-z0-9_-]|$/) - (/^[A-Za-z0-9_-]*$/.test(token) ? 1 : 0))}`);
  let value: Json;
  try {
    value = parseJson(new TextDecoder().decode(bytes)).value;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw invalidToken(`: ${error.message}`);
  }
  if (!isObject(value ?? {})) throw invalidToken(`: json: cannot unmarshal ${goKind(value)} into Go value of type storage.continueToken`);
  const { v, rv, start: from } = (value ?? {}) as JsonObject;
  for (const [field, given, type, fits] of [["v", v, "string", typeof v === "string"], ["rv", rv, "int64", typeof rv === "number" && Number.isSafeInteger(rv)], ["start", from, "string", typeof from === "string"]] as const)
    if ((given ?? null) !== null && !fits) throw invalidToken(`: json: cannot unmarshal ${goKind(given!)} into Go struct field continueToken.${field} of type ${type}`);
  if (v !== "meta.k8s.io/v1") throw invalidToken(`: server does not recognize this encoded version ${v ?? ""}`);
  if (typeof rv !== "number" || rv === 0) throw invalidToken(": incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  if (typeof from !== "string" || from === "") throw invalidToken(": encoded start key empty (version meta.k8s.io/v1)");
  const start = from.startsWith("/") ? from.slice(1) : from;
  if (start.split("/").some(segment => segment === "" || segment === "." || segment === "..")) throw invalidToken(`: ${from}`);
  return { after: prefix + (start.endsWith("\u0000") ? start.slice(0, -1) : start), revision: rv };
}

const goKind = (value: Json): string => (Array.isArray(value) ? "array" : typeof value === "number" || typeof value === "bigint" ? `number${Number.isSafeInteger(value) ? "" : ` ${value}`}` : typeof value === "boolean" ? "bool" : typeof value);
