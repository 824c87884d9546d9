/** URLs as Go's net/url reads them: absolute, or a path from the root. */

export type Url = { readonly scheme: string; readonly host: string; readonly path: string; readonly query: string };
type Parsed = { readonly ok: true; readonly url: Url } | { readonly ok: false; readonly problem: string };

/** Why `text` is not a URL, as Go says it. */
export function urlProblem(text: string): string | undefined {
  const parsed = parseUrl(text);
  return parsed.ok ? undefined : parsed.problem;
}

export function parseUrl(text: string): Parsed {
  const fail = (problem: string): Parsed => ({ ok: false, problem: `parse ${JSON.stringify(text)}: ${problem}` });
  if (text === "") return fail("empty url");
  if (/[\u0000-\u001f\u007f]/.test(text)) return fail("net/url: invalid control character in URL");
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text);
  if (scheme === null && text.startsWith(":")) return fail("missing protocol scheme");
  let rest = scheme === null ? text : text.slice(scheme[0].length);
  const question = rest.indexOf("?");
  const query = question < 0 ? "" : rest.slice(question + 1).split("#")[0]!;
  rest = (question < 0 ? rest : rest.slice(0, question)).split("#")[0]!;
  if (!rest.startsWith("/")) return fail("invalid URI for request");
  let host = "";
  if (rest.startsWith("//") && (scheme !== null || !rest.startsWith("///"))) {
    const slash = rest.indexOf("/", 2), authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
    rest = slash < 0 ? "" : rest.slice(slash);
    host = authority.slice(authority.lastIndexOf("@") + 1);
    const problem = hostProblem(host);
    if (problem !== undefined) return fail(problem);
  }
  const escape = /%(?![0-9A-Fa-f]{2})/.exec(rest);
  if (escape !== null) return fail(`invalid URL escape ${JSON.stringify(rest.slice(escape.index, escape.index + 3))}`);
  return { ok: true, url: { scheme: scheme?.[1]!.toLowerCase() ?? "", host, path: rest, query } };
}

function hostProblem(host: string): string | undefined {
  if (host.startsWith("[")) {
    const end = host.lastIndexOf("]");
    if (end < 0) return "missing ']' in host";
    return /^(:\d*)?$/.test(host.slice(end + 1)) ? undefined : `invalid port ${JSON.stringify(host.slice(end + 1))} after host`;
  }
  const colon = host.lastIndexOf(":");
  if (colon >= 0 && !/^:\d*$/.test(host.slice(colon))) return `invalid port ${JSON.stringify(host.slice(colon))} after host`;
  const bad = /[^A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"%\u0080-\uffff]/.exec(host);
  return bad === null ? undefined : `invalid character ${JSON.stringify(bad[0])} in host name`;
}

export function hostnameOf({ host }: Url): string {
  if (host.startsWith("[")) return host.slice(1, host.lastIndexOf("]"));
  const colon = host.lastIndexOf(":");
  return colon < 0 ? host : host.slice(0, colon);
}
export function portOf({ host }: Url): string {
  const colon = host.lastIndexOf(":");
  return colon < 0 || host.indexOf("]") > colon ? "" : host.slice(colon + 1);
}
/** The path with everything escaped that must be. */
export function escapedPath({ path }: Url): string {
  return path.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%[\]]/gu, char => Array.from(new TextEncoder().encode(char), byte => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""));
}
/** Values by key; what cannot be read is left out. */
export function queryOf({ query }: Url): ReadonlyMap<string, readonly string[]> {
  const all = new Map<string, string[]>();
  for (const part of query.split("&")) {
    if (part === "" || part.includes(";")) continue;
    const at = part.indexOf("="), key = decode(at < 0 ? part : part.slice(0, at)), value = decode(at < 0 ? "" : part.slice(at + 1));
    if (key === undefined || value === undefined) continue;
    const values = all.get(key);
    if (values === undefined) all.set(key, [value]);
    else values.push(value);
  }
  return all;
}
function decode(text: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  const bytes: number[] = [], encoder = new TextEncoder();
  for (const [piece] of text.replaceAll("+", " ").matchAll(/%[0-9A-Fa-f]{2}|[^%]+/g)) bytes.push(...(piece.startsWith("%") && piece.length === 3 ? [Number.parseInt(piece.slice(1), 16)] : encoder.encode(piece)));
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
