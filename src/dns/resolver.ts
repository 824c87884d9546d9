/** One query in, one answer out: from the cluster's zone, from memory, or from an upstream name server. */
import type { Clock } from "../base/clock.ts";
import { messageOf, type Log } from "../base/log.ts";
import { NotKnownYet } from "./cluster-view.ts";
import { answerFromZone, type ClusterView, type ZoneSettings } from "./cluster-zone.ts";
import { encodeRefusal, encodeReply, parseQuery, rcodes, types, type DnsRecord, type Query, type Question, type Reply } from "./message.ts";
import { addressRecords, rcodeOf, renumbered, ttlsOf, withAge } from "./upstream-message.ts";

export const resolverLimits = { cacheEntries: 10_000, ttlSecondsMax: 30, negativeTtlSeconds: 5, forwardsMax: 1_000, tcpBytesMax: 65_535, /** Queries that wait until it is known what exists, and how long. */ waitingMax: 1_000, waitMs: 2_000 } as const;

export type ResolverOptions = {
  readonly view: ClusterView;
  readonly settings: ZoneSettings;
  /** Sends a query to an upstream server and gives its answer; rejects when none answers. Absent: names outside the zone are refused. */
  readonly forward?: (query: Uint8Array) => Promise<Uint8Array>;
  readonly clock: Clock;
  readonly log: Log;
};

type Cached = { readonly bytes: Uint8Array; readonly ttls: readonly number[]; readonly storedMs: number; readonly untilMs: number };

export class Resolver {
  readonly #options: ResolverOptions;
  /** Answers from upstream by question, oldest first. */
  readonly #cache = new Map<string, Cached>();
  /** Questions that are being forwarded: whoever asks the same waits for the same answer. */
  readonly #asking = new Map<string, Promise<Uint8Array>>();

  /** Counts answers, so that clients that take the first address spread over all. */
  #answered = 0;
  /** Queries that wait until it is known what exists. */
  #waiting = 0;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** `undefined` for what deserves no answer. Never rejects. */
  async answer(bytes: Uint8Array, transport: "udp" | "tcp"): Promise<Uint8Array | undefined> {
    const query = parseQuery(bytes);
    if (query === undefined) return undefined;
    if ("refuse" in query) return encodeRefusal(query.id, query.refuse, query.opcode);
    const bytesMax = transport === "tcp" ? resolverLimits.tcpBytesMax : query.bytesMax;
    const tryAnswer = () => this.#answer(query, bytes, bytesMax, transport);
    try {
      return await tryAnswer().catch(async (error: unknown) => {
        if (!(error instanceof NotKnownYet) || this.#waiting >= resolverLimits.waitingMax) throw error;
        // A client waits for longer than we need to learn it, and remembers a "no".
        await this.#until(error.known);
        return tryAnswer();
      });
    } catch (error) {
      this.#options.log.debug("no answer", { name: query.name, type: query.type, error: messageOf(error) });
      return encodeReply(query, failure, bytesMax);
    }
  }

  async #answer(query: Query, bytes: Uint8Array, bytesMax: number, transport: "udp" | "tcp"): Promise<Uint8Array> {
    const found = await this.#zoneAnswer(query);
    if (found === undefined) return await this.#fromUpstream(query, bytes, transport);
    const rotated = { ...found, answers: turned(found.answers, this.#answered++) };
    const reply = found.cname !== undefined && query.type !== types.CNAME ? { ...found, answers: [...found.answers, ...(await this.#follow(found.cname, query))] } : rotated;
    return encodeReply(query, reply, bytesMax);
  }

  async #zoneAnswer(question: Question): ReturnType<typeof answerFromZone> {
    const found = await answerFromZone(question, this.#options.view, this.#options.settings);
    if (found?.rcode === rcodes.NXDOMAIN) this.#options.view.denying?.();
    return found;
  }

  async #until(known: Promise<void>): Promise<void> {
    const stop = new AbortController();
    this.#waiting++;
    await Promise.race([known, this.#options.clock.sleep(resolverLimits.waitMs, stop.signal)]);
    this.#waiting--;
    stop.abort();
  }

  /** The addresses behind an ExternalName's target; none if it cannot be resolved, since the alias itself is still right. */
  async #follow(target: string, query: Query): Promise<readonly DnsRecord[]> {
    const inside = await this.#zoneAnswer({ name: target, type: query.type });
    if (inside !== undefined) return inside.answers;
    try {
      const question = encodeReply({ ...query, name: target, asked: target, edns: false }, { rcode: 0, authoritative: false, answers: [] }, 512);
      // The same bytes as an answer, with the answer bit off and recursion asked for: a query.
      question[2] = 0x01;
      question[3] = 0x00;
      return addressRecords(await this.#ask(`${target} ${query.type} tcp`, question));
    } catch (error) {
      this.#options.log.debug("an ExternalName's target was not resolved", { target, error: messageOf(error) });
      return [];
    }
  }

  async #fromUpstream(query: Query, bytes: Uint8Array, transport: "udp" | "tcp"): Promise<Uint8Array> {
    if (this.#options.forward === undefined) return encodeReply(query, { ...failure, rcode: rcodes.REFUSED }, query.bytesMax);
    // Letter case, EDNS and transport change the answer's bytes, so they are part of the key.
    const key = `${query.asked} ${query.type} ${query.edns ? query.bytesMax : 0} ${transport}`;
    const cached = this.#cache.get(key);
    const now = this.#options.clock.monotonic();
    if (cached !== undefined && cached.untilMs > now) return withAge(cached.bytes, query.id, cached.ttls, Math.floor((now - cached.storedMs) / 1000));
    return renumbered(await this.#ask(key, bytes), query.id);
  }

  #ask(key: string, query: Uint8Array): Promise<Uint8Array> {
    const asking = this.#asking.get(key);
    if (asking !== undefined) return asking;
    const { forward } = this.#options;
    if (forward === undefined) throw new Error("no upstream name server is known");
    if (this.#asking.size >= resolverLimits.forwardsMax) throw new Error(`${resolverLimits.forwardsMax} queries wait for upstream servers already`);
    const answer = forward(query).then(bytes => {
      this.#remember(key, bytes);
      return bytes;
    }).finally(() => this.#asking.delete(key));
    this.#asking.set(key, answer);
    return answer;
  }

  #remember(key: string, bytes: Uint8Array): void {
    const rcode = rcodeOf(bytes);
    if (rcode !== rcodes.NOERROR && rcode !== rcodes.NXDOMAIN) return;
    const ttls = ttlsOf(bytes);
    if (ttls === undefined) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const lowest = Math.min(resolverLimits.ttlSecondsMax, ...ttls.map(at => view.getUint32(at)));
    const seconds = ttls.length === 0 || rcode === rcodes.NXDOMAIN ? Math.min(lowest, resolverLimits.negativeTtlSeconds) : lowest;
    const now = this.#options.clock.monotonic();
    this.#cache.delete(key);
    this.#cache.set(key, { bytes, ttls, storedMs: now, untilMs: now + seconds * 1000 });
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= resolverLimits.cacheEntries) break;
      this.#cache.delete(oldest);
    }
  }
}

/** The records from another one on, round after round. */
function turned(records: readonly DnsRecord[], turn: number): readonly DnsRecord[] {
  const start = records.length > 1 ? turn % records.length : 0;
  return start === 0 ? records : [...records.slice(start), ...records.slice(0, start)];
}

const failure: Reply = { rcode: rcodes.SERVFAIL, authoritative: false, answers: [] };
