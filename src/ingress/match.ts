/** Finds the route of a request in a table. Hosts are looked up, paths compared in the table's order. */
import type { Host, Route, Table } from "./routes.ts";

/** A linear-time matcher of a user's regular expression at the start of a path: the groups, or undefined. */
export type CompilePattern = (pattern: string) => (path: string) => readonly string[] | undefined;
export type Match = { readonly route: Route; readonly host: Host; /** The path to send on. */ readonly path: string };

type Compiled = { readonly route: Route; readonly matches: (path: string) => readonly string[] | undefined };

export class Matcher {
  readonly #hosts = new Map<string, { readonly host: Host; readonly routes: readonly Compiled[] }>();

  constructor(table: Table, compile: CompilePattern, warn: (text: string) => void) {
    for (const host of table.hosts)
      this.#hosts.set(host.host, { host, routes: host.routes.flatMap(route => {
        try {
          return [{ route, matches: comparison(route, compile) }];
        } catch (error) {
          warn(`the path ${JSON.stringify(route.path)} of ingress ${route.ingress} is no regular expression that is supported: ${error instanceof Error ? error.message : String(error)}`);
          return [];
        }
      }) });
  }

  /** The named host first, then the wildcard of one label, then what has no host. `path` is without its query and already plain (`plainPath`). */
  find(hostHeader: string, path: string): Match | undefined {
    const name = hostName(hostHeader);
    for (const key of [name, `*${name.slice(name.indexOf(".") < 0 ? name.length : name.indexOf("."))}`, ""]) {
      const entry = this.#hosts.get(key);
      for (const { route, matches } of entry?.routes ?? []) {
        const groups = matches(path);
        if (groups && entry) return { route, host: entry.host, path: rewritten(route, path, groups) };
      }
    }
    return undefined;
  }
}

/** `Host` without its port, lower case, no dot at the end. */
export function hostName(header: string): string {
  const host = header.startsWith("[") ? header.slice(0, header.indexOf("]") + 1) : header.split(":")[0] ?? "";
  return host.toLowerCase().replace(/\.$/, "");
}

/** The path with dot segments and doubled slashes resolved, encoded dots too, so that what is matched is what the backend will see. */
export function plainPath(path: string): string {
  if (!/\/\/|\/(\.|%2e)/i.test(path)) return path;
  const out: string[] = [];
  const parts = path.split("/");
  parts.forEach((part, i) => {
    const dots = part.replace(/%2e/gi, ".");
    if (dots === "..") out.pop();
    else if (dots !== "." && part !== "") out.push(part);
    if (i === parts.length - 1 && (part === "" || dots === "." || dots === "..")) out.push("");
  });
  return `/${out.join("/")}`;
}

function comparison({ type, path }: Route, compile: CompilePattern): Compiled["matches"] {
  switch (type) {
    case "Exact": return given => (given === path ? [given] : undefined);
    case "Regex": return compile(path);
    // ImplementationSpecific is a Prefix for us, element by element as well.
    case "Prefix": case "ImplementationSpecific": {
      const base = path.endsWith("/") ? path.slice(0, -1) : path;
      return given => (given === base || given.startsWith(`${base}/`) ? [given] : undefined);
    }
  }
}

function rewritten({ options: { rewriteTarget }, type }: Route, path: string, groups: readonly string[]): string {
  if (rewriteTarget === undefined) return path;
  if (type !== "Regex") return rewriteTarget;
  const result = rewriteTarget.replace(/\$(\d)/g, (_whole, group: string) => groups[Number(group)] ?? "");
  return result.startsWith("/") ? result : `/${result}`;
}
