import { ApiError, isApiError } from "../base/api-error.ts";
import { joinKey } from "../client/informer.ts";
import { Namespace } from "../kinds/core/namespace.ts";
import { ServiceAccount } from "../kinds/core/serviceaccount.ts";
import type { Controller } from "./controller.ts";

const name = "default";

/** Sees to it that every namespace has the service account `default`. */
export const serviceAccountController: Controller = {
  name: "serviceaccount",
  account: "service-account-controller",
  component: "service-account-controller",
  reconciles: Namespace,
  watches: [{ kind: ServiceAccount, keysOf: (account: ServiceAccount, _context, { type }) => (type === "deleted" && account.metadata.name === name ? [account.metadata.namespace ?? ""] : []) }],

  async reconcile(key, context) {
    const namespace = context.read(Namespace).get(key);
    if (namespace?.status.phase !== "Active" || context.read(ServiceAccount).get(joinKey(key, name)) !== undefined) return undefined;
    await unlessEnding(context.create(ServiceAccount, { metadata: { namespace: key, name } }));
    return undefined;
  },
};

/** In a namespace that is being deleted nothing can be made, and nothing needs to be. */
export function isNamespaceEnding(error: unknown): boolean {
  return error instanceof ApiError && error.details?.causes?.some(cause => cause.reason === "NamespaceTerminating") === true;
}
/** Somebody else was faster, or the namespace is on its way out: either way nothing is left to do. */
export async function unlessEnding(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isNamespaceEnding(error) && !isApiError(error, "AlreadyExists") && !isApiError(error, "NotFound")) throw error;
  }
}
