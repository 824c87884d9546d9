import assert from "node:assert/strict";
import { test } from "node:test";
import { Deployment } from "../kinds/apps/deployment.ts";
import { strictProblems } from "./strict.ts";

for (const [text, expected] of [
  ['{"spec":{"replicas":1,"replicas":2}}', ['duplicate field "spec.replicas"']],
  ['{"spec":{"unknownField":"x","replicas":1,"replicas":2}}', ['unknown field "spec.unknownField"', 'duplicate field "spec.replicas"']],
  ['{"spec":{"replicas":1,"replicas":2,"unknownField":"x"},"foo":1}', ['duplicate field "spec.replicas"', 'unknown field "spec.unknownField"', 'unknown field "foo"']],
  ['{"metadata":{"labels":{"a":"b","a":"c"}}}', ['duplicate field "metadata.labels.a"']],
  ['{"spec":{"template":{"spec":{"containers":[{"name":"a","imge":"b"},{"name":"c","name":"d"}]}}}}', ['unknown field "spec.template.spec.containers[0].imge"', 'duplicate field "spec.template.spec.containers[1].name"']],
  ['{"unknown":{"a":1,"a":2,"b":[{"c":1,"c":2}]}, "kind" : "x" }', ['unknown field "unknown"']],
  ['{ "spec" : { "paused" : true , "selector" : { } } }', []],
] as const) test(`${text} is met with ${JSON.stringify(expected)}`, () => assert.deepEqual(strictProblems(Deployment.schema.node, text), expected));
