import assert from "node:assert/strict";
import { test } from "node:test";
import { remoteKinds } from "./remote-kinds.ts";
import type { Resources } from "./remote-discovery.ts";

const resource = (name: string, kind: string, verbs: string, scope = "Namespaced"): Resources[number] => ({ resource: name, responseKind: { group: "g", version: "v1", kind }, scope, singularResource: kind.toLowerCase(), verbs: verbs.split(" ") });
const version = (name: string, versionPriority: number, ...resources: Resources) => ({ group: "g", version: name, versionPriority, resources });
const text = (kinds: ReturnType<typeof remoteKinds>): readonly string[] => kinds.map(({ version, plural, kind, namespaced, verbs }) => `${version} ${plural} ${kind} ${namespaced} ${verbs?.join("+")}`);

test("a remote resource is a kind once, in the preferred version that has it, if it can be deleted and listed", () => {
  const old = version("v1alpha1", 15, resource("flunders", "Flunder", "delete list watch"), resource("fischers", "Fischer", "delete list", "Cluster"), resource("looks", "Look", "get list watch"));
  const first = remoteKinds([old], []);
  assert.deepEqual(text(first), ["v1alpha1 flunders Flunder true delete+list+watch", "v1alpha1 fischers Fischer false delete+list"]);
  const then = remoteKinds([old, version("v1beta1", 20, resource("flunders", "Flunder", "delete list watch"))], first);
  assert.deepEqual(text(then), ["v1beta1 flunders Flunder true delete+list+watch", "v1alpha1 fischers Fischer false delete+list"]);
  assert.deepEqual(then.map(kind => first.includes(kind)), [false, true], "what is as before is the same object");
});
