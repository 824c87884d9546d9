/** A strict reader of Prometheus' text format 0.0.4: whatever a scraper might only warn of throws. */
import assert from "node:assert/strict";

export type Sample = { readonly name: string; readonly labels: { readonly [name: string]: string }; readonly value: number };
export type Scrape = { readonly types: ReadonlyMap<string, string>; readonly samples: ReadonlyMap<string, Sample> };

const namePattern = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelPattern = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export function parseMetrics(text: string): Scrape {
  assert.ok(text === "" || text.endsWith("\n"), "the text ends with a line break");
  const [helps, types, samples, over] = [new Set<string>(), new Map<string, string>(), new Map<string, Sample>(), new Set<string>()];
  let family = "";
  for (const line of text === "" ? [] : text.slice(0, -1).split("\n")) {
    const [, kind, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === undefined) {
      const sample = sampleOf(line);
      const type = types.get(family);
      const names = type === "histogram" ? [`${family}_bucket`, `${family}_sum`, `${family}_count`] : [family];
      assert.ok(names.includes(sample.name), `${line}: does not belong to ${family}`);
      const key = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`;
      assert.ok(!samples.has(key), `${line}: is there twice`);
      if (type !== "gauge" && type !== "untyped") assert.ok(sample.value >= 0, `${line}: is negative`);
      samples.set(key, sample);
      continue;
    }
    assert.match(name, namePattern);
    assert.ok(!over.has(name), `${name} comes in two places`);
    if (name !== family) over.add(family);
    family = name;
    if (kind === "HELP") {
      assert.ok(!helps.has(name) && !types.has(name), `${name}: HELP once, and before TYPE`);
      assert.notEqual(rest, "", `${name} says what it is`);
      helps.add(name);
    } else {
      assert.ok(!types.has(name), `${name}: TYPE once`);
      assert.match(rest, /^(counter|gauge|histogram|summary|untyped)$/);
      types.set(name, rest);
    }
  }
  for (const name of types.keys()) assert.ok(helps.has(name), `${name} has no HELP`);
  for (const [name, type] of types) if (type === "histogram") checkHistogram(name, [...samples.values()]);
  return { types, samples };
}

/** The value of the one series with these labels and perhaps others; undefined: there is none. */
export function valueOf({ samples }: Scrape, name: string, labels: { readonly [name: string]: string } = {}): number | undefined {
  const found = [...samples.values()].filter(sample => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value));
  assert.ok(found.length < 2, `${name}${JSON.stringify(labels)} is ${found.length} series`);
  return found[0]?.value;
}

/** What only grows has not shrunk, and none of it is gone but what `mayGo`. */
export function assertGrown(before: Scrape, after: Scrape, mayGo: (name: string) => boolean = () => false): void {
  for (const [key, { name, value }] of before.samples) {
    const family = name.replace(/_(bucket|sum|count)$/, "");
    if (before.types.get(name) !== "counter" && before.types.get(family) !== "histogram") continue;
    const now = after.samples.get(key);
    if (now === undefined && mayGo(name)) continue;
    assert.ok(now !== undefined && now.value >= value, `${key} went from ${value} to ${now?.value}`);
  }
}

function sampleOf(line: string): Sample {
  const head = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{?)/.exec(line);
  assert.ok(head, `${line}: is no sample`);
  const [start, name = "", brace] = head;
  let rest = line.slice(start.length);
  const labels: { [name: string]: string } = {};
  if (brace === "{")
    for (let more = true; more;) {
      const label = /^([^=]+)="((?:[^"\\\n]|\\[\\"n])*)"([,}])/.exec(rest);
      assert.ok(label, `${line}: labels`);
      const [whole, key = "", value = "", end] = label;
      assert.match(key, labelPattern);
      assert.ok(!Object.hasOwn(labels, key), `${line}: label ${key} twice`);
      labels[key] = value.replace(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
      rest = rest.slice(whole.length);
      more = end === ",";
    }
  const [, value = ""] = /^ (\S+)(?: \d+)?$/.exec(rest) ?? [];
  const number = value === "+Inf" ? Infinity : value === "-Inf" ? -Infinity : Number(value);
  assert.ok(value !== "" && !Number.isNaN(number), `${line}: value`);
  return { name, labels, value: number };
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const series = new Map<string, { last: number; bound: number; count?: number; sum?: number; inf?: number }>();
  for (const { name: own, labels: { le, ...labels }, value } of samples) {
    if (![`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(own)) continue;
    const key = JSON.stringify(Object.entries(labels).sort());
    const state = series.get(key) ?? { last: 0, bound: -Infinity };
    series.set(key, state);
    if (own === `${name}_sum`) state.sum = value;
    else if (own === `${name}_count`) state.count = value;
    else {
      const bound = le === "+Inf" ? Infinity : Number(le);
      assert.ok(bound > state.bound, `${name}${key}: bounds in order`);
      assert.ok(value >= state.last, `${name}${key}: buckets add up`);
      [state.bound, state.last] = [bound, value];
      if (bound === Infinity) state.inf = value;
    }
  }
  for (const [key, { inf, count, sum }] of series) assert.ok(sum !== undefined && inf !== undefined && inf === count, `${name}${key}: +Inf is the count`);
}
