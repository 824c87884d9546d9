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
    this.#add(name, { render: () => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name} ${numberText(read())}`] });
  }
  /** Likewise, one figure for each combination of labels; each combination may come once. */
  observedSeries(name: string, help: string, labels: readonly string[], read: () => Iterable<readonly [LabelValues, number]>, type: "gauge" | "counter" = "gauge"): void {
    this.#add(name, {
      render: () => {
        const samples = Array.from(read(), ([values, value]) => `${name}${labelText(labels, values)} ${numberText(value)}`);
        return samples.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples];
      },
    });
  }
  histogram(name: string, help: string, buckets: readonly number[], labels: readonly string[] = []): Histogram {
    return this.#add(name, new Buckets(name, help, buckets, labels));
  }
  /** Figures that their owner keeps and writes by itself, `HELP` and `TYPE` lines included. */
  family(name: string, render: () => readonly string[], reset?: () => void): void {
    this.#add(name, { render, ...(reset === undefined ? {} : { reset }) });
  }
  /** Forgets what was counted by labels, as upstream's vectors do; figures that are read when somebody looks stay what they are. */
  reset(): void {
    for (const family of this.#families.values()) family.reset?.();
  }
  render(): string {
    const lines = [...this.#families.values()].flatMap(family => family.render());
    return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
  }

  #add<F extends Family>(name: string, family: F): F {
    assert(!this.#families.has(name), `metric ${name} is declared once`);
    this.#families.set(name, family);
    return family;
  }
}

type Family = { render(): readonly string[]; reset?(): void };

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
/** The lines of one histogram. `counts`: of each bucket alone. */
export function renderBuckets(lines: string[], name: string, names: readonly string[], labels: LabelValues, bounds: readonly number[], counts: readonly number[], sum: number, count: number): void {
  let total = 0;
  const text = labelText(names, labels);
  // Once for all buckets: whoever asks for the figures of thousands of series waits on this.
  const before = `${name}_bucket${text === "" ? "{" : `${text.slice(0, -1)},`}le="`;
  for (let i = 0; i < bounds.length; i++) lines.push(`${before}${bounds[i]}"} ${(total += counts[i]!)}`);
  lines.push(`${before}+Inf"} ${count}`, `${name}_sum${text} ${sum}`, `${name}_count${text} ${count}`);
}

class Scalar implements Gauge {
  readonly #head: readonly string[];
  readonly #name: string;
  readonly #labels: readonly string[];
  readonly #series = new Map<string, { value: number }>();
  readonly #held = new Set<{ value: number }>();
  constructor(type: string, name: string, help: string, labels: readonly string[]) {
    this.#head = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
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
    if (this.#labels.length === 0) return;
    for (const [key, series] of this.#series) {
      if (this.#held.has(series)) series.value = 0;
      else this.#series.delete(key);
    }
  }
  render(): readonly string[] {
    if (this.#series.size === 0) return [];
    return [...this.#head, ...[...this.#series].map(([key, { value }]) => `${this.#name}${labelText(this.#labels, key.split(separator))} ${numberText(value)}`)];
  }
}

class Buckets implements Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #labels: readonly string[];
  readonly #series = new Map<string, { readonly counts: number[]; sum: number; count: number }>();
  constructor(name: string, help: string, bounds: readonly number[], labels: readonly string[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
    this.#labels = labels;
    if (labels.length === 0) this.#seriesOf("");
  }
  #seriesOf(key: string): { readonly counts: number[]; sum: number; count: number } {
    let series = this.#series.get(key);
    if (series === undefined) this.#series.set(key, (series = { counts: new Array<number>(this.#bounds.length).fill(0), sum: 0, count: 0 }));
    return series;
  }
  observe(value: number, ...labels: LabelValues): void {
    const series = this.#seriesOf(keyOf(this.#series, labels));
    let bucket = 0;
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++;
    if (bucket < this.#bounds.length) series.counts[bucket]!++;
    series.sum += value;
    series.count++;
  }
  remove(...labels: LabelValues): void {
    this.#series.delete(labels.join(separator));
  }
  reset(): void {
    if (this.#labels.length > 0) this.#series.clear();
  }
  render(): readonly string[] {
    if (this.#series.size === 0) return [];
    const lines = [`# HELP ${this.#name} ${this.#help}`, `# TYPE ${this.#name} histogram`];
    for (const [key, { counts, sum, count }] of this.#series) renderBuckets(lines, this.#name, this.#labels, key.split(separator), this.#bounds, counts, sum, count);
    return lines;
  }
}
