import { Pod } from "../../kinds/core/pod.ts";
import type { AdmissionStep } from "./admission.ts";

const seconds = 300;
const taints = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] as const;

/** Pods stay for five minutes on a node that is lost (plugin/pkg/admission/defaulttolerationseconds). */
export const defaultTolerationSeconds: AdmissionStep = {
  name: "DefaultTolerationSeconds",
  mutate({ kind, subresource, operation, object }) {
    if (kind !== Pod || subresource !== "" || (operation !== "CREATE" && operation !== "UPDATE")) return;
    const given: readonly any[] = object.spec.tolerations ?? [];
    const tolerated = (key: string): boolean => given.some(toleration => ((toleration.key ?? "") === "" || toleration.key === key) && ((toleration.effect ?? "") === "" || toleration.effect === "NoExecute"));
    const added = taints.filter(key => !tolerated(key)).map(key => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: seconds }));
    if (added.length > 0) object.spec.tolerations = [...given, ...added];
  },
};
