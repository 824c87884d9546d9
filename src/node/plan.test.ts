import assert from "node:assert/strict";
import { test } from "node:test";
import { planPod } from "./plan.ts";
import { containerHash } from "./containers.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { annotation, type ContainerState, type PodState } from "./runtime.ts";

/** `init,side*|main,main2 Always`: containers of the pod, sidecars with a star, then the restart policy. */
function podOf(text: string): Pod {
  const [names = "", restartPolicy = "Always"] = text.split(" ");
  const [inits, mains] = names.includes("|") ? names.split("|") : ["", names];
  const list = (part: string | undefined) => (part ?? "").split(",").filter(Boolean).map(name => ({
    name: name.replace(/[*?]/g, ""), image: "i", ...(name.includes("*") && { restartPolicy: "Always" }), ...(name.includes("?") && { startupProbe: { tcpSocket: { port: 1 } } }),
  }));
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "d", uid: "u" }, spec: { restartPolicy, initContainers: list(inits), containers: list(mains) }, status: {} } as unknown as Pod;
}
/** `s0 a:run b:0 c:1 d:created`: the sandbox (`s0`, `-` for none, `x0` for a dead one) and containers' states or exit codes; `@x` for another sandbox. */
function stateOf(text: string): PodState {
  const [sandbox = "-", ...containers] = text.split(" ");
  return {
    sandboxes: sandbox === "-" ? [] : [{ id: "s", uid: "u", name: "p", namespace: "d", attempt: Number(sandbox.slice(1)), ready: sandbox.startsWith("s"), createdAt: 0, ips: ["10.0.0.1"], annotations: {}, hostNetwork: false }],
    containers: containers.map((item, i): ContainerState => {
      const [name = "", rest = ""] = item.split(":");
      const [state = "", where = "s"] = rest.split("@");
      const exited = /^\d+$/.test(state);
      return {
        id: `${name}-id`, sandboxId: where, name, attempt: 0, state: exited ? "exited" : state === "run" || state === "old" ? "running" : (state as "created" | "unknown"), createdAt: i, startedAt: 0, finishedAt: 0,
        exitCode: exited ? Number(state) : 0, reason: "", message: "", image: "i", imageRef: "", labels: {}, logPath: "",
        annotations: { [annotation.hash]: state === "old" ? "other" : containerHash({ name, image: "i" } as never) },
      };
    }),
  };
}

const cases = [
  // pod                    runtime state                    plan
  ["a",                     "-",                             "sandbox#0 +a"],
  ["a,b",                   "s0",                            "+a +b"],
  ["a,b",                   "s0 a:run",                      "+b"],
  ["a",                     "s0 a:run",                      ""],
  ["a",                     "s0 a:0",                        "+a"],
  ["a OnFailure",           "s0 a:0",                        "kill"],
  ["a OnFailure",           "s0 a:1",                        "+a"],
  ["a Never",               "s0 a:1",                        "kill"],
  ["a,b Never",             "s0 a:1 b:run",                  ""],
  ["a,b Never",             "s0 a:0 b:0",                    "kill"],
  ["a",                     "s0 a:old",                      "-a +a"],
  ["a",                     "s0 a:created",                  "+a"],
  ["a",                     "s0 a:unknown",                  "-a +a"],
  // A lost sandbox is replaced, and what runs in it ends with it; the finished stay finished.
  ["a",                     "x0 a:run",                      "kill sandbox#1 +a"],
  ["a OnFailure",           "x0 a:0",                        "kill"],
  ["a,b OnFailure",         "x0 a:0 b:1",                    "kill sandbox#1 +b"],
  ["a Never",               "x0 a:run",                      "kill"],
  // Init containers: one after another, to their end.
  ["i,j|a",                 "-",                             "sandbox#0 +i"],
  ["i,j|a",                 "s0",                            "+i"],
  ["i,j|a",                 "s0 i:run",                      ""],
  ["i,j|a",                 "s0 i:0",                        "+j"],
  ["i,j|a",                 "s0 j:0",                        "+a"],
  ["i,j|a",                 "s0 i:0 j:1",                    "+j"],
  ["i,j|a Never",           "s0 i:1",                        "kill"],
  ["i,j|a",                 "s0 i:0 j:0",                    "+a"],
  ["i|a",                   "s0 a:run",                      ""],
  ["i,j|a",                 "s1 i:0@x j:0@x a:0@x",          "+i"],
  // Sidecars: started is enough, and they are kept running.
  ["s*|a",                  "s0",                            "+s"],
  ["s*|a",                  "s0 s:run",                      "+a"],
  ["s*,i|a",                "s0 s:run",                      "+i"],
  ["s*?|a",                 "s0 s:run",                      ""],
  ["s*|a",                  "s0 s:1 a:run",                  "+s"],
  ["s*|a Never",            "s0 s:0 a:run",                  "+s"],
  ["s*|a Never",            "s0 s:run a:0",                  "kill"],
  ["s*,i|a",                "s0 s:1 i:run",                  "+s"],
] as const;

for (const [pod, state, want] of cases)
  test(`pod ${pod} with ${state} needs: ${want || "nothing"}`, () => {
    const plan = planPod(podOf(pod), stateOf(state), { liveness: () => undefined, startup: () => undefined });
    const said = [
      ...(plan.killPod ? ["kill"] : []), ...(plan.createSandbox ? [`sandbox#${plan.attempt}`] : []),
      ...plan.kill.map(({ container }) => `-${container.name}`), ...plan.start.map(({ container }) => `+${container.name}`),
    ];
    assert.equal(said.join(" "), want);
  });

test("a container that fails its liveness probe is killed and started again, unless its policy says never", () => {
  const failed = { liveness: () => "failed" as const, startup: () => undefined };
  const always = planPod(podOf("a"), stateOf("s0 a:run"), failed);
  assert.deepEqual([always.kill[0]?.message, always.start.length], ["Container a failed liveness probe", 1]);
  const never = planPod(podOf("a,b Never"), stateOf("s0 a:run b:0"), failed);
  assert.deepEqual([never.kill.length, never.start.length], [1, 0]);
});
