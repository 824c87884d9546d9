/** What other API servers store, as kinds that controllers can follow: by their metadata alone. */
import { defineKind, type AnyKind, type Verb } from "../../kinds/kind.ts";
import { compareVersions } from "../version-order.ts";
import type { RemoteVersion } from "./remote-discovery.ts";

/**
 * Every resource that can be deleted and listed, once: in its group's preferred version that has it (client-go discovery ServerPreferredResources).
 * Kinds that are as before are the same objects as `before`.
 */
export function remoteKinds(versions: readonly Pick<RemoteVersion, "group" | "version" | "versionPriority" | "resources">[], before: readonly AnyKind[]): readonly AnyKind[] {
  const found = new Map<string, AnyKind>();
  const inOrder = [...versions].sort((a, b) => b.versionPriority - a.versionPriority || compareVersions(a.version, b.version));
  for (const { group, version, resources } of inOrder)
    for (const { resource, responseKind, scope, singularResource, verbs } of resources) {
      if (typeof resource !== "string" || !Array.isArray(verbs) || !verbs.includes("delete") || !verbs.includes("list") || found.has(`${group}/${resource}`)) continue;
      const kind = defineKind({
        group, version, plural: resource, kind: nameOf(responseKind), singular: typeof singularResource === "string" ? singularResource : "", namespaced: scope === "Namespaced",
        verbs: verbs as unknown as readonly Verb[], definition: "", doc: "", fields: {}, remote: true,
      });
      found.set(`${group}/${resource}`, before.find(each => isSame(each, kind)) ?? kind);
    }
  return [...found.values()];
}

const nameOf = (responseKind: unknown): string => String((responseKind as { readonly kind?: unknown } | undefined)?.kind ?? "");

function isSame(a: AnyKind, b: AnyKind): boolean {
  return a.group === b.group && a.version === b.version && a.plural === b.plural && a.kind === b.kind && a.namespaced === b.namespaced && String(a.verbs) === String(b.verbs);
}
