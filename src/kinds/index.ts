import { ControllerRevision } from "./apps/controllerrevision.ts";
import { Deployment } from "./apps/deployment.ts";
import { ReplicaSet } from "./apps/replicaset.ts";
import { SelfSubjectReview } from "./authentication/selfsubjectreview.ts";
import { TokenRequest } from "./authentication/tokenrequest.ts";
import { TokenReview } from "./authentication/tokenreview.ts";
import { LocalSubjectAccessReview } from "./authorization/localsubjectaccessreview.ts";
import { SelfSubjectAccessReview } from "./authorization/selfsubjectaccessreview.ts";
import { SelfSubjectRulesReview } from "./authorization/selfsubjectrulesreview.ts";
import { SubjectAccessReview } from "./authorization/subjectaccessreview.ts";
import { Scale } from "./autoscaling/scale.ts";
import { Lease } from "./coordination/lease.ts";
import { Binding } from "./core/binding.ts";
import { ConfigMap } from "./core/configmap.ts";
import { Endpoints } from "./core/endpoints.ts";
import { Event } from "./core/event.ts";
import { Namespace } from "./core/namespace.ts";
import { Node } from "./core/node.ts";
import { Pod } from "./core/pod.ts";
import { PodTemplate } from "./core/podtemplate.ts";
import { Secret } from "./core/secret.ts";
import { Service } from "./core/service.ts";
import { ServiceAccount } from "./core/serviceaccount.ts";
import { EndpointSlice } from "./discovery/endpointslice.ts";
import { Eviction } from "./policy/eviction.ts";
import { ClusterRole } from "./rbac/clusterrole.ts";
import { ClusterRoleBinding } from "./rbac/clusterrolebinding.ts";
import { Role } from "./rbac/role.ts";
import { RoleBinding } from "./rbac/rolebinding.ts";
import type { AnyKind } from "./kind.ts";

/** Every built-in kind, one line each; the order is that of discovery. Subresource-only kinds (Scale, Eviction, TokenRequest) are marked by `subresourceOnly`. */
export const kinds: readonly AnyKind[] = [
  Namespace,
  Node,
  Pod,
  PodTemplate,
  Binding,
  ConfigMap,
  Secret,
  ServiceAccount,
  Service,
  Endpoints,
  Event,
  Deployment,
  ReplicaSet,
  ControllerRevision,
  EndpointSlice,
  Lease,
  Eviction,
  Scale,
  Role,
  RoleBinding,
  ClusterRole,
  ClusterRoleBinding,
  TokenRequest,
  TokenReview,
  SelfSubjectReview,
  SubjectAccessReview,
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
];
