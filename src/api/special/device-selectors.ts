/** Selectors of devices in claims and classes are compiled when they are written (kubernetes pkg/apis/resource/validation). */
import { sameJson } from "../../base/json.ts";
import { ResourceClaim } from "../../kinds/resource/resourceclaim.ts";
import { ResourceClaimTemplate } from "../../kinds/resource/resourceclaimtemplate.ts";
import { DeviceClass } from "../../kinds/resource/deviceclass.ts";
import { alternativesMax, itemsMax } from "../../kinds/resource/rules.ts";
import type { DeviceClaim, DeviceSelector } from "../../kinds/resource/types.ts";
import type { AnyKind } from "../../kinds/kind.ts";
import { loaded, type LoadCel } from "../cel.ts";
import type { Hooks } from "../core.ts";

type Expression = { readonly path: string; readonly text: string };

/** Lists that are too long are refused unread. */
const limited = <T>(list: readonly T[] | undefined, max: number): readonly T[] => (list === undefined || list.length > max ? [] : list);
const ofSelectors = (selectors: readonly DeviceSelector[] | undefined, path: string): readonly Expression[] => limited(selectors, itemsMax).flatMap(({ cel }, i) => (cel === undefined ? [] : [{ path: `${path}[${i}].cel.expression`, text: cel.expression }]));
const ofClaim = ({ requests }: DeviceClaim, path: string): readonly Expression[] => limited(requests, itemsMax).flatMap(({ exactly, firstAvailable = [] }, i) => {
  const here = `${path}.requests[${i}]`;
  if (exactly !== undefined) return firstAvailable.length > 0 ? [] : ofSelectors(exactly.selectors, `${here}.exactly.selectors`);
  return limited(firstAvailable, alternativesMax).flatMap(({ selectors }, j) => ofSelectors(selectors, `${here}.firstAvailable[${j}].selectors`));
});

/** Each kind's expressions; stored ones are not looked into again. */
const kinds: readonly (readonly [AnyKind, (object: any) => readonly Expression[]])[] = [
  [ResourceClaim, ({ spec }) => ofClaim(spec.devices, "spec.devices")],
  [ResourceClaimTemplate, ({ spec }) => ofClaim(spec.spec.devices, "spec.spec.devices")],
  [DeviceClass, ({ spec }) => ofSelectors(spec.selectors, "spec.selectors")],
];

export const deviceHooks = (loadCel: LoadCel | undefined): readonly (readonly [AnyKind, Hooks])[] => kinds.map(([kind, expressionsOf]) => [kind, {
  problems(next, previous, { subresource }) {
    const given = subresource === "" ? expressionsOf(next) : [];
    if (given.length === 0 || (previous !== undefined && sameJson(given, expressionsOf(previous)))) return undefined;
    return loaded(loadCel).then(cel => given.flatMap(({ path, text }) => cel.selectorProblem(text, path) ?? []));
  },
}]);
