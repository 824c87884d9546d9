/** exec, attach, port-forward and logs: checked here, answered by the pod's node (pkg/registry/core/pod/strategy.go, rest/subresources.go). */
import type { ApiError } from "../../base/api-error.ts";
import { forbidden, goQuote, invalidValue, type Problem } from "../../schema/problem.ts";
import type { Call, Core } from "../core.ts";
import { badRequest, invalid, methodNotAllowed, notFound, refusalOf } from "../errors.ts";
import { isTrue, type RequestInfo } from "../request-info.ts";
import { checkRoute, mediaTypes, plainForms } from "../negotiate.ts";
import { outputOf, type Context, type Services } from "../resources.ts";
import { agentOf, checkConnect, connect, forward } from "./proxy.ts";
import type { Subresource } from "./subresource.ts";

export const exec = stream("exec", true, query => [...flags(query), ...query.getAll("command").map(command => ["command", command] as const)]);
export const attach = stream("attach", true, flags);
export const portForward = stream("portForward", false, query => portsOf(query).map(port => ["port", String(port)] as const));

type Params = readonly (readonly [string, string])[];

function flags(query: URLSearchParams): Params {
  const names = [["stdin", "input"], ["stdout", "output"], ["stderr", "error"], ["tty", "tty"]] as const;
  return names.filter(([name]) => isTrue(query.get(name))).map(([, name]) => [name, "1"] as const);
}

function stream(path: string, ofContainer: boolean, paramsOf: (query: URLSearchParams) => Params): Subresource {
  return {
    async handle(services, { request, info }, call) {
      checkConnect(call, request, info);
      // A WebSocket starts with a GET; what it does takes the permission of the POST that SPDY starts with.
      if (info.verb === "get") await mayCreate(services.core, call, info);
      // Whether there is such a pod is seen after admission, as upstream does.
      await connect(services.core, call, optionsOf(info.query));
      const pod = podOf(services.core, call);
      const container = ofContainer ? containerOf(pod, info.query.get("container") ?? "") : "";
      if ((pod.spec.nodeName ?? "") === "") throw badRequest(`pod ${call.name} does not have a host assigned`);
      if (!request.upgrade) throw badRequest("Upgrade request required");
      return toAgent(services, call, pod, [path, call.namespace, call.name, ...(ofContainer ? [container] : [])], paramsOf(info.query));
    },
  };
}

/** The query as the options object that webhooks see. */
function optionsOf(query: URLSearchParams): { readonly [name: string]: unknown } {
  const on = ["stdin", "stdout", "stderr", "tty"].filter(name => isTrue(query.get(name))).map(name => [name, true] as const);
  const [container, command, ports] = [query.get("container"), query.getAll("command"), portsOf(query)];
  return { ...Object.fromEntries(on), ...(container === null ? {} : { container }), ...(command.length === 0 ? {} : { command }), ...(ports.length === 0 ? {} : { ports }) };
}

const portsOf = (query: URLSearchParams): readonly number[] => query.getAll("ports").flatMap(each => each.split(",")).map(portOf);
/** As Go reads a number of 16 bits (apimachinery pkg/apis/meta/v1/conversion.go). */
function portOf(text: string): number {
  const refused = (why: string): ApiError => badRequest(`cannot convert to []int32: strconv.ParseUint: parsing ${goQuote(text)}: ${why}`);
  if (!/^[0-9]+$/.test(text)) throw refused("invalid syntax");
  if (Number(text) > 65_535) throw refused("value out of range");
  return Number(text);
}

async function mayCreate(core: Core, { user }: Call, { group, version, resource, subresource, namespace, name, path }: RequestInfo): Promise<void> {
  const attributes = { verb: "create", group, version, resource, subresource, namespace, name, path, resourceRequest: true };
  const decision = await core.authorizer.authorize(user, attributes);
  if (!decision.allowed) throw refusalOf(user, attributes, decision);
}

function podOf(core: Core, { served, namespace, name }: Call): any {
  const pod = core.reader.get("", "pods", namespace, name);
  if (pod === undefined) throw notFound(served, name);
  return pod;
}

/** The container that is meant, which may go unnamed where there is one only. */
export function containerOf({ metadata, spec }: any, wanted: string): string {
  const names = (list: readonly any[] | undefined): string[] => (list ?? []).map(({ name }) => name);
  const [containers, init, ephemeral] = [names(spec.containers), names(spec.initContainers), names(spec.ephemeralContainers)];
  if (wanted !== "") {
    if ([...containers, ...init, ...ephemeral].includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${metadata.name}`);
  }
  if (containers.length === 1) return containers[0]!;
  if (containers.length === 0) throw badRequest(`a container name must be specified for pod ${metadata.name}`);
  throw badRequest(`a container name must be specified for pod ${metadata.name}, choose one of: [${containers.join(" ")}]${init.length === 0 ? "" : ` or one of the init containers: [${init.join(" ")}]`}`);
}

function toAgent(services: Services, _: Call, pod: any, path: readonly string[], params: Params) {
  const query = new URLSearchParams(params.map(([key, value]) => [key, value])).toString();
  return forward({ ...agentOf(services, pod.spec.nodeName), target: `/${path.map(encodeURIComponent).join("/")}${query === "" ? "" : `?${query}`}` });
}

export const log: Subresource = {
  async handle(services: Services, { request, info }: Context, call: Call) {
    if (info.verb !== "get") throw methodNotAllowed();
    // Quirk: the text is for whoever would take an object, too (apiserver pkg/endpoints/handlers/get.go).
    checkRoute(request.headers, false, ["text/plain", ...mediaTypes]);
    outputOf(request, info, plainForms, false);
    const pod = podOf(services.core, call);
    const params = logParams(call.name, info.query);
    const container = containerOf(pod, info.query.get("container") ?? "");
    if ((pod.spec.nodeName ?? "") === "") return { status: 204, headers: { "cache-control": "no-cache, private" }, content: { type: "text", text: "" } };
    return toAgent(services, call, pod, ["containerLogs", call.namespace, call.name, container], params);
  },
};

/** PodLogOptions, checked (pkg/apis/core/validation ValidatePodLogOptions). */
export function logParams(name: string, query: URLSearchParams): Params {
  const problems: Problem[] = [];
  const number = (field: string, least: number): string | undefined => {
    const text = query.get(field);
    if (text === null || text === "") return undefined;
    if (!/^-?[0-9]{1,15}$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    if (Number(text) < least) problems.push(invalidValue(field, Number(text), least === 0 ? "must be greater than or equal to 0" : "must be greater than 0"));
    return text;
  };
  const [tailLines, limitBytes, sinceSeconds] = [number("tailLines", 0), number("limitBytes", 1), number("sinceSeconds", 1)];
  const sinceTime = query.get("sinceTime") ?? "";
  if (sinceTime !== "" && sinceSeconds !== undefined) problems.push(forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  if (sinceTime !== "" && Number.isNaN(Date.parse(sinceTime))) throw badRequest(`parsing time ${JSON.stringify(sinceTime)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(sinceTime)} as "2006"`);
  const stream = query.get("stream") ?? "";
  if (stream !== "" && !["All", "Stdout", "Stderr"].includes(stream)) problems.push({ field: "stream", reason: "NotSupported", value: stream, detail: 'supported values: "All", "Stderr", "Stdout"' });
  if (stream !== "" && stream !== "All" && tailLines !== undefined) problems.push(forbidden("", "`tailLines` and specific `stream` are mutually exclusive for now"));
  if (problems.length > 0) throw invalid({ group: "", kind: "PodLogOptions" }, name, problems);
  const given = { tailLines, limitBytes, sinceSeconds, ...(sinceTime === "" ? {} : { sinceTime }), ...(stream === "" ? {} : { stream }) };
  const on = ["follow", "previous", "timestamps"].filter(flag => isTrue(query.get(flag))).map(flag => [flag, "true"] as const);
  return [...on, ...Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]))];
}
