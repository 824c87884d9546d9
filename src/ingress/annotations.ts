/** The annotations of ingress-nginx that we honour: a typed allow-list. What is not in it is reported, never guessed at; snippets do not exist here. */

export type Affinity = { readonly cookie: string; readonly maxAgeSeconds: number; readonly path: string };
export type Canary = { readonly weight: number; readonly weightTotal: number; readonly header: string; readonly headerValue: string; readonly cookie: string };
export type RouteOptions = {
  /** Replaces what the path matched; `$1`… are the groups of a regular-expression path. */
  readonly rewriteTarget?: string;
  readonly useRegex: boolean;
  /** Plain HTTP is redirected to HTTPS: always, or (the default) when the host has a certificate. */
  readonly sslRedirect: "always" | "with-tls" | "never";
  /** 0: no limit. */
  readonly bodyBytesMax: number;
  readonly connectMs: number;
  /** Without a byte from the backend for this long, the request fails. */
  readonly readMs: number;
  /** From the request's head to the end of the answer; absent: no limit. */
  readonly requestMs?: number;
  readonly backend: "HTTP" | "HTTPS" | "GRPC" | "GRPCS";
  readonly affinity?: Affinity;
  /** CIDRs that may ask; empty: everybody. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly canary?: Canary;
  readonly upstreamHost?: string;
  readonly appRoot?: string;
  readonly redirect?: { readonly to: string; readonly status: number };
};

export const defaultOptions: RouteOptions = { useRegex: false, sslRedirect: "with-tls", bodyBytesMax: 1024 * 1024, connectMs: 5_000, readMs: 60_000, backend: "HTTP", allow: [], deny: [] };

const prefix = "nginx.ingress.kubernetes.io/";

/** `warnings` is told what was not understood or is not there. */
export function routeOptions(annotations: { readonly [name: string]: string }, warnings: (text: string) => void): RouteOptions {
  const unread = new Set(Object.keys(annotations).filter(name => name.startsWith(prefix)).map(name => name.slice(prefix.length)));
  const text = (name: string): string | undefined => {
    unread.delete(name);
    return Object.hasOwn(annotations, prefix + name) ? annotations[prefix + name] : undefined;
  };
  const read = <T>(name: string, parse: (value: string) => T | undefined): T | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    const parsed = parse(value.trim());
    if (parsed === undefined) warnings(`annotation ${prefix}${name} has the value ${JSON.stringify(value)}, which is not understood; it is left out`);
    return parsed;
  };
  const rewriteTarget = read("rewrite-target", value => value.startsWith("/") ? value : undefined);
  const force = read("force-ssl-redirect", flag);
  const redirect = read("ssl-redirect", flag);
  const affinity = read("affinity", value => value === "cookie" ? true : undefined);
  const cookie: Affinity = {
    cookie: read("session-cookie-name", value => /^[A-Za-z0-9_.-]{1,64}$/.test(value) ? value : undefined) ?? "INGRESSCOOKIE",
    maxAgeSeconds: read("session-cookie-max-age", natural) ?? 0,
    path: read("session-cookie-path", value => /^\/[\w/.~%-]*$/.test(value) ? value : undefined) ?? "/",
  };
  const canary = read("canary", flag);
  const canaryRules: Canary = {
    weight: read("canary-weight", natural) ?? 0, weightTotal: read("canary-weight-total", natural) ?? 100,
    header: read("canary-by-header", token) ?? "", headerValue: read("canary-by-header-value", value => value) ?? "", cookie: read("canary-by-cookie", token) ?? "",
  };
  const permanent = read("permanent-redirect", url);
  const temporal = read("temporal-redirect", url);
  const permanentCode = read("permanent-redirect-code", value => /^30[0-8]$/.test(value) ? Number(value) : undefined);
  const upstreamHost = read("upstream-vhost", value => /^[A-Za-z0-9.:-]{1,253}$/.test(value) ? value : undefined);
  const appRoot = read("app-root", value => /^\/[\x21-\x7e]*$/.test(value) ? value : undefined);
  const seconds = (name: string): number | undefined => read(name, value => /^\d{1,6}s?$/.test(value) ? parseInt(value, 10) * 1000 : undefined);
  const options: RouteOptions = {
    ...(rewriteTarget === undefined ? {} : { rewriteTarget }),
    useRegex: read("use-regex", flag) ?? (rewriteTarget !== undefined && /\$\d/.test(rewriteTarget)),
    sslRedirect: force === true ? "always" : redirect === false ? "never" : "with-tls",
    bodyBytesMax: read("proxy-body-size", size) ?? defaultOptions.bodyBytesMax,
    connectMs: seconds("proxy-connect-timeout") ?? defaultOptions.connectMs,
    readMs: Math.max(seconds("proxy-read-timeout") ?? 0, seconds("proxy-send-timeout") ?? 0) || defaultOptions.readMs,
    backend: read("backend-protocol", value => (["HTTP", "HTTPS", "GRPC", "GRPCS"] as const).find(known => known === value.toUpperCase())) ?? "HTTP",
    ...(affinity ? { affinity: cookie } : {}),
    allow: read("whitelist-source-range", cidrs) ?? read("allowlist-source-range", cidrs) ?? [],
    deny: read("denylist-source-range", cidrs) ?? [],
    ...(canary ? { canary: canaryRules } : {}),
    ...(upstreamHost === undefined ? {} : { upstreamHost }),
    ...(appRoot === undefined ? {} : { appRoot }),
    ...(permanent !== undefined ? { redirect: { to: permanent, status: permanentCode ?? 301 } } : temporal !== undefined ? { redirect: { to: temporal, status: 302 } } : {}),
  };
  // The new name of the same thing, when the old one has been used.
  unread.delete("allowlist-source-range");
  for (const name of unread) warnings(`annotation ${prefix}${name} is not supported and has no effect`);
  const idle = (names: readonly string[], why: string): void => {
    for (const name of names) if (Object.hasOwn(annotations, prefix + name)) warnings(`annotation ${prefix}${name} has no effect ${why}`);
  };
  if (affinity !== true) idle(["session-cookie-name", "session-cookie-max-age", "session-cookie-path"], `without ${prefix}affinity: cookie`);
  if (canary !== true) idle(["canary-weight", "canary-weight-total", "canary-by-header", "canary-by-header-value", "canary-by-cookie"], `without ${prefix}canary: "true"`);
  if (permanent === undefined) idle(["permanent-redirect-code"], `without ${prefix}permanent-redirect`);
  else idle(["temporal-redirect"], `beside ${prefix}permanent-redirect`);
  if (Object.hasOwn(annotations, `${prefix}whitelist-source-range`)) idle(["allowlist-source-range"], `beside ${prefix}whitelist-source-range, which is the same`);
  return options;
}

function flag(value: string): boolean | undefined {
  return value === "true" ? true : value === "false" ? false : undefined;
}
function natural(value: string): number | undefined {
  return /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}
function token(value: string): string | undefined {
  return /^[A-Za-z0-9_-]{1,64}$/.test(value) ? value.toLowerCase() : undefined;
}
function url(value: string): string | undefined {
  return /^https?:\/\/[\x21-\x7e]+$/.test(value) ? value : undefined;
}
/** nginx's sizes: `8m`, `512k`, `0`. */
function size(value: string): number | undefined {
  const [, digits, unit = ""] = /^(\d{1,9})([kKmMgG]?)$/.exec(value) ?? [];
  return digits === undefined ? undefined : Number(digits) * 1024 ** ["", "k", "m", "g"].indexOf(unit.toLowerCase());
}
function cidrs(value: string): readonly string[] | undefined {
  const list = value.split(",").map(item => item.trim()).filter(item => item !== "");
  return list.every(item => /^[0-9a-fA-F.:]+(\/\d{1,3})?$/.test(item)) ? list : undefined;
}
