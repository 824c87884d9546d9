/** Every endpoint that is not a plain object's own, one line each. What is not here but in a kind's `subresources` is a view of the object: get, update, patch. */
import { Binding } from "../../kinds/core/binding.ts";
import { ComponentStatus } from "../../kinds/core/componentstatus.ts";
import { Node } from "../../kinds/core/node.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { Service } from "../../kinds/core/service.ts";
import { ServiceAccount } from "../../kinds/core/serviceaccount.ts";
import { NodeMetrics } from "../../kinds/metrics/nodemetrics.ts";
import { PodMetrics } from "../../kinds/metrics/podmetrics.ts";
import { nodeMetrics, podMetrics } from "../metrics/resource-metrics.ts";
import { must } from "../../base/assert.ts";
import type { AnyKind } from "../../kinds/kind.ts";
import { subresourcesOf } from "../../kinds/subresources.ts";
import type { SubresourceType } from "../discovery.ts";
import { binding } from "./binding.ts";
import { componentStatus } from "./component-status.ts";
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

/** Answered from what is known now, or by whoever the request is passed on to. */
const connected: readonly (readonly [AnyKind, string, Subresource])[] = [
  [Pod, "attach", attach],
  [NodeMetrics, "", nodeMetrics],
  [PodMetrics, "", podMetrics],
  [Pod, "exec", exec],
  [Pod, "portforward", portForward],
  [Pod, "proxy", podProxy],
  [Pod, "log", log],
  [Service, "proxy", serviceProxy],
  [Node, "proxy", nodeProxy],
  [ComponentStatus, "", componentStatus],
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

/** How discovery describes it. */
export function subresourceTypeOf(kind: AnyKind, subresource: string): SubresourceType {
  const { group, version } = kind;
  const { kind: body, connect, verbs } = must(subresourcesOf(kind).get(subresource), `${kind.kind} has the subresource ${subresource}`);
  return { ...(body ?? { group, version, kind: connect?.kind ?? kind.kind }), verbs };
}
