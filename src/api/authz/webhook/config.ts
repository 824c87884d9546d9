/** AuthorizationConfiguration (apiserver.config.k8s.io/v1): who judges requests, in which order, with upstream's rules (apiserver pkg/apis/apiserver/validation, pkg/kubeapiserver/authorizer). */
import { parseDuration, formatDuration } from "../../../base/duration.ts";
import { dnsSubdomain } from "../../../schema/grammar.ts";
import { duplicate, invalidValue, notSupported, type Problem, required, tooMany } from "../../../schema/problem.ts";
import * as t from "../../../schema/t.ts";

const Webhook = t.object({
  authorizedTTL: t.duration().doc("How long a yes holds; five minutes."),
  cacheAuthorizedRequests: t.bool().pointer().doc("Whether a yes is remembered; true."),
  unauthorizedTTL: t.duration().doc("How long anything else holds; 30 seconds."),
  cacheUnauthorizedRequests: t.bool().pointer().doc("Whether anything else is remembered; true."),
  timeout: t.duration().doc("How long one answer may take, at most 30 seconds."),
  subjectAccessReviewVersion: t.string().doc("Version that the webhook speaks: v1 or v1beta1."),
  matchConditionSubjectAccessReviewVersion: t.string().doc("Version that conditions see: v1."),
  failurePolicy: t.string().doc("What comes of a webhook that cannot be asked: NoOpinion or Deny."),
  connectionInfo: t.object({
    type: t.string().doc("KubeConfigFile."), kubeConfigFile: t.string().pointer().doc("Where the webhook is; relative to the configuration's folder."),
  }).always("{}").doc("Where the webhook is."),
  matchConditions: t.list(t.object({ expression: t.string().doc("CEL over `request`, a SubjectAccessReview's spec; all must hold for the webhook to be asked.") })).doc("Which requests it is asked about."),
});
const AuthorizerConfiguration = t.object({
  type: t.string().doc("Node, RBAC or Webhook."),
  name: t.string().doc("Its name; of those built in the type in small letters."),
  webhook: Webhook.doc("Of a Webhook."),
});
export const AuthorizationConfiguration = t.object("AuthorizationConfiguration", {
  apiVersion: t.string().doc("apiserver.config.k8s.io/v1."),
  kind: t.string().doc("AuthorizationConfiguration."),
  authorizers: t.list(AuthorizerConfiguration).doc("Asked in this order, after system:masters."),
});
export interface AuthorizationConfiguration extends t.Stored<typeof AuthorizationConfiguration> {}
export interface WebhookConfiguration extends t.Stored<typeof Webhook> {}

/** What there is here of upstream's ABAC, AlwaysAllow, AlwaysDeny, Node, RBAC, Webhook. */
const knownTypes = ["Node", "RBAC", "Webhook"] as const;
const conditionsMax = 64;
const timeoutMaxNanos = 30_000_000_000n;

/** Everything wrong with it. `compile`: why an expression is none. */
export function* configurationProblems({ authorizers = [] }: AuthorizationConfiguration, compile: (expression: string) => string | undefined): Iterable<Problem> {
  if (authorizers.length === 0) yield required("authorizers", "at least one authorization mode must be defined");
  const [types, names] = [new Set<string>(), new Set<string>()];
  for (const [i, { type = "", name = "", webhook }] of authorizers.entries()) {
    const path = `authorizers[${i}]`;
    if (type === "") yield required(`${path}.type`);
    else if (!knownTypes.some(each => each === type)) yield notSupported(`${path}.type`, type, knownTypes);
    else if (types.has(type) && type !== "Webhook") yield duplicate(`${path}.type`, type);
    else {
      types.add(type);
      if (name === "") yield required(`${path}.name`);
      else if (names.has(name)) yield duplicate(`${path}.name`, name);
      else if (dnsSubdomain(name).length > 0) yield invalidValue(`${path}.name`, name, `authorizer name is invalid: ${dnsSubdomain(name).join(", ")}`);
      else if (type !== "Webhook" && name !== type.toLowerCase()) yield invalidValue(`${path}.name`, name, `expected name ${type.toLowerCase()} for authorizer ${type} instead of ${name}`);
      names.add(name);
      if (type !== "Webhook" && webhook !== undefined) yield invalidValue(`${path}.webhook`, "non-null", "may only be specified when type=Webhook");
      else if (type === "Webhook" && webhook === undefined) yield required(`${path}.webhook`, "required when type=Webhook");
      else if (webhook !== undefined) yield* webhookProblems(webhook, path, compile);
    }
  }
}

/** Quirk: the fields are named without `webhook`, as upstream names them. */
function* webhookProblems(webhook: WebhookConfiguration, path: string, compile: (expression: string) => string | undefined): Iterable<Problem> {
  const { timeout, authorizedTTL, unauthorizedTTL, connectionInfo, matchConditions = [] } = webhook;
  const limit = nanosOf(timeout);
  if (limit === 0n) yield required(`${path}.timeout`);
  else if (limit < 0n || limit > timeoutMaxNanos) yield invalidValue(`${path}.timeout`, formatDuration(limit), "must be > 0s and <= 30s");
  for (const [field, text] of [["authorizedTTL", authorizedTTL], ["unauthorizedTTL", unauthorizedTTL]] as const) if (nanosOf(text) < 0n) yield invalidValue(`${path}.${field}`, formatDuration(nanosOf(text)), "must be > 0s");
  yield* oneOf(`${path}.subjectAccessReviewVersion`, webhook.subjectAccessReviewVersion, ["v1", "v1beta1"]);
  const { matchConditionSubjectAccessReviewVersion: seen = "", failurePolicy } = webhook;
  if (seen !== "") yield* oneOf(`${path}.matchConditionSubjectAccessReviewVersion`, seen, ["v1"]);
  else if (matchConditions.length > 0) yield required(`${path}.matchConditionSubjectAccessReviewVersion`, "required if match conditions are specified");
  yield* oneOf(`${path}.failurePolicy`, failurePolicy, ["NoOpinion", "Deny"]);
  yield* oneOf(`${path}.connectionInfo.type`, connectionInfo?.type, ["KubeConfigFile"]);
  if (connectionInfo?.type === "KubeConfigFile" && (connectionInfo.kubeConfigFile ?? "") === "") yield required(`${path}.connectionInfo.kubeConfigFile`);
  if (matchConditions.length > conditionsMax) return void (yield tooMany(`${path}.matchConditions`, matchConditions.length, conditionsMax));
  const seenExpressions = new Set<string>();
  for (const [i, { expression = "" }] of matchConditions.entries()) {
    const at = `${path}.matchConditions[${i}].expression`;
    if (expression.trim() === "") yield required(at);
    else if (seenExpressions.has(expression)) yield duplicate(at, expression);
    else {
      seenExpressions.add(expression);
      const why = compile(expression);
      if (why !== undefined) yield invalidValue(at, expression, why);
    }
  }
}

function* oneOf(path: string, value: string | undefined, values: readonly string[]): Iterable<Problem> {
  if (value === undefined || value === "") yield required(path);
  else if (!values.includes(value)) yield notSupported(path, value, values);
}

const nanosOf = (text: string | undefined): bigint => (text === undefined ? 0n : (parseDuration(text) ?? 0n));
/** Absent and zero are the default. */
export const millisOf = (text: string | undefined, otherwise: number): number => (nanosOf(text) === 0n ? otherwise : Number(nanosOf(text) / 1_000_000n));
