import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint, EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import { planSlices } from "./slice-plan.ts";

// Slices and endpoints are letters; a capital is an endpoint whose conditions changed. `80:abc` is a slice (or a group) with port 80. Three endpoints fit a slice.
const cases = [
  // there                  wanted            created      updated           removed
  ["",                      "",               ":",         "",               ""],
  [":",                     "",               "",          "",               ""],
  [":",                     "80:a",           "",          "1=80:a",         ""],
  ["80:a",                  "80:a",           "",          "",               ""],
  ["80:a",                  "80:A",           "",          "1=80:A",         ""],
  ["80:ab",                 "80:b",           "",          "1=80:b",         ""],
  ["80:a",                  "",               "",          "1=:",            ""],
  ["80:a",                  "80:abcd",        "80:bcd",    "",               ""],
  ["80:ab",                 "80:abc",         "",          "1=80:abc",       ""],
  ["80:abc 80:d",           "80:abcde",       "",          "2=80:de",        ""],
  ["80:abc 80:d",           "80:abcdef",      "",          "2=80:def",       ""],
  ["80:abc 80:d",           "80:bcde",        "",          "1=80:bce",       ""],
  ["80:abc 80:d",           "80:abc",         "",          "",               "2"],
  ["80:abc 81:d",           "80:abc 82:e",    "",          "2=82:e",         ""],
  ["80:abc 80:def",         "80:abcdefgh",    "80:gh",     "",               ""],
] as const;
for (const [there, wanted, create, update, remove] of cases)
  test(`slices [${there}] for [${wanted}]`, () => {
    const existing = there.split(" ").filter(Boolean).map((text, i) => ({ ...parse(text), metadata: { name: String(i + 1), labels: { l: "1" } }, addressType: "IPv4" }) as unknown as EndpointSlice);
    const plan = planSlices(existing, wanted.split(" ").filter(Boolean).map(parse), { addressType: "IPv4", labels: { l: "1" }, endpointsMax: 3, placeholder: true });
    assert.deepEqual([plan.create.map(render).join(" "), plan.update.map(slice => `${slice.metadata.name}=${render(slice)}`).join(" "), plan.remove.map(slice => slice.metadata.name).join(" ")], [create, update, remove]);
  });

test("changed labels are written without moving an endpoint", () => {
  const slice = { ...parse("80:a"), metadata: { name: "1", labels: { l: "0" } }, addressType: "IPv4" } as unknown as EndpointSlice;
  const plan = planSlices([slice], [parse("80:a")], { addressType: "IPv4", labels: { l: "1" }, endpointsMax: 3, placeholder: true });
  assert.deepEqual([plan.create.length, plan.update.map(({ metadata }) => metadata.labels), plan.remove.length], [0, [{ l: "1" }], 0]);
});

function parse(text: string): { readonly ports: EndpointSlice["ports"]; readonly endpoints: readonly Endpoint[] } {
  const [port = "", letters = ""] = text.split(":");
  return {
    ports: port === "" ? [] : [{ name: "", port: Number(port), protocol: "TCP" }],
    endpoints: [...letters].map(letter => ({ addresses: [letter.toLowerCase()], conditions: { ready: letter === letter.toLowerCase() } })),
  };
}
function render({ ports, endpoints }: { readonly ports: EndpointSlice["ports"]; readonly endpoints: readonly Endpoint[] }): string {
  return `${ports[0]?.port ?? ""}:${endpoints.map(({ addresses: [address = ""], conditions }) => (conditions.ready === true ? address : address.toUpperCase())).join("")}`;
}
