import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeMachine } from "../../test/fake-machine.ts";
import { parseArguments } from "./args.ts";
import { placeOf } from "./cluster.ts";
import type { Parts, ReachQuestion, Reachability } from "./machine.ts";
import { whyNot } from "./why-not.ts";

const answer: Reachability = { client: "Pod d/a", server: "db:5432/TCP", reachable: "No", steps: [{ step: "DNS", result: "ok", detail: "db is 10.96.0.5" }, { step: "Policy", result: "blocked", detail: "closed", change: "open it" }] };
const run = async (words: readonly string[], given: Reachability = answer, files: { readonly [path: string]: string } = {}) => {
  const asked: ReachQuestion[] = [];
  const { machine, said } = fakeMachine({ daemon: async () => ({ pid: 1, kept: true, residentBytes: 1, ageSeconds: 1 }), files: { "/home/u/.timonier/timonier/cluster.json": JSON.stringify({ name: "timonier" }), ...files } });
  const parts = { whyNot: async (_cluster: unknown, question: ReachQuestion) => { asked.push(question); return given; } } as unknown as Parts;
  const code = await whyNot.run(parseArguments(whyNot.flags, words, {}), machine, parts);
  return { code, text: said.join(""), asked };
};

for (const [words, want] of [
  [["a", "db:5432"], { client: "a", server: "db", port: "5432", protocol: "TCP", namespace: "default" }],
  [["a", "[fd00::1]:53", "--protocol", "udp", "-n", "shop"], { client: "a", server: "fd00::1", port: "53", protocol: "UDP", namespace: "shop" }],
  [["host", "svc/shop/db:sql", "-ojson"], { client: "host", server: "svc/shop/db", port: "sql", protocol: "TCP", namespace: "default" }],
] as const)
  test(`why-not ${words.join(" ")}`, async () => assert.deepEqual((await run(words)).asked, [want]));

for (const [words, message] of [
  [["a"], /takes two arguments/], [["a", "db"], /"db" is no SERVER:PORT/], [["a", "db:70000"], /no SERVER:PORT/], [["a", "fd00::1:80"], /no SERVER:PORT/],
  [["a", "b:1", "--protocol", "icmp"], /--protocol: "icmp" is none/], [["a", "b:1", "-o", "yaml"], /--output: "yaml"/],
] as const)
  test(`why-not ${words.join(" ")} is refused`, () => assert.rejects(run(words), message));

test("the answer is laid out as kubectl describes things, and its exit code says no", async () => {
  const { code, text } = await run(["a", "db:5432"]);
  assert.equal(code, 3);
  assert.equal(text, `Client:     Pod d/a
Server:     db:5432/TCP
Reachable:  No
Steps:
  Step       Result   Detail
  ----       ------   ------
  DNS        ok       db is 10.96.0.5
  Policy     blocked  closed
To change it:
  open it
`);
  assert.deepEqual(JSON.parse((await run(["a", "db:5432", "-o", "json"])).text), answer);
});

test("what is not there is told as an error", () => assert.rejects(run(["a", "db:1"], { unknown: 'pods "a" not found in namespace "default"' }), /pods "a" not found in namespace "default": see "kubectl get pods,services -A"/));

test("another firewall of the machine, which may drop what pods send, is told; not for what the machine itself sends", async () => {
  const { runFolder } = placeOf(fakeMachine().machine, parseArguments(whyNot.flags, [], {}));
  const files = { [`${runFolder}/firewall.json`]: JSON.stringify({ chains: "inet firewalld filter_FORWARD", networks: ["10.244.0.0/16"] }) };
  const told = /  Firewall   unknown  chain inet firewalld filter_FORWARD of nftables drops what its rules do not let pass: have it accept packets from and to 10\.244\.0\.0\/16 \(nft list chain inet firewalld filter_FORWARD\)\n/;
  assert.match((await run(["a", "db:5432"], answer, files)).text, told);
  assert.doesNotMatch((await run(["host", "db:5432"], answer, files)).text, told);
});
