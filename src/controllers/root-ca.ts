import { sameJson } from "../base/json.ts";
import { joinKey } from "../client/informer.ts";
import { ConfigMap } from "../kinds/core/configmap.ts";
import { Namespace } from "../kinds/core/namespace.ts";
import type { Controller } from "./controller.ts";
import { unlessEnding } from "./serviceaccount.ts";

const name = "kube-root-ca.crt";
const annotations = {
  "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. "
    + "No other usage is guaranteed across distributions of Kubernetes clusters.",
};

/** Publishes the CA by which pods trust the API server, as a ConfigMap in every namespace. */
export const rootCAPublisher: Controller = {
  name: "root-ca-cert-publisher",
  account: "root-ca-cert-publisher",
  component: "root-ca-cert-publisher",
  reconciles: Namespace,
  watches: [{ kind: ConfigMap, keysOf: (map: ConfigMap) => (map.metadata.name === name ? [map.metadata.namespace ?? ""] : []) }],

  async reconcile(key, context) {
    const namespace = context.read(Namespace).get(key);
    if (namespace === undefined || namespace.status.phase !== "Active" || context.settings.rootCA === "") return undefined;
    const map = context.read(ConfigMap).get(joinKey(key, name));
    const data = { "ca.crt": context.settings.rootCA };
    if (map === undefined) await unlessEnding(context.create(ConfigMap, { metadata: { namespace: key, name, annotations }, data }));
    else if (!sameJson(map.data, data) || map.metadata.annotations?.["kubernetes.io/description"] === undefined)
      await context.update(ConfigMap, { ...map, metadata: { ...map.metadata, annotations: { ...map.metadata.annotations, ...annotations } }, data });
    return undefined;
  },
};
