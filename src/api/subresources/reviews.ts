/** Questions about who may do what, answered by the authorizer and the authenticator (pkg/registry/authorization, pkg/registry/authentication). */
import { timeOf } from "../../base/time.ts";
import { SelfSubjectReview } from "../../kinds/authentication/selfsubjectreview.ts";
import { TokenReview } from "../../kinds/authentication/tokenreview.ts";
import { LocalSubjectAccessReview } from "../../kinds/authorization/localsubjectaccessreview.ts";
import { SelfSubjectAccessReview } from "../../kinds/authorization/selfsubjectaccessreview.ts";
import { SelfSubjectRulesReview } from "../../kinds/authorization/selfsubjectrulesreview.ts";
import { SubjectAccessReview } from "../../kinds/authorization/subjectaccessreview.ts";
import { NonResourceAttributes } from "../../kinds/authorization/types.ts";
import { ObjectMeta } from "../../kinds/meta/objectmeta.ts";
import { goValue } from "../../schema/go-value.ts";
import { invalidValue, type Problem } from "../../schema/problem.ts";
import type { RequestAttributes, User } from "../context.ts";
import type { Call, Core } from "../core.ts";
import { badRequest, invalid } from "../errors.ts";
import type { Posted } from "./posted.ts";
import { selectorProblems, selectorsOf } from "./review-selectors.ts";

function userInfo({ name, uid, groups, extra }: User): any {
  return {
    ...(name === "" ? {} : { username: name }), ...(uid === "" ? {} : { uid }), ...(groups.length === 0 ? {} : { groups: [...groups] }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

const self: Posted = {
  body: SelfSubjectAccessReview,
  answersObject: true,
  async answer({ core }, call, body) {
    check([...problemsOf(body.spec, false), ...metadataProblems(body)]);
    return decided(core, call.user, body);
  },
};

const subject: Posted = {
  body: SubjectAccessReview,
  answersObject: true,
  async answer({ core }, _, body) {
    check([...problemsOf(body.spec, true), ...metadataProblems(body)]);
    return decided(core, userOf(body.spec), body);
  },
};

const local: Posted = {
  body: LocalSubjectAccessReview,
  answersObject: true,
  async answer({ core }, call: Call, body) {
    const problems = [...problemsOf(body.spec, true), ...metadataProblems(body, call.namespace)];
    const { resourceAttributes, nonResourceAttributes } = body.spec;
    if (resourceAttributes !== undefined && (resourceAttributes.namespace ?? "") !== call.namespace) problems.push(invalidValue("spec.resourceAttributes.namespace", resourceAttributes.namespace ?? "", "must match metadata.namespace"));
    if (nonResourceAttributes !== undefined) problems.push(invalidValue("spec.nonResourceAttributes", goValue(NonResourceAttributes.node, nonResourceAttributes), "disallowed on this kind of request"));
    check(problems);
    return decided(core, userOf(body.spec), body);
  },
};

const rules: Posted = {
  body: SelfSubjectRulesReview,
  answersObject: true,
  async answer({ core }, call, body) {
    const namespace = body.spec.namespace ?? "";
    if (namespace === "") throw badRequest("no namespace on request");
    return { ...body, metadata: {}, spec: {}, status: core.authorizer.rules(call.user, namespace) };
  },
};

const who: Posted = {
  body: SelfSubjectReview,
  answersObject: true,
  async answer({ core }, call, body) {
    return { ...body, metadata: { creationTimestamp: timeOf(core.clock.now()) }, status: { userInfo: userInfo(call.user) } };
  },
};

const tokenReview: Posted = {
  body: TokenReview,
  answersObject: true,
  async answer({ authenticator }, call, body) {
    const { token = "", audiences = [] } = body.spec;
    if (token === "") throw badRequest("token is required for TokenReview in authentication");
    const verdict = await authenticator.reviewToken(token, audiences, { warn: text => call.warn(text), annotate: (key, value) => call.annotate?.(key, value) });
    if (!verdict.authenticated) return { ...body, status: { user: {}, ...(verdict.error === undefined ? {} : { error: verdict.error }) } };
    return { ...body, status: { authenticated: true, user: userInfo(verdict.user), ...(verdict.audiences.length === 0 ? {} : { audiences: [...verdict.audiences] }) } };
  },
};

export const reviews: readonly Posted[] = [self, subject, local, rules, who, tokenReview];

// Quirk: upstream does not say of which kind (pkg/registry/authorization, apierrors.NewInvalid(authorizationapi.Kind(""), "", errs)).
function check(problems: readonly Problem[]): void {
  if (problems.length > 0) throw invalid({ group: "authorization.k8s.io", kind: "" }, "", problems);
}

/** A review is nobody's object: it has no metadata, but for the namespace in its path. */
function metadataProblems({ metadata }: any, namespace = ""): readonly Problem[] {
  const { managedFields: _, namespace: given, ...rest } = metadata;
  const isEmpty = Object.keys(rest).length === 0 && (given === undefined || given === "" || namespace !== "");
  return isEmpty ? [] : [invalidValue("metadata", goValue(ObjectMeta.node, metadata), namespace === "" ? "must be empty" : "must be empty except for namespace")];
}

function problemsOf({ resourceAttributes, nonResourceAttributes, user = "", groups = [] }: any, withUser: boolean): Problem[] {
  const problems: Problem[] = [];
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) problems.push(invalidValue("spec.nonResourceAttributes", goValue(NonResourceAttributes.node, nonResourceAttributes), "cannot be specified in combination with resourceAttributes"));
  if (resourceAttributes === undefined && nonResourceAttributes === undefined) problems.push(invalidValue("spec.resourceAttributes", null, "exactly one of nonResourceAttributes or resourceAttributes must be specified"));
  if (withUser && user === "" && groups.length === 0) problems.push(invalidValue("spec.user", user, "at least one of user or group must be specified"));
  if (resourceAttributes !== undefined) problems.push(...selectorProblems(resourceAttributes, "spec.resourceAttributes"));
  return problems;
}

function userOf({ user = "", uid = "", groups = [], extra = {} }: any): User {
  return { name: user, uid, groups, extra: Object.fromEntries(Object.entries<any>(extra).map(([key, values]) => [key.toLowerCase(), values])) };
}

async function decided(core: Core, user: User, body: any): Promise<any> {
  const { resourceAttributes: of, nonResourceAttributes: path } = body.spec;
  const { asked, errors } = selectorsOf(of ?? {});
  const none = { group: "", version: "", resource: "", subresource: "", namespace: "", name: "", path: "" };
  const attributes: RequestAttributes = of !== undefined
    ? { ...none, verb: of.verb ?? "", group: of.group ?? "", version: of.version ?? "*", resource: of.resource ?? "", subresource: of.subresource ?? "", namespace: of.namespace ?? "", name: of.name ?? "", resourceRequest: true, ...asked }
    : { ...none, verb: path.verb ?? "", path: path.path ?? "", resourceRequest: false };
  const { allowed, denied, reason, error } = await core.authorizer.authorize(user, attributes);
  const evaluationError = [...(error === undefined ? [] : [error]), ...errors].join("; ");
  return { ...body, status: { allowed, ...(denied === true ? { denied } : {}), ...(reason === undefined || reason === "" ? {} : { reason }), ...(evaluationError === "" ? {} : { evaluationError }) } };
}
