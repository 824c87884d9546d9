import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../kinds/core/node.ts";
import type { Service } from "../kinds/core/service.ts";
import type { EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import { planTopologyHints, wantsTopologyHints, zoneShares } from "./topology-hints.ts";

/** A node is `zone+cpu`, `zone+cpu!` while it is not ready, `zone+cpu*` for the control plane. */
function node(text: string): Node {
  const [, zone = "", cpu, mark] = /^(\w*)\+(\w*)([!*]?)$/.exec(text) ?? [];
  return { metadata: { labels: { ...(zone === "" ? {} : { "topology.kubernetes.io/zone": zone }), ...(mark === "*" ? { "node-role.kubernetes.io/control-plane": "" } : {}) } }, status: { allocatable: cpu === "" ? {} : { cpu }, conditions: [{ type: "Ready", status: mark === "!" ? "Unknown" : "True" }] } } as unknown as Node;
}
const sharesOf = (nodes: string) => zoneShares(nodes.split(" ").map(node));

const shareCases: readonly (readonly [what: string, nodes: string, shares: string | undefined])[] = [
  ["as the nodes' CPU", "a+2 a+1 b+1", "a 0.75 b 0.25"],
  ["in thousandths", "a+500m b+1500m", "a 0.25 b 0.75"],
  ["one zone is none", "a+2 a+2", undefined],
  ["nor is one that is ready", "a+2 b+2!", undefined],
  ["a node that is not ready counts for nothing, whatever it lacks", "a+2 b+2 +!", "a 0.5 b 0.5"],
  ["nor one of the control plane", "a+2 b+2 a+8*", "a 0.5 b 0.5"],
  ["a ready node without a zone leaves all unknown", "a+2 b+2 +2", undefined],
  ["so does one without CPU", "a+2 b+2 b+", undefined],
];
for (const [what, nodes, shares] of shareCases)
  test(`zones' shares: ${what}`, () => assert.equal(sharesOf(nodes) && [...sharesOf(nodes)!].map(pair => pair.join(" ")).join(" "), shares));

/** An endpoint is its zone and whom it is for: `aa`, `ab`, `a.` (nobody); a capital is not ready, `_` has no zone. */
function slice(text: string, i: number): EndpointSlice {
  const endpoints = text.split(" ").filter(Boolean).map(([zone = "", hint = ""]) => ({
    addresses: ["1"], conditions: { ready: zone === zone.toLowerCase() },
    ...(zone === "_" ? {} : { zone: zone.toLowerCase() }), ...(hint === "." ? {} : { hints: { forZones: [{ name: hint }] } }),
  }));
  return { metadata: { name: `s${i}` }, addressType: "IPv4", ports: [], endpoints } as unknown as EndpointSlice;
}
const render = ({ endpoints }: Pick<EndpointSlice, "endpoints">): string => endpoints.map(({ zone = "_", conditions, hints }) => `${conditions.ready === true ? zone : zone.toUpperCase()}${hints?.forZones?.[0]?.name ?? "."}`).join(" ");
const thirds = "a+4 b+4 c+4";

// what, nodes, slices that stay, one that changes, what is written, why there are none
const cases: readonly (readonly [string, string, readonly string[], string, readonly string[], string?])[] = [
  ["each zone has its own", thirds, [], "a. b. c.", ["aa bb cc"]],
  ["those that are not ready have none", thirds, [], "a. B. b. c. C.", ["aa B. bb cc C."]],
  ["a zone without endpoints is given some of the zone with most", thirds, [], "a. a. a. b. b. b.", ["ac aa aa bc bb bb"]],
  ["an even spread stays although a third is not whole", thirds, [], "a. a. b. b. c. c. c.", ["aa aa bb bb cc cc cc"]],
  ["a zone with more CPU has more", "a+6 b+3 c+3", [], "a. b. b. b. c. c. c. c.", ["aa ba bb bb ca ca cc cc"]],
  ["fewer endpoints than zones", thirds, [], "a. b.", ["a. b."], "Insufficient number of endpoints (2 endpoints, 3 zones)"],
  ["only ready ones count", thirds, [], "a. b. C.", ["a. b. C."], "Insufficient number of endpoints (2 endpoints, 3 zones)"],
  ["a zone would hear too much", thirds, [], "a. a. b. c.", ["a. a. b. c."], "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (4 endpoints, 3 zones)"],
  ["nothing known of the nodes", "a+4", ["aa ab A."], "a.", ["a.", "a. a. A."], "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes"],
  ["an endpoint without a zone", thirds, ["aa bb"], "_.", ["_.", "a. b."], "One or more endpoints do not have a zone specified"],
  ["one that is not ready is no matter", thirds, [], "A. a. b. c.", ["A. aa bb cc"]],
  ["what stays within the limits is not written", thirds, ["aa bb cc", "aa bb cc"], "", []],
  ["and counts for what is", thirds, ["aa aa bb bb"], "c. a. a.", ["cc ac aa"]],
  ["a slice that has lost its balance is made anew", thirds, ["aa aa aa bb bb bb"], "", ["ac aa aa bc bb bb"]],
  ["so is one that names a zone that is gone", "a+4 b+4", ["aa aa bb bc"], "", ["aa aa bb bb"]],
  ["and one without hints", thirds, ["a. b. c."], "", ["aa bb cc"]],
  ["an endpoint of a zone that has no share keeps it and is not written again", "a+4 b+4 c+4*", ["aa aa bb cc"], "", []],
  ["the others keep theirs while one slice is made anew", "a+4 b+4", ["aa bb", "aa bc"], "", ["aa bb"]],
  ["a new zone below its least gets its own, though each slice is within the limits", thirds, [`${"aa ".repeat(12)}${"bb ".repeat(12)}${"cc ".repeat(6)}`.trim()], "", [`ac ac ${"aa ".repeat(10)}bc bc ${"bb ".repeat(10)}${"cc ".repeat(6)}`.trim()]],
];
for (const [what, nodes, stay, change, written, refused] of cases)
  test(`hints: ${what}`, () => {
    const existing = stay.map(slice);
    const update = change === "" ? [] : [slice(change, 99)];
    const { plan, refused: why } = planTopologyHints(existing, { create: [], update, remove: [] }, sharesOf(nodes));
    assert.deepEqual([plan.update.map(render), why], [written, refused]);
    // Once written, nothing is left to write.
    const after = [...existing.filter(({ metadata }) => !plan.update.some(each => each.metadata.name === metadata.name)), ...plan.update];
    assert.deepEqual(planTopologyHints(after, { create: [], update: [], remove: [] }, sharesOf(nodes)).plan.update, []);
  });

test("the annotation asks; the deprecated one goes first", () => {
  const asks = (annotations: object): boolean => wantsTopologyHints({ metadata: { annotations } } as unknown as Service);
  const [mode, hints] = ["service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints"];
  assert.deepEqual([{}, { [mode]: "Auto" }, { [mode]: "auto" }, { [mode]: "AUTO" }, { [hints]: "Auto" }, { [hints]: "Disabled", [mode]: "Auto" }, { [mode]: "Disabled" }].map(asks), [false, true, true, false, true, false, false]);
});
