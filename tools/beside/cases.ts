/** The same requests for two servers: valid objects of every kind, and what one or several changes make of them. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { stringifyJson } from "../../src/base/json-codec.ts";
import { kinds } from "../../src/kinds/index.ts";
import { apiVersionOf, type AnyKind } from "../../src/kinds/kind.ts";
import type { Node } from "../../src/schema/t.ts";
import { kindOf } from "../../test/upstream/custom.ts";
import { definition, seedOf } from "../../test/fuzz/seeds.ts";
import { below, mutated, pick, valueOf, type Random } from "../../test/fuzz/values.ts";

/** One version of a kind. */
export type Target = { readonly kind: AnyKind; readonly apiVersion: string; readonly node: Node; readonly status?: any; readonly bases: readonly any[] };
export type Case = { readonly kind: string; readonly verb: string; readonly method: string; readonly target: string; readonly contentType: string; readonly body?: any };

export const namespace = "default";

const certificateRequest = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIcE1JR1JBZ0VBTUM4eEZUQVRCZ05WQkFvTURITjVjM1JsYlRwdWIyUmxjekVXTUJRR0ExVUVBd3dOYzNsegpkR1Z0T201dlpHVTZZVEJaTUJNR0J5cUdTTTQ5QWdFR0NDcUdTTTQ5QXdFSEEwSUFCSndkdDViS1ZaekwrNnNkCldQOWhJRHZTbWUzZGNDQUpaUUxoTWs5UUUvWHBSNXFvTGk2V3dqMG1IYS9hOVg4ZUN0cDhhK2xMam5pbDVERkMKdEYwb2FNV2dBREFLQmdncWhrak9QUVFEQWdOSEFEQkVBaUE4bDNuMnMrcFl3N3hReFVGcE4wM1FWakF4N0xjbgpGRjRpbDdvZm9OVXc4d0lnQlVNU1B2MXMxQ1luSFBDb0dxWUVFaUs3NDhUb01rMHNVOHIxZUlFNk1ERT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==";
const target = { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "a" }, maxReplicas: 3 };
/** Where neither recorded objects nor the fuzzer's have a version. */
const more: { readonly [version: string]: any } = {
  "autoscaling/v1 HorizontalPodAutoscaler": { spec: { ...target, targetCPUUtilizationPercentage: 50 } },
  "events.k8s.io/v1 Event": { eventTime: "2026-01-01T00:00:00.000000Z", reportingController: "example.com/a", reportingInstance: "a", action: "Do", reason: "Made", type: "Normal", regarding: { kind: "Pod", namespace, name: "a" } },
  "v1 Pod": { spec: { containers: [{ name: "c", image: "a" }], initContainers: [{ name: "i", image: "a", restartPolicy: "Always" }], volumes: [{ name: "v", emptyDir: {} }] } },
};

/** What the objects below refer to, and what upstream's admission asks for. */
export const prerequisites: readonly any[] = [
  { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace } },
  { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "s", namespace } },
  { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name: "p" }, value: 5, preemptionPolicy: "Never" },
  { apiVersion: "node.k8s.io/v1", kind: "RuntimeClass", metadata: { name: "rc" }, handler: "a", overhead: { podFixed: { cpu: "1" } } },
];

export function targets(only: readonly string[]): readonly Target[] {
  const { bases } = JSON.parse(gunzipSync(readFileSync(new URL("../../test/upstream/verdicts.json.gz", import.meta.url))).toString()) as { readonly bases: readonly { readonly op: "create" | "update"; readonly object: any }[] };
  return kinds.flatMap(kind => [{ ...kind, node: kind.schema.node }, ...(kind.alsoServed ?? []).map(other => ({ ...kind, ...other, group: other.group ?? kind.group, node: other.schema.node }))].map(version => {
    const apiVersion = apiVersionOf(version as AnyKind);
    const seed = seedOf(kind, "valid-name");
    const found = [...bases.filter(({ op }) => op === "create").map(({ object }) => object), ...[more[`${apiVersion} ${kind.kind}`], apiVersion === apiVersionOf(kind) ? seed : undefined].filter(each => each !== undefined).map(each => ({ apiVersion, kind: kind.kind, metadata: { name: "valid-name" }, ...each }))]
      .filter(object => object.apiVersion === apiVersion && object.kind === kind.kind).map((object, i) => placed(kind, apart(kind, object, i), i));
    const status = bases.find(({ object }) => object.apiVersion === apiVersion && object.kind === kind.kind && object.status !== undefined)?.object.status;
    return { kind: version as AnyKind, apiVersion, node: version.node, status, bases: found };
  })).filter(({ kind, bases }) => (only.length === 0 || only.includes(kind.kind)) && bases.length > 0 && kind.subresourceOnly !== true);
}

/** Controllers that select the same objects would fight for them. */
const apart = ({ kind, group }: AnyKind, object: any, i: number): any => (group === "apps" || group === "batch" || kind === "Pod" || kind === "ReplicationController" ? JSON.parse(stringifyJson(object).replaceAll('"app":"web"', `"app":"${kind.toLowerCase()}-${i}"`)) : object);
/** Objects of a definition with rules, defaults and lists with keys. */
export const customDefinition = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", ...definition("widgets", "a") } as any;
export function customTarget(): Target {
  const kind = kindOf(customDefinition), spec = (items: readonly object[]) => ({ size: 5, name: "abc", items });
  return { kind, apiVersion: apiVersionOf(kind), node: kind.schema.node, bases: [[], [{ name: "a", value: 1 }, { name: "b" }]].map((items, i) => ({ apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name: `valid-name-${i}`, namespace }, spec: spec(items) })) };
}

/** Into our namespace, under a name of its own where names are free. */
function placed(kind: AnyKind, object: any, i: number): any {
  const { resourceVersion: _1, uid: _2, creationTimestamp: _3, generation: _4, ...metadata } = object.metadata;
  const { clusterIP, clusterIPs: _5, ...rest } = object.spec ?? {};
  const address = kind.kind === "Service" && clusterIP !== "None" ? { spec: rest } : {};
  const request = kind.kind === "CertificateSigningRequest" ? { spec: { ...object.spec, request: certificateRequest } } : {};
  const free = metadata.name === "valid-name" ? { name: kind.kind === "APIService" ? `${object.spec.version}.${object.spec.group}` : `valid-name-${i}` } : {};
  // Hooks of others would be asked, and are not there.
  const webhooks = object.webhooks === undefined ? {} : { webhooks: object.webhooks.map((webhook: any) => ({ ...webhook, objectSelector: { matchLabels: { beside: "none" } } })) };
  return { ...object, ...request, ...webhooks, ...address, metadata: { ...metadata, ...free, ...(kind.namespaced ? { namespace: namespaceOf(kind) } : {}) } };
}

/** What bounds all others has a namespace where they are not. */
const namespaceOf = ({ kind }: Pick<AnyKind, "kind">): string => (kind === "ResourceQuota" || kind === "LimitRange" ? "kube-public" : namespace);
/** `subresource`: "" for the object. */
export function pathOf({ kind, apiVersion }: Pick<Target, "kind" | "apiVersion">, name = "", subresource = ""): string {
  const root = `${apiVersion.includes("/") ? "/apis" : "/api"}/${apiVersion}${kind.namespaced ? `/namespaces/${namespaceOf(kind)}` : ""}/${kind.plural}`;
  return root + (name === "" ? "" : `/${encodeURIComponent(name)}`) + (subresource === "" ? "" : `/${subresource}`);
}

const posted = new Map([["eviction", "Eviction"], ["binding", "Binding"], ["token", "TokenRequest"], ["scale", "Scale"]]);
const patchTypes = [["merge patch", "application/merge-patch+json"], ["strategic patch", "application/strategic-merge-patch+json"], ["json patch", "application/json-patch+json"], ["apply", "application/apply-patch+yaml"], ["apply new", "application/apply-patch+yaml"], ["delete", "application/json"]] as const;
const streams = new Set(["log", "exec", "attach", "portforward", "proxy"]);

/** `existing` names the objects of each target that both servers have. */
export function makeCase(all: readonly Target[], existing: ReadonlyMap<Target, readonly any[]>, random: Random): Case {
  const target = pick(random, all);
  const { kind, node } = target;
  const living = existing.get(target) ?? [];
  const share = random();
  const validation = pick(random, ["", "", "&fieldValidation=Warn", "&fieldValidation=Strict", "&fieldValidation=Ignore"]);
  const query = `?dryRun=All${validation}`;
  const json = random() < 0.1 ? "application/yaml" : "application/json";
  const base0 = { kind: kind.kind, contentType: json };
  if (share > 0.98) return { ...base0, verb: "list", method: "GET", target: `${pathOf(target, "")}${listQuery(random)}` };
  if (share > 0.97 && living.length > 0) return { ...base0, verb: "deletecollection", method: "DELETE", target: `${pathOf(target, "")}${listQuery(random)}`, body: deleteOptions(random) };
  if (share > 0.96 && living.length > 0 && kind.kind === "Pod") return { ...base0, verb: "stream", method: "GET", target: `${pathOf(target, pick(random, living).metadata.name, pick(random, [...streams]))}${listQuery(random, streamParameters)}` };
  if (living.length === 0 || share < 0.4) return { kind: kind.kind, verb: "create", method: "POST", target: pathOf(target) + query, contentType: json, body: changed(pick(random, target.bases), node, random) };
  const base = pick(random, living);
  const { name } = base.metadata;
  if (share < 0.7 || kind.subresources === undefined && share < 0.85) return { kind: kind.kind, verb: "update", method: "PUT", target: pathOf(target, name) + query, contentType: json, body: changed(base, node, random) };
  const subresource = pick(random, (kind.subresources ?? []).filter(each => !streams.has(each)));
  if (share < 0.85 && subresource !== undefined) {
    const other = kinds.find(each => each.kind === posted.get(subresource));
    if (other !== undefined) {
      const object = { apiVersion: apiVersionOf(other), kind: other.kind, metadata: { name, namespace }, ...seedOf(other, name) };
      return { kind: kind.kind, verb: subresource, method: subresource === "scale" ? "PUT" : "POST", target: pathOf(target, name, subresource) + query, contentType: json, body: changed(object, other.schema.node, random) };
    }
    const withStatus = node.fields?.["status"] === undefined ? base : { ...base, status: random() < 0.5 && target.status !== undefined ? target.status : valueOf(node.fields["status"], random, { nodes: 40 }) };
    return { kind: kind.kind, verb: subresource, method: "PUT", target: pathOf(target, name, subresource) + query, contentType: json, body: changed(withStatus, node, random) };
  }
  const after = changed(base, node, random);
  const [verb, contentType] = pick(random, patchTypes);
  if (verb === "delete") return { kind: kind.kind, verb, method: "DELETE", target: pathOf(target, name) + query, contentType: json, body: deleteOptions(random) };
  if (verb === "apply new") return { kind: kind.kind, verb, method: "PATCH", target: `${pathOf(target, "fresh")}${query}&fieldManager=beside&force=true`, contentType, body: { ...after, metadata: typeof after?.metadata === "object" ? { ...after.metadata, name: pick(random, ["fresh", "fresh", "other"]) } : after?.metadata } };
  return { kind: kind.kind, verb, method: "PATCH", target: pathOf(target, name) + query + (verb === "apply" ? "&fieldManager=beside&force=true" : ""), contentType, body: verb === "apply" ? after : verb === "json patch" ? operations(base, after, "", random) : difference(base, after) ?? {} };
}

/** One change, or several. */
function changed(base: any, node: Node, random: Random): any {
  let object = structuredClone(base);
  for (let n = pick(random, [1, 1, 1, 1, 2, 4]); n > 0; n--) object = random() < 0.2 ? mutated(object, random, node) : reshaped(object, node, random, 0);
  return object;
}

/** One field, of those there and those the schema knows, gets a value of the right type, whatever its meaning. */
function reshaped(value: any, node: Node | undefined, random: Random, depth: number): any {
  if (node === undefined || depth > 0 && random() < 0.07) return node === undefined ? value : valueOf(node, random, { nodes: 12 }, 3);
  if (node.kind === "list" && Array.isArray(value) && value.length > 0) {
    const at = below(random, value.length), share = random();
    if (share < 0.06) return value.filter((_, i) => i !== at);
    if (share < 0.12) return [...value, value[at]];
    if (share < 0.18) return [...value, valueOf(node.items!, random, { nodes: 12 }, 3)];
    return value.map((item: unknown, i) => (i === at ? reshaped(item, node.items, random, depth + 1) : item));
  }
  const open = node.kind === "map" ? Object.keys(value ?? {}) : Object.keys(node.fields ?? {});
  if (open.length === 0 || typeof value !== "object" || value === null || node.kind !== "object" && node.kind !== "map") return valueOf(node, random, { nodes: 12 }, 3);
  const present = open.filter(name => Object.hasOwn(value, name));
  const seldom = (name: string): boolean => depth === 0 && ["apiVersion", "kind", "metadata", "status"].includes(name);
  const [usual, known] = [present.filter(name => !seldom(name)), open.filter(name => !seldom(name) || name === "metadata" && random() < 0.3 || random() < 0.02)];
  const name = known.length === 0 || random() < 0.6 && usual.length > 0 ? pick(random, usual) : pick(random, known);
  if (random() < 0.08) { const { [name]: _, ...rest } = value; return rest; }
  const field = node.kind === "map" ? node.items : node.fields?.[name];
  return { ...value, [name]: Object.hasOwn(value, name) ? reshaped(value[name], field, random, depth + 1) : field === undefined ? value[name] : valueOf(field, random, { nodes: 12 }, 2) };
}

/** A merge patch from `before` to `after`; undefined: nothing. */
function difference(before: any, after: any): any {
  if (before === after || stringifyJson(before) === stringifyJson(after)) return undefined;
  if ([before, after].some(each => typeof each !== "object" || each === null || Array.isArray(each))) return after;
  return Object.fromEntries([...Object.keys(before).filter(name => !Object.hasOwn(after, name)).map(name => [name, null]), ...Object.keys(after).map(name => [name, difference(before[name], after[name])])].filter(([, each]) => each !== undefined));
}

/** A JSON patch from `before` to `after`, now and then one that does not fit. */
function operations(before: any, after: any, path: string, random: Random): readonly object[] {
  if (stringifyJson(before) === stringifyJson(after)) return random() < 0.05 ? [{ op: pick(random, ["test", "remove", "copy", "move", "replace", "bad"]), path: `${path}/x`, from: "/metadata", value: 1 }] : [];
  if ([before, after].some(each => typeof each !== "object" || each === null || Array.isArray(each))) return [{ op: pick(random, ["replace", "replace", "add"]), path, value: after }];
  const at = (name: string): string => `${path}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  return [...Object.keys(before).filter(name => !Object.hasOwn(after, name)).map(name => ({ op: "remove", path: at(name) })), ...Object.keys(after).flatMap(name => (Object.hasOwn(before, name) ? operations(before[name], after[name], at(name), random) : [{ op: "add", path: at(name), value: after[name] }]))];
}

const deleteOptions = (random: Random): object => ({ kind: "DeleteOptions", apiVersion: "v1", dryRun: ["All"], ...pick(random, [{}, { gracePeriodSeconds: pick(random, [0, 1, -1]) }, { propagationPolicy: pick(random, ["Orphan", "Foreground", "Background", "x"]) }, { orphanDependents: true, propagationPolicy: pick(random, [undefined, "Orphan"]) }, { preconditions: pick(random, [{ uid: "x" }, { resourceVersion: "1" }]) }, { dryRun: pick(random, [["x"], ["All", "All"]]) }]) });
const listParameters: { readonly [name: string]: readonly string[] } = {
  limit: ["0", "1", "-1", "x", "500"], continue: ["x", "e30"], resourceVersion: ["0", "1", "x", "-1", "99999999999"], resourceVersionMatch: ["Exact", "NotOlderThan", "x"], labelSelector: ["app=web", "app in (a,b),!c", "=", "a=b=c", "app notin (", "x/y/z"],
  fieldSelector: ["metadata.name=valid-name-0", "metadata.name!=a", "spec.nodeName=", "a", "metadata.uid=x", "status.phase=Running"], timeoutSeconds: ["5", "x", "-1"], sendInitialEvents: ["true"], allowWatchBookmarks: ["x"], pretty: ["true"],
};
const streamParameters: typeof listParameters = { container: ["c", "x", ""], tailLines: ["1", "-1", "x"], sinceSeconds: ["0", "5", "x"], sinceTime: ["x", "2026-01-01T00:00:00Z"], limitBytes: ["0", "x"], previous: ["true", "x"], follow: ["x"], stream: ["Stdout", "x"], stdin: ["true", "x"], tty: ["true"], stdout: ["true"], command: ["", "ls"], ports: ["x", "80"], path: ["a"] };
/** One to three parameters. */
function listQuery(random: Random, parameters = listParameters): string {
  const chosen = Array.from({ length: 1 + below(random, 3) }, () => pick(random, Object.keys(parameters)));
  // Nothing is deleted in earnest.
  return `?${["dryRun=All", ...chosen.map(name => `${name}=${encodeURIComponent(pick(random, parameters[name]!))}`)].join("&")}`;
}
