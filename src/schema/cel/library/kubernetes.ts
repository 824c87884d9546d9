/** Everything that Kubernetes 1.36 gives to CEL expressions (apiserver pkg/cel/environment/base.go). */
import { type Library, joinLibraries } from "../functions.ts";
import { authzLibrary } from "./authz.ts";
import { formatLibrary } from "./format.ts";
import { jsonPatchLibrary } from "./jsonpatch.ts";
import { listsLibrary } from "./lists.ts";
import { netLibrary } from "./net.ts";
import { optionalLibrary } from "./optional.ts";
import { quantityLibrary } from "./quantity.ts";
import { regexLibrary } from "./regex.ts";
import { standardLibrary } from "./standard.ts";
import { stringsLibrary } from "./strings.ts";
import { urlLibrary } from "./url.ts";

export const kubernetesLibrary: Library = joinLibraries(standardLibrary, optionalLibrary, stringsLibrary, listsLibrary, regexLibrary, netLibrary, quantityLibrary, urlLibrary, formatLibrary, authzLibrary);
/** What expressions that make patches have besides. */
export const patchLibrary: Library = joinLibraries(kubernetesLibrary, jsonPatchLibrary);
