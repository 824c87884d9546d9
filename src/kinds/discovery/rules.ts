/** Rules of Endpoints and EndpointSlices (kubernetes pkg/apis/core/validation ValidateEndpoints, pkg/apis/discovery/validation). */
import * as grammar from "../../schema/grammar.ts";
import { duplicate, invalidValue, notSupported, type Problem, required, tooMany } from "../../schema/problem.ts";
import { sameJson } from "../../base/json.ts";
import { parseIp } from "../../base/ip.ts";
import { validateCanonicalIp, validateIp, validateNotSpecial, validateOldIp } from "../core/iprules.ts";
import type { EndpointSubset } from "../core/endpoints.ts";
import type { Endpoint, EndpointPort } from "./endpointslice.ts";

export function endpointsRules({ subsets = [] }: { readonly subsets?: readonly EndpointSubset[] | undefined }): readonly Problem[] {
  const problems: Problem[] = [];
  subsets.forEach(({ addresses = [], notReadyAddresses = [], ports = [] }, i) => {
    const here = `subsets[${i}]`;
    if (addresses.length === 0 && notReadyAddresses.length === 0) problems.push(required(here, "must specify `addresses` or `notReadyAddresses`"));
    for (const [list, all] of [["addresses", addresses], ["notReadyAddresses", notReadyAddresses]] as const) {
      all.forEach(({ ip, hostname, nodeName }, j) => {
        problems.push(...validateIp(ip, `${here}.${list}[${j}].ip`));
        if (hostname) for (const detail of grammar.dnsLabel(hostname)) problems.push(invalidValue(`${here}.${list}[${j}].hostname`, hostname, detail));
        if (nodeName !== undefined) for (const detail of grammar.dnsSubdomain(nodeName)) problems.push(invalidValue(`${here}.${list}[${j}].nodeName`, nodeName, detail));
        problems.push(...validateOldIp(ip, `${here}.${list}[${j}].ip`), ...validateNotSpecial(ip, `${here}.${list}[${j}].ip`));
      });
    }
    ports.forEach(({ name, port, appProtocol }, j) => {
      const path = `${here}.ports[${j}]`;
      if (!name && ports.length > 1) problems.push(required(`${path}.name`));
      else if (name) for (const detail of grammar.dnsLabel(name)) problems.push(invalidValue(`${path}.name`, name, detail));
      for (const detail of grammar.validPort(port)) problems.push(invalidValue(`${path}.port`, port, detail));
      if (appProtocol !== undefined) for (const detail of grammar.qualifiedName(appProtocol)) problems.push(invalidValue(`${path}.appProtocol`, appProtocol, detail));
    });
  });
  return problems;
}

const endpointsMax = 1000;
const addressesMax = 100;
const portsMax = 20000;
type Slice = { readonly addressType: string; readonly endpoints: readonly Endpoint[]; readonly ports: readonly EndpointPort[] };
export function endpointSliceRules(next: Slice, previous?: Slice): readonly Problem[] {
  const problems: Problem[] = [];
  const { addressType, endpoints, ports } = next;
  if (addressType === "") problems.push(required("addressType"));
  else if (!["FQDN", "IPv4", "IPv6"].includes(addressType)) problems.push(notSupported("addressType", addressType, ["FQDN", "IPv4", "IPv6"]));
  if (ports.length > portsMax) problems.push(tooMany("ports", ports.length, portsMax));
  else {
    const names = new Set<string>();
    ports.forEach(({ name, appProtocol }, i) => {
      if (name !== "") for (const detail of grammar.dnsLabel(name)) problems.push(invalidValue(`ports[${i}].name`, name, detail));
      if (names.has(name)) problems.push(duplicate(`ports[${i}].name`, name));
      names.add(name);
      if (appProtocol !== undefined) for (const detail of grammar.qualifiedName(appProtocol)) problems.push(invalidValue(`ports[${i}].appProtocol`, appProtocol, detail));
    });
  }
  const found: Problem[] = [];
  if (endpoints.length > endpointsMax) found.push(tooMany("endpoints", endpoints.length, endpointsMax));
  else endpoints.forEach((endpoint, i) => checkEndpoint(endpoint, addressType, `endpoints[${i}]`, found));
  // What was taken once may stay.
  if (found.length > 0 && !(previous !== undefined && sameJson(previous.endpoints, endpoints))) problems.push(...found);
  if (previous !== undefined && previous.addressType !== addressType) problems.push(invalidValue("addressType", addressType, "field is immutable"));
  return problems;
}
function checkEndpoint(endpoint: Endpoint, addressType: string, path: string, problems: Problem[]): void {
  const { addresses, hostname, nodeName, deprecatedTopology = {} } = endpoint;
  if (addresses.length === 0) problems.push(required(`${path}.addresses`, "must contain at least 1 address"));
  else if (addresses.length > addressesMax) problems.push(tooMany(`${path}.addresses`, addresses.length, addressesMax));
  addresses.forEach((address, i) => {
    const here = `${path}.addresses[${i}]`;
    if (addressType === "FQDN") problems.push(...fullName(address, here));
    else if (addressType === "IPv4" || addressType === "IPv6") {
      const wrong = addressType === "IPv4" ? validateIp(address, here) : validateCanonicalIp(address, here);
      problems.push(...wrong);
      if (wrong.length > 0) return;
      if ((parseIp(address)!.family === 4) !== (addressType === "IPv4")) problems.push(invalidValue(`${path}.addresses`, address, `must be an ${addressType} address`));
      problems.push(...validateNotSpecial(address, here));
    }
  });
  const zones = new Set<string>();
  (endpoint.hints?.forZones ?? []).forEach(({ name }, i) => {
    const here = `${path}.hints.forZones[${i}].name`;
    for (const detail of grammar.labelValue(name)) problems.push(invalidValue(here, name, detail));
    if (zones.has(name)) problems.push(duplicate(here, name));
    zones.add(name);
  });
  if (nodeName !== undefined) for (const detail of grammar.dnsSubdomain(nodeName)) problems.push(invalidValue(`${path}.nodeName`, nodeName, detail));
  if (hostname !== undefined) for (const detail of grammar.dnsLabel(hostname)) problems.push(invalidValue(`${path}.hostname`, hostname, detail));
  if (Object.hasOwn(deprecatedTopology, "kubernetes.io/hostname")) problems.push(invalidValue(`${path}.deprecatedTopology[kubernetes.io/hostname]`, deprecatedTopology["kubernetes.io/hostname"], "may not be set"));
}
/** A name with at least two parts: upstream's IsFullyQualifiedDomainName. */
function fullName(name: string, path: string): readonly Problem[] {
  if (name === "") return [required(path)];
  const bare = name.replace(/\.$/, "");
  const problems = grammar.dnsSubdomain(bare).map(detail => invalidValue(path, bare, detail));
  if (problems.length > 0) return problems;
  return bare.includes(".") ? [] : [invalidValue(path, name, "should be a domain with at least two segments separated by dots")];
}
