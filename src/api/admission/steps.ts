import type { AdmissionStep } from "./admission.ts";
import { defaultTolerationSeconds } from "./default-toleration-seconds.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { podSecurity } from "./pod-security.ts";
import { priority } from "./priority.ts";
import { taintNodesByCondition } from "./taint-nodes-by-condition.ts";

/** The pipeline, in upstream's order (pkg/kubeapiserver/options/plugins.go). Every write passes it; a step is one file and one line here. */
export const admissionSteps: readonly AdmissionStep[] = [
  namespaceLifecycle,
  taintNodesByCondition,
  podSecurity(),
  priority,
  defaultTolerationSeconds,
];
