/** /statusz and /flagz: what runs here and how it was told to, as text for people or as objects (apiserver pkg/server/statusz, pkg/server/flagz). */
import type { Build } from "../base/build-info.ts";
import type { JsonObject } from "../base/json.ts";
import { timeOf } from "../base/time.ts";
import type { Core } from "./core.ts";
import { notAcceptable } from "./errors.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { jsonType, one, parseAccept, wantsPretty, yamlType } from "./negotiate.ts";
import { sendJson } from "./respond.ts";
import { warningHeaders } from "./warnings.ts";

export const statuszPath = "/statusz";
export const flagzPath = "/flagz";
export type Facts = { readonly core: Core; readonly build: Build; readonly startedMs: number; readonly flags: Readonly<Record<string, string>> };
type Asked = Pick<HttpRequest, "headers">;

const component = "apiserver";
const group = "config.k8s.io";
const textType = "text/plain";
/** Any of them, so that nobody gets used to one. */
const delimiters = [":", ": ", "=", " "];
/** Not for debugging (statusz.go, nonDebuggingEndpoints). */
const others: ReadonlySet<string> = new Set(["/apis", "/api", "/openid", "/openapi", "/.well-known"]);

export function statusz(request: Asked, query: URLSearchParams, { core, build, startedMs }: Facts, paths: readonly string[]): HttpResponse {
  const [, version = "", emulated = ""] = /^v(([0-9]+\.[0-9]+)\.[0-9]+)/.exec(build.gitVersion) ?? [];
  const seconds = Math.max(0, Math.floor((core.clock.now() - startedMs) / 1000));
  const folders = [...new Set(paths.map(path => `/${path.split("/")[1]!}`))].filter(path => path !== "/" && !others.has(path)).sort();
  const two = (value: number): string => String(value % 60).padStart(2, "0");
  return answer(request, query, "Statusz", {
    startTime: timeOf(startedMs), uptimeSeconds: seconds, goVersion: build.runtime, binaryVersion: version, emulationVersion: emulated, paths: folders,
  }, () => {
    const is = delimiterOf(core);
    return `\nStarted${is} ${unixDate(startedMs)}\nUp${is} ${Math.floor(seconds / 3600)} hr ${two(Math.floor(seconds / 60))} min ${two(seconds)} sec\nGo version${is} ${build.runtime}\nBinary version${is} ${version}\nEmulation version${is} ${emulated}\nPaths${is} ${folders.join(" ")}\n`;
  });
}

export function flagz(request: Asked, query: URLSearchParams, { core, flags }: Facts): HttpResponse {
  const sorted = Object.entries(flags).sort(([a], [b]) => (a < b ? -1 : 1));
  return answer(request, query, "Flagz", { flags: Object.fromEntries(sorted) }, () => {
    const is = delimiterOf(core);
    return sorted.map(([name, value]) => `${name}${is}${value}\n`).join("");
  });
}

/** In the first form of the Accept header that there is; an object only by the name of its kind. */
function answer({ headers }: Asked, query: URLSearchParams, kind: string, fields: JsonObject, text: () => string): HttpResponse {
  const accept = one(headers.accept)?.trim() ?? "";
  for (const { type, params: { as, g, v, ...params } } of accept === "" ? [{ type: textType, params: {} as { [name: string]: string } }] : parseAccept(accept))
    for (const offered of [jsonType, yamlType, textType] as const) {
      if (type !== offered && type !== "*/*" && type !== `${offered.split("/")[0]!}/*`) continue;
      if (offered === textType) {
        if (as !== undefined || g !== undefined || v !== undefined) continue;
        const head = `\n${component} ${kind.toLowerCase()}\nWarning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.\n`;
        return { status: 200, headers: { "cache-control": "no-cache, private", "content-type": "text/plain; charset=utf-8" }, content: { type: "text", text: head + text() } };
      }
      if (as !== kind || g !== group || (v !== "v1alpha1" && v !== "v1beta1")) continue;
      const body = { kind, apiVersion: `${group}/${v}`, metadata: { name: component }, ...fields };
      const pretty = params["pretty"] === undefined ? wantsPretty(headers, query) : params["pretty"] === "1";
      return sendJson(200, body, { type: offered, pretty }, {
        "content-type": `${offered};g=${group};v=${v};as=${kind}`,
        ...(v === "v1alpha1" ? { warning: warningHeaders([`This version of the ${kind.toLowerCase()} endpoint is deprecated. Please use a newer version.`]) } : {}),
      });
    }
  throw notAcceptable([jsonType, yamlType, textType]);
}

const delimiterOf = ({ random }: Core): string => delimiters[Math.floor(random.next() * delimiters.length)]!;

/** `Sat Nov 21 07:28:23 UTC 2026` */
function unixDate(ms: number): string {
  const [weekday = "", day = "", month = "", year = "", time = ""] = new Date(ms).toUTCString().split(/,? /);
  return `${weekday} ${month} ${String(Number(day)).padStart(2)} ${time} UTC ${year}`;
}
