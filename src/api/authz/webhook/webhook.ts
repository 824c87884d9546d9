/** Another server judges requests: SubjectAccessReview, remembered for a while (apiserver plugin/pkg/authorizer/webhook/webhook.go). */
import { isObject, type Json, type JsonObject } from "../../../base/json.ts";
import { parseJson } from "../../../base/json-codec.ts";
import { messageOf, type Log } from "../../../base/log.ts";
import { askReview, type ReviewMeans } from "../../ask-review.ts";
import type { Authorizer, Decision, RequestAttributes, User, UserRules } from "../../context.ts";
import { spacedSpec, specOf } from "./spec.ts";

const cachedMax = 8192;
/** A question in which the requester has put as much is not remembered. */
const rememberedLengthMax = 10_000;
/** Reviews under way at once; beyond them the webhook counts as failed. */
const reviewsMax = 1_000;

export type WebhookOptions = ReviewMeans & {
  readonly name: string;
  readonly version: string;
  /** 0: not remembered. */
  readonly allowedMs: number;
  readonly otherwiseMs: number;
  /** What comes of it when the webhook cannot be asked. */
  readonly denyOnError: boolean;
  readonly matches?: (spec: Json) => boolean | { readonly error: string };
  readonly log: Log;
};

export class WebhookAuthorizer implements Authorizer {
  readonly #options: WebhookOptions;
  /** By question, what was asked for last at the end. */
  readonly #cached = new Map<string, { readonly decision: Decision; readonly untilMs: number }>();
  readonly #underway = new Map<string, Promise<Decision>>();

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  authorize(user: User, attributes: RequestAttributes): Decision | Promise<Decision> {
    const { matches } = this.#options;
    const spec = specOf(user, attributes);
    const holds = matches === undefined ? true : matches(spacedSpec(spec, user));
    if (holds === false) return { allowed: false };
    if (holds !== true) return this.#failed(holds.error);
    const question = JSON.stringify(spec);
    const known = this.#cached.get(question);
    if (known !== undefined) {
      this.#cached.delete(question);
      if (known.untilMs > this.#options.clock.monotonic()) {
        this.#cached.set(question, known);
        return known.decision;
      }
    }
    const same = this.#underway.get(question);
    if (same !== undefined) return same;
    if (this.#underway.size >= reviewsMax) return this.#failed(`the webhook authorizer ${JSON.stringify(this.#options.name)} has ${reviewsMax} reviews to answer already`);
    const asking = this.#ask(question, spec, attributes).finally(() => this.#underway.delete(question));
    this.#underway.set(question, asking);
    return asking;
  }

  rules(): UserRules {
    return { resourceRules: [], nonResourceRules: [], incomplete: true, evaluationError: "webhook authorizer does not support user rule resolution" };
  }

  #failed(error: string): Decision {
    return { allowed: false, ...(this.#options.denyOnError ? { denied: true } : {}), error };
  }

  async #ask(question: string, spec: JsonObject, attributes: RequestAttributes): Promise<Decision> {
    const { log, name } = this.#options;
    let status: JsonObject;
    try {
      status = await this.#review(spec);
    } catch (error) {
      log.error("Failed to make webhook authorizer request", { webhook: name, error: messageOf(error) });
      return this.#failed(messageOf(error));
    }
    const [allowed, denied] = [status["allowed"] === true, status["denied"] === true];
    const reason = typeof status["reason"] === "string" ? { reason: status["reason"] } : {};
    const decision: Decision = denied ? { allowed: false, denied, ...reason, ...(allowed ? { error: "webhook subject access review returned both allow and deny response" } : {}) } : { allowed, ...reason };
    this.#remember(question, attributes, decision, allowed);
    return decision;
  }

  #remember(question: string, { namespace, verb, group, version, resource, subresource, name, path }: RequestAttributes, decision: Decision, allowed: boolean): void {
    const { clock, allowedMs, otherwiseMs } = this.#options, ms = allowed ? allowedMs : otherwiseMs;
    if (ms <= 0 || [namespace, verb, group, version, resource, subresource, name, path].join("").length >= rememberedLengthMax) return;
    if (this.#cached.size >= cachedMax) this.#cached.delete(this.#cached.keys().next().value!);
    this.#cached.set(question, { decision, untilMs: clock.monotonic() + ms });
  }

  /** The review's status. Throws an `Error` whose message tells what went wrong last. */
  async #review(spec: JsonObject): Promise<JsonObject> {
    const { version } = this.#options;
    const apiVersion = `authorization.k8s.io/${version}`;
    const { groups, ...rest } = spec;
    // Quirk: the older version's list of groups is called `group`.
    const shown = version === "v1beta1" && groups !== undefined ? { ...rest, group: groups } : spec;
    const body = JSON.stringify({ kind: "SubjectAccessReview", apiVersion, metadata: {}, spec: shown, status: { allowed: false } });
    return statusOf(await askReview(this.#options, body), apiVersion);
  }
}

function statusOf(body: string, apiVersion: string): JsonObject {
  const { value } = parseJson(body);
  if (!isObject(value) || value["kind"] !== "SubjectAccessReview" || value["apiVersion"] !== apiVersion) throw new Error(`the webhook answered something else than a SubjectAccessReview of ${apiVersion}`);
  return isObject(value["status"]) ? value["status"] : {};
}
