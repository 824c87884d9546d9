import assert from "node:assert/strict";
import { test } from "node:test";
import { Metrics } from "./metrics.ts";

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
