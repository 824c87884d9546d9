/** Reads what another server's OpenAPI says of one group and version. */
import { isObject, sameJson, type Json, type JsonObject } from "../../base/json.ts";
import { parseJson } from "../../base/json-codec.ts";
import { openApiV3Of } from "./openapi-upgrade.ts";
import type { RemoteAnswer } from "./remote.ts";
import { onlyPaths } from "./remote-openapi.ts";

export type RemoteOpenApi = {
  /** Its v2, with this version's paths alone, as JSON text: documents are big and rarely asked for. */
  readonly v2: string | undefined;
  readonly etag: string;
  /** Where it says its v3 documents are, by path. */
  readonly v3Places: JsonObject;
  /** v3 made from v2, as JSON text, where it has no v3. */
  readonly converted: string | undefined;
};
export const nothingRead: RemoteOpenApi = { v2: undefined, etag: "", v3Places: {}, converted: undefined };

/** `path`: `apis/<group>/<version>`. What is as before is the same object. A server without OpenAPI has none: that is no error. */
export async function readOpenApi(known: RemoteOpenApi, path: string, get: (path: string, headers: { readonly [name: string]: string }) => Promise<RemoteAnswer>): Promise<RemoteOpenApi> {
  const v3 = await get("/openapi/v3", { accept: "application/json" });
  const index = v3.status === 200 ? parseJson(v3.body).value : null;
  const v3Places = isObject(index) && isObject(index.paths) ? index.paths : {};
  const mustConvert = v3.status === 404;
  const knowsAll = known.etag !== "" && (!mustConvert || known.converted !== undefined);
  const v2 = await get("/openapi/v2", { accept: "application/json", ...(knowsAll ? { "if-none-match": known.etag } : {}) });
  let next: RemoteOpenApi = { ...known, v3Places, converted: mustConvert ? known.converted : undefined };
  if (v2.status === 200) {
    const document = parseJson(v2.body).value;
    if (!isObject(document)) throw new Error("its OpenAPI v2 is not an object");
    next = { ...next, v2: JSON.stringify(onlyPaths(document, `/${path}/`)), etag: v2.headers.etag ?? "", converted: mustConvert ? JSON.stringify(openApiV3Of(document)) : undefined };
  }
  return sameJson(known as unknown as Json, next as unknown as Json) ? known : next;
}
