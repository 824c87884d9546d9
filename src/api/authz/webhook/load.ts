/** Reads an authorization configuration and makes the authorizers that it names. Imported only where there is such a file. */
import type { Clock } from "../../../base/clock.ts";
import type { Json } from "../../../base/json.ts";
import type { Log } from "../../../base/log.ts";
import type { Random } from "../../../base/random.ts";
import type { Host } from "../../../schema/cel/functions.ts";
import { problemBody } from "../../../schema/problem.ts";
import type { PostReview } from "../../ask-review.ts";
import { ofThisVersion } from "../../config-version.ts";
import { readValue } from "../../body.ts";
import type { Authorizer } from "../../context.ts";
import { compileConditions, conditionProblem } from "./conditions.ts";
import { AuthorizationConfiguration, configurationProblems, millisOf, type WebhookConfiguration } from "./config.ts";
import { WebhookAuthorizer } from "./webhook.ts";

export type AuthorizationFacts = {
  readonly clock: Clock; readonly random: Random; readonly log: Log; readonly celHost: Host;
  /** The server that a kubeconfig names. */
  readonly connect: (kubeConfigFile: string) => Promise<PostReview>;
};
/** Authorizers in the order in which they are asked; those built in by name. */
export type Authorization = { readonly order: readonly ("Node" | "RBAC" | Authorizer)[]; /** Files that it names. */ readonly files: readonly string[] };

const allowedMs = 300_000;
const otherwiseMs = 30_000;

/** `value`: the file's content. Throws an `Error` that names the field. */
export async function loadAuthorization(value: Json, duplicates: readonly string[], facts: AuthorizationFacts): Promise<Authorization> {
  const expected = { group: "apiserver.config.k8s.io", version: "v1", kind: "AuthorizationConfiguration", node: AuthorizationConfiguration.node, isKnown: () => true };
  const config: AuthorizationConfiguration = readValue(ofThisVersion(value), duplicates, expected, { parseYaml: () => ({ value, duplicates }), fieldValidation: "Strict", warn() {} });
  const problems = [...configurationProblems(config, expression => conditionProblem(expression, facts.celHost))];
  if (problems.length > 0) throw new Error(problems.map(problem => `${problem.field}: ${problemBody(problem)}`).join("; "));
  const order = await Promise.all((config.authorizers ?? []).map(async ({ type, name = "", webhook }, i) => {
    if (webhook === undefined) return type as "Node" | "RBAC";
    const file = webhook.connectionInfo?.kubeConfigFile ?? "";
    const post = await facts.connect(file).catch((error: unknown) => {
      throw new Error(`authorizers[${i}].connectionInfo.kubeConfigFile: Invalid value: ${JSON.stringify(file)}: error loading file: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    });
    return authorizerOf(name, webhook, post, facts);
  }));
  return { order, files: (config.authorizers ?? []).flatMap(({ webhook }) => webhook?.connectionInfo?.kubeConfigFile ?? []) };
}

function authorizerOf(name: string, webhook: WebhookConfiguration, post: PostReview, { clock, random, log, celHost }: AuthorizationFacts): Authorizer {
  const conditions = (webhook.matchConditions ?? []).map(({ expression = "" }) => expression);
  return new WebhookAuthorizer({
    name, version: webhook.subjectAccessReviewVersion ?? "", timeoutMs: millisOf(webhook.timeout, 0), denyOnError: webhook.failurePolicy === "Deny",
    allowedMs: webhook.cacheAuthorizedRequests === false ? 0 : millisOf(webhook.authorizedTTL, allowedMs), otherwiseMs: webhook.cacheUnauthorizedRequests === false ? 0 : millisOf(webhook.unauthorizedTTL, otherwiseMs),
    ...(conditions.length === 0 ? {} : { matches: compileConditions(conditions, celHost) }), post, clock, random, log,
  });
}
