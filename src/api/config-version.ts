/** Versions of the administrator's configuration files (apiserver pkg/apis/apiserver). */
import { isObject, type Json } from "../base/json.ts";

/** Upstream's earlier versions say the same. */
export function ofThisVersion(value: Json): Json {
  const [group, version] = isObject(value) && typeof value.apiVersion === "string" ? value.apiVersion.split("/") : [];
  return isObject(value) && group === "apiserver.config.k8s.io" && (version === "v1beta1" || version === "v1alpha1") ? { ...value, apiVersion: `${group}/v1` } : value;
}
