/** Everything that is not a resource: discovery, OpenAPI, version, health, metrics, OIDC. */
import type { Json } from "../base/json.ts";
import { versionOf, type Build } from "../base/build-info.ts";
import { APIGroup, APIGroupList, APIResourceList, APIVersions } from "../kinds/meta/discovery.ts";
import type { Metrics } from "../base/metrics.ts";
import type { TokenIssuer } from "./context.ts";
import type { Core } from "./core.ts";
import { aggregatedForm, type Discovery } from "./discovery.ts";
import { methodNotAllowed, unknownResource } from "./errors.ts";
import type { FlowControl } from "./flow-control/flow-control.ts";
import { checksOf, health, type HealthCheck, type HealthEndpoint } from "./health.ts";
import type { HealthFigures } from "./health-figures.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { APIGroupDiscoveryList } from "./meta-types.ts";
import { checkRoute, jsonType, negotiateOutput, one, oneForm } from "./negotiate.ts";
import type { OpenApi } from "./openapi.ts";
import type { Registry } from "./registry.ts";
import type { Node } from "../schema/t.ts";
import type { RequestInfo } from "./request-info.ts";
import { sendDocument, sendJson, sendPlain } from "./respond.ts";
import { flagz, flagzPath, statusz, statuszPath } from "./zpages.ts";

export type Endpoints = {
  readonly core: Core;
  readonly flow: FlowControl;
  readonly discovery: Discovery;
  readonly metrics: Metrics;
  readonly healthFigures: HealthFigures;
  readonly build: Build;
  readonly address: string;
  readonly openapi: OpenApi;
  readonly healthChecks: readonly HealthCheck[];
  readonly tokens?: TokenIssuer;
  /** What the server was told to be, under the names of upstream's flags. */
  readonly flags: Readonly<Record<string, string>>;
  readonly startedMs: number;
};

const paths = ["/api", "/apis", "/apis/", "/metrics", "/metrics/slis", "/openapi/v2", "/openapi/v3", "/openapi/v3/", "/version", "/.well-known/openid-configuration", "/openid/v1/jwks", statuszPath, flagzPath];
/** What `/` lists: every path that is not an object's. */
function listed(discovery: Discovery, checks: readonly HealthCheck[]): readonly string[] {
  const groups = discovery.groups().flatMap(({ name, versions }) => [...(name === "" ? [] : [`/apis/${name}`]), ...versions.map(({ version }) => (name === "" ? `/api/${version}` : `/apis/${name}/${version}`))]);
  const health = (["healthz", "livez", "readyz"] as const).flatMap((endpoint: HealthEndpoint) => [`/${endpoint}`, ...checksOf(endpoint, checks).map(({ name }) => `/${endpoint}/${name}`)]);
  return [...paths, ...groups, ...health].sort();
}
/** Where a slash at the end makes no difference; all else is found by its exact path. */
const slashed = /^\/(apis?|version|\.well-known|openid)(\/|$)/;
/** What upstream's router answers: GET alone. All else, versions of custom resources included, is answered whatever the method. */
const routed = /^\/(api|version|\.well-known|openid)(\/|$)|^\/apis\/[^/]+\/./;
/** What is not there: upstream's router knows the groups of its own kinds, and says of them that they have no such thing. */
export function pageNotFound(registry: Registry, group: string | undefined): HttpResponse {
  if (group !== undefined && registry.isBuiltIn(group)) throw unknownResource();
  return sendPlain(404, "404 page not found\n");
}
/** These have nothing beneath them, and say so as the router does. */
const underIssuer = /^\/(openid\/v1\/jwks|\.well-known\/openid-configuration)\//;

export async function handleNonResource(endpoints: Endpoints, request: HttpRequest, info: RequestInfo): Promise<HttpResponse> {
  if (info.path.startsWith("/apis//")) return pageNotFound(endpoints.core.registry, undefined);
  const path = slashed.test(info.path) ? withoutSlashes(info.path) : info.path;
  const metrics = path === "/metrics" ? endpoints.metrics : path === "/metrics/slis" ? endpoints.healthFigures.metrics : undefined;
  if (metrics !== undefined && request.method === "DELETE") {
    metrics.reset();
    return sendPlain(200, "metrics reset\n");
  }
  const [, first, group = ""] = path.split("/");
  const { registry } = endpoints.core;
  // The router looks at the method before it looks at what is wanted.
  const isRefused = request.method !== "GET" && routed.test(info.path) && (first !== "apis" || registry.isBuiltIn(group));
  const answer = await answerPath(endpoints, isRefused ? { ...request, headers: {} } : request, info, path);
  if (answer === undefined) {
    if (first === "openapi" && group === "v3") return { status: 404, headers: { "cache-control": "no-cache, private" }, content: { type: "text", text: "" } };
    return pageNotFound(registry, first === "api" || first === "version" || underIssuer.test(info.path) ? "" : first === "apis" ? group : undefined);
  }
  if (isRefused) throw methodNotAllowed();
  return answer;
}

async function answerPath(endpoints: Endpoints, request: HttpRequest, info: RequestInfo, path: string): Promise<HttpResponse | undefined> {
  const { discovery, metrics, healthFigures, build, tokens, core, openapi } = endpoints;
  // What upstream's router serves refuses types before anything else is looked at.
  const reply = ({ node }: { readonly node: Node }, body: Json | undefined, routed: boolean): HttpResponse | undefined => {
    if (body === undefined) return undefined;
    if (routed) checkRoute(request.headers, false);
    return sendDocument(node, body, negotiateOutput(request.headers, info.query, oneForm));
  };
  switch (path) {
    case "/": case "/index.html": return indented({ paths: listed(discovery, endpoints.healthChecks) });
    case "/api": return aggregated(discovery, request, info.query, true) ?? reply(APIVersions, discovery.legacyVersions(endpoints.address), true);
    case "/apis": return aggregated(discovery, request, info.query, false) ?? reply(APIGroupList, discovery.legacyGroups(), false);
    case "/openapi/v2": return openapi.v2(request);
    case "/openapi/v3": return openapi.v3Index(request);
    case "/version":
      checkRoute(request.headers, false, [jsonType]);
      return indented(versionOf(build));
    case statuszPath: return statusz(request, info.query, endpoints, listed(discovery, endpoints.healthChecks));
    case flagzPath: return flagz(request, info.query, endpoints);
    case "/metrics": return exposition(metrics, endpoints.startedMs);
    case "/metrics/slis": return exposition(healthFigures.metrics, endpoints.startedMs);
    case "/.well-known/openid-configuration":
      checkRoute(request.headers, false, [jsonType]);
      return tokens === undefined ? undefined : document("application/json", tokens.configuration());
    case "/openid/v1/jwks":
      checkRoute(request.headers, false, [keysType]);
      return tokens === undefined ? undefined : document(keysType, tokens.keys());
  }
  const [, first = "", second = "", third = "", ...more] = path.split("/");
  if (first === "api" && third === "") return reply(APIResourceList, discovery.legacyResources("", second), true);
  if (first === "apis" && more.length === 0) return third === "" ? reply(APIGroup, discovery.legacyGroup(second), false) : reply(APIResourceList, discovery.legacyResources(second, third), true);
  if (first === "openapi" && second === "v3") return openapi.v3(request, path.slice("/openapi/v3/".length), info.query);
  if (first === "debug" && second === "api_priority_and_fairness" && more.length === 0) {
    const text = endpoints.flow.dump(third, (info.query.get("includeRequestDetails") ?? "") !== "");
    return text === undefined ? undefined : sendPlain(200, text);
  }
  if ((first === "healthz" || first === "livez" || first === "readyz") && path !== `/${first}/`) return health(first, path.slice(first.length + 2), info.query, endpoints.healthChecks, core.log, healthFigures);
  return undefined;
}

const keysType = "application/jwk-set+json";
const indented = (body: Json): HttpResponse => sendJson(200, body, { type: jsonType, pretty: true });
const exposition = (metrics: Metrics, startedMs: number): HttpResponse => ({ ...sendPlain(200, "", { "content-type": "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", "process-start-time-unix": String(Math.floor(startedMs / 1000)) }), content: { type: "pieces", pieces: metrics.pieces() } });
const document = (type: string, text: string): HttpResponse => ({ status: 200, headers: { "content-type": type, "cache-control": "public, max-age=3600" }, content: { type: "text", text } });

function aggregated(discovery: Discovery, request: HttpRequest, query: URLSearchParams, core: boolean): HttpResponse | undefined {
  if (core) checkRoute(request.headers, false);
  const form = aggregatedForm(request.headers, query);
  if (form === undefined) return undefined;
  const { body, text, etag } = discovery.aggregated(core);
  const headers = { "content-type": `${form.type};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList`, etag, vary: "Accept", "cache-control": "public" };
  if ((one(request.headers["if-none-match"]) ?? "").split(",").some(each => each.trim().replace(/^W\//, "") === etag)) return { status: 304, headers, content: { type: "text", text: "" } };
  if (form.type !== jsonType || form.pretty) return sendDocument(APIGroupDiscoveryList.node, body, form, headers);
  return { status: 200, headers, content: { type: "text", text } };
}

/** Without slashes at the end; a regular expression would take quadratic time for a path of slashes. */
function withoutSlashes(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === "/") end--;
  return path.slice(0, end);
}
