/** One question to a webhook that judges tokens or requests, asked again where upstream asks again (apiserver pkg/util/webhook: WithExponentialBackoff, DefaultShouldRetry). */
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/log.ts";
import type { Random } from "../base/random.ts";

/** Carries one body to the webhook; rejects with an Error, whose cause is the connection's. */
export type PostReview = (body: string, timeoutMs: number) => Promise<{ readonly status: number; readonly body: string; readonly headers?: { readonly [name: string]: string | readonly string[] | undefined } }>;
export type ReviewMeans = { readonly post: PostReview; readonly timeoutMs: number; readonly clock: Clock; readonly random: Random };

/** Half a second growing by half, a fifth of it by chance. */
const triesMax = 5;
const firstWaitMs = 500;
const waitGrowth = 1.5;
const waitJitter = 0.2;

/** The body of an answer with a status of 2xx. Throws an `Error` whose message tells what went wrong last. */
export async function askReview({ post, timeoutMs, clock, random }: ReviewMeans, body: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await post(body, timeoutMs).then(answer => (answer.status >= 200 && answer.status <= 299 ? answer.body : failureOf(answer)), connectionFailure);
    if (typeof outcome === "string") return outcome;
    if (!outcome.again || attempt >= triesMax) throw new Error(outcome.why);
    await clock.sleep(firstWaitMs * waitGrowth ** (attempt - 1) * (1 + waitJitter * random.next()));
  }
}

type Failure = { readonly why: string; /** Worth another try. */ readonly again: boolean };

const connectionFailure = (error: unknown): Failure => ({ why: messageOf(error), again: error instanceof Error && (error.cause as { readonly code?: unknown } | undefined)?.code === "ECONNRESET" });

/** apimachinery pkg/api/errors NewGenericServerResponse, apiserver pkg/util/webhook DefaultShouldRetry. */
function failureOf({ status, body, headers }: Awaited<ReturnType<PostReview>>): Failure {
  // What is no text is not shown (client-go rest/request.go).
  const type = String(headers?.["content-type"] ?? "");
  const said = type === "" || type.startsWith("text/") ? body.trim() : "unknown";
  const why = new Map([
    [401, "the server has asked for the client to provide credentials"], [403, said === "" ? "the server does not allow access to the requested resource" : said], [404, "the server could not find the requested resource"],
    [429, "the server has received too many requests and has asked us to try again later"], [500, `an error on the server (${JSON.stringify(said)}) has prevented the request from succeeding`],
    [503, "the server is currently unable to handle the request"], [504, "the server was unable to return a response in the time allotted, but may still be processing the request"],
  ]).get(status) ?? `the server responded with the status code ${status} but did not return more information`;
  return { why, again: status === 500 || status === 504 || status === 429 || headers?.["retry-after"] !== undefined };
}
