/** Which endpoint of a CertificateSigningRequest writes what: its spec nothing ever, approval the conditions, status the rest (pkg/registry/certificates/certificates/strategy.go). */
import { copyJson } from "../../base/json-codec.ts";
import type { Hooks } from "../core.ts";

const approvals: ReadonlySet<string> = new Set(["Approved", "Denied"]);

export const certificateHooks: Hooks = {
  prepare(next, previous) {
    if (previous !== undefined) next.spec = copyJson(previous.spec);
  },
  limit(subresource, next, previous) {
    const conditions: readonly any[] = next.status?.conditions ?? [];
    const before: readonly any[] = previous.status?.conditions ?? [];
    if (subresource === "approval") next.status = { ...copyJson(previous.status ?? {}), ...(conditions.length > 0 ? { conditions } : {}) };
    else if (subresource === "status") {
      const kept = [...before.filter(({ type }) => approvals.has(type)), ...conditions.filter(({ type }) => !approvals.has(type))];
      next.status = { ...next.status, ...(kept.length > 0 ? { conditions: kept } : {}) };
    } else return false;
    next.spec = copyJson(previous.spec);
    return true;
  },
};
