/** Rules of a pod's specification, alone or in a template (kubernetes pkg/apis/core/validation ValidatePodSpec). */
import { getOwn } from "../../base/json.ts";
import { compareQuantities } from "../../base/quantity.ts";
import { goValue } from "../../schema/go-value.ts";
import * as grammar from "../../schema/grammar.ts";
import { duplicate, forbidden, invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";
import { validateAnnotations, validateLabels } from "../meta/rules.ts";
import type { ObjectMeta } from "../meta/objectmeta.ts";
import { validateAffinity, validateSpread, validateTolerations } from "./affinityrules.ts";
import { validateContainers } from "./containerrules.ts";
import { validateIp } from "./iprules.ts";
import { containerRequests } from "./poddefaults.ts";
import { PodSpec, type PodTemplateSpec } from "./podspec.ts";
import { validateRequirements } from "./resourcerules.ts";
import { validatePodSecurityContext } from "./securityrules.ts";
import { validateVolumes } from "./volumerules.ts";

const int32Max = 2 ** 31 - 1;

export function validatePodSpec(spec: PodSpec, metadata: ObjectMeta | undefined, path: string): Problem[] {
  const isPod = metadata !== undefined;
  const volumes = validateVolumes(spec.volumes ?? [], metadata?.name, `${path}.volumes`);
  // Most pods say little: what is absent is not looked at, so that a create makes no garbage for it.
  const problems: Problem[] = [...volumes.problems];
  if (spec.resourceClaims !== undefined) problems.push(...resourceClaims(spec.resourceClaims, `${path}.resourceClaims`));
  validateContainers(spec, volumes.byName, path, isPod, problems);
  if (spec.resources !== undefined) problems.push(...podResources(spec, `${path}.resources`));
  if (spec.hostNetwork === true) checkHostNetworkPorts(spec, path, isPod, problems);
  if (spec.nodeSelector !== undefined) problems.push(...validateLabels(spec.nodeSelector, `${path}.nodeSelector`));
  validatePodSecurityContext(spec, path, problems);
  if (spec.affinity !== undefined) problems.push(...validateAffinity(spec.affinity, `${path}.affinity`));
  if (spec.dnsPolicy === "None" || spec.dnsConfig !== undefined) problems.push(...dnsConfig(spec, `${path}.dnsConfig`));
  if (spec.topologySpreadConstraints !== undefined) problems.push(...validateSpread(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`));
  if (spec.tolerations !== undefined) problems.push(...validateTolerations(spec.tolerations, `${path}.tolerations`));
  spec.readinessGates?.forEach(({ conditionType }, i) => { for (const detail of grammar.qualifiedName(conditionType)) problems.push(invalidValue(`${path}.readinessGates[${i}].conditionType`, conditionType, detail)); });
  if (spec.schedulingGates !== undefined) {
    const gates = new Set<string>();
    spec.schedulingGates.forEach(({ name }, i) => {
      for (const detail of grammar.qualifiedName(name)) problems.push(invalidValue(`${path}.schedulingGates[${i}]`, name, detail));
      if (gates.has(name)) problems.push(duplicate(`${path}.schedulingGates[${i}]`, name));
      gates.add(name);
    });
  }
  spec.hostAliases?.forEach(({ ip, hostnames = [] }, i) => {
    problems.push(...validateIp(ip, `${path}.hostAliases[${i}].ip`));
    hostnames.forEach((name, j) => { for (const detail of grammar.dnsSubdomain(name)) problems.push(invalidValue(`${path}.hostAliases[${i}].hostnames[${j}]`, name, detail)); });
  });
  checkNames(spec, path, problems);
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > int32Max)) problems.push(invalidValue(`${path}.activeDeadlineSeconds`, deadline, grammar.inclusiveRange(1, int32Max)));
  if (spec.os !== undefined && spec.os.name !== "linux" && spec.os.name !== "windows") problems.push(spec.os.name === "" ? required(`${path}.os.name`) : notSupported(`${path}.os`, spec.os.name, ["linux", "windows"]));
  if (spec.overhead !== undefined) problems.push(...validateRequirements({ limits: spec.overhead }, new Set(), `${path}.overhead`));
  return problems;
}

/** A template: labels, annotations and the specification of pods to be. */
export function validatePodTemplate(template: PodTemplateSpec, path: string): readonly Problem[] {
  return [
    ...validateLabels(template.metadata.labels, `${path}.labels`), ...validateAnnotations(template.metadata.annotations, `${path}.annotations`), ...validatePodSpec(template.spec, undefined, `${path}.spec`),
    ...((template.spec.ephemeralContainers ?? []).length > 0 ? [forbidden(`${path}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template")] : []),
  ];
}

const names = [
  { name: "serviceAccountName", check: grammar.dnsSubdomain }, { name: "nodeName", check: grammar.dnsSubdomain }, { name: "priorityClassName", check: grammar.dnsSubdomain },
  { name: "runtimeClassName", check: grammar.dnsSubdomain }, { name: "hostname", check: grammar.dnsLabel }, { name: "subdomain", check: grammar.dnsLabel },
] as const;
function checkNames(spec: PodSpec, path: string, problems: Problem[]): void {
  for (let i = 0; i < names.length; i++) {
    const { name, check } = names[i]!;
    const value = spec[name];
    if (value !== undefined && (value !== "" || name === "runtimeClassName")) for (const detail of check(value)) problems.push(invalidValue(`${path}.${name}`, value, detail));
  }
  const preemption = spec.preemptionPolicy as string | undefined;
  if (preemption === "") problems.push(required(`${path}.preemptionPolicy`));
  else if (preemption !== undefined && preemption !== "PreemptLowerPriority" && preemption !== "Never") problems.push(notSupported(`${path}.preemptionPolicy`, preemption, ["PreemptLowerPriority", "Never"]));
  const hostname = spec.hostnameOverride;
  if (hostname === undefined) return;
  if (spec.hostNetwork === true) problems.push(forbidden(`${path}.hostnameOverride`, "may not be specified when hostNetwork is true"));
  if (spec.setHostnameAsFQDN === true) problems.push(forbidden(`${path}.hostnameOverride`, "may not be specified when setHostnameAsFQDN is true"));
  if (hostname.length > 64) problems.push({ field: `${path}.hostnameOverride`, reason: "TooLong", detail: "may not be more than 64 bytes" });
  for (const detail of grammar.dnsSubdomain(hostname)) problems.push(invalidValue(`${path}.hostnameOverride`, hostname, detail));
}

function checkHostNetworkPorts(spec: PodSpec, path: string, isPod: boolean, problems: Problem[]): void {
  spec.containers.forEach(({ ports = [] }, i) => ports.forEach(({ hostPort = 0, containerPort }, j) => {
    if ((isPod || hostPort !== 0) && hostPort !== containerPort) problems.push(invalidValue(`${path}.containers[${i}].ports[${j}].hostPort`, hostPort, "must match `containerPort` when `hostNetwork` is true"));
  }));
}

const nameserversMax = 3;
const searchesMax = 32;
const searchCharactersMax = 2048;
function dnsConfig({ dnsConfig: config, dnsPolicy }: PodSpec, path: string): readonly Problem[] {
  if (dnsPolicy === "None") {
    if (config === undefined) return [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")];
    if ((config.nameservers ?? []).length === 0) return [required(`${path}.nameservers`, "must provide at least one DNS nameserver when `dnsPolicy` is None")];
  }
  if (config === undefined) return [];
  const { nameservers = [], searches = [], options = [] } = config;
  const problems: Problem[] = [];
  if (nameservers.length > nameserversMax) problems.push(invalidValue(`${path}.nameservers`, nameservers, `must not have more than ${nameserversMax} nameservers`));
  nameservers.forEach((ip, i) => problems.push(...validateIp(ip, `${path}.nameservers[${i}]`)));
  if (searches.length > searchesMax) problems.push(invalidValue(`${path}.searches`, searches, `must not have more than ${searchesMax} search paths`));
  if (searches.join(" ").length > searchCharactersMax) problems.push(invalidValue(`${path}.searches`, searches, `must not have more than ${searchCharactersMax} characters (including spaces) in the search list`));
  searches.forEach((search, i) => { if (search !== ".") for (const detail of grammar.dnsSubdomainWithUnderscore(search.replace(/\.$/, ""))) problems.push(invalidValue(`${path}.searches[${i}]`, search.replace(/\.$/, ""), detail)); });
  options.forEach(({ name }, i) => { if (!name) problems.push(required(`${path}.options[${i}]`, "must not be empty")); });
  return problems;
}

function resourceClaims(claims: NonNullable<PodSpec["resourceClaims"]>, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  const names = new Set<string>();
  claims.forEach((claim, i) => {
    const here = `${path}[${i}]`;
    if (claim.name === "") problems.push(required(`${here}.name`));
    else if (names.has(claim.name)) problems.push(duplicate(`${here}.name`, claim.name));
    else for (const detail of grammar.dnsLabel(claim.name)) problems.push(invalidValue(`${here}.name`, claim.name, detail));
    names.add(claim.name);
    const [one, other] = [claim.resourceClaimName !== undefined, claim.resourceClaimTemplateName !== undefined];
    if (one && other) problems.push(invalidValue(here, goValue(PodSpec.node.fields!["resourceClaims"]!.items!, claim), "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"));
    if (!one && !other) problems.push(invalidValue(here, goValue(PodSpec.node.fields!["resourceClaims"]!.items!, claim), "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"));
    for (const name of ["resourceClaimName", "resourceClaimTemplateName"] as const) if (claim[name] !== undefined) for (const detail of grammar.dnsSubdomain(claim[name])) problems.push(invalidValue(`${here}.${name}`, claim[name], detail));
  });
  return problems;
}

function podResources(spec: PodSpec, path: string): readonly Problem[] {
  const whole = spec.resources!;
  const problems: Problem[] = whole.claims === undefined ? [] : [forbidden(`${path}.claims`, "claims may not be set for Resources at pod-level")];
  problems.push(...validateRequirements(whole, new Set((spec.resourceClaims ?? []).map(({ name }) => name)), path, true));
  for (const [name, amount] of Object.entries(containerRequests(spec))) {
    const given = getOwn(whole.requests ?? {}, name);
    if (given !== undefined && compareQuantities(amount, given) > 0) problems.push(invalidValue(`${path}.requests[${name}]`, given, `must be greater than or equal to aggregate container requests of ${amount}`));
  }
  spec.containers.forEach(({ resources }, i) => {
    for (const [name, limit] of Object.entries(resources.limits ?? {})) {
      const most = getOwn(whole.limits ?? {}, name);
      if (most !== undefined && compareQuantities(limit, most) > 0) problems.push(invalidValue(`${path}.containers[${i}][${name}].limits`, limit, `must be less than or equal to pod limits of ${most}`));
    }
  });
  return problems;
}
