/**
 * Gives every pod a node: takes pods from the queue, decides (`schedulePod`), and tells the API. The deciding is one
 * synchronous step over what is known; writing goes on beside it, so the next pod does not wait for the last one's answer.
 */
import { isApiError } from "../base/api-error.ts";
import { InvariantViolation } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";
import { type Log, messageOf } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Service } from "../base/supervise.ts";
import type { Client } from "../client/client.ts";
import { EventRecorder } from "../client/events.ts";
import type { Informers } from "../client/informers.ts";
import { ClusterFeed } from "./cluster-feed.ts";
import { explain, rejectedBy } from "./explain.ts";
import type { PodInfo } from "./pod-info.ts";
import { type Preemption, planPreemption } from "./preemption.ts";
import { type QueuedPod, SchedulingQueue } from "./queue.ts";
import { type Diagnosis, schedulePod } from "./schedule-pod.ts";
import { applyNomination, bindPod, evictVictims, reportUnschedulable, type Writer } from "./writes.ts";

export type SchedulerOptions = { readonly client: Client; readonly informers: Informers; readonly clock: Clock; readonly random: Random; readonly log: Log; readonly schedulerName?: string };

/** Writes that may wait for their answers at a time; beyond, scheduling pauses. */
const writesMax = 512;
/** Pods decided on before everything else in the process gets its turn. */
const decisionsAtOnce = 64;

export class Scheduler implements Service {
  readonly name = "scheduler";
  readonly #options: SchedulerOptions;
  readonly #diagnoses = new Map<string, Diagnosis>();

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Why a pod has no node yet: what every node said when it was last tried. */
  why(uid: string): Diagnosis | undefined {
    return this.#diagnoses.get(uid);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { client, informers, clock, random, log, schedulerName = "default-scheduler" } = this.#options;
    const queue = new SchedulingQueue(clock);
    const events = new EventRecorder({ component: schedulerName, client, clock, random, log });
    const feed = new ClusterFeed(informers, queue, schedulerName, uid => void this.#diagnoses.delete(uid));
    const run: Run = { queue, feed, writer: { client, events, clock }, writing: 0, rested: undefined };
    try {
      await feed.start(signal);
      while (!signal.aborted) {
        let decisions = 0;
        for (let pod = queue.take(); pod !== undefined; pod = decisions < decisionsAtOnce && run.writing < writesMax ? queue.take() : undefined) {
          this.#decide(pod, run);
          decisions++;
        }
        if (run.writing >= writesMax) await new Promise<void>(resolve => { run.rested = resolve; });
        else if (decisions >= decisionsAtOnce) await clock.sleep(0, signal);
        await queue.ready(signal);
      }
    } finally {
      feed.stop();
      queue.close();
      events.close();
      this.#diagnoses.clear();
    }
  }

  #decide(queued: QueuedPod, run: Run): void {
    const { cluster } = run.feed;
    const pod = queued.info;
    const decision = schedulePod(pod, cluster, this.#options.random);
    if (decision.node !== undefined) {
      cluster.denominate(pod.uid);
      cluster.assume(pod, decision.node);
      this.#write(run, `binding ${pod.pod.metadata.name}`, this.#bind(queued, decision.node, run));
      return;
    }
    const { diagnosis } = decision;
    this.#diagnoses.set(pod.uid, diagnosis);
    const preemption = planPreemption(pod, diagnosis, cluster, this.#options.random);
    if (preemption.node !== undefined) cluster.nominate(pod, preemption.node);
    else if (preemption.clear) cluster.denominate(pod.uid);
    run.queue.fail(queued, rejectedBy(diagnosis));
    this.#write(run, `telling that ${pod.pod.metadata.name} has no node`, this.#report(pod, diagnosis, preemption, run));
  }

  async #bind(queued: QueuedPod, node: string, { queue, feed, writer }: Run): Promise<void> {
    const pod = queued.info;
    try {
      await bindPod(writer, pod.pod, node);
      queue.delete(pod.uid);
      this.#diagnoses.delete(pod.uid);
    } catch (error) {
      // What the informer has shown meanwhile is the truth: then the pod has its node after all.
      if (!feed.cluster.forget(pod.uid)) return;
      feed.placeFreed(pod);
      if (isApiError(error, "NotFound")) return queue.delete(pod.uid);
      queue.retry(queued);
      if (!isApiError(error, "Conflict")) await reportUnschedulable(writer, pod.pod, { reason: "SchedulerError", message: `running Bind plugin "DefaultBinder": ${messageOf(error)}`, nominated: undefined });
    }
  }

  async #report(pod: PodInfo, diagnosis: Diagnosis, preemption: Preemption, { writer, feed }: Run): Promise<void> {
    // Quirk: claims are no part of this, but upstream's plugin for them always has its say. See plugins/dynamicresources/dynamicresources.go, PostFilter.
    const afterwards = preemption.node === undefined ? `no new claims to deallocate, preemption: ${preemption.message}` : "";
    const message = diagnosis.nodesCount === 0 ? "no nodes available to schedule pods" : explain(diagnosis, afterwards);
    if (preemption.node !== undefined) await evictVictims(writer, pod, preemption.node, preemption.victims);
    const nominated = preemption.node ?? (preemption.clear ? "" : undefined);
    await reportUnschedulable(writer, pod.pod, { reason: "Unschedulable", message, nominated });
    if (preemption.node !== undefined) for (const other of feed.cluster.nominatedTo(preemption.node)) if (other.priority < pod.priority) { feed.cluster.denominate(other.uid); await applyNomination(writer, other.pod, ""); }
  }

  /** Lets a write go on by itself; what the API refuses is not fatal, the pod is looked at again when something changes. */
  #write(run: Run, what: string, done: Promise<void>): void {
    run.writing++;
    void done.catch((error: unknown) => {
      if (error instanceof InvariantViolation) throw error;
      if (!isApiError(error, "NotFound")) this.#options.log.warn(`${what} failed`, { error: messageOf(error) });
    }).finally(() => {
      run.writing--;
      run.rested?.();
      run.rested = undefined;
    });
  }
}

type Run = { readonly queue: SchedulingQueue; readonly feed: ClusterFeed; readonly writer: Writer; writing: number; rested: (() => void) | undefined };
