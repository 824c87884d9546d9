/** Continue tokens, as upstream writes them (apiserver pkg/storage/continue.go): base64url of `{"v","rv","start"}`. */
import type { ApiError } from "../base/api-error.ts";
import { badRequest } from "./errors.ts";
import { JsonError, parseJson } from "../base/json-codec.ts";
import { isObject, type Json } from "../base/json.ts";
import { decodeBase64Url, encodeBase64Url } from "../base/base64.ts";

/** `revision` -1: an inconsistent continuation, answered from the newest state. */
export type Continue = { readonly after: string; readonly revision: number };

/** `lastKey` is the last key returned; the next page starts just behind it. */
export function encodeContinue(lastKey: string, prefix: string, revision: number): string {
  return encodeBase64Url(new TextEncoder().encode(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: `${lastKey.slice(prefix.length)}\u0000` })));
}

export const invalidToken = (why: string): ApiError => badRequest(`invalid continue token: continue key is not valid${why}`);

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
  if (!isObject(value)) throw invalidToken("");
  if (value.v !== "meta.k8s.io/v1") throw invalidToken(`: server does not recognize this encoded version ${String(value.v ?? "")}`);
  if (typeof value.rv !== "number" || value.rv === 0 || !Number.isSafeInteger(value.rv)) throw invalidToken(": incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  if (typeof value.start !== "string" || value.start === "") throw invalidToken(": encoded start key empty (version meta.k8s.io/v1)");
  const start = value.start.startsWith("/") ? value.start.slice(1) : value.start;
  if (start.split("/").some(segment => segment === "" || segment === "." || segment === "..")) throw invalidToken(`: ${value.start}`);
  return { after: prefix + (start.endsWith("\u0000") ? start.slice(0, -1) : start), revision: value.rv };
}
