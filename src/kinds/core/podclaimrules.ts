/** What a pod's status may say of claims for devices (kubernetes pkg/apis/core/validation validatePodResourceClaimStatuses, validatePodExtendedResourceClaimStatus). */
import { dnsLabel, dnsSubdomain } from "../../schema/grammar.ts";
import { duplicate, invalidValue, required, type Problem } from "../../schema/problem.ts";
import type { PodSpec } from "./podspec.ts";
import type { PodStatus } from "./podstatus.ts";

type PodLike = { readonly spec: PodSpec; readonly status: PodStatus };

export function* claimStatusProblems({ spec, status }: PodLike): Iterable<Problem> {
  const seen = new Set<string>();
  for (const [i, { name, resourceClaimName }] of (status.resourceClaimStatuses ?? []).entries()) {
    const here = `status.resourceClaimStatuses[${i}]`;
    if (!(spec.resourceClaims ?? []).some(claim => claim.name === name)) yield invalidValue(`${here}.name`, name, "must match the name of an entry in `spec.resourceClaims`");
    if (seen.has(name)) yield duplicate(`${here}.name`, name);
    seen.add(name);
    if (resourceClaimName !== undefined) for (const detail of dnsSubdomain(resourceClaimName)) yield invalidValue(`${here}.resourceClaimName`, resourceClaimName, detail);
  }
  if (status.extendedResourceClaimStatus !== undefined) yield* extendedProblems(status.extendedResourceClaimStatus, spec);
}

function* extendedProblems({ requestMappings, resourceClaimName }: NonNullable<PodStatus["extendedResourceClaimStatus"]>, spec: PodSpec): Iterable<Problem> {
  const path = "status.extendedResourceClaimStatus";
  const containers = new Map([...(spec.initContainers ?? []), ...spec.containers].map(container => [container.name, container]));
  if (requestMappings.length === 0) yield required(`${path}.requestMappings`, "at least one request mapping is required");
  const seen = new Set<string>();
  for (const [i, { containerName, resourceName, requestName }] of requestMappings.entries()) {
    const here = `${path}.requestMappings[${i}]`;
    const container = containers.get(containerName);
    if (container === undefined) yield invalidValue(`${here}.containerName`, containerName, "must match the name of an entry in spec.initContainers.name or spec.containers.name");
    else if (!Object.hasOwn(container.resources.requests ?? {}, resourceName)) yield invalidValue(`${here}.resourceName`, resourceName, "must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests");
    for (const detail of dnsLabel(requestName)) yield invalidValue(`${path}.requestName`, requestName, detail);
    const key = JSON.stringify([containerName, resourceName, requestName]);
    if (seen.has(key)) for (const [field, value] of Object.entries({ containerName, resourceName, requestName })) yield duplicate(`${here}.${field}`, value);
    seen.add(key);
  }
  if (resourceClaimName === "") yield required(`${path}.resourceClaimName`);
  else for (const detail of dnsSubdomain(resourceClaimName)) yield invalidValue(`${path}.resourceClaimName`, resourceClaimName, detail);
}
