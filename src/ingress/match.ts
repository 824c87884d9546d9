/** Finds the route of a request in a listener's hosts. Hosts are looked up, paths compared in the table's order. */
import type { Condition, Host, Route, Table } from "./table.ts";

/** A linear-time matcher of a user's regular expression: the groups, or undefined. */
export type CompilePattern = (pattern: string) => (text: string) => readonly string[] | undefined;
export type Patterns = {
  /** At the start of a path, whatever the case (nginx' `~*` locations). */
  readonly path: CompilePattern;
  /** All of a header's or parameter's value. */
  readonly whole: CompilePattern;
};
export type Match = { readonly route: Route; readonly host: Host; /** The path, or what a regular expression made of it. */ readonly path: string };
/** What else of a request may decide. */
export interface Asking {
  readonly method: string;
  /** With its question mark, or empty. */
  readonly query: string;
  field(name: string): string | undefined;
}

type Compiled = { readonly route: Route; readonly matches: (path: string) => readonly string[] | undefined; readonly holds: ((asking: Asking) => boolean) | undefined };

export class Matcher {
  readonly #hosts = new Map<string, { readonly host: Host; readonly routes: readonly Compiled[] }>();

  readonly #names: ReadonlySet<string>;

  constructor(hosts: readonly Host[], patterns: Patterns, warn: (text: string) => void, names: readonly string[] = []) {
    this.#names = new Set(names);
    for (const host of hosts)
      this.#hosts.set(host.host, { host, routes: host.routes.flatMap(route => {
        try {
          return [{ route, matches: comparison(route, patterns), holds: conditions(route, patterns) }];
        } catch (error) {
          warn(`the path ${JSON.stringify(route.path)} of ${route.owner} asks for a regular expression that is not supported: ${error instanceof Error ? error.message : String(error)}`);
          return [];
        }
      }) });
  }

  /** The named host first, then wildcards, the longest first, then what has no host. `path` is without its query and already plain (`plainPath`). */
  find(hostHeader: string, path: string, asking: Asking): Match | undefined {
    const name = hostName(hostHeader);
    const listener = this.#names.size > 1 ? this.#listenerOf(name) : undefined;
    const exact = this.#in(name, path, asking, listener);
    if (exact) return exact;
    for (let dot = name.indexOf("."), first = true; dot >= 0; dot = name.indexOf(".", dot + 1), first = false) {
      const rest = name.slice(dot);
      const match = (first ? this.#in(`*${rest}`, path, asking, listener) : undefined) ?? this.#in(`**${rest}`, path, asking, listener);
      if (match) return match;
    }
    return name === "" ? undefined : this.#in("", path, asking, listener);
  }

  /** The most special listener that takes a name. */
  #listenerOf(name: string): string {
    if (this.#names.has(name)) return name;
    for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) if (this.#names.has(`**${name.slice(dot)}`)) return `**${name.slice(dot)}`;
    return "";
  }

  #in(key: string, path: string, asking: Asking, listener: string | undefined): Match | undefined {
    const entry = this.#hosts.get(key);
    if (entry) for (const { route, matches, holds } of entry.routes) {
      if (listener !== undefined && route.listener !== undefined && route.listener !== listener) continue;
      const groups = matches(path);
      if (groups && (holds === undefined || holds(asking))) return { route, host: entry.host, path: rewritten(route, path, groups) };
    }
    return undefined;
  }
}

/** Whether any route has a regular expression. */
export function needsPatterns({ listeners }: Table): boolean {
  return listeners.some(({ hosts }) => hosts.some(({ routes }) => routes.some(({ type, headers = [], query = [] }) => type === "Regex" || type === "WholeRegex" || headers.some(({ regex }) => regex) || query.some(({ regex }) => regex))));
}

/** `Host` without its port, lower case, no dot at the end. */
export function hostName(header: string): string {
  const end = header.startsWith("[") ? header.indexOf("]") + 1 : header.indexOf(":");
  const host = (end < 0 ? header : header.slice(0, end)).toLowerCase();
  return host.endsWith(".") ? host.slice(0, -1) : host;
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

function comparison({ type, path }: Route, patterns: Patterns): Compiled["matches"] {
  switch (type) {
    case "Exact": return given => (given === path ? [given] : undefined);
    case "Regex": return patterns.path(path);
    case "WholeRegex": return patterns.whole(path);
    // ImplementationSpecific is a Prefix for us, element by element as well.
    case "Prefix": case "ImplementationSpecific": {
      const base = path.endsWith("/") ? path.slice(0, -1) : path;
      const found = [base];
      return given => (given.startsWith(base) && (given.length === base.length || given.charCodeAt(base.length) === 47 /* slash */) ? found : undefined);
    }
  }
}

function conditions({ method, headers = [], query = [] }: Route, { whole }: Patterns): Compiled["holds"] {
  const test = ({ value, regex }: Condition): ((text: string) => boolean) => {
    if (!regex) return text => text === value;
    const pattern = whole(value);
    return text => pattern(text) !== undefined;
  };
  const wanted = headers.map(condition => ({ name: condition.name.toLowerCase(), holds: test(condition) }));
  const asked = query.map(condition => ({ name: condition.name, holds: test(condition) }));
  if (method === undefined && wanted.length === 0 && asked.length === 0) return undefined;
  return asking => {
    if (method !== undefined && asking.method !== method) return false;
    for (const { name, holds } of wanted) {
      const value = asking.field(name);
      if (value === undefined || !holds(value)) return false;
    }
    if (asked.length === 0) return true;
    const given = new URLSearchParams(asking.query);
    return asked.every(({ name, holds }) => {
      // Of a parameter that is given more than once the first counts.
      const value = given.get(name);
      return value !== null && holds(value);
    });
  };
}

function rewritten({ options: { rewriteTarget }, type }: Route, path: string, groups: readonly string[]): string {
  if (rewriteTarget === undefined) return path;
  if (type !== "Regex") return rewriteTarget;
  const result = rewriteTarget.replace(/\$(\d)/g, (_whole, group: string) => groups[Number(group)] ?? "");
  return result.startsWith("/") ? result : `/${result}`;
}
