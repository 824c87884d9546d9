/** POSTs JSON to webhooks: the connection goes to exactly the given address, the certificate must be the named host's, redirects to other servers are not followed. */
import { Agent, request } from "node:https";
import { isIP } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { PostJson, WebhookCall } from "../api/webhook.ts";
import { dialText } from "./dial-text.ts";
import { believing, trusting } from "./trust.ts";
import { wholeAnswer, type WholeAnswer } from "./whole-answer.ts";

const answerBytesMax = 3 * 1024 * 1024;
/** Connections to one host that wait for the next call, and for how long (client-go transport/cache.go, Go's net/http). */
const idlePerHostMax = 25;
const idleMs = 90_000;
/** How often a server that names a time to come back is asked again (client-go rest/request.go maxRetries). */
const againMax = 10;
/** As many redirects as Go's client follows. */
const redirectsMax = 10;

/** A client of its own: connections are kept for the next call to the same host under the same trust. */
export function createPostJson(): PostJson {
  const agent = believing(new Agent({ keepAlive: true, maxFreeSockets: idlePerHostMax, timeout: idleMs, maxCachedSessions: 0 }));
  return async call => {
    const deadline = performance.now() + call.timeoutMs;
    for (let url = call.url, redirects = 0; ; redirects++) {
      const { status, body, headers } = await post(agent, { ...call, url }, deadline);
      const next = redirectOf(url, status, headers.location);
      if (next === undefined) return { status, body, contentType: headers["content-type"] ?? "" };
      if (redirects === redirectsMax) throw new Error(`Post ${JSON.stringify(next)}: stopped after ${redirectsMax} redirects`);
      url = next;
    }
  };
}

/** Where the same server wants the same request, as Go's does for a path with two slashes (what envtest makes of every webhook's). Elsewhere nobody leads us (CVE-2020-8561). */
function redirectOf(url: string, status: number, location: string | undefined): string | undefined {
  if ((status !== 307 && status !== 308) || location === undefined || !URL.canParse(location, url)) return undefined;
  const next = new URL(location, url);
  return next.origin === new URL(url).origin ? next.href : undefined;
}

async function post(agent: Agent, { url, address, ca, body, answerBytesMax: bytesMax = answerBytesMax }: WebhookCall, deadline: number): Promise<WholeAnswer> {
  const target = new URL(url);
  const refused = (why: string): Error => new Error(`Post ${JSON.stringify(url)}: ${why}`);
  if (target.protocol !== "https:") throw refused("webhooks are called over https only");
  const name = target.hostname.replace(/^\[|\]$/g, "");
  const host = address?.host ?? name;
  const port = address?.port ?? (target.port === "" ? 443 : Number(target.port));
  const late = "context deadline exceeded";
  const ask = async (): Promise<WholeAnswer> => {
    const outgoing = request({
      method: "POST", host, port, path: `${target.pathname}${target.search}`, servername: isIP(name) === 0 ? name : "", // an address has no server name in TLS: the certificate must be for the address
      ...trusting(ca, agent), headers: { host: target.host, "content-type": "application/json", accept: "application/json, */*", "content-length": Buffer.byteLength(body), "user-agent": "kube-apiserver-admission" },
    });
    try {
      return await wholeAnswer(outgoing, body, { timeoutMs: Math.max(1, deadline - performance.now()), late, bytesMax });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // A kept connection that the server had closed meanwhile: as a rule nobody heard the call, and a webhook may be asked twice (reinvocation).
      if (outgoing.reusedSocket && (code === "ECONNRESET" || code === "EPIPE")) return ask();
      throw refused(dialText(error as NodeJS.ErrnoException, `${isIP(host) === 6 ? `[${host}]` : host}:${port}`));
    }
  };
  for (let again = 0; ; again++) {
    const answer = await ask();
    const { status, headers } = answer;
    const seconds = status === 429 || status >= 500 ? /^[+-]?\d{1,9}$/.exec(headers["retry-after"] ?? "") : null;
    if (seconds === null || again === againMax) return answer;
    const waitMs = Number(seconds[0]) * 1000;
    await pause(Math.max(0, Math.min(waitMs, deadline - performance.now())));
    if (performance.now() >= deadline) throw refused(late);
  }
}
