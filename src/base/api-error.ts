import type { Json } from "./json.ts";

/** Upstream's `metav1.StatusReason` values and the HTTP code each one answers with (apimachinery pkg/apis/meta/v1/types.go). */
const codes = {
  BadRequest: 400, Unauthorized: 401, Forbidden: 403, NotFound: 404, MethodNotAllowed: 405, NotAcceptable: 406,
  AlreadyExists: 409, Conflict: 409, Gone: 410, Expired: 410, RequestEntityTooLarge: 413, UnsupportedMediaType: 415,
  Invalid: 422, TooManyRequests: 429, InternalError: 500, ServiceUnavailable: 503, ServerTimeout: 500, Timeout: 504,
  InsufficientStorage: 507, Unknown: 500,
} as const;
export type Reason = keyof typeof codes;

/** `status.details` on the wire. */
export type StatusDetails = {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
};
export type StatusCause = { readonly reason?: string; readonly message?: string; readonly field?: string };

/**
 * An answer the client must see, on both sides of the wire: the request path throws it and turns it into a `Status` in one
 * place; a client rebuilds it from the `Status` it receives.
 */
export class ApiError extends Error {
  override name = "ApiError";
  readonly reason: Reason | "";
  readonly code: number;
  readonly details: StatusDetails | undefined;
  constructor(reason: Reason | "", message: string, details?: StatusDetails, code?: number) {
    super(message);
    this.reason = reason;
    this.code = code ?? (reason === "" ? 500 : codes[reason]);
    this.details = details;
  }
  /** The `v1.Status` body, keys in upstream's order. */
  status(): Json {
    return {
      kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message: this.message,
      ...(this.reason === "" ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details as Json }),
      code: this.code,
    };
  }
}

export function isApiError(error: unknown, reason: Reason): error is ApiError {
  return error instanceof ApiError && error.reason === reason;
}
