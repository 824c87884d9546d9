/**
 * Acting as somebody else: the Impersonate-* headers, each value authorized on its own (apiserver pkg/endpoints/filters/impersonation).
 */
import { domainPath } from "../../kinds/meta/rules.ts";
import { aggregated, goQuote } from "../../schema/problem.ts";
import { isApiError } from "../../base/api-error.ts";
import { dnsLabel, dnsSubdomain } from "../../schema/grammar.ts";
import type { Authorizer, RequestAttributes, User } from "../context.ts";
import { badRequest, unauthorizedFor } from "../errors.ts";
import type { Headers } from "../http.ts";
import { all, anonymous, extraOf } from "./authenticator.ts";

const accountPrefix = "system:serviceaccount:";
const nodePrefix = "system:node:";
const oldWay = "";
const extraPrefix = "impersonate-extra-";
export const nodeNameKey = "authentication.kubernetes.io/node-name";

type Wanted = { readonly name: string; readonly groups: readonly string[]; readonly uid: string; readonly extra: User["extra"] };
/** The constrained ways, in the order in which they are tried (…/filters/impersonation/mode.go): each is for some users only. */
const modes: readonly { readonly name: string; readonly fits: (wanted: Wanted, user: User) => boolean }[] = [
  { name: "associated-node", fits: (wanted, user) => onlyName(wanted) && nodeOf(wanted.name) !== undefined && serviceAccountOf(user.name) !== undefined && sameList(user.extra[nodeNameKey], [nodeOf(wanted.name)!]) },
  { name: "arbitrary-node", fits: wanted => onlyName(wanted) && nodeOf(wanted.name) !== undefined },
  { name: "serviceaccount", fits: wanted => onlyName(wanted) && serviceAccountOf(wanted.name) !== undefined },
  { name: "user-info", fits: ({ name }) => nodeOf(name) === undefined && serviceAccountOf(name) === undefined },
];

/** What a request acts as. `constraint`: the constrained way in which that was allowed; absent: the old way, or nobody else at all. */
export type Impersonated = { readonly user: User; readonly constraint?: string };

/** The way that last went well for each user is tried first, so that the old way costs no more than it did (…/impersonation/constrained_impersonation.go). */
export class LastWays {
  readonly #ways = new Map<string, string>();
  static readonly usersMax = 10_000;
  of(user: string): string | undefined {
    return this.#ways.get(user);
  }
  went(user: string, way: string): void {
    if (this.#ways.size >= LastWays.usersMax && !this.#ways.has(user)) this.#ways.delete(this.#ways.keys().next().value!);
    this.#ways.set(user, way);
  }
}

/** Whether a request asks to act as somebody else at all. */
export function wantsImpersonation(headers: Headers): boolean {
  for (const name in headers) if (name.startsWith("impersonate-")) return true;
  return false;
}

/**
 * The user a request acts as: `user` itself without the headers, otherwise the one named, if `user` may impersonate it for `request` in one of the
 * constrained ways, or in the old way for anything. Throws Forbidden naming the first particular that was not allowed.
 */
export async function impersonate(user: User, headers: Headers, authorizer: Authorizer, request: RequestAttributes, last: LastWays): Promise<Impersonated> {
  const wanted: Wanted = { name: all(headers, "impersonate-user")[0] ?? "", groups: all(headers, "impersonate-group"), uid: all(headers, "impersonate-uid")[0] ?? "", extra: extraOf(headers, extraPrefix) };
  if (wanted.name === "") {
    if (!onlyName(wanted)) throw badRequest(`requested ${goUser(wanted)} without impersonating a user name`);
    return { user };
  }
  let first: unknown;
  const before = last.of(user.name);
  const ways = [...modes.filter(({ fits }) => fits(wanted, user)).map(({ name }) => name), oldWay];
  for (const way of [...ways.filter(name => name === before), ...ways.filter(name => name !== before)]) {
    try {
      const as = way === oldWay ? await unconstrained(user, wanted, authorizer) : await constrained(user, wanted, way, authorizer, request);
      last.went(user.name, way);
      return { user: as, ...(way === oldWay ? {} : { constraint: `impersonate:${way}` }) };
    } catch (error) {
      if (!isApiError(error, "Forbidden")) throw error;
      first ??= error;
    }
  }
  throw first;
}

/** May `user` do this request as somebody of this sort, and be this very one? */
async function constrained(user: User, wanted: Wanted, mode: string, authorizer: Authorizer, request: RequestAttributes): Promise<User> {
  const own = mode === "associated-node";
  // Any of a node's accounts is as good as another: only what it has of a node counts.
  const asker = own ? { ...user, extra: { "authentication.kubernetes.io/associated-node-keys": Object.keys(user.extra).sort() } } : user;
  await check(asker, authorizer, { ...request, verb: `impersonate-on:${mode}:${request.verb}` });
  const ask = (what: Partial<RequestAttributes>): Promise<void> => check(asker, authorizer, { verb: `impersonate:${mode}`, group: authenticationGroup, version: "v1", ...what });
  const node = nodeOf(wanted.name);
  const account = serviceAccountOf(wanted.name);
  await ask(node !== undefined ? { resource: "nodes", name: own ? "*" : node } : account !== undefined ? { resource: "serviceaccounts", ...account } : { resource: "users", name: wanted.name });
  if (wanted.uid !== "") await ask({ resource: "uids", name: wanted.uid });
  const groups = { verb: `impersonate:${mode}`, group: authenticationGroup, version: "v1", resource: "groups" };
  if (wanted.groups.includes("")) throw refusal(asker, groups, "impersonating the empty string group is not allowed");
  if (wanted.groups.includes("system:masters")) throw refusal(asker, { ...groups, name: "system:masters" }, "impersonating the system:masters group is not allowed");
  if (wanted.groups.length < manyChecks || !(await allows(asker, authorizer, { ...groups, name: "*" }))) for (const group of wanted.groups) await ask({ resource: "groups", name: group });
  const extras = Object.entries(wanted.extra);
  for (const [key, values] of extras) {
    const problem = extraProblem(key, values);
    if (problem !== undefined) throw refusal(asker, { ...groups, resource: "userextras" }, problem);
  }
  const isLarge = extras.length >= manyChecks || extras.reduce((sum, [, values]) => sum + values.length, 0) >= manyChecks;
  if (!isLarge || !(await allows(asker, authorizer, { ...groups, resource: "userextras", subresource: "*", name: "*" }))) for (const [key, values] of extras) for (const value of values) await ask({ resource: "userextras", subresource: key, name: value });
  return complete(wanted, node !== undefined ? ["system:nodes"] : undefined);
}

function extraProblem(key: string, values: readonly string[]): string | undefined {
  if (key === "") return "impersonating the empty string key in extra is not allowed";
  const problems = domainPath(key, "extra.key");
  if (problems.length > 0) return `impersonating an invalid key in extra is not allowed: ${aggregated(problems)}`;
  return values.includes("") ? "impersonating the empty string value in extra is not allowed" : undefined;
}

/** The old way: everything that the other may do. */
async function unconstrained(user: User, wanted: Wanted, authorizer: Authorizer): Promise<User> {
  const ask = (what: Partial<RequestAttributes>): Promise<void> => check(user, authorizer, { verb: "impersonate", ...what });
  const account = serviceAccountOf(wanted.name);
  await ask(account === undefined ? { version: "v1", resource: "users", name: wanted.name } : { version: "v1", resource: "serviceaccounts", ...account });
  if (wanted.uid !== "") await ask({ group: authenticationGroup, version: "v1", resource: "uids", name: wanted.uid });
  for (const group of wanted.groups) await ask({ version: "v1", resource: "groups", name: group });
  for (const [key, values] of Object.entries(wanted.extra)) for (const value of values) await ask({ group: authenticationGroup, version: "v1", resource: "userextras", subresource: key, name: value });
  return complete(wanted, undefined);
}

function complete({ name, groups, uid, extra }: Wanted, fixed: readonly string[] | undefined): User {
  const account = serviceAccountOf(name);
  const own = fixed ?? (groups.length > 0 || account === undefined ? groups : ["system:serviceaccounts", `system:serviceaccounts:${account.namespace}`]);
  const everybody = name === anonymous.name ? "system:unauthenticated" : "system:authenticated";
  return { name, uid, groups: own.includes("system:unauthenticated") || own.includes(everybody) ? own : [...own, everybody], extra };
}

/** Headers that must not reach whatever answers in our stead. */
export const impersonationHeaders = ["impersonate-user", "impersonate-group", "impersonate-uid", extraPrefix] as const;

const authenticationGroup = "authentication.k8s.io";
/** From so many groups on, the permission for all of them is asked for first. */
const manyChecks = 4;

const attributesOf = (what: Partial<RequestAttributes>): RequestAttributes => ({ verb: "", group: "", version: "", resource: "", subresource: "", namespace: "", name: "", path: "", resourceRequest: true, ...what });
const allows = async (user: User, authorizer: Authorizer, what: Partial<RequestAttributes>): Promise<boolean> => (await authorizer.authorize(user, attributesOf(what))).allowed;
const refusal = (user: User, what: Partial<RequestAttributes>, reason: string): Error => unauthorizedFor(user, attributesOf(what), reason);

async function check(user: User, authorizer: Authorizer, what: Partial<RequestAttributes>): Promise<void> {
  const decision = await authorizer.authorize(user, attributesOf(what));
  if (!decision.allowed) throw unauthorizedFor(user, attributesOf(what), decision.reason);
}

const onlyName = ({ groups, uid, extra }: Wanted): boolean => groups.length === 0 && uid === "" && Object.keys(extra).length === 0;
const sameList = (a: readonly string[] | undefined, b: readonly string[]): boolean => a !== undefined && a.length === b.length && a.every((each, i) => each === b[i]);

function nodeOf(name: string): string | undefined {
  const node = name.startsWith(nodePrefix) ? name.slice(nodePrefix.length) : "";
  return node === "" || dnsSubdomain(node).length > 0 ? undefined : node;
}

export function serviceAccountOf(name: string): { readonly namespace: string; readonly name: string } | undefined {
  if (!name.startsWith(accountPrefix)) return undefined;
  const [namespace = "", account = "", ...more] = name.slice(accountPrefix.length).split(":");
  return dnsLabel(namespace).length > 0 || dnsSubdomain(account).length > 0 || more.length > 0 ? undefined : { namespace, name: account };
}

/** As Go prints the user that the headers come to. */
function goUser({ name, uid, groups, extra }: Wanted): string {
  const strings = (list: readonly string[]): string => (list.length === 0 ? "[]string(nil)" : `[]string{${list.map(goQuote).join(", ")}}`);
  const keys = Object.keys(extra).sort();
  const map = keys.length === 0 ? "map[string][]string(nil)" : `map[string][]string{${keys.map(key => `${goQuote(key)}:${strings(extra[key]!)}`).join(", ")}}`;
  return `&user.DefaultInfo{Name:${goQuote(name)}, UID:${goQuote(uid)}, Groups:${strings(groups)}, Extra:${map}}`;
}
