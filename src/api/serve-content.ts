/** Whole documents with what HTTP knows of them: entity tags, times of change, parts (Go's net/http ServeContent, which upstream's OpenAPI handlers use). */
import type { HttpRequest, HttpResponse } from "./http.ts";
import { one } from "./negotiate.ts";
import { sendPlain } from "./respond.ts";

/** `modifiedMs` in milliseconds since the epoch; `headers` have the type and, if there is one, the `etag`. Of several parts that are asked for at once none is cut out: the whole is answered. */
export function serveContent(request: HttpRequest, body: string | Uint8Array, modifiedMs: number, headers: { readonly [name: string]: string }): HttpResponse {
  const { etag } = headers;
  const modified = new Date(modifiedMs).toUTCString();
  const empty = { type: "text", text: "" } as const;
  const given = (name: string): string => one(request.headers[name]) ?? "";
  const reads = request.method === "GET" || request.method === "HEAD";
  if (given("if-match") !== "" && !names(given("if-match"), etag, false)) return { status: 412, headers: { ...headers, "last-modified": modified }, content: empty };
  const known = given("if-none-match") !== "" ? names(given("if-none-match"), etag, true) : reads && Date.parse(given("if-modified-since")) >= Date.parse(modified);
  if (known && !reads) return { status: 412, headers: { ...headers, "last-modified": modified }, content: empty };
  if (known) {
    const { "content-type": _, ...kept } = headers;
    return { status: 304, headers: etag === undefined ? { ...kept, "last-modified": modified } : kept, content: empty };
  }
  const all = { ...headers, "accept-ranges": "bytes", "last-modified": modified };
  const wanted = given("range");
  const refers = given("if-range") === "" || given("if-range") === etag || given("if-range") === modified;
  if (wanted === "" || !refers) return { status: 200, headers: all, content: contentOf(body) };
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const range = rangeOf(wanted, bytes.length);
  const { etag: _, "content-type": __, ...others } = headers;
  if (range === "invalid") return sendPlain(416, "invalid range\n", others);
  if (range === "outside") return sendPlain(416, "invalid range: failed to overlap\n", { ...others, "content-range": `bytes */${bytes.length}` });
  if (range === "several") return { status: 200, headers: all, content: contentOf(body) };
  return { status: 206, headers: { ...all, "content-range": `bytes ${range.from}-${range.to - 1}/${bytes.length}` }, content: { type: "bytes", bytes: bytes.subarray(range.from, range.to) } };
}

const contentOf = (body: string | Uint8Array): HttpResponse["content"] => (typeof body === "string" ? { type: "text", text: body } : { type: "bytes", bytes: body });

function names(header: string, etag: string | undefined, weak: boolean): boolean {
  return header.split(",").some(each => each.trim() === "*" || (etag !== undefined && (weak ? each.trim().replace(/^W\//, "") : each.trim()) === etag));
}

function rangeOf(header: string, size: number): "invalid" | "outside" | "several" | { readonly from: number; readonly to: number } {
  const parts = /^bytes=(.*)$/.exec(header)?.[1]?.split(",").map(part => part.trim()).filter(part => part !== "");
  const ranges = parts?.map(part => /^(\d{0,15})-(\d{0,15})$/.exec(part));
  if (ranges === undefined || ranges.length === 0 || ranges.some(range => range === null || range[0] === "-" || (range[1] !== "" && range[2] !== "" && Number(range[1]) > Number(range[2])))) return "invalid";
  if (ranges.length > 1) return "several";
  const [, first = "", last = ""] = ranges[0]!;
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  if (from >= size) return "outside";
  return { from, to: first === "" || last === "" ? size : Math.min(size, Number(last) + 1) };
}
