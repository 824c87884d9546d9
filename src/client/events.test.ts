import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../base/api-error.ts";
import type { Clock } from "../base/clock.ts";
import { silent } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Client } from "./client.ts";
import { EventRecorder, type Involved } from "./events.ts";

const random: Random = { next: () => 0.5, uuid: () => "", bytes: length => new Uint8Array(length) };
const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace: "d", uid: "u1", resourceVersion: "5", creationTimestamp: "" } } as Involved;

function recorder(answer: (call: string) => void = () => undefined): { events: EventRecorder; written: string[]; objects: any[]; advance: (ms: number) => void; rest: () => Promise<void> } {
  let now = 1_900_000_000_000;
  const written: string[] = [];
  const objects: any[] = [];
  const clock: Clock = { now: () => now, monotonic: () => now, sleep: async () => undefined, after: () => () => undefined };
  const client = {
    create: async (_kind: unknown, object: any) => {
      answer("create");
      objects.push(object);
      written.push(`create ${object.count} ${object.message}`);
      return object;
    },
    patch: async (_kind: unknown, _namespace: string, name: string, { body }: { body: any }) => {
      answer("patch");
      written.push(`patch ${body.count} ${body.message}`);
      return { metadata: { name } };
    },
  } as unknown as Client;
  const rest = async (): Promise<void> => { for (let i = 0; i < 400; i++) await Promise.resolve(); };
  return { events: new EventRecorder({ component: "tester", host: "n1", client, clock, random, log: silent }), written, objects, advance: ms => void (now += ms), rest };
}

test("an event says what, about what, who and when, under upstream's kind of name", async () => {
  const { events, objects, rest } = recorder();
  events.event({ ...pod, fieldPath: "spec.containers{c}" }, "Warning", "BackOff", "Back-off restarting");
  await rest();
  assert.deepEqual(objects[0], {
    metadata: { name: "web.1a5e27eef13e0000", namespace: "d" }, type: "Warning", reason: "BackOff", message: "Back-off restarting", count: 1,
    involvedObject: { kind: "Pod", namespace: "d", name: "web", uid: "u1", apiVersion: "v1", resourceVersion: "5", fieldPath: "spec.containers{c}" },
    firstTimestamp: "2030-03-17T17:46:40Z", lastTimestamp: "2030-03-17T17:46:40Z", source: { component: "tester", host: "n1" }, reportingComponent: "tester", reportingInstance: "n1",
  });
});

test("the same again is counted; ten different messages for one reason become one event", async () => {
  const { events, written, rest } = recorder();
  for (let i = 0; i < 3; i++) events.event(pod, "Normal", "Pulled", "same");
  for (let i = 0; i < 12; i++) events.event(pod, "Normal", "Failed", `message ${i}`);
  await rest();
  assert.deepEqual(written.slice(0, 3), ["create 1 same", "patch 2 same", "patch 3 same"]);
  assert.deepEqual(written.slice(11), ["create 1 message 8", "create 1 (combined from similar events): message 9", "patch 2 (combined from similar events): message 10", "patch 3 (combined from similar events): message 11"]);
});

test("after 25 events about an object a source is held to one every five minutes", async () => {
  const { events, written, rest, advance } = recorder();
  for (let i = 0; i < 40; i++) events.event(pod, "Normal", "Pulled", "same");
  await rest();
  assert.equal(written.length, 25);
  advance(300_000);
  events.event(pod, "Normal", "Pulled", "same");
  events.event(pod, "Normal", "Pulled", "same");
  await rest();
  assert.equal(written.length, 26);
});

test("a lost answer is tried again, a refusal is not, and an expired event is made anew", async () => {
  let calls = 0;
  const { events, written, rest } = recorder(call => {
    calls++;
    if (calls === 1) throw new Error("connection refused");
    if (calls === 3) throw new ApiError("Forbidden", "no");
    if (call === "patch") throw new ApiError("NotFound", "gone");
  });
  events.event(pod, "Normal", "A", "first");
  events.event(pod, "Normal", "B", "second");
  events.event(pod, "Normal", "A", "first");
  await rest();
  assert.deepEqual(written, ["create 1 first", "create 2 first"]);
});
