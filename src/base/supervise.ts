import { InvariantViolation } from "./assert.ts";
import type { Clock } from "./clock.ts";
import { messageOf, type Log } from "./log.ts";

/** Something that runs until told to stop. A rejected or returned `run` means: start me again. */
export type Service = { readonly name: string; run(signal: AbortSignal): Promise<void> };

/**
 * Keeps a service running until `signal` aborts, restarting it after a wait that doubles up to `maxWaitMs`
 * and falls back once it has run well for that long. The one place in the system that retries by restarting.
 */
export async function supervise(service: Service, options: { clock: Clock; maxWaitMs: number; log: Log }, signal: AbortSignal): Promise<void> {
  let wait = 10;
  while (!signal.aborted) {
    const started = options.clock.monotonic();
    try {
      await service.run(signal);
    } catch (error) {
      if (error instanceof InvariantViolation) throw error;
      if (!signal.aborted) options.log.warn(`${service.name} stopped, starting it again`, { error: messageOf(error), waitMs: wait });
    }
    if (options.clock.monotonic() - started > options.maxWaitMs) wait = 10;
    await options.clock.sleep(wait, signal);
    wait = Math.min(wait * 2, options.maxWaitMs);
  }
}
