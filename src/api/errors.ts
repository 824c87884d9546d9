/** Upstream's refusals with their texts (apimachinery pkg/api/errors/errors.go, apiserver pkg/endpoints/handlers/responsewriters). */
import { ApiError, type StatusCause } from "../base/api-error.ts";
import { goQuote as quote, invalid } from "../schema/problem.ts";
import type { Decision, RequestAttributes, User } from "./context.ts";

export { invalid };

/** What a message names: `deployments.apps`. */
export type Named = { readonly group: string; readonly resource: string };

export const qualified = ({ group, resource }: Named): string => (group === "" ? resource : `${resource}.${group}`);
const details = ({ group, resource }: Named, name: string) => ({ ...(name === "" ? {} : { name }), ...(group === "" ? {} : { group }), kind: resource });

export const badRequest = (message: string): ApiError => new ApiError("BadRequest", message);
export const notFound = (of: Named, name: string): ApiError => new ApiError("NotFound", `${qualified(of)} ${quote(name)} not found`, details(of, name));
export const alreadyExists = (of: Named, name: string, deleting = false): ApiError => new ApiError("AlreadyExists", `${deleting ? "object is being deleted: " : ""}${qualified(of)} ${quote(name)} already exists`, details(of, name));
export const generateNameConflict = (of: Named, name: string): ApiError =>
  new ApiError("AlreadyExists", `${qualified(of)} ${quote(name)} already exists, the server was not able to generate a unique name for the object`, { ...details(of, name), retryAfterSeconds: 1 });
export const conflict = (of: Named, name: string, why = "the object has been modified; please apply your changes to the latest version and try again"): ApiError =>
  new ApiError("Conflict", `Operation cannot be fulfilled on ${qualified(of)} ${quote(name)}: ${why}`, details(of, name));
/** A write whose `metadata.uid` names an object that is no longer there (apiserver pkg/storage/errors.go NewInvalidObjError). */
export const uidConflict = (of: Named, name: string, key: string, wanted: string, found: string): ApiError => preconditionFailed("UID", of, name, key, wanted, found);
/** The same for a version that is not checked by the write itself. */
export const versionConflict = (of: Named, name: string, key: string, wanted: string, found: string): ApiError => preconditionFailed("ResourceVersion", of, name, key, wanted, found);
const preconditionFailed = (what: string, of: Named, name: string, key: string, wanted: string, found: string): ApiError =>
  conflict(of, name, `StorageError: invalid object, Code: 4, Key: ${key.replace(/^\/registry\/[^/]+\//, "/registry/")}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found}`);
export const notSupported = (of: Named, action: string): ApiError =>
  new ApiError("MethodNotAllowed", `${action} is not supported on resources of kind ${quote(qualified(of))}`, details(of, ""));
export const expired = (message: string): ApiError => new ApiError("Expired", message);
export const internal = (message: string): ApiError => new ApiError("InternalError", `Internal error occurred: ${message}`, { causes: [{ message }] });
export const timeout = (message: string, retryAfterSeconds: number): ApiError =>
  new ApiError("Timeout", `Timeout: ${message}`, retryAfterSeconds === 0 ? {} : { retryAfterSeconds });
export const tooLarge = (message: string): ApiError => new ApiError("RequestEntityTooLarge", `Request entity too large: ${message}`);
export const tooManyRequests = (message: string, retryAfterSeconds: number): ApiError => new ApiError("TooManyRequests", message, { retryAfterSeconds });
/** 0 seconds: there is no use in waiting for it. */
export const tooLargeResourceVersion = (wanted: number, current: number, retryAfterSeconds = 1): ApiError =>
  new ApiError("Timeout", `Timeout: Too large resource version: ${wanted}, current: ${current}`, { causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }], ...(retryAfterSeconds === 0 ? {} : { retryAfterSeconds }) });
export const unauthorized = (): ApiError => new ApiError("Unauthorized", "Unauthorized");
export const unsupportedMediaType = (accepted: readonly string[]): ApiError =>
  new ApiError("UnsupportedMediaType", `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`);
export const notAcceptable = (accepted: readonly string[]): ApiError =>
  new ApiError("NotAcceptable", `only the following media types are accepted: ${accepted.join(", ")}`);
/** What upstream's router refuses, before anything looks at the request (go-restful's texts). */
export const noRepresentation = (available: readonly string[]): ApiError => new ApiError("NotAcceptable", `406: Not Acceptable\n\nAvailable representations: ${available.join(", ")}`, {});
export const noSuchBody = (): ApiError => new ApiError("UnsupportedMediaType", "415: Unsupported Media Type", {});

/** A path under a known group and version that names no resource. */
export const unknownResource = (): ApiError => new ApiError("NotFound", "the server could not find the requested resource", {});
export const methodNotAllowed = (): ApiError => new ApiError("MethodNotAllowed", "the server does not allow this method on the requested resource", {});
/** What a JSON patch that does not apply is told. */
export const unprocessable = (): ApiError => new ApiError("Invalid", "the server rejected our request due to an error in our request", {});

/** Refused by admission or a strategy: `pods "x" is forbidden: why`. */
export function forbidden(of: Named, name: string, why: string, causes?: readonly StatusCause[]): ApiError {
  const message = of.resource === "" ? `forbidden: ${why}` : name === "" ? `${qualified(of)} is forbidden: ${why}` : `${qualified(of)} ${quote(name)} is forbidden: ${why}`;
  return new ApiError("Forbidden", message, { ...details(of, name), ...(causes === undefined ? {} : { causes }) });
}

/** What a decision that is no yes comes to inside a request: an authorizer that could not judge is our failure, not a refusal (apiserver pkg/endpoints/handlers/create.go). */
export const refusalOf = (user: User, attributes: RequestAttributes, { reason, error }: Decision): ApiError => (error === undefined ? unauthorizedFor(user, attributes, reason) : internal(error));

/** Refused by the authorizer (apiserver pkg/endpoints/handlers/responsewriters/errors.go). */
export function unauthorizedFor(user: User, attributes: RequestAttributes, reason: string | undefined): ApiError {
  const { verb, group, resource, subresource, namespace, name, path } = attributes;
  const who = `User ${quote(user.name)} cannot ${verb}`;
  const because = reason === undefined || reason === "" ? "" : `: ${reason}`;
  if (!attributes.resourceRequest) return new ApiError("Forbidden", `forbidden: ${who} path ${quote(path)}${because}`, {});
  const what = subresource === "" ? resource : `${resource}/${subresource}`;
  const where = namespace === "" ? " at the cluster scope" : ` in the namespace ${quote(namespace)}`;
  return forbidden({ group, resource }, name, `${who} resource ${quote(what)} in API group ${quote(group)}${where}${because}`);
}
