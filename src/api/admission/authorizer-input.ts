/** The authorizer as expressions of policies and of webhooks' conditions see it. */
import type { Asker, Check } from "../../schema/cel/library/authz.ts";
import { serviceAccountUser } from "../authn/service-account-token.ts";
import type { Authorizer, RequestAttributes, User } from "../context.ts";
import type { Named } from "../errors.ts";
import type { AdmissionRequest } from "./admission.ts";

export type AuthorizerInput = { readonly asker: Asker; readonly resource: Exclude<Check, { readonly path: string }> };

/** What `authorizer` and `authorizer.requestResource` are in expressions. */
export function authorizerInput(authorizer: Authorizer, { user, subresource, namespace, name }: AdmissionRequest, { group, resource }: Named): AuthorizerInput {
  return { asker: askerFor(authorizer, user), resource: { group, resource, subresource, namespace, name } };
}

function askerFor(authorizer: Authorizer, user: User): Asker {
  return {
    ask(check, verb) {
      const blank = { group: "", version: "", resource: "", subresource: "", namespace: "", name: "", path: "" };
      const { labelSelector: _, ...asked } = "path" in check ? { ...check, labelSelector: undefined } : check;
      const attributes: RequestAttributes = "path" in check ? { ...blank, verb, path: check.path, resourceRequest: false } : { ...blank, version: "*", ...asked, verb, resourceRequest: true };
      const { allowed, reason = "" } = authorizer.authorize(user, attributes);
      return { allowed, reason };
    },
    as: (namespace, name) => askerFor(authorizer, serviceAccountUser(namespace, name)),
  };
}
