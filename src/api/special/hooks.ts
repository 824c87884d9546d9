import type { Random } from "../../base/random.ts";
import type { AnyKind } from "../../kinds/kind.ts";
import { CertificateSigningRequest } from "../../kinds/certificates/certificatesigningrequest.ts";
import { Namespace } from "../../kinds/core/namespace.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { Service } from "../../kinds/core/service.ts";
import { CustomResourceDefinition } from "../../kinds/apiextensions/customresourcedefinition.ts";
import type { Reader } from "../context.ts";
import { policyHooks } from "../admission/policies/hooks.ts";
import type { LoadCel } from "../cel.ts";
import type { Hooks } from "../core.ts";
import { certificateHooks } from "./certificate.ts";
import { definitionHooks } from "../crd/definitions.ts";
import type { CompilePattern } from "../crd/validate.ts";
import { deviceHooks } from "./device-selectors.ts";
import { flowHooks } from "../flow-control/mandatory.ts";
import { namespaceHooks } from "./namespace.ts";
import { podHooks } from "./pod.ts";
import { defaultServiceRange, serviceHooks } from "./service.ts";

export type HookOptions = { readonly read: Reader; readonly random: Random; readonly serviceRange?: string; readonly compilePattern: CompilePattern; readonly loadCel?: LoadCel | undefined };

/** The kinds whose storage does more than store, one line each. */
export function storageHooks({ read, random, serviceRange, compilePattern, loadCel }: HookOptions): ReadonlyMap<AnyKind, Hooks> {
  return new Map<AnyKind, Hooks>([
    [CertificateSigningRequest, certificateHooks],
    [Namespace, namespaceHooks],
    [Pod, podHooks],
    [CustomResourceDefinition, definitionHooks(compilePattern, loadCel)],
    ...deviceHooks(loadCel),
    ...policyHooks(loadCel),
    ...flowHooks,
    [Service, serviceHooks(read, random, serviceRange ?? defaultServiceRange)],
  ]);
}
