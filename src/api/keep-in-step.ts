/** What the server keeps right by itself: looked at when it starts, and again whenever something that it depends on has changed. */
import type { Core } from "./core.ts";

export type InStepOptions = {
  /** Changes of keys under it are looked at, from now on. */
  readonly prefix: string;
  /** More to listen to; gives how to stop. */
  readonly onChange?: (note: () => void) => () => void;
  /** Changes are gathered for so long after each pass, so that a fight with another writer is a slow one. */
  readonly settleMs?: number;
};

/** Calls `pass` until `signal` aborts: never twice at once, and once more for all that changed meanwhile. Rejects with what it throws. */
export async function keepInStep({ store, clock }: Pick<Core, "store" | "clock">, { prefix, onChange, settleMs = 0 }: InStepOptions, pass: () => Promise<void>, signal: AbortSignal): Promise<void> {
  let [dirty, wake] = [true, (): void => undefined];
  const note = (): void => {
    dirty = true;
    wake();
  };
  const stop = onChange?.(note);
  const watch = store.watch(prefix, store.revision, note);
  const abort = (): void => wake();
  signal.addEventListener("abort", abort, { once: true });
  try {
    while (!signal.aborted) {
      if (dirty) {
        dirty = false;
        await pass();
        if (settleMs > 0) await clock.sleep(settleMs, signal);
      } else await new Promise<void>(resolve => (wake = resolve));
    }
  } finally {
    stop?.();
    if (!("compacted" in watch)) watch.close();
    signal.removeEventListener("abort", abort);
  }
}
