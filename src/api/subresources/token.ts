import { TokenRequest } from "../../kinds/authentication/tokenrequest.ts";
import { ApiError } from "../../base/api-error.ts";
import { badRequest, invalid, notFound } from "../errors.ts";
import type { Posted } from "./posted.ts";

/** Tokens of a service account (pkg/registry/core/serviceaccount/storage/token.go). */
export const token: Posted = {
  body: TokenRequest,
  async answer({ core, tokens }, call, body) {
    const { namespace, name, served } = call;
    if (tokens === undefined) throw new ApiError("ServiceUnavailable", "this server issues no service account tokens");
    const account = core.reader.get("", "serviceaccounts", namespace, name);
    if (account === undefined) throw notFound(served, name);
    const { metadata } = body;
    if ((metadata.name ?? name) !== name) throw invalid(TokenRequest, name, [{ field: "metadata.name", reason: "Invalid", value: metadata.name, detail: "must match the service account name if specified" }]);
    if ((metadata.namespace ?? namespace) !== namespace) throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
    return tokens.issue({ namespace, name, uid: account.metadata.uid }, body, core.reader);
  },
};
