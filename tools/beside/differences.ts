/** What is different in two answers, apart from what each server makes up. */
import type { Answer } from "./servers.ts";

// The name of upstream's scheme is a line of its source, found by the path it was built under.
const made = new Set(["uid", "resourceVersion", "token", "clusterIP", "nodePort", "healthCheckNodePort"]);
/** What each server gives its objects, in messages: uids, versions, times of creation. */
const own = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|X509SHA256=[0-9a-f]+|(?<=in record \()\d+|(?<=resourceVersion\W{3,7})\d+|(?<=(?:creationTimestamp|time)\W{3,7})\d{4}-[-\d]+T[:\d]+Z/g;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

function plain(value: any, sent: string): any {
  if (Array.isArray(value)) return value.map(each => plain(each, sent));
  if (typeof value === "string") return documentless(time.test(value) && !sent.includes(value) ? "*" : value.replaceAll(/kube-api-access-[a-z0-9]{5}/g, "kube-api-access-*").replace(/in scheme ".*?"/, 'in scheme "*"').replaceAll(own, "*"));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => {
    // The status of an autoscaler in its older version.
    if (name.startsWith("autoscaling.alpha.kubernetes.io/c")) return [name, "*"];
    if (name === "managedFields" && Array.isArray(each)) return [name, each.filter(({ manager }) => manager === "beside").map(entry => plain(entry, sent))];
    if (name === "clusterIPs" || made.has(name) && !sent.includes(JSON.stringify(each))) return [name, "*"];
    return [name, plain(each, sent)];
  }));
}
const isPlain = (value: unknown): value is object => typeof value === "object" && value !== null && !Array.isArray(value);
/** What a patch has made stands in messages: without what controllers write. */
const documentless = (text: string): string => text.replace(/(?<=patch: Invalid value: |^Invalid value: )"\{(?:[^"\\]|\\.)*"/, quoted => {
  try {
    // The store's order of keys is not upstream's.
    return JSON.stringify(JSON.parse(JSON.parse(quoted)), (name, each) => (name === "status" || name === "managedFields" || name === "deployment.kubernetes.io/revision" ? undefined : isPlain(each) ? Object.fromEntries(Object.entries(each).sort()) : each));
  } catch { return quoted; }
});
const parsed = (text: string): any => { try { return JSON.parse(text); } catch { return text; } };
const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 1500) ?? "absent";
const general = (text: string): string => text.replaceAll(/\[\d+\]/g, "[]").replaceAll(/"(?:[^"\\]|\\.)*"/g, "…").replaceAll(/\d+/g, "0").slice(0, 160);

/** Of a list which objects it has, of those that both servers were given. */
const named = (value: any): any => (Array.isArray(value?.items) && value.metadata?.name === undefined ? { ...value, metadata: {}, items: value.items.map(({ metadata }: any) => metadata.name).filter((name: string) => name.startsWith("valid-name")) } : value);

/** One text per difference: a cause, by which differences are grouped, and what both said. `ignoreStatus`: controllers may have been there. */
export function differences(upstream: Answer, ours: Answer, sent: string, ignoreStatus: boolean): readonly { readonly cause: string; readonly detail: string }[] {
  const [theirs, mine] = [upstream, ours].map(({ body }) => named(plain(parsed(body), sent))) as [any, any];
  if (ignoreStatus && upstream.status < 300 && ours.status < 300) for (const each of [theirs, mine]) delete each?.status;
  const found: { cause: string; detail: string }[] = [];
  const both = (cause: string, a: unknown, b: unknown): void => { if (JSON.stringify(a) !== JSON.stringify(b)) found.push({ cause, detail: `upstream ${shown(a)}\n    ours     ${shown(b)}` }); };
  // On purpose: what a client did wrong is no error of the server.
  if (upstream.status === 500 && ours.status >= 400 && ours.status < 500 && String(mine?.message).endsWith(String(theirs?.message).replace(/^Internal error occurred: /, ""))) return [];
  if (upstream.status !== ours.status) return [{ cause: general(`${upstream.status} not ${ours.status}: ${(upstream.status < 300 ? mine : theirs)?.message?.replace(/^.*? is invalid: /s, "") ?? ""}`), detail: `upstream ${shown(theirs?.message)}\n    ours     ${shown(mine?.message)}` }];
  both("content type", upstream.type, ours.type);
  const missing = (name: string, a: readonly string[], b: readonly string[]): void => {
    const [only, extra] = [a.filter(each => !b.includes(each)), b.filter(each => !a.includes(each))];
    for (const each of only) found.push({ cause: general(`${name} missing: ${each}`), detail: `upstream ${each}\n    ours     ${extra.join("\n             ")}` });
    for (const each of extra) found.push({ cause: general(`${name} of ours only: ${each}`), detail: `upstream ${only.join("\n             ")}\n    ours     ${each}` });
    if (only.length + extra.length === 0) both(`order of ${name}s`, a, b);
  };
  missing("warning", upstream.warnings, ours.warnings);
  const causes = (status: any): readonly string[] | undefined => status?.details?.causes?.map((each: any) => `${each.field}: ${each.reason}: ${each.message}`);
  const [a, b] = [causes(theirs), causes(mine)];
  if (a !== undefined && b !== undefined) {
    missing("cause", a, b);
    if (found.length > 0) return found;
  }
  walk("", theirs, mine);
  return found;

  function walk(path: string, a: any, b: any): void {
    if (typeof a === "object" && typeof b === "object" && a !== null && b !== null && Array.isArray(a) === Array.isArray(b) && (!Array.isArray(a) || a.length === b.length)) for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) walk(Array.isArray(a) ? `${path}[]` : `${path}.${name}`, a[name], b[name]);
    else both(`body${path}${a === undefined ? " of ours only" : b === undefined ? " missing" : path === ".message" ? `: ${general(String(a))}` : ""}`, a, b);
  }
}
