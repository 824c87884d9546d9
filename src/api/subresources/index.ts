import type { AnyKind } from "../../kinds/kind.ts";
import type { SubresourceType } from "../discovery.ts";
import type { Subresource } from "./subresource.ts";

/** Subresources with a handler of their own, and kinds that are only answered ("" is the resource itself). */
export function findSubresource(_kind: AnyKind, _subresource: string): Subresource | undefined {
  return undefined;
}
export function subresourceTypeOf(_kind: AnyKind, _subresource: string): SubresourceType | undefined {
  return undefined;
}
