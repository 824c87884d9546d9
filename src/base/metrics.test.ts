import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMetrics, valueOf } from "../../test/prometheus.ts";
import { exponentialBuckets, Metrics } from "./metrics.ts";

test("metrics are written in Prometheus' text format", () => {
  const metrics = new Metrics();
  metrics.counter("hits_total", "Hits.", ["code"]).add(2, 'a"b\\c\nd');
  metrics.gauge("depth", "Depth.").set(3);
  metrics.observed("now", "Now.", () => 7);
  const seconds = metrics.histogram("seconds", "Seconds.", [0.1, 1], ["verb"]);
  for (const value of [0.05, 0.5, 5]) seconds.observe(value, "GET");
  assert.equal(metrics.render(), `# HELP hits_total Hits.
# TYPE hits_total counter
hits_total{code="a\\"b\\\\c\\nd"} 2
# HELP depth Depth.
# TYPE depth gauge
depth 3
# HELP now Now.
# TYPE now gauge
now 7
# HELP seconds Seconds.
# TYPE seconds histogram
seconds_bucket{verb="GET",le="0.1"} 1
seconds_bucket{verb="GET",le="1"} 2
seconds_bucket{verb="GET",le="+Inf"} 3
seconds_sum{verb="GET"} 5.55
seconds_count{verb="GET"} 3
`);
});

test("a client that makes up labels cannot fill memory", () => {
  const metrics = new Metrics();
  const counter = metrics.counter("hits_total", "Hits.", ["path"]);
  for (let i = 0; i < 6_000; i++) counter.add(1, `/${i}`);
  const lines = metrics.render().trimEnd().split("\n");
  assert.deepEqual([lines.length, lines.at(-1)], [2 + 5_001, 'hits_total{path="other"} 1000']);
});

test("a figure without labels is there from the beginning, one with labels when it has a series, and goes when its last series is forgotten", () => {
  const metrics = new Metrics();
  metrics.counter("started_total", "Started.");
  metrics.histogram("wait_seconds", "Waits.", [1]);
  const gone = metrics.counter("gone_total", "Gone.", ["pod"]);
  metrics.observedSeries("states", "States.", ["state"], () => []);
  const [text] = [metrics.render()];
  assert.deepEqual([...parseMetrics(text).types.keys()], ["started_total", "wait_seconds"]);
  gone.add(1, "a");
  gone.add(2, "b");
  gone.remove("a");
  assert.equal(valueOf(parseMetrics(metrics.render()), "gone_total"), 2);
  gone.remove("b");
  assert.equal(metrics.render(), text);
});

test("a reset forgets what was counted by labels, and counting goes on", () => {
  const metrics = new Metrics();
  const all = metrics.counter("all_total", "All.");
  const some = metrics.counter("some_total", "Some.", ["pod"]);
  const often = metrics.counter("often_total", "Often.", ["pod"]).adder("a");
  const waits = metrics.histogram("wait_seconds", "Waits.", [1], ["pod"]);
  const count = (): void => {
    all.add(1);
    some.add(1, "a");
    often(1);
    waits.observe(1, "a");
  };
  const seen = (): readonly unknown[] => ["all_total", "some_total", "often_total", "wait_seconds_count"].map(name => valueOf(parseMetrics(metrics.render()), name));
  count();
  metrics.reset();
  assert.deepEqual(seen(), [1, undefined, 0, undefined]);
  count();
  assert.deepEqual(seen(), [2, 1, 1, 1]);
});

test("figures that are read when somebody looks may be infinite", () => {
  const metrics = new Metrics();
  metrics.observed("most", "Most.", () => Infinity);
  metrics.observed("cpu_seconds_total", "Seconds.", () => 1.5, "counter");
  metrics.observedSeries("held", "Held.", ["state"], () => [[["up"], 2], [["down"], 0]]);
  const scrape = parseMetrics(metrics.render());
  assert.deepEqual([valueOf(scrape, "most"), valueOf(scrape, "held", { state: "up" }), scrape.types.get("cpu_seconds_total")], [Infinity, 2, "counter"]);
});

test("exponential buckets are upstream's", () => {
  assert.deepEqual(exponentialBuckets(0.005, 2.5, 4), [0.005, 0.0125, 0.03125, 0.078125]);
});

for (const [what, text] of [
  ["a line break at the end is missing", "# HELP a A.\n# TYPE a gauge\na 1"], ["TYPE comes twice", "# HELP a A.\n# TYPE a gauge\n# TYPE a gauge\na 1\n"], ["a series comes twice", '# HELP a A.\n# TYPE a gauge\na{x="1"} 1\na{x="1"} 2\n'],
  ["a family comes in two places", "# HELP a A.\n# TYPE a gauge\na 1\n# HELP b B.\n# TYPE b gauge\nb 1\n# HELP a A.\n"], ["a value is none", "# HELP a A.\n# TYPE a gauge\na undefined\n"], ["a quote is not escaped", '# HELP a A.\n# TYPE a gauge\na{x="1"2"} 1\n'],
  ["buckets do not add up", '# HELP a A.\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n'], ["a sample is not of its family", "# HELP a A.\n# TYPE a gauge\nb 1\n"], ["there is no HELP", "# TYPE a gauge\na 1\n"],
])
  test(`the reader of the tests refuses a text when ${what}`, () => assert.throws(() => parseMetrics(text!)));
