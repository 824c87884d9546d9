/** Rules of environment variables and of what may be read from the pod itself. */
import { quantitySign } from "../../base/quantity.ts";
import * as grammar from "../../schema/grammar.ts";
import { invalidValue, notFound, notSupported, type Problem, required } from "../../schema/problem.ts";
import type { EnvFromSource, EnvVar, EnvVarSource } from "./env.ts";
import type { ObjectFieldSelector, ResourceFieldSelector } from "./references.ts";
import type { Volume } from "./volume.ts";

const envFields = ["metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"];
const resourceFields = ["limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"];

/** What is wrong with the variables goes to `problems`. */
export function validateEnv(container: { readonly env?: readonly EnvVar[] | undefined; readonly envFrom?: readonly EnvFromSource[] | undefined }, volumes: ReadonlyMap<string, Volume>, path: string, problems: Problem[]): void {
  container.env?.forEach((variable, i) => {
    if (variable.name === "") problems.push(required(`${path}.env[${i}].name`));
    else for (const detail of grammar.envName(variable.name)) problems.push(invalidValue(`${path}.env[${i}].name`, variable.name, detail));
    if (variable.valueFrom !== undefined) checkSource(variable.valueFrom, variable.value ?? "", volumes, `${path}.env[${i}].valueFrom`, problems);
  });
  container.envFrom?.forEach((source, i) => {
    const here = `${path}.envFrom[${i}]`;
    if (source.prefix) for (const detail of grammar.envName(source.prefix)) problems.push(invalidValue(`${here}.prefix`, source.prefix, detail));
    const given = (["configMapRef", "secretRef"] as const).filter(name => source[name] !== undefined);
    for (const name of given) checkName(source[name]!.name, `${here}.${name}.name`, problems);
    if (given.length === 0) problems.push(invalidValue(`${path}.envFrom`, "", "must specify one of: `configMapRef` or `secretRef`"));
    else if (given.length > 1) problems.push(invalidValue(`${path}.envFrom`, "", "may not have more than one field specified at a time"));
  });
}
function checkName(name: string | undefined, path: string, problems: Problem[]): void {
  if (name === undefined || name === "") problems.push(required(path));
  else for (const detail of grammar.prefixProblems(grammar.dnsSubdomain, name)) problems.push(invalidValue(path, name, detail));
}

function checkSource(source: EnvVarSource, value: string, volumes: ReadonlyMap<string, Volume>, path: string, problems: Problem[]): void {
  const given = (["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"] as const).filter(name => source[name] !== undefined);
  if (source.fieldRef) problems.push(...validateFieldRef(source.fieldRef, envFields, `${path}.fieldRef`));
  if (source.resourceFieldRef) problems.push(...validateResourceFieldRef(source.resourceFieldRef, false, `${path}.resourceFieldRef`));
  for (const name of ["configMapKeyRef", "secretKeyRef"] as const) {
    const reference = source[name];
    if (reference === undefined) continue;
    for (const detail of grammar.dnsSubdomain(reference.name ?? "")) problems.push(invalidValue(`${path}.${name}.name`, reference.name ?? "", detail));
    if (reference.key === "") problems.push(required(`${path}.${name}.key`));
    else for (const detail of grammar.configMapKey(reference.key)) problems.push(invalidValue(`${path}.${name}.key`, reference.key, detail));
  }
  if (source.fileKeyRef) {
    for (const name of ["volumeName", "path", "key"] as const) if (source.fileKeyRef[name] === "") problems.push(required(`${path}.fileKeyRef.${name}`));
    const { volumeName, path: file, key } = source.fileKeyRef;
    if (volumeName !== "") for (const detail of grammar.dnsLabel(volumeName)) problems.push(invalidValue(`${path}.fileKeyRef.volumeName`, volumeName, detail));
    if (file.split("/").includes("..")) problems.push(invalidValue(`${path}.fileKeyRef.path`, file, "must not contain '..'"));
    if (key !== "") for (const detail of grammar.envName(key)) problems.push(invalidValue(`${path}.fileKeyRef.key`, key, detail));
    if (!volumes.has(volumeName)) problems.push(notFound(`${path}.fileKeyRef.volumeName`, volumeName));
    else if (volumes.get(volumeName)!.emptyDir === undefined) problems.push(invalidValue(`${path}.fileKeyRef.volumeName`, volumeName, "referenced volume must be of type emptyDir"));
  }
  if (given.length === 0) problems.push(invalidValue(path, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"));
  else if (value !== "") problems.push(invalidValue(path, "", "may not be specified when `value` is not empty"));
  else if (given.length > 1) problems.push(invalidValue(path, "", "may not have more than one field specified at a time"));
}

/** A field of the pod, out of `allowed`, or one label or annotation: `metadata.labels['app']`. */
export function validateFieldRef(reference: ObjectFieldSelector, allowed: readonly string[], path: string): readonly Problem[] {
  const { apiVersion, fieldPath } = reference;
  if (apiVersion === "") return [required(`${path}.apiVersion`)];
  if (fieldPath === "") return [required(`${path}.fieldPath`)];
  const subscripted = /^([^[]*)\['(.*)'\]$/s.exec(fieldPath);
  if (apiVersion !== "v1") return [invalidValue(`${path}.fieldPath`, fieldPath, `error converting fieldPath: unsupported pod version: ${apiVersion}`)];
  if (!subscripted) {
    const known = [...allowed, "metadata.annotations", "metadata.labels", "spec.host", "spec.hostNetwork", "spec.restartPolicy", "spec.schedulerName", "status.phase", "status.nominatedNodeName", "status.hostIP", "status.podIP"];
    if (!known.includes(fieldPath)) return [invalidValue(`${path}.fieldPath`, fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`)];
    return allowed.includes(fieldPath) ? [] : [notSupported(`${path}.fieldPath`, fieldPath, [...allowed].sort())];
  }
  const [, base = "", key = ""] = subscripted;
  if (base !== "metadata.annotations" && base !== "metadata.labels") return [invalidValue(`${path}.fieldPath`, fieldPath, `error converting fieldPath: field label does not support subscript`)];
  const name = base === "metadata.annotations" ? key.toLowerCase() : key;
  return grammar.qualifiedName(name).map(detail => invalidValue(path, name, detail));
}

const binaryDivisors = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
/** A request or limit of a container, with the unit to divide by. */
export function validateResourceFieldRef(reference: ResourceFieldSelector, inVolume: boolean, path: string): readonly Problem[] {
  const problems: Problem[] = [];
  const { resource } = reference;
  const huge = /^(requests|limits)\.hugepages-/.test(resource);
  if (inVolume && !reference.containerName) problems.push(required(`${path}.containerName`));
  else if (resource === "") problems.push(required(`${path}.resource`));
  else if (!resourceFields.includes(resource) && !huge) problems.push(notSupported(`${path}.resource`, resource, resourceFields));
  const { divisor } = reference;
  if (divisor === undefined || quantitySign(divisor) === 0) return problems;
  const what = resource.endsWith(".cpu") ? "cpu" : resource.endsWith(".memory") ? "memory" : resource.endsWith(".ephemeral-storage") ? "local ephemeral storage" : huge ? "hugepages" : undefined;
  const values = what === "cpu" ? ["1m", "1"] : binaryDivisors;
  if (what !== undefined && !values.includes(divisor)) problems.push(invalidValue(`${path}.divisor`, resource, `only divisor's values ${what === "cpu" ? "1m and 1" : values.join(", ")} are supported with the ${what} resource`));
  return problems;
}
