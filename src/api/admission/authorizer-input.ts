/** The authorizer as expressions of policies and of webhooks' conditions see it. */
import { Pending } from "../../schema/cel/error.ts";
import type { Answer, Asker, Check } from "../../schema/cel/library/authz.ts";
import { serviceAccountUser } from "../authn/service-account-token.ts";
import type { Authorizer, Decision, RequestAttributes, User } from "../context.ts";
import type { Named } from "../errors.ts";
import type { AdmissionRequest } from "./admission.ts";

export type AuthorizerInput = { readonly asker: Asker; readonly resource: Exclude<Check, { readonly path: string }> };

/** What `authorizer` and `authorizer.requestResource` are in expressions. */
export function authorizerInput(authorizer: Authorizer, { user, subresource, namespace, name }: AdmissionRequest, { group, resource }: Named): AuthorizerInput {
  return { asker: askerFor(authorizer, user, new Map()), resource: { group, resource, subresource, namespace, name } };
}

/** `known`: answers that had to be waited for. */
function askerFor(authorizer: Authorizer, user: User, known: Map<string, Answer>): Asker {
  return {
    ask(check, verb) {
      const blank = { group: "", version: "", resource: "", subresource: "", namespace: "", name: "", path: "" };
      const attributes: RequestAttributes = "path" in check ? { ...blank, verb, path: check.path, resourceRequest: false } : { ...blank, version: "*", ...check, verb, resourceRequest: true };
      const question = JSON.stringify([user.name, attributes]);
      const answer = known.get(question);
      if (answer !== undefined) return answer;
      const decision = authorizer.authorize(user, attributes);
      if (decision instanceof Promise) throw new Pending(async () => void known.set(question, answerOf(await decision)));
      return answerOf(decision);
    },
    as: (namespace, name) => askerFor(authorizer, serviceAccountUser(namespace, name), known),
  };
}

const answerOf = ({ allowed, reason = "", error }: Decision): Answer => ({ allowed, reason, ...(error === undefined ? {} : { error }) });
