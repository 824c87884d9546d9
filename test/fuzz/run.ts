/** Sends made-up requests to an API server in this process and says which of them broke something. */
import type { HttpResponse } from "../../src/api/http.ts";
import { seeded } from "../crash/workload.ts";
import { bodyOf, Collector, settle, startHarness, type Harness } from "../transcripts/harness.ts";
import { makeRequest, type FuzzRequest } from "./requests.ts";
import { composition, settleDefinition } from "./server.ts";

export type FuzzResult = { readonly sent: number; readonly byStatus: ReadonlyMap<number, number>; readonly problems: readonly string[]; readonly stalls: readonly string[] };

/** The thread may not be taken for longer than this by one request. */
const stallMs = 100;
const answerMsMax = 200_000;
/** The store is thrown away now and then, so that it does not only hold what the first requests left. */
const requestsPerServer = 2_000;
const problemsMax = 50;
// What a webhook answers beside the point, in upstream's words.
const senselessPatch = /Internal error occurred: (?:\w+ operation does not apply: |json: cannot unmarshal |replace operation value must be object or array|admission webhook \\*"[^"]+" attempted to modify the object, which is not supported for this operation|no kind \\*"|couldn'+t get version\/kind; |unexpected GroupVersion string: )/;
// Proxying to what is not there.
const noBackend = /currently unable to handle the request|no endpoints available for service|no preferred addresses found for node/;

export async function fuzz(options: { readonly seed: number; readonly requests: number; readonly onProblem?: (problem: string, request: FuzzRequest) => void; /** A server was used up and thrown away. */ readonly onServer?: () => void }): Promise<FuzzResult> {
  const byStatus = new Map<number, number>();
  const problems: string[] = [];
  const stalls: string[] = [];
  const random = seeded(options.seed);
  let sent = 0;
  while (sent < options.requests && problems.length < problemsMax) {
    const failures: string[] = [];
    const harness = await startFuzzed(failures, random);
    try {
      for (let i = 0; i < requestsPerServer && sent < options.requests && problems.length < problemsMax; i++, sent++) {
        const request = makeRequest(harness.api.registry.kinds(), random);
        const say = (problem: string) => {
          problems.push(`request ${sent}: ${request.method} ${request.target.slice(0, 200)} ${request.headers["content-type"] ?? ""}: ${problem}`);
          options.onProblem?.(problem, request);
        };
        const began = process.threadCpuUsage();
        const outcome = await send(harness, request);
        const used = process.threadCpuUsage(began);
        const tookMs = (used.user + used.system) / 1_000;
        if (tookMs > stallMs) stalls.push(`request ${sent}: ${request.method} ${request.target.slice(0, 200)}, ${request.body.length} bytes: ${tookMs.toFixed(0)} ms`);
        if (typeof outcome === "string") say(outcome);
        else {
          byStatus.set(outcome.status, (byStatus.get(outcome.status) ?? 0) + 1);
          if (outcome.status >= 500 && !outcome.excused) say(`${outcome.status} ${outcome.text.slice(0, 300)}`);
        }
        for (const failure of failures.splice(0)) say(failure);
      }
      const integrity = brokenObjects(harness);
      if (integrity !== undefined) problems.push(integrity);
    } finally {
      await harness.stop();
      await harness.close();
    }
    options.onServer?.();
  }
  return { sent, byStatus, problems, stalls };
}

type Fuzzed = Harness & { stop(): Promise<void> };

async function startFuzzed(failures: string[], random: () => number): Promise<Fuzzed> {
  const note = (text: string) => { failures.push(text); };
  const harness = await startHarness({
    ...composition(random), fatal: error => note(`fatal: ${error.stack}`),
    log: { debug() {}, info() {}, warn() {}, error: (message, fields) => note(`${message}: ${JSON.stringify(fields)}`), child() { return this; } },
  });
  const life = new AbortController();
  const running = harness.api.run(life.signal).catch((error: unknown) => { if (!life.signal.aborted) note(`a sweep ended: ${error instanceof Error ? error.stack : String(error)}`); });
  const make = (path: string, name: string) => harness.send("POST", path, { headers: { "content-type": "application/json" }, body: JSON.stringify({ metadata: { name } }) });
  for (const namespace of ["default", "other", "kube-system"]) {
    await make("/api/v1/namespaces", namespace);
    await make(`/api/v1/namespaces/${namespace}/serviceaccounts`, "default");
  }
  await settleDefinition(harness, "widgets", "idget");
  return { ...harness, stop: () => { life.abort(); return running; } };
}

type Outcome = { readonly status: number; readonly text: string; readonly excused: boolean };

/** The answer, read to its end; a text says what went wrong instead. */
async function send(harness: Harness, { method, target, headers, body }: FuzzRequest): Promise<Outcome | string> {
  const stop = new AbortController();
  let done = false;
  let waited = 0;
  const answered = harness.send(method, target, { headers, body, signal: stop.signal }).finally(() => { done = true; });
  answered.catch(() => undefined);
  for (let turns = 0; !done && turns < 3; turns++) await settle();
  // Whatever waits, waits for the clock: a version to come, a time limit.
  for (; !done && waited < answerMsMax; waited += 5_000) await harness.clock.advance(5_000);
  if (!done) return "no answer";
  let response: HttpResponse;
  try {
    response = await answered;
  } catch (error) {
    return `handle threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
  return read(harness, response, stop, waited > 0);
}

async function read(harness: Harness, response: HttpResponse, stop: AbortController, waited: boolean): Promise<Outcome | string> {
  const { status, content } = response;
  try {
    if (content.type === "stream") {
      let ended = false;
      const running = content.run(new Collector(), stop.signal).finally(() => { ended = true; });
      running.catch(() => undefined);
      await settle();
      stop.abort();
      for (let turns = 0; !ended && turns < 20; turns++) await settle();
      if (!ended) return "a stream goes on after its client left";
      await running;
      return { status, text: "", excused: false };
    }
    const body = await bodyOf(response);
    // YAML folds long lines.
    const text = (typeof body === "string" ? body : Buffer.from(body).toString("latin1")).replaceAll(/\s+/g, " ");
    // A version that does not come, or is not there, ends with upstream's 504; what is forwarded has no server behind it here; some verbs upstream does not implement either.
    // A webhook that must be asked and makes no sense is a 500 upstream (apiserver admission/plugin/webhook/errors), and so is one whose patch does not apply or makes no object (mutating/dispatcher.go).
    // And upstream answers 500 to applied fields that its schema does not know (managedfields/internal/structuredmerge.go: a plain error).
    // And to a service for which no range has an address, as when the only ServiceCIDR was deleted (pkg/registry/core/service/storage/alloc.go).
    const excused = text.includes("failed to allocate a serviceIP for Service") || (status === 504 && (waited || text.includes("Too large resource version"))) || status === 501 || content.type === "forward" || text.includes("failed to create typed patch object (") || text.includes("failed calling webhook") || senselessPatch.test(text) || (status === 503 && noBackend.test(text));
    return { status, text, excused };
  } catch (error) {
    return `the answer's body threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

/** Everything that is stored can be read, and is what its key says. */
function brokenObjects({ store }: Harness): string | undefined {
  for (const { key, value } of store.list("/registry/").entries) {
    const object = JSON.parse(value) as { readonly metadata?: { readonly name?: string; readonly uid?: string } };
    if (object.metadata?.name !== key.split("/").at(-1) || object.metadata?.uid === undefined) return `stored under ${key}: ${value.slice(0, 200)}`;
  }
  return undefined;
}
