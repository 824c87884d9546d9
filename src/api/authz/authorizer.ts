/** The chain of authorizers, in order: the first that says yes or no decides; nobody's yes is a no. */
import type { Authorizer, Decision, RequestAttributes, User, UserRules } from "../context.ts";

/** Members may do everything; no rule can take it away (apiserver authorizerfactory.NewPrivilegedGroups). */
export const privilegedGroup = "system:masters";

export function authorizerChain(...chain: readonly Authorizer[]): Authorizer {
  return {
    authorize(user, attributes) {
      const reasons: string[] = [];
      for (const authorizer of chain) {
        const decision = authorizer.authorize(user, attributes);
        if (decision.allowed || decision.denied === true) return decision;
        if (decision.reason !== undefined && decision.reason !== "") reasons.push(decision.reason);
      }
      return reasons.length === 0 ? { allowed: false } : { allowed: false, reason: reasons.join("\n") };
    },
    rules(user, namespace) {
      const all = chain.map(authorizer => authorizer.rules(user, namespace));
      const errors = all.flatMap(({ evaluationError }) => (evaluationError === undefined ? [] : [evaluationError]));
      return {
        resourceRules: all.flatMap(({ resourceRules }) => resourceRules), nonResourceRules: all.flatMap(({ nonResourceRules }) => nonResourceRules),
        incomplete: all.some(({ incomplete }) => incomplete), ...(errors.length === 0 ? {} : { evaluationError: errors.join(", ") }),
      };
    },
  };
}

export const privileged: Authorizer = {
  authorize: (user: User, _: RequestAttributes): Decision => ({ allowed: user.groups.includes(privilegedGroup) }),
  rules: (): UserRules => ({ resourceRules: [], nonResourceRules: [], incomplete: false }),
};
