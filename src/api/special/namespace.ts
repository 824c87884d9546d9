/** Namespaces go when their own finalizers, in spec, are gone (pkg/registry/core/namespace/storage/storage.go). */
import { copyJson } from "../../base/json-codec.ts";
import type { Hooks } from "../core.ts";

export const namespaceHooks: Hooks = {
  holds: namespace => (namespace.spec?.finalizers?.length ?? 0) > 0,
  markDeleted(namespace) {
    delete namespace.metadata.deletionGracePeriodSeconds;
    namespace.status = { ...namespace.status, phase: "Terminating" };
  },
  limit(subresource, next, previous) {
    if (subresource !== "finalize") return false;
    next.status = copyJson(previous.status);
    return true;
  },
};
