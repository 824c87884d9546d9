/** How server-side apply says that someone else owns a field (apimachinery managedfields/internal/conflict.go). */
import { ApiError } from "../base/api-error.ts";
import { renderPath } from "./apply-field-set.ts";
import type { Owner } from "./managed-fields.ts";

export type Conflict = { readonly owner: Owner; readonly path: readonly string[] };

/** The answer to an apply that would take fields from others; `conflicts` is not empty and grouped by owner. */
export function conflictError(conflicts: readonly Conflict[]): ApiError {
  const causes = conflicts.map(({ owner, path }) => ({ reason: "FieldManagerConflict", message: `conflict with ${renderOwner(owner)}`, field: renderPath(path) }));
  return new ApiError("Conflict", messageOf(conflicts), { causes });
}

function messageOf(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1 && first !== undefined) return `Apply failed with 1 conflict: conflict with ${renderOwner(first.owner)}: ${renderPath(first.path)}`;
  const byOwner = new Map<Owner, string[]>();
  for (const { owner, path } of conflicts) {
    const lines = byOwner.get(owner) ?? [`conflicts with ${renderOwner(owner)}:`];
    lines.push(`- ${renderPath(path)}`);
    byOwner.set(owner, lines);
  }
  return `Apply failed with ${conflicts.length} conflicts: ${[...byOwner.values()].flat().join("\n")}`;
}

function renderOwner(owner: Owner): string {
  const name = JSON.stringify(owner.manager) + (owner.subresource === "" ? "" : ` with subresource ${JSON.stringify(owner.subresource)}`);
  return owner.operation === "Update" ? `${name} using ${owner.apiVersion}` : name;
}
