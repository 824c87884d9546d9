/** /healthz, /livez and /readyz with their single checks (apiserver pkg/server/healthz). */
import { messageOf, type Log } from "../base/log.ts";
import type { HealthFigures } from "./health-figures.ts";
import type { HttpResponse } from "./http.ts";
import { noSniff, sendPlain } from "./respond.ts";

/** Throws when it does not hold. `only`: asked by /readyz alone, or by all but /readyz. */
export type HealthCheck = { readonly name: string; readonly check: () => void | Promise<void>; readonly only?: "ready" | "live" };
export type HealthEndpoint = "healthz" | "livez" | "readyz";

/** The checks of one endpoint. */
export function checksOf(endpoint: HealthEndpoint, checks: readonly HealthCheck[]): readonly HealthCheck[] {
  return checks.filter(({ only }) => only === undefined || (only === "ready") === (endpoint === "readyz"));
}

export async function health(endpoint: HealthEndpoint, single: string, query: URLSearchParams, checks: readonly HealthCheck[], log: Log, figures?: HealthFigures): Promise<HttpResponse | undefined> {
  const mine = checksOf(endpoint, checks);
  if (single !== "") {
    const found = mine.find(({ name }) => name === single);
    if (found === undefined) return undefined;
    const failure = await failureOf(found, log);
    return failure === undefined ? sendPlain(200, "ok") : sendPlain(500, `internal server error: ${failure}\n`);
  }
  const excluded = new Set(query.getAll("exclude"));
  const lines: string[] = [];
  let failed = false;
  for (const check of mine) {
    if (excluded.delete(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`);
      continue;
    }
    const failure = await failureOf(check, log);
    figures?.checked(check.name, endpoint, failure === undefined);
    failed ||= failure !== undefined;
    lines.push(failure === undefined ? `[+]${check.name} ok` : `[-]${check.name} failed: reason withheld`);
  }
  if (excluded.size > 0) lines.push(`warn: some health checks cannot be excluded: no matches for ${[...excluded].map(name => JSON.stringify(name)).join(",")}`);
  if (failed) return sendPlain(500, `${lines.join("\n")}\n${endpoint} check failed\n`);
  return query.has("verbose") ? sendPlain(200, `${lines.join("\n")}\n${endpoint} check passed\n`, noSniff) : sendPlain(200, "ok", noSniff);
}

async function failureOf({ name, check }: HealthCheck, log: Log): Promise<string | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    log.warn("health check failed", { check: name, error: messageOf(error) });
    return messageOf(error);
  }
}
