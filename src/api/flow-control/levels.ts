/** Priority levels and flow schemas as they are in force: digested from what is stored, keeping each level's queues over every change (apiserver pkg/util/flowcontrol/apf_controller.go). */
import { adjustMs } from "./demand.ts";
import { SchemaFigures } from "./figures.ts";
import { byPrecedence, Matcher } from "./match.ts";
import { catchAllName, exemptName, mandatoryLevels, mandatorySchemas, type LevelObject, type LevelSpec, type SchemaObject } from "./objects.ts";
import { Queues, type QueueConfig } from "./queues.ts";
import { allot, limitsOf, requestSeatsMax, serverSeats, sharesOf, type Limits } from "./shares.ts";
import { RetryAfter } from "./retry-after.ts";
import { Dealer } from "./shuffle.ts";

export type Level = {
  readonly name: string;
  readonly queues: Queues;
  readonly retryAfter: RetryAfter;
  uid: string;
  spec: LevelSpec;
  limits: Limits;
  current: number;
  target: number;
  seatsMax: number;
  dealer: Dealer | undefined;
  /** Its object is gone; it goes when its last request is done. */
  quiescing: boolean;
};

/** One flow schema in force. */
export type Flow = { readonly name: string; readonly uid: string; readonly level: Level; readonly distinguish: "" | "ByUser" | "ByNamespace"; readonly figures: SchemaFigures };

export class Levels {
  readonly #hash: (text: string) => Uint8Array;
  readonly #figures = new Map<string, SchemaFigures>();
  #levels = new Map<string, Level>();
  #flows: readonly Flow[] = [];
  #matcher!: Matcher<Flow>;
  #adjustedMs = 0;
  /** Fraction of everybody's target that was given in the last division. */
  fraction = 0;

  constructor(hash: (text: string) => Uint8Array, nowMs: number) {
    this.#hash = hash;
    this.configure([], [], nowMs);
  }

  get all(): readonly Level[] { return [...this.#levels.values()].sort((a, b) => (a.name < b.name ? -1 : 1)); }
  get flows(): readonly Flow[] { return this.#flows; }
  get matcher(): Matcher<Flow> { return this.#matcher; }
  get figures(): ReadonlyMap<string, SchemaFigures> { return this.#figures; }

  /** Takes what is stored into force. What is missing of the mandatory objects is made up. */
  configure(levels: readonly LevelObject[], schemas: readonly SchemaObject[], nowMs: number): void {
    const wanted = new Map(levels.filter(sound).map(level => [level.metadata.name, level]));
    for (const level of mandatoryLevels) if (!wanted.has(level.metadata.name)) wanted.set(level.metadata.name, level);
    const next = new Map<string, Level>();
    for (const [name, { metadata, spec }] of wanted) {
      const level = this.#levels.get(name) ?? fresh(name, spec, nowMs);
      [level.uid, level.spec, level.quiescing] = [metadata.uid ?? "", spec, false];
      next.set(name, level);
    }
    for (const [name, level] of this.#levels) if (!next.has(name) && !level.queues.idle) {
      level.quiescing = true;
      next.set(name, level);
    }
    const shareSum = [...next.values()].reduce((sum, { spec }) => sum + sharesOf(spec), 0);
    for (const level of next.values()) {
      const isNew = !this.#levels.has(level.name);
      level.limits = limitsOf(level.spec, shareSum);
      level.seatsMax = requestSeatsMax(level.spec, level.limits.nominal);
      const { queues, handSize } = configOf(level.spec);
      level.dealer = queues > 0 ? new Dealer(this.#hash, queues, handSize) : undefined;
      if (isNew) level.current = level.limits.nominal - Math.floor((level.limits.nominal - level.limits.min) / 2);
    }
    this.#levels = next;
    this.#match(schemas);
    this.#divide(nowMs);
  }

  /** Lends and borrows anew when the last time is long enough ago; asked at every request, since without requests nobody lacks anything. */
  adjust(nowMs: number): void {
    if (nowMs - this.#adjustedMs >= adjustMs) this.#divide(nowMs);
  }

  #match(schemas: readonly SchemaObject[]): void {
    const known = schemas.filter(({ spec }) => this.#levels.get(spec.priorityLevelConfiguration.name)?.quiescing === false);
    const inForce = [...known].sort(byPrecedence);
    const missing = (name: string): readonly SchemaObject[] => (known.some(({ metadata }) => metadata.name === name) ? [] : mandatorySchemas.filter(({ metadata }) => metadata.name === name));
    const ordered = [...missing(exemptName), ...inForce, ...missing(catchAllName)];
    const compiled = ordered.map(({ metadata: { name, uid = "" }, spec }) => {
      const level = this.#levels.get(spec.priorityLevelConfiguration.name)!;
      const target: Flow = { name, uid, level, distinguish: (spec.distinguisherMethod?.type ?? "") as Flow["distinguish"], figures: this.#figuresOf(level.name, name) };
      return { spec, target };
    });
    this.#flows = compiled.map(({ target }) => target);
    this.#matcher = new Matcher(compiled, compiled.find(({ target }) => target.name === catchAllName)!.target);
  }

  #figuresOf(level: string, schema: string): SchemaFigures {
    const key = `${level}\0${schema}`;
    const known = this.#figures.get(key);
    if (known !== undefined) return known;
    const figures = new SchemaFigures(level, schema);
    this.#figures.set(key, figures);
    return figures;
  }

  #divide(nowMs: number): void {
    this.#adjustedMs = nowMs;
    const levels = [...this.#levels.values()];
    for (const { queues } of levels) queues.demand.close(nowMs);
    const { seats, targets, fraction } = allot(levels.map(({ spec, limits, queues, current }) => ({ exempt: spec.type === "Exempt", limits, highest: queues.demand.highest, smoothed: queues.demand.smoothed, current })));
    this.fraction = fraction;
    levels.forEach((level, i) => {
      [level.current, level.target] = [seats[i]!, targets[i]!];
      level.queues.configure(configOf(level.spec), level.current, nowMs);
    });
  }
}

/** An object written past validation must not stop everybody's requests. */
function sound({ metadata: { name }, spec }: LevelObject): boolean {
  if ((spec.type === "Exempt") !== (name === exemptName) || (spec.type === "Exempt") !== (spec.exempt !== undefined) || (spec.type === "Limited") !== (spec.limited !== undefined)) return false;
  return spec.limited === undefined || (spec.limited.limitResponse.type === "Queue") === (spec.limited.limitResponse.queuing !== undefined);
}

function fresh(name: string, spec: LevelSpec, nowMs: number): Level {
  return { name, queues: new Queues(nowMs), retryAfter: new RetryAfter(), uid: "", spec, limits: { nominal: 0, min: 0, max: serverSeats }, current: 0, target: 0, seatsMax: 0, dealer: undefined, quiescing: false };
}

function configOf({ limited }: LevelSpec): QueueConfig {
  if (limited === undefined) return { queues: -1, handSize: 0, lengthMax: 0 };
  const { queuing } = limited.limitResponse;
  return queuing === undefined ? { queues: 0, handSize: 0, lengthMax: 0 } : { queues: queuing.queues, handSize: queuing.handSize, lengthMax: queuing.queueLengthLimit };
}
