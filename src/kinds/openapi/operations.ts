/** Every operation that is served, as upstream names and describes it; OpenAPI v2 and v3 are two renderings of this list. */
import { apiVersionOf, listDefinition, type AnyKind } from "../kind.ts";
import { type Subresource, subresourcesOf } from "../subresources.ts";
import { deleting, listing, nameParameter, namespaceParameter, type Parameter, patching, pathParameter, pretty, specialParameters, writing } from "./parameters.ts";

export type Gvk = { readonly group: string; readonly version: string; readonly kind: string };
export type Operation = {
  readonly path: string;
  readonly method: "delete" | "get" | "head" | "options" | "patch" | "post" | "put";
  readonly id: string;
  readonly tag: string;
  readonly description: string;
  readonly action?: string;
  readonly gvk?: Gvk;
  readonly parameters: readonly Parameter[];
  /** Definition of the body, and whether one must be sent. */
  readonly body?: { readonly definition: string; readonly required: boolean };
  /** Status codes with the definition that they answer; `string` for text, nothing for no content at all. */
  readonly responses: { readonly [code: string]: string | undefined };
  readonly consumes?: readonly string[];
  readonly produces?: readonly string[];
};

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const encodings = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
const streams = [...encodings, "application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];
const patches = ["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"];
const anything = ["*/*"];

/** What a kind's requests and answers come in. Clients look here for how they may patch (kubectl apply does). */
type Media = { readonly consumes: readonly string[]; readonly produces: readonly string[]; readonly streams: readonly string[]; readonly patches: readonly string[] };
const builtInMedia: Media = { consumes: anything, produces: encodings, streams, patches };
const text = ["application/json", "application/yaml"];
/** apiextensions-apiserver pkg/controller/openapi/builder: no protobuf, no strategic merge. */
const customMedia: Media = { consumes: text, produces: text, streams: text, patches: ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"] };
const mediaOf = (kind: Served): Media => (kind.custom === true ? customMedia : builtInMedia);

/** One version of a kind, as served. */
export type Served = Pick<AnyKind, "group" | "version" | "kind" | "plural" | "namespaced" | "definition" | "verbs" | "subresources" | "virtual" | "custom" | "listKind">;
export function servedVersions(kinds: readonly AnyKind[]): readonly Served[] {
  return kinds.filter(kind => kind.subresourceOnly !== true).flatMap(kind => [kind, ...(kind.alsoServed ?? []).map(other => ({ ...kind, group: other.group ?? kind.group, version: other.version, definition: other.definition }))]);
}

export function operationsOf(kinds: readonly AnyKind[]): readonly Operation[] {
  const served = servedVersions(kinds);
  return [...discoveryOperations(served), ...served.flatMap(kindOperations)];
}

const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
/** `rbac.authorization.k8s.io` -> `RbacAuthorization`. */
const groupId = (group: string): string => (group === "" ? "Core" : group.replace(/\.k8s\.io$/, "").split(".").map(upper).join(""));
const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
const tagOf = ({ group, version }: { readonly group: string; readonly version: string }): string => `${lower(groupId(group))}_${version}`;
const rootOf = (kind: { readonly group: string; readonly version: string }): string => (kind.group === "" ? `/api/${kind.version}` : `/apis/${apiVersionOf({ group: kind.group, version: kind.version })}`);

function kindOperations(kind: Served): readonly Operation[] {
  const root = rootOf(kind);
  const scope = kind.namespaced ? "/namespaces/{namespace}" : "";
  const scoped = kind.namespaced ? "Namespaced" : "";
  const prefix = `${groupId(kind.group)}${upper(kind.version)}`;
  const common = kind.namespaced ? [namespaceParameter, pretty] : [pretty];
  const named = [nameParameter(kind.kind), ...common];
  const { group, version } = kind;
  const { streams, patches, ...media } = mediaOf(kind);
  const base = { tag: tagOf(kind), gvk: { group, version, kind: kind.kind }, ...media };
  const patched = (definition: string): Operation["responses"] => (kind.custom === true ? { 200: definition } : { 200: definition, 201: definition });
  const collection = `${root}${scope}/${kind.plural}`;
  const item = `${collection}/{name}`;
  const list = listDefinition(kind.definition, kind);
  const body = { definition: kind.definition, required: true };
  const options = { definition: `${meta}DeleteOptions`, required: false };
  const verbs: readonly string[] = kind.verbs ?? ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
  const whole = (kind as AnyKind).returnDeleted === true ? kind.definition : `${meta}Status`;
  const operations: (Operation & { readonly verb: string })[] = [
    { ...base, verb: "list", path: collection, method: "get", id: `list${prefix}${scoped}${kind.kind}`, description: `List or watch objects of kind ${kind.kind}.`, action: "list", parameters: [...common, ...listing], responses: { 200: list }, produces: streams },
    { ...base, verb: "create", path: collection, method: "post", id: `create${prefix}${scoped}${kind.kind}`, description: `Create a ${kind.kind}.`, action: "post", parameters: [...common, ...writing], body, responses: { 200: kind.definition, 201: kind.definition, 202: kind.definition } },
    { ...base, verb: "deletecollection", path: collection, method: "delete", id: `delete${prefix}Collection${scoped}${kind.kind}`, description: `Delete every ${kind.kind} that is selected.`, action: "deletecollection", parameters: [...common, ...deleting, ...listing.filter(({ name }) => name !== "watch" && name !== "allowWatchBookmarks")], body: options, responses: { 200: `${meta}Status` } },
    { ...base, verb: "get", path: item, method: "get", id: `read${prefix}${scoped}${kind.kind}`, description: `Read one ${kind.kind}.`, action: "get", parameters: named, responses: { 200: kind.definition } },
    { ...base, verb: "update", path: item, method: "put", id: `replace${prefix}${scoped}${kind.kind}`, description: `Replace one ${kind.kind}.`, action: "put", parameters: [...named, ...writing], body, responses: { 200: kind.definition, 201: kind.definition } },
    { ...base, verb: "delete", path: item, method: "delete", id: `delete${prefix}${scoped}${kind.kind}`, description: `Delete one ${kind.kind}.`, action: "delete", parameters: [...named, ...deleting], body: options, responses: { 200: whole, 202: whole } },
    { ...base, verb: "patch", path: item, method: "patch", id: `patch${prefix}${scoped}${kind.kind}`, description: `Change fields of one ${kind.kind}.`, action: "patch", parameters: [...named, ...patching], body: { definition: `${meta}Patch`, required: true }, responses: patched(kind.definition), consumes: patches },
  ];
  const watching = { ...base, verb: "watch", method: "get", description: `Watch objects of kind ${kind.kind}; an older form of listing with watch=true.`, responses: { 200: `${meta}WatchEvent` }, produces: streams } as const;
  if (kind.custom !== true) operations.push({ ...watching, path: `${root}/watch${scope}/${kind.plural}`, id: `watch${prefix}${scoped}${kind.kind}List`, action: "watchlist", parameters: [...common, ...listing] });
  if (kind.custom !== true) operations.push({ ...watching, path: `${root}/watch${scope}/${kind.plural}/{name}`, id: `watch${prefix}${scoped}${kind.kind}`, action: "watch", parameters: [...named, ...listing] });
  if (kind.namespaced) {
    operations.push({ ...base, verb: "list", path: `${root}/${kind.plural}`, method: "get", id: `list${prefix}${kind.kind}ForAllNamespaces`, description: `List or watch objects of kind ${kind.kind} in every namespace.`, action: "list", parameters: [pretty, ...listing], responses: { 200: list }, produces: streams });
    if (kind.custom !== true) operations.push({ ...watching, path: `${root}/watch/${kind.plural}`, id: `watch${prefix}${kind.kind}ListForAllNamespaces`, action: "watchlist", parameters: [pretty, ...listing] });
  }
  return [
    ...operations.filter(({ verb }) => verbs.includes(verb)).map(({ verb: _, ...operation }) => operation),
    ...[...subresourcesOf(kind)].flatMap(([name, sub]) => subresourceOperations(kind, item, prefix + scoped, named, name, sub)),
  ];
}

function subresourceOperations(kind: Served, item: string, prefix: string, named: readonly Parameter[], name: string, sub: Subresource): readonly Operation[] {
  const about = sub.kind ?? { group: kind.group, version: kind.version, kind: kind.kind, definition: kind.definition };
  const label = subresourceLabel(name);
  const { patches, streams: _, ...media } = mediaOf(kind);
  const base = { path: `${item}/${name}`, tag: tagOf(kind), gvk: { group: about.group, version: about.version, kind: about.kind }, ...media };
  if (sub.connect) return connectOperations(kind, item, prefix, named, name, sub.connect);
  if (sub.text) {
    return [{ ...base, method: "get", id: `read${prefix}${kind.kind}${label}`, description: `Read the ${name} of one ${kind.kind}.`, action: "get", parameters: [...named.filter(parameter => parameter !== pretty), ...specialParameters(name, sub.text)], responses: { 200: "string" }, produces: ["text/plain", ...encodings] }];
  }
  const body = { definition: about.definition, required: true };
  const what = `${name} of one ${kind.kind}`;
  const operations: { readonly [verb: string]: Operation } = {
    create: { ...base, method: "post", id: `create${prefix}${kind.kind}${label}`, description: `Create the ${what}.`, action: "post", parameters: [...named, ...writing], body, responses: { 200: about.definition, 201: about.definition, 202: about.definition } },
    get: { ...base, method: "get", id: `read${prefix}${kind.kind}${label}`, description: `Read the ${what}.`, action: "get", parameters: named, responses: { 200: about.definition } },
    update: { ...base, method: "put", id: `replace${prefix}${kind.kind}${label}`, description: `Replace the ${what}.`, action: "put", parameters: [...named, ...writing], body, responses: { 200: about.definition, 201: about.definition } },
    patch: { ...base, method: "patch", id: `patch${prefix}${kind.kind}${label}`, description: `Change the ${what}.`, action: "patch", parameters: [...named, ...patching], body: { definition: `${meta}Patch`, required: true }, responses: kind.custom === true ? { 200: about.definition } : { 200: about.definition, 201: about.definition }, consumes: patches },
  };
  return sub.verbs.map(verb => operations[verb]!);
}
const subresourceLabel = (name: string): string => ({ ephemeralcontainers: "Ephemeralcontainers", portforward: "Portforward" })[name] ?? upper(name);

function connectOperations(kind: Served, item: string, prefix: string, named: readonly Parameter[], name: string, connect: NonNullable<Subresource["connect"]>): readonly Operation[] {
  const own = [nameParameter(connect.kind), ...named.filter(parameter => parameter.name === "namespace")];
  const forms = [{ suffix: "", path: `${item}/${name}`, more: [] as readonly Parameter[] }, ...(connect.path === true ? [{ suffix: "WithPath", path: `${item}/${name}/{path}`, more: [pathParameter] }] : [])];
  return forms.flatMap(form => connect.methods.map(method => ({
    path: form.path, method, id: `connect${prefix.replace(/(V\d\w*?)(Namespaced|)$/, `$1${upper(method)}$2`)}${kind.kind}${subresourceLabel(name)}${form.suffix}`,
    description: `Connect to the ${name} of one ${kind.kind}.`, tag: tagOf(kind), action: "connect", gvk: { group: kind.group, version: kind.version, kind: connect.kind },
    parameters: [...own, ...form.more, ...specialParameters(connect.kind, connect.query)], responses: { 200: "string" }, consumes: anything, produces: anything,
  })));
}

function discoveryOperations(served: readonly Served[]): readonly Operation[] {
  const old = encodings.slice(0, 3);
  const versions = [...new Map(served.map(kind => [rootOf(kind), kind])).entries()];
  const groups = [...new Set(served.map(({ group }) => group))].filter(group => group !== "");
  const get = (path: string, id: string, tag: string, description: string, definition: string, media: readonly string[]): Operation =>
    ({ path, method: "get", id, tag, description, parameters: [], responses: { 200: definition }, consumes: media, produces: media });
  return [
    get("/api/", "getCoreAPIVersions", "core", "List the versions of the core API.", `${meta}APIVersions`, old),
    get("/apis/", "getAPIVersions", "apis", "List the API groups.", `${meta}APIGroupList`, old),
    ...groups.map(group => get(`/apis/${group}/`, `get${groupId(group)}APIGroup`, lower(groupId(group)), "Describe the API group.", `${meta}APIGroup`, old)),
    ...versions.map(([root, kind]) => get(`${root}/`, `get${groupId(kind.group)}${upper(kind.version)}APIResources`, tagOf(kind), "List the resources.", `${meta}APIResourceList`, encodings)),
    get("/version/", "getCodeVersion", "version", "Tell the version of the server.", "io.k8s.apimachinery.pkg.version.Info", ["application/json"]),
    { path: "/.well-known/openid-configuration/", method: "get", id: "getServiceAccountIssuerOpenIDConfiguration", tag: "WellKnown", description: "Describe the issuer of service-account tokens.", parameters: [], responses: { 200: "string" }, produces: ["application/json"] },
    { path: "/openid/v1/jwks/", method: "get", id: "getServiceAccountIssuerOpenIDKeyset", tag: "openid", description: "List the keys that sign service-account tokens.", parameters: [], responses: { 200: "string" }, produces: ["application/jwk-set+json"] },
  ];
}

/** Operations by path, with the parameters that all operations of a path share taken out. */
export function byPath(operations: readonly Operation[]): readonly { readonly path: string; readonly shared: readonly Parameter[]; readonly operations: readonly Operation[] }[] {
  return [...Map.groupBy(operations, ({ path }) => path)].map(([path, here]) => {
    const key = ({ name, in: where, shared }: Parameter): string => `${name} ${where} ${shared ?? ""}`;
    const shared = here[0]!.parameters.filter(parameter => here.every(operation => operation.parameters.some(other => key(other) === key(parameter)))).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.in < b.in ? -1 : 1));
    const gone = new Set(shared.map(key));
    return { path, shared, operations: here.map(operation => ({ ...operation, parameters: operation.parameters.filter(parameter => !gone.has(key(parameter))) })) };
  });
}
