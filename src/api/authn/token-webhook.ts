/** Tokens that another server judges: TokenReview v1, remembered for two minutes (apiserver plugin/pkg/authenticator/token/webhook, --authentication-token-webhook-cache-ttl). */
import { isObject, type Json } from "../../base/json.ts";
import { parseJson } from "../../base/json-codec.ts";
import { askReview, type ReviewMeans } from "../ask-review.ts";
import type { TokenVerdict, User } from "../context.ts";

const timeoutMs = 30_000;
const cacheMs = 120_000;
const cachedMax = 4096;
/** Reviews under way at once; beyond them tokens are refused, not queued. */
const reviewsMax = 200;

export class TokenWebhook {
  readonly #means: ReviewMeans;
  readonly #cached = new Map<string, { readonly verdict: TokenVerdict; readonly untilMs: number }>();
  readonly #underway = new Map<string, Promise<TokenVerdict>>();

  readonly #own: readonly string[];

  /** `own`: audiences of the API server, for which a webhook speaks that names none. */
  constructor(means: Omit<ReviewMeans, "timeoutMs">, own: readonly string[]) {
    this.#means = { ...means, timeoutMs };
    this.#own = own;
  }

  async review(token: string, audiences: readonly string[]): Promise<TokenVerdict> {
    const key = JSON.stringify([token, audiences]);
    const known = this.#cached.get(key);
    if (known !== undefined && known.untilMs > this.#means.clock.monotonic()) return known.verdict;
    const same = this.#underway.get(key);
    if (same !== undefined) return same;
    if (this.#underway.size >= reviewsMax) return { authenticated: false, error: `the token webhook has ${reviewsMax} reviews to answer already` };
    const asking = this.#ask(token, audiences).finally(() => this.#underway.delete(key));
    this.#underway.set(key, asking);
    const verdict = await asking;
    if (this.#cached.size >= cachedMax) this.#cached.delete(this.#cached.keys().next().value!);
    this.#cached.set(key, { verdict, untilMs: this.#means.clock.monotonic() + cacheMs });
    return verdict;
  }

  /** What could not be asked is not remembered as an answer: it throws. */
  async #ask(token: string, audiences: readonly string[]): Promise<TokenVerdict> {
    const body = JSON.stringify({ kind: "TokenReview", apiVersion: "authentication.k8s.io/v1", metadata: {}, spec: { token, ...(audiences.length === 0 ? {} : { audiences }) }, status: { user: {} } });
    return verdictOf(await askReview(this.#means, body), audiences, this.#own);
  }
}

function verdictOf(body: string, audiences: readonly string[], own: readonly string[]): TokenVerdict {
  const { value } = parseJson(body);
  const found = isObject(value) && value["kind"] === "TokenReview" && isObject(value["status"]) ? value["status"] : undefined;
  if (found === undefined) throw new Error("the token webhook answered something else than a TokenReview");
  const named = listOf(found["audiences"]);
  const granted = audiences.filter(audience => (named.length > 0 ? named : own).includes(audience));
  if (granted.length === 0) return { authenticated: false };
  if (found["authenticated"] !== true) return { authenticated: false, ...(typeof found["error"] === "string" && found["error"] !== "" ? { error: `[invalid bearer token, ${found["error"]}]` } : {}) };
  const user = userOf(found["user"]);
  if (user === undefined) throw new Error("the token webhook named no user");
  return { authenticated: true, user, audiences: granted };
}

const listOf = (json: Json | undefined): readonly string[] => (Array.isArray(json) ? json.filter((item): item is string => typeof item === "string") : []);

function userOf(json: Json | undefined): User | undefined {
  if (!isObject(json) || typeof json["username"] !== "string" || json["username"] === "") return undefined;
  const extra = isObject(json["extra"]) ? Object.fromEntries(Object.entries(json["extra"]).map(([key, values]) => [key, listOf(values)])) : {};
  return { name: json["username"], uid: typeof json["uid"] === "string" ? json["uid"] : "", groups: listOf(json["groups"]), extra };
}
