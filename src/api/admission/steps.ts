import type { AdmissionStep } from "./admission.ts";
import { defaultIngressClass } from "./default-ingress-class.ts";
import { defaultTolerationSeconds } from "./default-toleration-seconds.ts";
import { limitRanger } from "./limit-ranger.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { podSecurity } from "./pod-security.ts";
import { priority } from "./priority.ts";
import { runtimeClass } from "./runtime-class.ts";
import { defaultStorageClass, persistentVolumeClaimResize, storageObjectInUseProtection } from "./storage.ts";
import { taintNodesByCondition } from "./taint-nodes-by-condition.ts";

/** The pipeline, in upstream's order (pkg/kubeapiserver/options/plugins.go). Every write passes it; a step is one file and one line here. */
export const admissionSteps: readonly AdmissionStep[] = [
  namespaceLifecycle,
  taintNodesByCondition,
  limitRanger,
  podSecurity(),
  priority,
  defaultTolerationSeconds,
  storageObjectInUseProtection,
  persistentVolumeClaimResize,
  runtimeClass,
  defaultIngressClass,
  defaultStorageClass,
];
