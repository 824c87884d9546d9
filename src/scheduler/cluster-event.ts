/** What can happen in the cluster that may give a waiting pod a place. */
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";

export type ClusterEvent =
  | { readonly type: "node-added"; readonly node: NodeInfo }
  /** Only what changed is true. */
  | { readonly type: "node-changed"; readonly node: NodeInfo; readonly labels: boolean; readonly taints: boolean; readonly allocatable: boolean; readonly schedulable: boolean }
  | { readonly type: "node-gone" }
  /** A pod has come to a node, or one on a node has other labels. */
  | { readonly type: "pod-placed"; readonly pod: PodInfo }
  /** A pod has left its node, finished there, or needs less. */
  | { readonly type: "pod-left"; readonly pod: PodInfo }
  /** A namespace, Service or ReplicaSet has changed what selectors mean. */
  | { readonly type: "selection-changed" }
  /** A claim, a volume or a storage class has changed. */
  | { readonly type: "volumes-changed" };
