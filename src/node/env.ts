/** A container's environment, as pkg/kubelet/kubelet_pods.go: makeEnvironmentVariables builds it. */
import { getOwn } from "../base/json.ts";
import { compareQuantities, quantityMilli, quantityValue } from "../base/quantity.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { Service } from "../kinds/core/service.ts";
import { containerOf, type AnyContainer } from "./containers.ts";
import { expand } from "./expand.ts";
import { bytesOf, type References } from "./references.ts";

export type Variable = { readonly key: string; readonly value: string };
/** What in the pod's surroundings a variable may show. */
export type Surroundings = {
  readonly podIPs: readonly string[];
  readonly hostIPs: readonly string[];
  readonly allocatable: { readonly [resource: string]: string };
  readonly references: References;
  readonly services: () => Promise<readonly Service[]>;
};

/** The container cannot be configured as asked; `message` is upstream's and shows with the reason CreateContainerConfigError. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

export async function environmentOf(pod: Pod, container: AnyContainer, around: Surroundings): Promise<readonly Variable[]> {
  const namespace = pod.metadata.namespace ?? "";
  const own = new Map<string, string>();
  for (const { prefix = "", configMapRef, secretRef } of container.envFrom ?? []) {
    const values = configMapRef ? await configMapValues(around, namespace, configMapRef.name ?? "", configMapRef.optional) : secretRef ? await secretValues(around, namespace, secretRef.name ?? "", secretRef.optional) : undefined;
    for (const [key, value] of values ?? []) own.set(prefix + key, value);
  }
  const services = serviceVariables(await around.services(), namespace, pod.spec.enableServiceLinks ?? true);
  for (const { name, value, valueFrom } of container.env ?? []) {
    const found = valueFrom ? await valueOf(pod, container, valueFrom, around) : expand(value ?? "", key => own.get(key) ?? services.get(key));
    if (found === undefined) continue;
    // A later definition of the same name moves to its place, as Go's list of results would show it last.
    own.delete(name);
    own.set(name, found);
  }
  for (const [key, value] of services) if (!own.has(key)) own.set(key, value);
  return [...own].map(([key, value]) => ({ key, value }));
}

type Source = NonNullable<NonNullable<AnyContainer["env"]>[number]["valueFrom"]>;
async function valueOf(pod: Pod, container: AnyContainer, from: Source, around: Surroundings): Promise<string | undefined> {
  const namespace = pod.metadata.namespace ?? "";
  if (from.fieldRef) return podField(pod, from.fieldRef.fieldPath, around);
  if (from.resourceFieldRef) {
    const named = from.resourceFieldRef.containerName;
    const target = named ? containerOf(pod, named)?.container : container;
    if (!target) throw new ConfigError(`container ${named} not found`);
    return resourceField(target, from.resourceFieldRef.resource, from.resourceFieldRef.divisor, around.allocatable);
  }
  if (from.configMapKeyRef) {
    const { name = "", key, optional } = from.configMapKeyRef;
    const found = (await configMapValues(around, namespace, name, optional))?.get(key);
    if (found === undefined && !optional) throw new ConfigError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
    return found;
  }
  if (from.secretKeyRef) {
    const { name = "", key, optional } = from.secretKeyRef;
    const found = (await secretValues(around, namespace, name, optional))?.get(key);
    if (found === undefined && !optional) throw new ConfigError(`couldn't find key ${key} in Secret ${namespace}/${name}`);
    return found;
  }
  throw new ConfigError("fileKeyRef is not supported by this node");
}

async function configMapValues({ references }: Surroundings, namespace: string, name: string, optional: boolean | undefined): Promise<ReadonlyMap<string, string> | undefined> {
  const found = await references.configMap(namespace, name);
  if (!found && !optional) throw new ConfigError(`configmap "${name}" not found`);
  return found && new Map(Object.entries(found.data ?? {}));
}
async function secretValues({ references }: Surroundings, namespace: string, name: string, optional: boolean | undefined): Promise<ReadonlyMap<string, string> | undefined> {
  const found = await references.secret(namespace, name);
  if (!found && !optional) throw new ConfigError(`secret "${name}" not found`);
  return found && new Map(Object.entries(found.data ?? {}).map(([key, value]) => [key, new TextDecoder().decode(bytesOf(value))]));
}

/** A field that the downward API may show (pkg/fieldpath and podFieldSelectorRuntimeValue). */
export function podField(pod: Pod, path: string, around: Pick<Surroundings, "podIPs" | "hostIPs">): string {
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (keyed) {
    const map = pod.metadata[keyed[1] as "labels" | "annotations"] ?? {};
    return Object.hasOwn(map, keyed[2]!) ? map[keyed[2]!]! : "";
  }
  switch (path) {
    case "metadata.name": return pod.metadata.name ?? "";
    case "metadata.namespace": return pod.metadata.namespace ?? "";
    case "metadata.uid": return pod.metadata.uid ?? "";
    case "metadata.labels": return formatMap(pod.metadata.labels ?? {});
    case "metadata.annotations": return formatMap(pod.metadata.annotations ?? {});
    case "spec.nodeName": return pod.spec.nodeName ?? "";
    case "spec.serviceAccountName": return pod.spec.serviceAccountName ?? "";
    case "status.hostIP": return around.hostIPs[0] ?? "";
    case "status.hostIPs": return around.hostIPs.join(",");
    case "status.podIP": return around.podIPs[0] ?? "";
    case "status.podIPs": return around.podIPs.join(",");
    default: throw new ConfigError(`unsupported fieldPath: ${path}`);
  }
}
/** `key="value"` lines, sorted, values quoted as Go does. */
function formatMap(map: { readonly [key: string]: string }): string {
  return Object.keys(map).sort().map(key => `${key}=${goQuote(map[key]!)}`).join("\n");
}
function goQuote(text: string): string {
  return `"${text.replace(/[\\"\n\r\t\u0000-\u001f\u007f]/g, char => ({ "\\": "\\\\", "\"": "\\\"", "\n": "\\n", "\r": "\\r", "\t": "\\t" })[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`)}"`;
}

/** A container's request or limit in units of the divisor, rounded up; without a limit, what the node can give. */
export function resourceField(container: AnyContainer, resource: string, divisor: string | undefined, allocatable: { readonly [resource: string]: string }): string {
  const [kind, name = ""] = [resource.slice(0, resource.indexOf(".")), resource.slice(resource.indexOf(".") + 1)];
  const { limits, requests } = container.resources ?? {};
  const given = kind === "limits" ? getOwn(limits ?? {}, name) ?? getOwn(allocatable, name) : getOwn(requests ?? {}, name) ?? getOwn(limits ?? {}, name);
  const amount = given ?? "0";
  const unit = divisor === undefined || compareQuantities(divisor, "0") === 0 ? "1" : divisor;
  if (name === "cpu") return String(Math.ceil(quantityMilli(amount) / quantityMilli(unit)));
  return String(Math.ceil(quantityValue(amount) / quantityValue(unit)));
}

/** `WEB_SERVICE_HOST` and its kind, for the namespace's services and the API's own (pkg/kubelet/envvars). */
export function serviceVariables(services: readonly Service[], namespace: string, links: boolean): ReadonlyMap<string, string> {
  const result = new Map<string, string>();
  const isApi = ({ metadata }: Service): boolean => metadata.namespace === "default" && metadata.name === "kubernetes";
  const shown = new Map<string, Service>();
  for (const service of services) {
    if (!service.spec.clusterIP || service.spec.clusterIP === "None") continue;
    const local = service.metadata.namespace === namespace;
    // A service of one's own named "kubernetes" stands before the API's.
    if (local && (links || isApi(service))) shown.set(service.metadata.name ?? "", service);
    else if (isApi(service) && !shown.has("kubernetes")) shown.set("kubernetes", service);
  }
  for (const service of shown.values()) {
    const prefix = (service.metadata.name ?? "").toUpperCase().replaceAll("-", "_");
    const host = service.spec.clusterIP ?? "";
    const ports = service.spec.ports ?? [];
    if (!ports[0]) continue;
    const url = (protocol: string, port: number): string => `${protocol.toLowerCase()}://${host.includes(":") ? `[${host}]` : host}:${port}`;
    result.set(`${prefix}_SERVICE_HOST`, host);
    result.set(`${prefix}_SERVICE_PORT`, String(ports[0].port));
    for (const { name, port } of ports) if (name) result.set(`${prefix}_SERVICE_PORT_${name.toUpperCase().replaceAll("-", "_")}`, String(port));
    result.set(`${prefix}_PORT`, url(ports[0].protocol ?? "TCP", ports[0].port));
    for (const { port, protocol = "TCP" } of ports) {
      const each = `${prefix}_PORT_${port}_${protocol}`;
      result.set(each, url(protocol, port));
      result.set(`${each}_PROTO`, protocol.toLowerCase());
      result.set(`${each}_PORT`, String(port));
      result.set(`${each}_ADDR`, host);
    }
  }
  return result;
}
