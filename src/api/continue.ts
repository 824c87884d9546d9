/** Continue tokens, as upstream writes them (apiserver pkg/storage/continue.go): base64url of `{"v","rv","start"}`. */
import { badRequest } from "./errors.ts";
import { isObject } from "../base/json.ts";
import { decodeBase64Url, encodeBase64Url } from "../base/base64.ts";

/** `revision` -1: an inconsistent continuation, answered from the newest state. */
export type Continue = { readonly after: string; readonly revision: number };

/** `lastKey` is the last key returned; the next page starts just behind it. */
export function encodeContinue(lastKey: string, prefix: string, revision: number): string {
  return encodeBase64Url(new TextEncoder().encode(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: `${lastKey.slice(prefix.length)}\u0000` })));
}

export function decodeContinue(token: string, prefix: string): Continue {
  const text = decodeBase64Url(token);
  let value: unknown;
  try {
    value = text === undefined ? undefined : JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  if (!isObject(value)) throw badRequest("continue key is not valid");
  if (value.v !== "meta.k8s.io/v1") throw badRequest(`continue key is not valid: server does not recognize this encoded version ${String(value.v ?? "")}`);
  if (typeof value.rv !== "number" || value.rv === 0 || !Number.isSafeInteger(value.rv)) throw badRequest("continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  if (typeof value.start !== "string" || value.start === "") throw badRequest("continue key is not valid: encoded start key empty (version meta.k8s.io/v1)");
  const start = value.start.startsWith("/") ? value.start.slice(1) : value.start;
  if (start.split("/").some(segment => segment === "" || segment === "." || segment === "..")) throw badRequest(`continue key is not valid: ${value.start}`);
  return { after: prefix + (start.endsWith("\u0000") ? start.slice(0, -1) : start), revision: value.rv };
}
