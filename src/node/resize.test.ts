import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../kinds/core/pod.ts";
import { Allocation, type Refusal } from "./resize.ts";

const pod = (generation: number, cpu: string): Pod => ({ metadata: { name: "web", generation }, spec: { containers: [{ name: "c", resources: { requests: { cpu } } }] }, status: {} }) as unknown as Pod;
const told = (allocation: Allocation): readonly string[] => allocation.news().map(({ type, reason, message }) => `${type} ${reason} ${message}`);
const amounts = (generation: number, cpu: string, error = ""): string => `{"containers":[{"name":"c","resources":{"requests":{"cpu":"${cpu}"}}}],"generation":${generation}${error && `,"error":"${error}"`}}`;

test("a resize is told when it starts and when all of it is applied", () => {
  const allocation = new Allocation(pod(1, "1"));
  allocation.follow(pod(1, "1"), () => undefined);
  allocation.settled(pod(1, "1"));
  assert.deepEqual(told(allocation), []);
  allocation.follow(pod(2, "2"), () => undefined);
  assert.deepEqual(told(allocation), [`Normal ResizeStarted Pod resize started: ${amounts(2, "2")}`]);
  allocation.failed(pod(2, "2"), "busy");
  allocation.failed(pod(2, "2"), "busy");
  assert.deepEqual(told(allocation), [`Warning ResizeError Pod resize error: ${amounts(2, "2", "busy")}`]);
  assert.deepEqual(allocation.conditions().map(({ type, reason }) => [type, reason]), [["PodResizeInProgress", "Error"]]);
  allocation.settled(pod(2, "2"));
  allocation.settled(pod(2, "2"));
  assert.deepEqual(told(allocation), [`Normal ResizeCompleted Pod resize completed: ${amounts(2, "2")}`]);
  assert.deepEqual(allocation.conditions(), []);
});

test("a resize that has no room is told once for each generation and reason", () => {
  const allocation = new Allocation(pod(1, "1"));
  const refuse = (reason: Refusal["reason"]) => (): Refusal => ({ reason, message: "no room" });
  for (let pass = 0; pass < 3; pass++) allocation.follow(pod(2, "2"), refuse("Deferred"));
  assert.deepEqual(told(allocation), [`Warning ResizeDeferred Pod resize Deferred: ${amounts(2, "2", "no room")}`]);
  allocation.follow(pod(3, "99"), refuse("Infeasible"));
  assert.deepEqual(told(allocation), [`Warning ResizeInfeasible Pod resize Infeasible: ${amounts(3, "99", "no room")}`]);
  allocation.settled(pod(3, "99"));
  allocation.follow(pod(4, "2"), () => undefined);
  allocation.settled(pod(4, "2"));
  assert.deepEqual(told(allocation).map(text => text.split(" ")[1]), ["ResizeStarted", "ResizeCompleted"]);
});
