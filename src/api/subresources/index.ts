/** Every endpoint that is not a plain object's own, one line each. What is not here but in a kind's `subresources` is a view of the object: get, update, patch. */
import { Binding } from "../../kinds/core/binding.ts";
import { Node } from "../../kinds/core/node.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { Service } from "../../kinds/core/service.ts";
import { ServiceAccount } from "../../kinds/core/serviceaccount.ts";
import type { AnyKind } from "../../kinds/kind.ts";
import type { SubresourceType } from "../discovery.ts";
import { binding } from "./binding.ts";
import { eviction } from "./eviction.ts";
import { postedEndpoint, type Posted } from "./posted.ts";
import { attach, exec, log, portForward } from "./pod-streams.ts";
import { nodeProxy, podProxy, serviceProxy } from "./proxy.ts";
import { reviews } from "./reviews.ts";
import { scale } from "./scale.ts";
import type { Subresource } from "./subresource.ts";
import { token } from "./token.ts";

/** Answered to a POST, over HTTP and in process. */
const posted: readonly (readonly [AnyKind, string, Posted])[] = [
  [Pod, "binding", binding],
  [Binding, "", binding],
  [Pod, "eviction", eviction],
  [ServiceAccount, "token", token],
  ...reviews.map(review => [review.body, "", review] as const),
];

const streaming = ["create", "get"];
const proxying = ["create", "delete", "get", "patch", "update"];
/** Answered by whoever the request is passed on to, with the verbs that discovery tells. */
const connected: readonly (readonly [AnyKind, string, Subresource, string, readonly string[]])[] = [
  [Pod, "attach", attach, "PodAttachOptions", streaming],
  [Pod, "exec", exec, "PodExecOptions", streaming],
  [Pod, "portforward", portForward, "PodPortForwardOptions", streaming],
  [Pod, "proxy", podProxy, "PodProxyOptions", proxying],
  [Pod, "log", log, "Pod", ["get"]],
  [Service, "proxy", serviceProxy, "ServiceProxyOptions", proxying],
  [Node, "proxy", nodeProxy, "NodeProxyOptions", proxying],
];

export function findPosted(kind: AnyKind, subresource: string): Posted | undefined {
  return posted.find(([of, name]) => of === kind && name === subresource)?.[2];
}

/** Subresources with a handler of their own, and kinds that are only answered ("" is the resource itself). */
export function findSubresource(kind: AnyKind, subresource: string): Subresource | undefined {
  if (subresource === "scale") return scale;
  const found = findPosted(kind, subresource);
  return found === undefined ? connected.find(([of, name]) => of === kind && name === subresource)?.[2] : postedEndpoint(found);
}

/** How discovery describes it; `undefined`: as the object itself, with get, patch and update. */
export function subresourceTypeOf(kind: AnyKind, subresource: string): SubresourceType | undefined {
  if (subresource === "scale") return { group: "autoscaling", version: "v1", kind: "Scale", verbs: ["get", "patch", "update"] };
  if (subresource === "finalize") return { group: kind.group, version: kind.version, kind: kind.kind, verbs: ["update"] };
  const body = findPosted(kind, subresource)?.body;
  if (body !== undefined) return { group: body.group, version: body.version, kind: body.kind, verbs: ["create"] };
  const found = connected.find(([of, name]) => of === kind && name === subresource);
  return found === undefined ? undefined : { group: kind.group, version: kind.version, kind: found[3], verbs: found[4] };
}
