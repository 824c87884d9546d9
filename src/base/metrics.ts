/** Figures for Prometheus. Components get a `Metrics` and declare theirs; `render` writes the text exposition format. */
import { assert } from "./assert.ts";

/** Distinct label combinations one metric keeps; what comes after goes to a series labelled `other`, so that no client can fill memory. */
const seriesMax = 5_000;

export type LabelValues = readonly (string | number)[];
interface Series {
  /** Forgets one series: what it counted is gone, and will be counted from zero should it come back. */
  remove(...labels: LabelValues): void;
}
export interface Counter extends Series {
  add(value: number, ...labels: LabelValues): void;
  /** Adds to one series, for who does so very often; the series is not to be removed. */
  adder(...labels: LabelValues): (value: number) => void;
}
export interface Gauge extends Counter {
  set(value: number, ...labels: LabelValues): void;
}
export interface Histogram extends Series {
  observe(value: number, ...labels: LabelValues): void;
  /** One series, for who adds to it very often; it is not to be removed. */
  spread(...labels: LabelValues): Spread;
}
/** Prometheus' default buckets, for durations in seconds. */
export const defaultBuckets: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** `count` bounds, each `factor` times the one before. */
export function exponentialBuckets(first: number, factor: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => Number((first * factor ** i).toPrecision(12)));
}

export class Metrics {
  readonly #families = new Map<string, Family>();

  counter(name: string, help: string, labels: readonly string[] = []): Counter {
    return this.#add(name, new Scalar("counter", name, help, labels));
  }
  gauge(name: string, help: string, labels: readonly string[] = []): Gauge {
    return this.#add(name, new Scalar("gauge", name, help, labels));
  }
  /** A figure that is read when somebody looks. */
  observed(name: string, help: string, read: () => number, type: "gauge" | "counter" = "gauge"): void {
    this.observedSeries(name, help, [], () => [[[], read()]], type);
  }
  /** Likewise, one figure for each combination of labels; each combination may come once. */
  observedSeries(name: string, help: string, labels: readonly string[], read: () => Iterable<readonly [LabelValues, number]>, type: "gauge" | "counter" = "gauge"): void {
    this.family(name, help, type, function* () {
      for (const [values, value] of read()) yield sampleText(name, labels, values, value);
    });
  }
  histogram(name: string, help: string, buckets: readonly number[], labels: readonly string[] = []): Histogram {
    return this.#add(name, new Buckets(name, help, buckets, labels));
  }
  /** Figures that their owner keeps and writes by itself: `render` gives them series by series. */
  family(name: string, help: string, type: FigureType, render: () => Iterable<string>, reset?: () => void): void {
    this.#add(name, { help, type, render, ...(reset === undefined ? {} : { reset }) });
  }
  /** Forgets what was counted by labels, as upstream's vectors do; figures that are read when somebody looks stay what they are. */
  reset(): void {
    for (const family of this.#families.values()) family.reset?.();
  }
  render(): string {
    return [...this.pieces()].join("");
  }
  /** The same one series after another: there may be megabytes, and others have a turn in between. A series begins and ends in one piece, so that its buckets agree. */
  *pieces(): Generator<string> {
    for (const [name, family] of this.#families) {
      let head = `# HELP ${name} ${family.help}\n# TYPE ${name} ${family.type}\n`;
      for (const series of family.render()) {
        yield head + series;
        head = "";
      }
    }
  }

  #add<F extends Family>(name: string, family: F): F {
    assert(!this.#families.has(name), `metric ${name} is declared once`);
    this.#families.set(name, family);
    return family;
  }
}

export type FigureType = "counter" | "gauge" | "histogram";
type Family = { readonly help: string; readonly type: FigureType; render(): Iterable<string>; reset?(): void };

const separator = "\u0001";
/** Prometheus writes infinity its own way. */
function numberText(value: number): string {
  return value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value);
}
function keyOf(series: ReadonlyMap<string, unknown>, labels: LabelValues): string {
  const key = labels.join(separator);
  return series.size < seriesMax || series.has(key) ? key : labels.map(() => "other").join(separator);
}
const escape = (text: string): string => text.replace(/[\\"\n]/g, char => (char === "\n" ? "\\n" : `\\${char}`));
/** `{a="1",b="2"}`; empty without labels. */
export function labelText(names: readonly string[], values: LabelValues): string {
  const all = names.map((name, i) => `${name}="${escape(String(values[i] ?? ""))}"`);
  return all.length === 0 ? "" : `{${all.join(",")}}`;
}
/** The line of one series. */
export function sampleText(name: string, names: readonly string[], labels: LabelValues, value: number): string {
  return `${name}${labelText(names, labels)} ${numberText(value)}\n`;
}

/** The counts of one histogram. */
export class Spread {
  readonly bounds: readonly number[];
  /** Of each bucket alone. */
  readonly counts: number[];
  sum = 0;
  count = 0;
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length).fill(0);
  }
  add(value: number): void {
    let bucket = 0;
    while (bucket < this.bounds.length && value > this.bounds[bucket]!) bucket++;
    if (bucket < this.bounds.length) this.counts[bucket]!++;
    this.sum += value;
    this.count++;
  }
  clear(): void {
    this.counts.fill(0);
    this.sum = this.count = 0;
  }
  text(name: string, names: readonly string[], labels: LabelValues): string {
    const { bounds, counts, sum, count } = this;
    const text = labelText(names, labels);
    // Once for all buckets: whoever asks for the figures of thousands of series waits on this.
    const before = `${name}_bucket${text === "" ? "{" : `${text.slice(0, -1)},`}le="`;
    let [total, lines] = [0, ""];
    for (let i = 0; i < bounds.length; i++) lines += `${before}${bounds[i]}"} ${(total += counts[i]!)}\n`;
    return `${lines}${before}+Inf"} ${count}\n${name}_sum${text} ${sum}\n${name}_count${text} ${count}\n`;
  }
}

/** All but those that somebody holds: they begin again. */
function forget<T>(series: Map<string, T>, held: ReadonlySet<T>, clear: (value: T) => void): void {
  for (const [key, value] of series)
    if (held.has(value)) clear(value);
    else series.delete(key);
}

class Scalar implements Gauge {
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly #name: string;
  readonly #labels: readonly string[];
  readonly #series = new Map<string, { value: number }>();
  readonly #held = new Set<{ value: number }>();
  constructor(type: "counter" | "gauge", name: string, help: string, labels: readonly string[]) {
    this.type = type;
    this.help = help;
    this.#name = name;
    this.#labels = labels;
    if (labels.length === 0) this.#series.set("", { value: 0 });
  }
  #of(labels: LabelValues): { value: number } {
    const key = keyOf(this.#series, labels);
    let series = this.#series.get(key);
    if (series === undefined) this.#series.set(key, (series = { value: 0 }));
    return series;
  }
  add(value: number, ...labels: LabelValues): void {
    this.#of(labels).value += value;
  }
  adder(...labels: LabelValues): (value: number) => void {
    const series = this.#of(labels);
    this.#held.add(series);
    return value => { series.value += value; };
  }
  set(value: number, ...labels: LabelValues): void {
    this.#of(labels).value = value;
  }
  remove(...labels: LabelValues): void {
    this.#series.delete(labels.join(separator));
  }
  reset(): void {
    if (this.#labels.length > 0) forget(this.#series, this.#held, series => { series.value = 0; });
  }
  *render(): Generator<string> {
    for (const [key, { value }] of this.#series) yield sampleText(this.#name, this.#labels, key.split(separator), value);
  }
}

class Buckets implements Histogram {
  readonly type = "histogram";
  readonly help: string;
  readonly #name: string;
  readonly #bounds: readonly number[];
  readonly #labels: readonly string[];
  readonly #series = new Map<string, Spread>();
  readonly #held = new Set<Spread>();
  constructor(name: string, help: string, bounds: readonly number[], labels: readonly string[]) {
    this.help = help;
    this.#name = name;
    this.#bounds = bounds;
    this.#labels = labels;
    if (labels.length === 0) this.#seriesOf("");
  }
  #seriesOf(key: string): Spread {
    let series = this.#series.get(key);
    if (series === undefined) this.#series.set(key, (series = new Spread(this.#bounds)));
    return series;
  }
  observe(value: number, ...labels: LabelValues): void {
    this.#seriesOf(keyOf(this.#series, labels)).add(value);
  }
  spread(...labels: LabelValues): Spread {
    const spread = this.#seriesOf(keyOf(this.#series, labels));
    this.#held.add(spread);
    return spread;
  }
  remove(...labels: LabelValues): void {
    this.#series.delete(labels.join(separator));
  }
  reset(): void {
    if (this.#labels.length > 0) forget(this.#series, this.#held, spread => spread.clear());
  }
  *render(): Generator<string> {
    for (const [key, spread] of this.#series) yield spread.text(this.#name, this.#labels, key.split(separator));
  }
}
