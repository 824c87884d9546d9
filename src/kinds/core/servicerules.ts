/** Rules of services (kubernetes pkg/apis/core/validation ValidateService, ValidateServiceUpdate). */
import * as grammar from "../../schema/grammar.ts";
import { sameJson } from "../../base/json.ts";
import { duplicate, forbidden, invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";
import type { ObjectOf, PrepareContext, Shape } from "../kind.ts";
import { validateLabels } from "../meta/rules.ts";
import { checkPortReference } from "./containerrules.ts";
import { parseIp } from "../../base/ip.ts";
import { cidrWarnings, ipWarnings, validateCidr, validateIp, validateReachableIp } from "./iprules.ts";
import type { ServiceSpec, ServiceStatus } from "./service.ts";

type ServiceLike = ObjectOf<Shape> & { readonly spec: ServiceSpec; readonly status: ServiceStatus };
const affinitySecondsMax = 86400;
export const topologyModeAnnotation = "service.kubernetes.io/topology-mode";
/** The same by its deprecated name. */
export const topologyHintsAnnotation = "service.kubernetes.io/topology-aware-hints";

export function serviceRules(next: ServiceLike, previous: ServiceLike | undefined, { subresource }: PrepareContext): readonly Problem[] {
  if (subresource === "status") return loadBalancerStatus(next, previous);
  return [...(previous === undefined ? [] : changes(next.spec, previous.spec)), ...wholeService(next, previous)];
}

const headless = ({ clusterIP, clusterIPs }: ServiceSpec): boolean => clusterIP === "None" || clusterIPs?.[0] === "None";
const needsHealthCheck = ({ type, externalTrafficPolicy }: ServiceSpec): boolean => type === "LoadBalancer" && externalTrafficPolicy === "Local";

function wholeService({ spec, metadata }: ServiceLike, previous: ServiceLike | undefined): readonly Problem[] {
  const problems: Problem[] = [];
  const { [topologyModeAnnotation]: mode, [topologyHintsAnnotation]: hints } = metadata.annotations ?? {};
  if (mode !== undefined && hints !== undefined && mode !== hints) problems.push(invalidValue(`metadata.annotations[${topologyModeAnnotation}]`, mode, `must match annotations[${topologyHintsAnnotation}] when both are specified`));
  const ports = spec.ports ?? [];
  if (ports.length === 0 && !headless(spec) && spec.type !== "ExternalName") problems.push(required("spec.ports"));
  if ((spec.type === "LoadBalancer" || spec.type === "NodePort") && headless(spec)) problems.push(invalidValue("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${spec.type} services`));
  if (spec.type === "ExternalName") externalName(spec, problems);
  checkPorts(spec, problems);
  problems.push(...validateLabels(spec.selector, "spec.selector"));
  checkAffinity(spec, problems);
  checkAddresses(spec, previous?.spec.clusterIPs, problems);
  (spec.externalIPs ?? []).forEach((ip, i) => problems.push(...validateReachableIp(ip, `spec.externalIPs[${i}]`, previous?.spec.externalIPs)));
  checkSourceRanges(spec, metadata.annotations, previous, problems);
  if (spec.allocateLoadBalancerNodePorts !== undefined && spec.type !== "LoadBalancer") problems.push(forbidden("spec.allocateLoadBalancerNodePorts", "may only be used when `type` is 'LoadBalancer'"));
  problems.push(...classProblems(spec));
  checkTraffic(spec, problems);
  return problems;
}

function externalName(spec: ServiceSpec, problems: Problem[]): void {
  if ((spec.clusterIPs ?? []).length > 0) problems.push(forbidden("spec.clusterIPs", "may not be set for ExternalName services"));
  if ((spec.ipFamilies ?? []).length > 0) problems.push(forbidden("spec.ipFamilies", "may not be set for ExternalName services"));
  if (spec.ipFamilyPolicy !== undefined) problems.push(forbidden("spec.ipFamilyPolicy", "may not be set for ExternalName services"));
  const name = (spec.externalName ?? "").replace(/\.$/, "");
  if (name === "") problems.push(required("spec.externalName"));
  else for (const detail of grammar.dnsSubdomain(name)) problems.push(invalidValue("spec.externalName", name, detail));
}

function checkPorts(spec: ServiceSpec, problems: Problem[]): void {
  const ports = spec.ports ?? [];
  const names = new Set<string>();
  ports.forEach((port, i) => {
    const here = `spec.ports[${i}]`;
    if (!port.name) {
      if (ports.length > 1) problems.push(required(`${here}.name`));
    } else {
      for (const detail of grammar.dnsLabel(port.name)) problems.push(invalidValue(`${here}.name`, port.name, detail));
      if (names.has(port.name)) problems.push(duplicate(`${here}.name`, port.name));
      names.add(port.name);
    }
    for (const detail of grammar.validPort(port.port)) problems.push(invalidValue(`${here}.port`, port.port, detail));
    checkPortReference(port.targetPort, `${here}.targetPort`, problems);
    if (port.appProtocol !== undefined) for (const detail of grammar.qualifiedName(port.appProtocol)) problems.push(invalidValue(`${here}.appProtocol`, port.appProtocol, detail));
  });
  if (spec.type === "ClusterIP") ports.forEach(({ nodePort }, i) => { if (nodePort) problems.push(forbidden(`spec.ports[${i}].nodePort`, "may not be used when `type` is 'ClusterIP'")); });
  const [nodePorts, numbers] = [new Set<string>(), new Set<string>()];
  ports.forEach(({ nodePort, protocol }, i) => {
    if (!nodePort) return;
    if (nodePorts.has(`${protocol}/${nodePort}`)) problems.push(duplicate(`spec.ports[${i}].nodePort`, nodePort));
    nodePorts.add(`${protocol}/${nodePort}`);
  });
  ports.forEach(({ port, protocol }, i) => {
    if (numbers.has(`${protocol}/${port}`)) problems.push(duplicate(`spec.ports[${i}]`, { Name: "", Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 }));
    numbers.add(`${protocol}/${port}`);
  });
}

function checkAffinity({ sessionAffinity, sessionAffinityConfig }: ServiceSpec, problems: Problem[]): void {
  if (sessionAffinity === "ClientIP") {
    const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
    if (seconds === undefined) problems.push(required("spec.sessionAffinityConfig", "when session affinity type is ClientIP"));
    else if (seconds <= 0 || seconds > affinitySecondsMax) problems.push(invalidValue("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds, `must be greater than 0 and less than ${affinitySecondsMax}`));
  } else if (sessionAffinity === "None" && sessionAffinityConfig !== undefined) problems.push(forbidden("spec.sessionAffinityConfig", "must not be set when session affinity is None"));
}

/** The parts of upstream's ValidateServiceClusterIPsRelatedFields that do not depend on which families the cluster has. */
function checkAddresses(spec: ServiceSpec, old: readonly string[] | undefined, problems: Problem[]): void {
  const { clusterIP = "", clusterIPs = [], ipFamilies = [] } = spec;
  if (clusterIP !== "" && clusterIPs.length === 0) problems.push(required("spec.clusterIPs"));
  if (clusterIP === "" && clusterIPs.length > 0) problems.push(invalidValue("spec.clusterIPs", clusterIPs, "must be empty when `clusterIP` is not specified"));
  if (clusterIPs.length > 0 && clusterIP !== "" && clusterIPs[0] !== clusterIP) problems.push(invalidValue("spec.clusterIPs", clusterIPs, "first value must match `clusterIP`"));
  ipFamilies.forEach((family, i) => {
    if (family !== "IPv4" && family !== "IPv6") problems.push(notSupported(`spec.ipFamilies[${i}]`, family, ["IPv4", "IPv6"]));
    if (ipFamilies.indexOf(family) < i) problems.push(duplicate(`spec.ipFamilies[${i}]`, family));
  });
  if (ipFamilies.length > 2) problems.push(invalidValue("spec.ipFamilies", ipFamilies, "may only hold up to 2 values"));
  clusterIPs.forEach((ip, i) => {
    if (ip === "None") {
      if (clusterIPs.length > 1) problems.push(invalidValue("spec.clusterIPs", clusterIPs, "'None' must be the first and only value"));
      return;
    }
    const wrong = validateIp(ip, `spec.clusterIPs[${i}]`, old);
    problems.push(...wrong);
    const family = ipFamilies[i];
    if (wrong.length === 0 && (family === "IPv4" || family === "IPv6") && family !== (ip.includes(":") ? "IPv6" : "IPv4")) problems.push(invalidValue(`spec.clusterIPs[${i}]`, ip, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``));
  });
  if (clusterIPs.length > 2) problems.push(invalidValue("spec.clusterIPs", clusterIPs, "may only hold up to 2 values"));
  else if (clusterIPs.length === 2 && clusterIPs[0]!.includes(":") === clusterIPs[1]!.includes(":")) problems.push(invalidValue("spec.clusterIPs", clusterIPs, "may specify no more than one IP for each IP family"));
}

function checkSourceRanges(spec: ServiceSpec, annotations: { readonly [key: string]: string } | undefined, previous: ServiceLike | undefined, problems: Problem[]): void {
  const key = "service.beta.kubernetes.io/load-balancer-source-ranges";
  const annotation = annotations?.[key];
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const path = ranges.length > 0 ? "spec.LoadBalancerSourceRanges" : `metadata.annotations[${key}]`;
  if (ranges.length === 0 && annotation === undefined) return;
  if (spec.type !== "LoadBalancer") problems.push(forbidden(path, "may only be used when `type` is 'LoadBalancer'"));
  if (ranges.length > 0) ranges.forEach((range, i) => problems.push(...validateCidr(range.trim(), `${path}[${i}]`, previous?.spec.loadBalancerSourceRanges?.map(each => each.trim()))));
  else if (annotation!.trim() !== "" && annotation !== previous?.metadata.annotations?.[key]) for (const range of annotation!.split(",")) problems.push(...validateCidr(range.trim(), path));
}

function checkTraffic(spec: ServiceSpec, problems: Problem[]): void {
  const reachable = spec.type === "NodePort" || spec.type === "LoadBalancer" || (spec.type === "ClusterIP" && (spec.externalIPs ?? []).length > 0);
  if (!reachable && spec.externalTrafficPolicy !== undefined) problems.push(invalidValue("spec.externalTrafficPolicy", spec.externalTrafficPolicy, "may only be set for externally-accessible services"));
  if (reachable && spec.externalTrafficPolicy !== undefined && !["Cluster", "Local"].includes(spec.externalTrafficPolicy)) problems.push(notSupported("spec.externalTrafficPolicy", spec.externalTrafficPolicy, ["Cluster", "Local"]));
  if (reachable && spec.externalTrafficPolicy === undefined) problems.push(required("spec.externalTrafficPolicy"));
  const port = spec.healthCheckNodePort ?? 0;
  if (!needsHealthCheck(spec)) {
    if (port !== 0) problems.push(invalidValue("spec.healthCheckNodePort", port, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"));
  } else if (port !== 0) for (const detail of grammar.validPort(port)) problems.push(invalidValue("spec.healthCheckNodePort", port, detail));
  const distribution = spec.trafficDistribution;
  if (distribution !== undefined && !["PreferClose", "PreferSameNode", "PreferSameZone"].includes(distribution)) problems.push(notSupported("spec.trafficDistribution", distribution, ["PreferClose", "PreferSameZone", "PreferSameNode"]));
}

/** What may not change between two versions; moving from or to ExternalName frees everything. */
function changes(next: ServiceSpec, previous: ServiceSpec): readonly Problem[] {
  const problems: Problem[] = [];
  if (next.type !== "ExternalName" && previous.type !== "ExternalName") {
    const [before, now] = [previous.clusterIPs ?? [], next.clusterIPs ?? []];
    if (before.length > 0 && now.length === 0) problems.push(invalidValue("spec.clusterIPs[0]", now, "primary clusterIP can not be unset"));
    for (const i of [0, 1]) if (before[i] !== undefined && now[i] !== undefined && now[i] !== before[i]) problems.push(invalidValue(`spec.clusterIPs[${i}]`, i === 0 ? now : now[i], "may not change once set"));
    const [was, is] = [previous.ipFamilies ?? [], next.ipFamilies ?? []];
    if (was.length > is.length && now.length === 0) problems.push(invalidValue("spec.ipFamilies[0]", is, "primary ipFamily can not be unset"));
    for (const i of [0, 1]) if (was[i] !== undefined && is[i] !== undefined && is[i] !== was[i]) problems.push(invalidValue(`spec.ipFamilies[${i}]`, is, "may not change once set"));
  }
  if (previous.type === "LoadBalancer" && next.type === "LoadBalancer" && !sameJson(previous.loadBalancerClass, next.loadBalancerClass)) problems.push(invalidValue("spec.loadBalancerClass", next.loadBalancerClass ?? null, "may not change once set"));
  problems.push(...classProblems(next));
  if (needsHealthCheck(previous) && needsHealthCheck(next) && previous.healthCheckNodePort !== next.healthCheckNodePort) problems.push(forbidden("spec.healthCheckNodePort", "field is immutable"));
  return problems;
}

function loadBalancerStatus({ spec, status }: ServiceLike, previous: ServiceLike | undefined): readonly Problem[] {
  const ingress = status.loadBalancer.ingress ?? [], old = previous?.status.loadBalancer.ingress?.map(({ ip = "" }) => ip);
  const problems: Problem[] = [];
  if (ingress.length > 0 && spec.type !== "LoadBalancer") problems.push(forbidden("status.loadBalancer.ingress", "may only be used when `spec.type` is 'LoadBalancer'"));
  else ingress.forEach(({ ip, hostname, ipMode }, i) => {
    const here = `status.loadBalancer.ingress[${i}]`;
    if (ip) problems.push(...validateIp(ip, `${here}.ip`, old));
    if (ipMode === undefined && ip) problems.push(required(`${here}.ipMode`, "must be specified when `ip` is set"));
    if (ipMode !== undefined && !ip) problems.push(forbidden(`${here}.ipMode`, "may not be specified when `ip` is not set"));
    else if (ipMode !== undefined && ipMode !== "VIP" && ipMode !== "Proxy") problems.push(notSupported(`${here}.ipMode`, ipMode, ["Proxy", "VIP"]));
    if (!hostname) return;
    for (const detail of grammar.dnsSubdomain(hostname)) problems.push(invalidValue(`${here}.hostname`, hostname, detail));
    if (parseIp(hostname) !== undefined) problems.push(invalidValue(`${here}.hostname`, hostname, "must be a DNS name, not an IP address"));
  });
  return problems;
}

/** Oddly written addresses in the status of services and ingresses. */
export function* balancerWarnings({ loadBalancer }: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string | undefined }[] | undefined } | undefined }): Iterable<string> {
  for (const [i, { ip }] of (loadBalancer?.ingress ?? []).entries()) if (ip) yield* ipWarnings(ip, `status.loadBalancer.ingress[${i}]`);
}

/** Fields that mean nothing here, or soon nothing anywhere (kubernetes pkg/api/service/warnings.go). */
export function* serviceWarnings({ spec, metadata }: Pick<ServiceLike, "spec" | "metadata">): Iterable<string> {
  if (metadata.annotations?.[topologyHintsAnnotation] !== undefined) yield `annotation ${topologyHintsAnnotation} is deprecated, please use ${topologyModeAnnotation} instead`;
  if (spec.clusterIP !== undefined && spec.clusterIP !== "None") for (const [i, ip] of (spec.clusterIPs ?? []).entries()) yield* ipWarnings(ip, `spec.clusterIPs[${i}]`);
  const external = (spec.externalIPs ?? []).length > 0;
  const none = headless(spec) && spec.type === "ClusterIP";
  if (none) {
    if (spec.loadBalancerIP) yield "spec.loadBalancerIP is ignored for headless services";
    if (external) yield "spec.externalIPs is ignored for headless services";
    if (spec.sessionAffinity !== "None") yield "spec.SessionAffinity is ignored for headless services";
  }
  for (const [i, ip] of (spec.externalIPs ?? []).entries()) yield* ipWarnings(ip, `spec.externalIPs[${i}]`);
  if (external && !none && spec.type !== "ExternalName") yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters";
  if (spec.loadBalancerIP) yield* ipWarnings(spec.loadBalancerIP, "spec.loadBalancerIP");
  for (const [i, cidr] of (spec.loadBalancerSourceRanges ?? []).entries()) yield* cidrWarnings(cidr, `spec.loadBalancerSourceRanges[${i}]`);
  if (spec.type === "ExternalName" && external) yield 'spec.externalIPs is ignored when spec.type is "ExternalName"';
  if (spec.type !== "ExternalName" && spec.externalName) yield 'spec.externalName is ignored when spec.type is not "ExternalName"';
  if (spec.trafficDistribution === "PreferClose") yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"';
}

function classProblems({ type, loadBalancerClass: name }: Pick<ServiceLike["spec"], "type" | "loadBalancerClass">): readonly Problem[] {
  if (name === undefined) return [];
  if (type !== "LoadBalancer") return [forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'")];
  return grammar.qualifiedName(name).map(detail => invalidValue("spec.loadBalancerClass", name, detail));
}
