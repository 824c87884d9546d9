/** The chain of authorizers, in order: the first that says yes or no decides; nobody's yes is a no. */
import type { Authorizer, Decision, RequestAttributes, User, UserRules } from "../context.ts";
import { aggregate } from "./rbac.ts";

/** Members may do everything; no rule can take it away (apiserver authorizerfactory.NewPrivilegedGroups). */
export const privilegedGroup = "system:masters";

export function authorizerChain(...chain: readonly Authorizer[]): Authorizer {
  return {
    authorize: (user, attributes) => judge(chain, user, attributes, 0, { reasons: [], errors: [] }),
    rules(user, namespace) {
      const all = chain.map(authorizer => authorizer.rules(user, namespace));
      const errors = all.flatMap(({ evaluationError }) => (evaluationError === undefined ? [] : [evaluationError]));
      return {
        resourceRules: all.flatMap(({ resourceRules }) => resourceRules), nonResourceRules: all.flatMap(({ nonResourceRules }) => nonResourceRules),
        incomplete: all.some(({ incomplete }) => incomplete), ...(errors.length === 0 ? {} : { evaluationError: aggregate([...new Set(errors)]) }),
      };
    },
  };
}

/** What those said who have no opinion. */
type Heard = { readonly reasons: string[]; readonly errors: string[] };

/** From the authorizer at `from` on; waits only where one does (apiserver pkg/authorization/union/union.go). */
function judge(chain: readonly Authorizer[], user: User, attributes: RequestAttributes, from: number, heard: Heard): Decision | Promise<Decision> {
  for (let i = from; i < chain.length; i++) {
    const decision = chain[i]!.authorize(user, attributes);
    if (decision instanceof Promise) return decision.then(late => (decides(late, heard) ? late : judge(chain, user, attributes, i + 1, heard)));
    if (decides(decision, heard)) return decision;
  }
  const { reasons, errors } = heard;
  return { allowed: false, ...(reasons.length === 0 ? {} : { reason: reasons.join("\n") }), ...(errors.length === 0 ? {} : { error: aggregate([...new Set(errors)]) }) };
}

function decides({ allowed, denied, reason, error }: Decision, { reasons, errors }: Heard): boolean {
  if (allowed || denied === true) return true;
  if (reason !== undefined && reason !== "") reasons.push(reason);
  if (error !== undefined) errors.push(error);
  return false;
}

export const privileged = {
  authorize: (user: User, _: RequestAttributes): Decision => ({ allowed: user.groups.includes(privilegedGroup) }),
  rules: (): UserRules => ({ resourceRules: [], nonResourceRules: [], incomplete: false }),
} satisfies Authorizer;
