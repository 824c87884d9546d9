import { deepFreeze } from "../../base/json.ts";
import { Pod } from "../../kinds/core/pod.ts";
import type { AdmissionStep } from "./admission.ts";

const seconds = 300;
// The same for every pod, and shared by all of them.
const tolerations = deepFreeze(["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"].map(key => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: seconds })));

/** Pods stay for five minutes on a node that is lost (plugin/pkg/admission/defaulttolerationseconds). */
export const defaultTolerationSeconds: AdmissionStep = {
  name: "DefaultTolerationSeconds",
  mutate({ kind, subresource, operation, object }) {
    if (kind !== Pod || subresource !== "" || (operation !== "CREATE" && operation !== "UPDATE")) return;
    const given: readonly any[] = object.spec.tolerations ?? [];
    const tolerated = (key: string): boolean => given.some(toleration => ((toleration.key ?? "") === "" || toleration.key === key) && ((toleration.effect ?? "") === "" || toleration.effect === "NoExecute"));
    const added = tolerations.filter(({ key }) => !tolerated(key));
    if (added.length > 0) object.spec.tolerations = [...given, ...added];
  },
};
