import { APIService } from "./apiregistration/apiservice.ts";
import { CustomResourceDefinition } from "./apiextensions/customresourcedefinition.ts";
import { MutatingAdmissionPolicy } from "./admissionregistration/mutatingadmissionpolicy.ts";
import { MutatingAdmissionPolicyBinding } from "./admissionregistration/mutatingadmissionpolicybinding.ts";
import { MutatingWebhookConfiguration } from "./admissionregistration/mutatingwebhookconfiguration.ts";
import { ValidatingAdmissionPolicy } from "./admissionregistration/validatingadmissionpolicy.ts";
import { ValidatingAdmissionPolicyBinding } from "./admissionregistration/validatingadmissionpolicybinding.ts";
import { ValidatingWebhookConfiguration } from "./admissionregistration/validatingwebhookconfiguration.ts";
import { ControllerRevision } from "./apps/controllerrevision.ts";
import { DaemonSet } from "./apps/daemonset.ts";
import { Deployment } from "./apps/deployment.ts";
import { ReplicaSet } from "./apps/replicaset.ts";
import { StatefulSet } from "./apps/statefulset.ts";
import { SelfSubjectReview } from "./authentication/selfsubjectreview.ts";
import { TokenRequest } from "./authentication/tokenrequest.ts";
import { TokenReview } from "./authentication/tokenreview.ts";
import { LocalSubjectAccessReview } from "./authorization/localsubjectaccessreview.ts";
import { SelfSubjectAccessReview } from "./authorization/selfsubjectaccessreview.ts";
import { SelfSubjectRulesReview } from "./authorization/selfsubjectrulesreview.ts";
import { SubjectAccessReview } from "./authorization/subjectaccessreview.ts";
import { HorizontalPodAutoscaler } from "./autoscaling/horizontalpodautoscaler.ts";
import { Scale } from "./autoscaling/scale.ts";
import { CronJob } from "./batch/cronjob.ts";
import { Job } from "./batch/job.ts";
import { CertificateSigningRequest } from "./certificates/certificatesigningrequest.ts";
import { Lease } from "./coordination/lease.ts";
import { Binding } from "./core/binding.ts";
import { ComponentStatus } from "./core/componentstatus.ts";
import { ConfigMap } from "./core/configmap.ts";
import { Endpoints } from "./core/endpoints.ts";
import { Event } from "./core/event.ts";
import { LimitRange } from "./core/limitrange.ts";
import { Namespace } from "./core/namespace.ts";
import { Node } from "./core/node.ts";
import { PersistentVolume } from "./core/persistentvolume.ts";
import { PersistentVolumeClaim } from "./core/persistentvolumeclaim.ts";
import { Pod } from "./core/pod.ts";
import { PodTemplate } from "./core/podtemplate.ts";
import { ReplicationController } from "./core/replicationcontroller.ts";
import { ResourceQuota } from "./core/resourcequota.ts";
import { Secret } from "./core/secret.ts";
import { Service } from "./core/service.ts";
import { ServiceAccount } from "./core/serviceaccount.ts";
import { EndpointSlice } from "./discovery/endpointslice.ts";
import { FlowSchema } from "./flowcontrol/flowschema.ts";
import { PriorityLevelConfiguration } from "./flowcontrol/prioritylevelconfiguration.ts";
import { Ingress } from "./networking/ingress.ts";
import { IngressClass } from "./networking/ingressclass.ts";
import { IPAddress } from "./networking/ipaddress.ts";
import { NetworkPolicy } from "./networking/networkpolicy.ts";
import { ServiceCIDR } from "./networking/servicecidr.ts";
import { RuntimeClass } from "./node/runtimeclass.ts";
import { Eviction } from "./policy/eviction.ts";
import { PodDisruptionBudget } from "./policy/poddisruptionbudget.ts";
import { ClusterRole } from "./rbac/clusterrole.ts";
import { ClusterRoleBinding } from "./rbac/clusterrolebinding.ts";
import { Role } from "./rbac/role.ts";
import { RoleBinding } from "./rbac/rolebinding.ts";
import { DeviceClass } from "./resource/deviceclass.ts";
import { ResourceClaim } from "./resource/resourceclaim.ts";
import { ResourceClaimTemplate } from "./resource/resourceclaimtemplate.ts";
import { ResourceSlice } from "./resource/resourceslice.ts";
import { NodeMetrics } from "./metrics/nodemetrics.ts";
import { PodMetrics } from "./metrics/podmetrics.ts";
import { PriorityClass } from "./scheduling/priorityclass.ts";
import { CSIDriver } from "./storage/csidriver.ts";
import { CSINode } from "./storage/csinode.ts";
import { CSIStorageCapacity } from "./storage/csistoragecapacity.ts";
import { StorageClass } from "./storage/storageclass.ts";
import { VolumeAttachment } from "./storage/volumeattachment.ts";
import { VolumeAttributesClass } from "./storage/volumeattributesclass.ts";
import type { AnyKind } from "./kind.ts";

/**
 * Every built-in kind that is served, one line each. Subresource-only kinds (Scale, Eviction, TokenRequest) are marked by `subresourceOnly`.
 */
export const kinds: readonly AnyKind[] = [
  Namespace,
  Node,
  Pod,
  PodTemplate,
  Binding,
  ComponentStatus,
  ConfigMap,
  Secret,
  ServiceAccount,
  Service,
  Endpoints,
  Event,
  PersistentVolume,
  PersistentVolumeClaim,
  ReplicationController,
  LimitRange,
  ResourceQuota,
  Deployment,
  ReplicaSet,
  StatefulSet,
  DaemonSet,
  ControllerRevision,
  Job,
  CronJob,
  HorizontalPodAutoscaler,
  EndpointSlice,
  Ingress,
  IngressClass,
  NetworkPolicy,
  IPAddress,
  ServiceCIDR,
  StorageClass,
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  VolumeAttachment,
  VolumeAttributesClass,
  Lease,
  PodDisruptionBudget,
  Eviction,
  Scale,
  PriorityClass,
  RuntimeClass,
  CertificateSigningRequest,
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  FlowSchema,
  PriorityLevelConfiguration,
  DeviceClass,
  ResourceClaim,
  ResourceClaimTemplate,
  ResourceSlice,
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
  NodeMetrics,
  PodMetrics,
  CustomResourceDefinition,
  APIService,
];
