/** Passing requests on to pods, services and nodes (pkg/registry/core/pod/rest/subresources.go, strategy ResourceLocation). */
import { ApiError } from "../../base/api-error.ts";
import type { Random } from "../../base/random.ts";
import type { Reader } from "../context.ts";
import { subresourcesOf } from "../../kinds/subresources.ts";
import { admit } from "../admission/pipeline.ts";
import type { Call, Core } from "../core.ts";
import { badRequest, methodNotAllowed, notFound } from "../errors.ts";
import type { ForwardTarget, HttpRequest, HttpResponse } from "../http.ts";
import type { RequestInfo } from "../request-info.ts";
import type { Services } from "../resources.ts";
import type { Subresource } from "./subresource.ts";

type Place = Pick<ForwardTarget, "address" | "port" | "scheme" | "trust">;

export const podProxy = proxy("pods", (services, call, wanted) => podPlace(services.core.reader, call, wanted));
export const serviceProxy = proxy("services", (services, call, wanted) => servicePlace(services.core.reader, services.core.random, call, wanted));
export const nodeProxy = proxy("nodes", (services, call, wanted) => nodePlace(services, wanted));

/** `[scheme:]name[:port]` (apimachinery pkg/util/net/port_split.go). */
type Wanted = { readonly scheme: "" | "http" | "https"; readonly name: string; readonly port: string };

export function splitSchemeNamePort(text: string): Wanted | undefined {
  const parts = text.split(":");
  const [scheme, name, port] = parts.length === 1 ? ["", parts[0]!, ""] : parts.length === 2 ? ["", parts[0]!, parts[1]!] : parts.length === 3 ? [parts[0]!, parts[1]!, parts[2]!] : ["bad", "", ""];
  if (name === "" || (scheme !== "" && scheme !== "http" && scheme !== "https")) return undefined;
  return { scheme, name, port };
}

/** Whether upstream's router passes this on, and its handler takes it (apiserver pkg/endpoints/handlers/rest.go, ConnectResource). */
export function checkConnect({ served, subresource }: Call, { method }: HttpRequest, { query }: RequestInfo): void {
  if (subresourcesOf(served.kind).get(subresource)?.connect?.methods.some(each => each === method.toLowerCase()) !== true) throw methodNotAllowed();
  if (query.has("dryRun")) throw badRequest("dryRun is not supported");
}

function proxy(what: string, place: (services: Services, call: Call, wanted: Wanted) => Place): Subresource {
  return {
    async handle(services, { request, info }, call): Promise<HttpResponse> {
      checkConnect(call, request, info);
      const mark = request.target.indexOf("?");
      const query = mark < 0 ? "" : request.target.slice(mark);
      const path = mark < 0 ? request.target : request.target.slice(0, mark);
      await connect(services.core, call, { path: info.rest });
      const wanted = splitSchemeNamePort(call.name);
      if (wanted === undefined) throw badRequest(`invalid ${what.slice(0, -1)} request ${JSON.stringify(call.name)}`);
      const to = place(services, call, wanted);
      // A page's relative links need the slash; upstream sends those who read there, and only those: a redirect would lose the method.
      if (info.rest === "" && !path.endsWith("/") && ["GET", "HEAD"].includes(request.method)) return { status: 301, headers: { location: `${path}/${query}` }, content: { type: "text", text: "" } };
      const proxyPrefix = path.slice(0, path.length - Math.max(info.rest.length, path.endsWith("/") && info.rest === "" ? 1 : 0));
      return forward({ ...to, target: `${info.rest === "" ? "/" : info.rest}${query}`, proxyPrefix });
    },
  };
}

export const forward = (to: ForwardTarget): HttpResponse => ({ status: 200, headers: {}, content: { type: "forward", to } });

/** Passing on is an operation of its own to admission, whose object is the options: `PodExecOptions` and the like. */
export async function connect(core: Core, call: Call, given: { readonly [name: string]: unknown }): Promise<void> {
  const options = { kind: subresourcesOf(call.served.kind).get(call.subresource)?.connect?.kind ?? "", apiVersion: "v1", ...given };
  const admission = {
    operation: "CONNECT" as const, kind: call.served.kind, served: call.served, subresource: call.subresource, namespace: call.namespace, name: call.name, user: call.user, dryRun: false,
    object: options, previous: undefined, now: core.clock.now(), read: core.reader, warn: (text: string) => call.warn(text), annotate: (key: string, value: string) => call.annotate?.(key, value), trail: call.trail,
  };
  await admit(core, "mutate", admission);
  await admit(core, "validate", admission);
}

function podPlace(read: Reader, call: Call, { scheme, name, port }: Wanted): Place {
  const pod = read.get("", "pods", call.namespace, name);
  if (pod === undefined) throw notFound(call.served, name);
  const address: string = pod.status.podIPs?.[0]?.ip ?? pod.status.podIP ?? "";
  if (address === "") throw badRequest("address not allowed");
  const first = pod.spec.containers.flatMap((container: any) => container.ports ?? [])[0]?.containerPort;
  const chosen = port === "" ? first : portNumber(port) ?? pod.spec.containers.flatMap((container: any) => container.ports ?? []).find((each: any) => each.name === port)?.containerPort;
  if (port !== "" && chosen === undefined) throw badRequest(`invalid port ${JSON.stringify(port)}`);
  return { address, port: chosen ?? (scheme === "https" ? 443 : 80), scheme: scheme === "" ? "http" : scheme, trust: { type: "none" } };
}

const portNumber = (text: string): number | undefined => (/^[0-9]{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65_536 ? Number(text) : undefined);

/** One ready endpoint behind a service's port, or why there is none. */
export function endpointOf(read: Reader, random: Random, namespace: string, name: string, port: number): { readonly address: string; readonly port: number } | string {
  const service = read.get("", "services", namespace, name);
  if (service === undefined) return `service ${JSON.stringify(name)} not found`;
  const found = (service.spec.ports ?? []).find((each: any) => each.port === port);
  if (found === undefined) return `no service port ${port} found for service ${JSON.stringify(name)}`;
  const choices = choicesOf(read, namespace, name, found.name ?? "");
  return choices[Math.floor(random.next() * choices.length)] ?? `no endpoints available for service ${JSON.stringify(name)}`;
}

/** Every ready endpoint behind a port of a service. */
export function choicesOf(read: Reader, namespace: string, name: string, portName: string): readonly { readonly address: string; readonly port: number }[] {
  const slices = read.list("discovery.k8s.io", "endpointslices", namespace).filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === name);
  return slices.flatMap(({ endpoints = [], ports = [] }) => ports.filter((each: any) => (each.name ?? "") === portName && each.port !== undefined)
    .flatMap((each: any) => endpoints.filter(({ conditions }: any) => conditions?.ready !== false).map(({ addresses }: any) => ({ address: addresses[0] as string, port: each.port as number }))));
}

function servicePlace(read: Reader, random: Random, call: Call, { scheme, name, port }: Wanted): Place {
  const service = read.get("", "services", call.namespace, name);
  if (service === undefined) throw notFound(call.served, name);
  const number = portNumber(port);
  const byNumber = number === undefined ? undefined : (service.spec.ports ?? []).find((each: any) => each.port === number);
  if (number !== undefined && byNumber === undefined) throw new ApiError("ServiceUnavailable", `no service port ${number} found for service ${JSON.stringify(name)}`);
  const portName: string = number === undefined ? port : (byNumber.name ?? "");
  const slices = read.list("discovery.k8s.io", "endpointslices", call.namespace).filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === name);
  const choices = choicesOf(read, call.namespace, name, portName);
  const chosen = choices[Math.floor(random.next() * choices.length)];
  if (chosen === undefined) throw new ApiError("ServiceUnavailable", `no endpoints available for service ${JSON.stringify(slices.length === 0 ? name : call.name)}`);
  return { ...chosen, scheme: scheme === "" ? "http" : scheme, trust: { type: "none" } };
}

function nodePlace(services: Services, { scheme, name, port }: Wanted): Place {
  const agent = agentOf(services, name);
  if (port === "" || Number(port) === agent.port) return agent;
  const chosen = portNumber(port);
  if (chosen === undefined) throw badRequest(`invalid port ${JSON.stringify(port)}`);
  return { address: agent.address, port: chosen, scheme: scheme === "" ? "http" : scheme, trust: { type: "none" } };
}

/** Where a node's agent answers, as its Node object says. */
export function agentOf({ core, nodePort }: Pick<Services, "core" | "nodePort">, name: string): Place {
  const node = core.reader.get("", "nodes", "", name);
  if (node === undefined) throw notFound({ group: "", resource: "nodes" }, name);
  const addresses: readonly { readonly type: string; readonly address: string }[] = node.status?.addresses ?? [];
  const address = (addresses.find(({ type }) => type === "InternalIP") ?? addresses.find(({ type }) => type === "ExternalIP"))?.address;
  if (address === undefined) throw new ApiError("ServiceUnavailable", `no preferred addresses found for node ${JSON.stringify(name)}; known addresses: []`);
  return { address, port: node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? nodePort, scheme: "https", trust: { type: "node", serverName: name } };
}
