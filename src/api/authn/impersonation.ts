/**
 * Acting as somebody else: the Impersonate-* headers, each value authorized on its own (apiserver pkg/endpoints/filters/impersonation.go).
 */
import type { Authorizer, RequestAttributes, User } from "../context.ts";
import { badRequest, unauthorizedFor } from "../errors.ts";
import type { Headers } from "../http.ts";
import { all, anonymous, extraOf } from "./authenticator.ts";

const accountPrefix = "system:serviceaccount:";
const extraPrefix = "impersonate-extra-";

/**
 * The user a request acts as: `user` itself without the headers, otherwise the one named, if `user` may impersonate it in
 * every particular. Throws Forbidden naming the first particular that is not allowed.
 */
export function impersonate(user: User, headers: Headers, authorizer: Authorizer): User {
  const name = all(headers, "impersonate-user")[0] ?? "";
  const groups = all(headers, "impersonate-group");
  const uid = all(headers, "impersonate-uid")[0] ?? "";
  const extra = extraOf(headers, extraPrefix);
  if (name === "") {
    if (groups.length > 0 || uid !== "" || Object.keys(extra).length > 0) throw badRequest("requested impersonation of groups, uid or extra without impersonating a user");
    return user;
  }
  const account = serviceAccountOf(name);
  check(user, authorizer, account === undefined ? { resource: "users", name } : { resource: "serviceaccounts", ...account });
  for (const group of groups) check(user, authorizer, { resource: "groups", name: group });
  for (const [key, values] of Object.entries(extra))
    for (const value of values) check(user, authorizer, { group: "authentication.k8s.io", version: "v1", resource: "userextras", subresource: key, name: value });
  if (uid !== "") check(user, authorizer, { group: "authentication.k8s.io", version: "v1", resource: "uids", name: uid });
  const own = groups.length > 0 || account === undefined ? groups : ["system:serviceaccounts", `system:serviceaccounts:${account.namespace}`];
  const everybody = name === anonymous.name ? "system:unauthenticated" : "system:authenticated";
  const complete = own.includes("system:unauthenticated") || own.includes(everybody);
  return { name, uid, groups: complete ? own : [...own, everybody], extra };
}

/** Headers that must not reach whatever answers in our stead. */
export const impersonationHeaders = ["impersonate-user", "impersonate-group", "impersonate-uid", extraPrefix] as const;

function check(user: User, authorizer: Authorizer, what: Partial<RequestAttributes>): void {
  const attributes: RequestAttributes = { verb: "impersonate", group: "", version: "", resource: "", subresource: "", namespace: "", name: "", path: "", resourceRequest: true, ...what };
  const decision = authorizer.authorize(user, attributes);
  if (!decision.allowed) throw unauthorizedFor(user, attributes, decision.reason);
}

function serviceAccountOf(name: string): { readonly namespace: string; readonly name: string } | undefined {
  if (!name.startsWith(accountPrefix)) return undefined;
  const [namespace = "", account = "", ...more] = name.slice(accountPrefix.length).split(":");
  return namespace === "" || account === "" || more.length > 0 ? undefined : { namespace, name: account };
}
