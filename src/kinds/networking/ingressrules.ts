/** Rules of ingresses (kubernetes pkg/apis/networking/validation ValidateIngressSpec). */
import { parseIp } from "../../base/ip.ts";
import * as grammar from "../../schema/grammar.ts";
import { invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";
import { validateIp } from "../core/iprules.ts";
import type { IngressBackend, IngressSpec, IngressStatus } from "./ingress.ts";

const pathTypes = ["Exact", "ImplementationSpecific", "Prefix"];
export function ingressProblems(spec: IngressSpec): readonly Problem[] {
  const problems: Problem[] = [];
  if ((spec.rules ?? []).length === 0 && spec.defaultBackend === undefined) problems.push(invalidValue("spec", spec.rules ?? null, "either `defaultBackend` or `rules` must be specified"));
  if (spec.defaultBackend !== undefined) checkBackend(spec.defaultBackend, "spec.defaultBackend", problems);
  (spec.rules ?? []).forEach(({ host, http }, i) => {
    const here = `spec.rules[${i}]`;
    if (host) {
      if (parseIp(host) !== undefined) problems.push(invalidValue(`${here}.host`, host, "must be a DNS name, not an IP address"));
      for (const detail of host.includes("*") ? grammar.wildcardSubdomain(host) : grammar.dnsSubdomain(host)) problems.push(invalidValue(`${here}.host`, host, detail));
    }
    if (http === undefined) return;
    if (http.paths.length === 0) problems.push(required(`${here}.http.paths`));
    http.paths.forEach(({ path = "", pathType, backend }, j) => {
      const place = `${here}.http.paths[${j}]`;
      if (pathType === undefined || pathType === null) problems.push(required(`${place}.pathType`, "pathType must be specified"));
      else if (!pathTypes.includes(pathType)) problems.push(notSupported(`${place}.pathType`, pathType, pathTypes));
      else if (pathType !== "ImplementationSpecific") {
        if (!path.startsWith("/")) problems.push(invalidValue(`${place}.path`, path, "must be an absolute path"));
        for (const bad of ["//", "/./", "/../", "%2f", "%2F"]) if (path.includes(bad)) problems.push(invalidValue(`${place}.path`, path, `must not contain '${bad}'`));
        for (const bad of ["/..", "/."]) if (path.endsWith(bad)) problems.push(invalidValue(`${place}.path`, path, `cannot end with '${bad}'`));
      } else if (path !== "" && !path.startsWith("/")) problems.push(invalidValue(`${place}.path`, path, "must be an absolute path"));
      checkBackend(backend, `${place}.backend`, problems);
    });
  });
  (spec.tls ?? []).forEach(({ hosts = [], secretName = "" }, i) => {
    hosts.forEach((host, j) => {
      for (const detail of host.includes("*") ? grammar.wildcardSubdomain(host) : grammar.dnsSubdomain(host)) problems.push(invalidValue(`spec.tls[${i}].hosts[${j}]`, host, detail));
    });
    if (secretName !== "") for (const detail of grammar.dnsSubdomain(secretName)) problems.push(invalidValue(`spec.tls[${i}].secretName`, secretName, detail));
  });
  if (spec.ingressClassName !== undefined) for (const detail of grammar.dnsSubdomain(spec.ingressClassName)) problems.push(invalidValue("spec.ingressClassName", spec.ingressClassName, detail));
  return problems;
}

function checkBackend({ resource, service }: IngressBackend, path: string, problems: Problem[]): void {
  if (resource !== undefined && service !== undefined) problems.push(invalidValue(path, "", "cannot set both resource and service backends"));
  else if (resource !== undefined) checkResource(resource, `${path}.resource`, problems);
  else if (service !== undefined) checkService(service, path, problems);
  else problems.push(invalidValue(path, "", "resource or service backend is required"));
}
function checkResource({ apiGroup, kind, name }: NonNullable<IngressBackend["resource"]>, path: string, problems: Problem[]): void {
  if (apiGroup !== undefined) for (const detail of grammar.dnsSubdomain(apiGroup)) problems.push(invalidValue(`${path}.apiGroup`, apiGroup, detail));
  for (const [field, value] of [["kind", kind], ["name", name]] as const) {
    if (value === "") problems.push(required(`${path}.${field}`));
    else for (const detail of grammar.pathSegment(value)) problems.push(invalidValue(`${path}.${field}`, value, detail));
  }
}
function checkService(service: NonNullable<IngressBackend["service"]>, path: string, problems: Problem[]): void {
  if (service.name === "") problems.push(required(`${path}.service.name`));
  else for (const detail of grammar.dnsLabel(service.name)) problems.push(invalidValue(`${path}.service.name`, service.name, detail));
  const { name = "", number = 0 } = service.port;
  if (name !== "" && number !== 0) problems.push(invalidValue(path, "", "cannot set both port name & port number"));
  else if (name !== "") for (const detail of grammar.portName(name)) problems.push(invalidValue(`${path}.service.port.name`, name, detail));
  else if (number !== 0) for (const detail of grammar.validPort(number)) problems.push(invalidValue(`${path}.service.port.number`, number, detail));
  else problems.push(required(path, "port name or number is required"));
}

export function ingressStatusProblems({ loadBalancer }: IngressStatus, previous: IngressStatus | undefined): readonly Problem[] {
  const old = (previous?.loadBalancer.ingress ?? []).map(({ ip = "" }) => ip);
  return (loadBalancer.ingress ?? []).flatMap(({ ip = "", hostname = "" }, i) => {
    const here = `status.loadBalancer.ingress[${i}]`;
    const problems: Problem[] = ip === "" ? [] : [...validateIp(ip, `${here}.ip`, old)];
    if (hostname === "") return problems;
    for (const detail of grammar.dnsSubdomain(hostname)) problems.push(invalidValue(`${here}.hostname`, hostname, detail));
    if (parseIp(hostname) !== undefined) problems.push(invalidValue(`${here}.hostname`, hostname, "must be a DNS name, not an IP address"));
    return problems;
  });
}
