/** Audit events to another server, in batches (apiserver plugin/pkg/audit/buffered, webhook; upstream's default limits). */
import type { Clock } from "../../base/clock.ts";
import { messageOf, type Log } from "../../base/log.ts";

export type PostEvents = (body: string, timeoutMs: number) => Promise<{ readonly status: number; readonly body: string }>;

/** --audit-webhook-batch-*: events held, events in one batch, the longest wait for more, batches a second and at once. */
export const batchLimits = { bufferEvents: 10_000, bufferChars: 64 << 20, batchEvents: 400, waitMs: 30_000, perSecond: 10, burst: 15, triesMax: 5, backOffMs: 10_000, timeoutMs: 30_000 } as const;

export class AuditWebhook {
  readonly #post: PostEvents;
  readonly #clock: Clock;
  readonly #log: Log;
  #waiting: string[] = [];
  #chars = 0;
  #lost = 0;
  #tokens: number = batchLimits.burst;
  #tokensAtMs: number;
  #running: Promise<void> | undefined;
  #wake: () => void = () => undefined;
  #closed = false;

  constructor(post: PostEvents, clock: Clock, log: Log) {
    [this.#post, this.#clock, this.#log] = [post, clock, log];
    this.#tokensAtMs = clock.monotonic();
  }

  /** Takes one event; past the limits it is lost, and that is said. */
  append(line: string): void {
    if (this.#closed) return;
    if (this.#waiting.length >= batchLimits.bufferEvents || this.#chars + line.length > batchLimits.bufferChars) {
      if (this.#lost++ === 0) this.#log.error("the audit webhook is too slow: events are being lost", { bufferEvents: batchLimits.bufferEvents });
      return;
    }
    this.#waiting.push(line);
    this.#chars += line.length;
    if (this.#waiting.length >= batchLimits.batchEvents) this.#wake();
    this.#running ??= this.#run().finally(() => { this.#running = undefined; });
  }

  /** Sends what waits, once. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      if (this.#waiting.length < batchLimits.batchEvents && !this.#closed) await new Promise<void>(resolve => {
        const stop = this.#clock.after(batchLimits.waitMs, resolve);
        this.#wake = () => { stop(); resolve(); };
      });
      await this.#token();
      const batch = this.#waiting.splice(0, batchLimits.batchEvents);
      this.#chars -= batch.reduce((sum, line) => sum + line.length, 0);
      await this.#send(batch);
      if (this.#lost > 0) this.#log.warn("audit events were lost on their way to the webhook", { count: this.#lost });
      this.#lost = 0;
    }
  }

  async #send(batch: readonly string[]): Promise<void> {
    const body = `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${batch.join(",")}]}`;
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#post(body, batchLimits.timeoutMs).catch((error: unknown) => messageOf(error));
      if (typeof answer !== "string" && answer.status >= 200 && answer.status < 300) return;
      const retry = typeof answer === "string" || answer.status >= 500 || answer.status === 429;
      if (!retry || attempt >= batchLimits.triesMax || this.#closed) {
        this.#log.error("audit events could not be sent", { events: batch.length, error: typeof answer === "string" ? answer : `status ${answer.status}` });
        return;
      }
      await this.#clock.sleep(batchLimits.backOffMs * 1.5 ** (attempt - 1));
    }
  }

  async #token(): Promise<void> {
    for (;;) {
      const nowMs = this.#clock.monotonic();
      this.#tokens = Math.min(batchLimits.burst, this.#tokens + ((nowMs - this.#tokensAtMs) * batchLimits.perSecond) / 1000);
      this.#tokensAtMs = nowMs;
      if (this.#tokens >= 1 || this.#closed) return void this.#tokens--;
      await this.#clock.sleep(1000 / batchLimits.perSecond);
    }
  }
}
