/**
 * Registries with rules of their own: mirrors, credentials and TLS, in the format of k3s and RKE2's `registries.yaml`, and what containerd is told
 * of them (`hosts.toml`, containerd docs/hosts.md).
 */
import { encodeBase64 } from "../base/base64.ts";
import { getOwn, isObject, type Json } from "../base/json.ts";
import { decode, DecodeError } from "../schema/decode.ts";
import { invalidValue, problemBody, required, type Problem } from "../schema/problem.ts";
import * as t from "../schema/t.ts";
import type { Credentials } from "./runtime.ts";

const File = t.object("Registries", {
  mirrors: t.map(t.object({ endpoint: t.list(t.string()).doc("URLs that are asked first, in order.") })).doc("By registry, or * for all others."),
  configs: t.map(t.object({
    auth: t.object({
      username: t.string().doc("Name."), password: t.string().doc("Password."), auth: t.string().doc("Both in base64, as in Docker's config.json."), identity_token: t.string().doc("A token to get others with."),
    }).doc("Who asks."),
    tls: t.object({
      ca_file: t.string().doc("Whom to trust."), cert_file: t.string().doc("Own certificate."), key_file: t.string().doc("Its key."), insecure_skip_verify: t.bool().doc("Trust anybody."),
    }).doc("How to speak TLS."),
  })).doc("By host and port, or * for all others."),
});
type File = t.Stored<typeof File>;
type Config = NonNullable<File["configs"]>[string];
export type Registries = File;
/** Where, and with which token, a node that is a box asks for what the machine's loopback serves. */
export type Gateway = { readonly url: string; readonly token: string };
export const gatewayTokenHeader = "x-timonier-token";
export const gatewayTargetHeader = "x-timonier-to";

/** `value`: the file's content. Throws an `Error` that names the field. */
export function readRegistries(value: Json, duplicates: readonly string[]): Registries {
  if (!isObject(value)) throw new Error("expected the mappings mirrors and configs");
  if (duplicates.length > 0) throw new Error(`${duplicates.join(", ")}: written twice`);
  try {
    const { object, unknown } = decode(File.node, value) as { readonly object: File; readonly unknown: readonly string[] };
    if (unknown.some(path => path.endsWith(".rewrite"))) throw new Error(`${unknown.find(path => path.endsWith(".rewrite"))}: containerd cannot rewrite names: give the mirror's URL a path instead`);
    if (unknown.length > 0) throw new Error(`unknown field ${unknown.join(", ")}: expected mirrors.NAME.endpoint, configs.HOST.auth (username, password, auth, identity_token), configs.HOST.tls (ca_file, cert_file, key_file, insecure_skip_verify)`);
    const problems = [...problemsOf(object)];
    if (problems.length > 0) throw new Error(problems.map(problem => `${problem.field}: ${problemBody(problem)}`).join("; "));
    return object;
  } catch (error) {
    if (error instanceof DecodeError) throw new Error(error.message, { cause: error });
    throw error;
  }
}

/** What is wrong is told in pods' events: passwords in URLs are not. */
function* problemsOf(file: File): Iterable<Problem> {
  const { mirrors = {}, configs = {} } = file;
  for (const [registry, { endpoint = [] }] of Object.entries(mirrors)) {
    if (!isRegistry(registry)) yield invalidValue("mirrors", registry, "must be a registry (docker.io, reg.lan:5000) or *");
    if (endpoint.length === 0) yield required(`mirrors[${registry}].endpoint`, "a mirror without an endpoint is none");
    for (const [i, url] of endpoint.entries())
      if (!/^https?:\/\/[^/?#@\s"]+(\/[^?#\s"]*)?$/.test(url)) yield invalidValue(`mirrors[${registry}].endpoint[${i}]`, url.replace(/^(https?:\/\/)?[^/]*@/, "$1[redacted]@"), "must be a URL such as https://mirror.lan:5000 or https://mirror.lan/v2/docker.io, without a user: that is configs[HOST].auth");
      else if (isTokenAlone(configOf(partsOf(url).host, file))) yield required(`configs[${partsOf(url).host}].auth`, "username and password, or auth: mirrors are not asked with an identity_token");
  }
  for (const [host, { auth, tls }] of Object.entries(configs)) {
    if (!isRegistry(host)) yield invalidValue("configs", host, "must be a host with or without a port, or *");
    if (auth && !auth.auth && !auth.identity_token && (!auth.username || !auth.password)) yield required(`configs[${host}].auth`, "username and password, auth, or identity_token");
    if (tls && (tls.cert_file === undefined) !== (tls.key_file === undefined)) yield required(`configs[${host}].tls`, "cert_file and key_file belong together");
  }
}
const isTokenAlone = (config: Config | undefined): boolean => config?.auth?.identity_token !== undefined && !config.auth.auth && !config.auth.username;
const isRegistry = (name: string): boolean => name === "*" || /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(:\d{1,5})?$/.test(name);

/** The registry that an image's name begins with; Docker's where there is none. */
export function registryOf(reference: string): string {
  const first = reference.split("/")[0] ?? "";
  return reference.includes("/") && (first.includes(".") || first.includes(":") || first === "localhost") ? first : "docker.io";
}
/** `127.0.0.1:5000`, `localhost:5000`, `[::1]:5000`; undefined for any other registry. */
export function loopbackRegistry(name: string): { readonly hostname: string; readonly port: number } | undefined {
  const match = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::(\d{1,5}))?$/.exec(name);
  return match ? { hostname: match[1]!.replace(/[[\]]/g, ""), port: Number(match[2] ?? 80) } : undefined;
}

/** Who asks this registry when the pod does not say. */
export function credentialsOf(registry: string, registries: Registries): Credentials | undefined {
  const auth = configOf(registry, registries)?.auth;
  if (!auth) return undefined;
  return auth.identity_token ? { identityToken: auth.identity_token } : auth.auth ? { auth: auth.auth } : { username: auth.username ?? "", password: auth.password ?? "" };
}

/** Whether asking this registry, or one of its mirrors, needs the machine's loopback. */
export function needsGateway(registry: string, registries: Registries): boolean {
  return [serverOf(registry), ...mirrorsOf(registry, registries)].some(url => loopbackRegistry(partsOf(url).host) !== undefined);
}

/** containerd's `hosts.toml` for a registry; undefined where its own rules will do. With a gateway what is on the loopback is asked there. */
export function renderHosts(registry: string, registries: Registries, gateway?: Gateway): string | undefined {
  const mirrors = mirrorsOf(registry, registries);
  const plain = mirrors.find(url => /^http:/.test(url) && partsOf(url).host === registry && partsOf(url).path === "");
  const server = plain === undefined ? serverOf(registry) : `http://${registry}`;
  const asked = mirrors.filter(url => url !== plain);
  const route = gateway && loopbackRegistry(partsOf(server).host) ? gateway : undefined;
  if (mirrors.length === 0 && configOf(registry, registries)?.tls === undefined && route === undefined) return undefined;
  // Credentials for the registry itself go with the pull: many want a token got with them, which a fixed header is not.
  const tls = tlsOf(configOf(registry, registries));
  // containerd takes what is special about the registry itself from a host of that name only.
  const own = route || tls.length > 0 ? [`[host.${quoted(route?.url ?? server)}]`, ...capabilities, ...tls, ...(route ? [`[host.${quoted(route.url)}.header]`, ...routeHeaders(route, server)] : [])] : [];
  return [firstLine, `server = ${quoted(route?.url ?? server)}`, ...asked.flatMap(url => hostOf(url, registries, gateway)), ...own].join("\n") + "\n";
}
/** Begins every file of ours: one that begins otherwise is its owner's. */
export const firstLine = "# Written by timonier before each pull.";
const capabilities = [`capabilities = ["pull", "resolve"]`];
const quoted = (text: string): string => JSON.stringify(text);

function hostOf(url: string, registries: Registries, gateway: Gateway | undefined): string[] {
  const { scheme, host, path } = partsOf(url);
  const route = gateway && loopbackRegistry(host) ? gateway : undefined;
  if (route && scheme === "https") throw new Error(`${url}: this node reaches the machine's loopback over plain HTTP only: use the machine's own address`);
  const at = route ? `${route.url}${path}` : `${scheme}://${host}${path}`;
  const config = configOf(host, registries);
  const name = `host.${quoted(at)}`;
  const headers = [...(config?.auth ? [`authorization = [${quoted(`Basic ${basicOf(config.auth)}`)}]`] : []), ...(route ? routeHeaders(route, url) : [])];
  const ofPath = path === "" || path === "/v2" ? [] : ["override_path = true"];
  return [`[${name}]`, ...capabilities, ...ofPath, ...tlsOf(config), ...(headers.length === 0 ? [] : [`[${name}.header]`, ...headers])];
}
const routeHeaders = ({ token }: Gateway, url: string): string[] => [`${gatewayTokenHeader} = [${quoted(token)}]`, `${gatewayTargetHeader} = [${quoted(partsOf(url).host)}]`];

function tlsOf(config: Config | undefined): string[] {
  const { ca_file, cert_file, key_file, insecure_skip_verify } = config?.tls ?? {};
  return [
    ...(ca_file === undefined ? [] : [`ca = ${quoted(ca_file)}`]), ...(cert_file === undefined || key_file === undefined ? [] : [`client = [[${quoted(cert_file)}, ${quoted(key_file)}]]`]),
    ...(insecure_skip_verify === true ? ["skip_verify = true"] : []),
  ];
}
function basicOf({ auth, username = "", password = "" }: NonNullable<Config["auth"]>): string {
  return auth ?? encodeBase64(new TextEncoder().encode(`${username}:${password}`));
}

const serverOf = (registry: string): string => (loopbackRegistry(registry) ? `http://${registry}` : `https://${registry === "docker.io" ? "registry-1.docker.io" : registry}`);
const mirrorsOf = (registry: string, { mirrors = {} }: Registries): readonly string[] => getOwn(mirrors, registry)?.endpoint ?? getOwn(mirrors, "*")?.endpoint ?? [];
const configOf = (host: string, { configs = {} }: Registries): Config | undefined => getOwn(configs, host) ?? (host === "docker.io" ? getOwn(configs, "registry-1.docker.io") : undefined) ?? getOwn(configs, "*");
/** `https://mirror.lan:5000/v2/docker.io` in parts; the path is "" for none. */
function partsOf(url: string): { readonly scheme: string; readonly host: string; readonly path: string } {
  const [, scheme = "", host = "", path = ""] = /^(https?):\/\/([^/]+)\/?(.*?)\/?$/.exec(url) ?? [];
  return { scheme, host, path: path === "" ? "" : `/${path}` };
}
