import assert from "node:assert/strict";
import { test } from "node:test";
import { problemBody } from "../../schema/problem.ts";
import { jobStatusProblems } from "./jobstatusrules.ts";

const is = (...types: string[]) => ({ conditions: types.map(type => ({ type, status: "True" })) });
const [early, late] = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"];
const done = { ...is("SuccessCriteriaMet", "Complete"), startTime: early, completionTime: late };
const indexed = { completionMode: "Indexed", completions: 5, parallelism: 2, backoffLimitPerIndex: 1 };
for (const [what, status, old, expected, spec = {}] of [
  ["nothing", {}, {}, []], ["success", done, { startTime: early }, []], ["failure", { ...is("FailureTarget", "Failed"), startTime: early }, { ...is("FailureTarget"), startTime: early }, []],
  ["success without its reason", { ...done, ...is("Complete") }, { startTime: early }, ["status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition"]],
  ["success that never ends", { ...done, completionTime: undefined }, { startTime: early }, ["status.completionTime: Required value: completionTime is required for Complete jobs"]],
  ["an end before the beginning", { ...done, startTime: late, completionTime: early }, {}, [`status.completionTime: Invalid value: "${early}": must be equal to or after \`startTime\``]],
  ["both ends", { ...done, ...is("Complete", "Failed") }, { startTime: early }, ["status.conditions: Invalid value: cannot set Complete=True and Failed=true conditions", "status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition", "status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition"]],
  ["an end taken back", { startTime: early }, { ...is("FailureTarget", "Failed"), startTime: early }, ["status.conditions: Invalid value: cannot disable the terminal Failed=True condition", "status.conditions: Invalid value: cannot disable the terminal FailureTarget=True condition"]],
  ["pods after the end", { ...done, active: 1, terminating: 1, uncountedTerminatedPods: { failed: ["a"] } }, { startTime: early }, ["status.active: Invalid value: 1: active>0 is invalid for finished job", 'status.uncountedTerminatedPods: Invalid value: {"Succeeded":null,"Failed":["a"]}: must be empty for finished job', "status.terminating: Invalid value: 1: terminating>0 is invalid for finished job"]],
  ["another beginning", { startTime: late }, { startTime: early }, [`status.startTime: Invalid value: "${late}": field is immutable for unsuspended job once set`]], ["another beginning while it rests", { startTime: late }, { startTime: early }, [], { suspend: true }],
  ["fewer than there were", { failed: 1 }, { failed: 2, succeeded: 1 }, ["status.failed: Invalid value: 1: cannot decrease the failed counter", "status.succeeded: Invalid value: 0: cannot decrease the succeeded counter"]],
  ["more ready than there are", { ready: 2, active: 1 }, {}, ["status.ready: Invalid value: 2: cannot set more ready pods than active"]],
  ["a pod counted twice", { uncountedTerminatedPods: { succeeded: ["a", ""], failed: ["a"] } }, {}, ['status.uncountedTerminatedPods.succeeded[1]: Invalid value: "": must not be empty', 'status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"']],
  ["indexes", { completedIndexes: "0-1,3", failedIndexes: "2" }, {}, [], indexed], ["indexes of a job without", { completedIndexes: "0" }, {}, ['status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode']],
  ["indexes that are none", { completedIndexes: "1-0", failedIndexes: "9" }, {}, ['status.completedIndexes: Invalid value: "1-0": error parsing completedIndexes: non-increasing order, previous: 1, current: 0', 'status.failedIndexes: Invalid value: "9": error parsing failedIndexes: too large index: "9"'], indexed],
  ["indexes of both sorts", { completedIndexes: "0-2", failedIndexes: "2,4" }, {}, ['status.failedIndexes: Invalid value: "2,4": failedIndexes and completedIndexes overlap at index: 2'], indexed],
] as const) test(`a job's status with ${what}`, () => assert.deepEqual([...jobStatusProblems({ spec, status } as never, { spec, status: old } as never)].map(problem => `${problem.field}: ${problemBody(problem)}`), expected));
