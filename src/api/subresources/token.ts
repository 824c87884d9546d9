import { TokenRequest } from "../../kinds/authentication/tokenrequest.ts";
import { ApiError } from "../../base/api-error.ts";
import { conflict, invalid, notFound } from "../errors.ts";
import type { Posted } from "./posted.ts";

/** Tokens of a service account (pkg/registry/core/serviceaccount/storage/token.go). */
export const token: Posted = {
  body: TokenRequest,
  answersObject: true,
  async answer({ core, tokens }, call, body) {
    const { namespace, name, served } = call;
    if (tokens === undefined) throw new ApiError("ServiceUnavailable", "this server issues no service account tokens");
    const account = core.reader.get("", "serviceaccounts", namespace, name);
    if (account === undefined) throw notFound(served, name);
    const { metadata } = body;
    if ((metadata.name ?? name) !== name) throw invalid(TokenRequest, name, [{ field: "metadata.name", reason: "Invalid", value: metadata.name, detail: "must match the service account name if specified" }]);
    const { uid } = account.metadata;
    if ((metadata.uid ?? "") !== "" && metadata.uid !== uid) throw conflict({ group: TokenRequest.group, resource: TokenRequest.kind }, name, `the UID in the token request (${metadata.uid}) does not match the UID of the service account (${uid})`);
    const answer = await tokens.issue({ namespace, name, uid }, { ...body, metadata: { ...metadata, name, namespace, uid } }, core.reader);
    call.annotate?.("authentication.kubernetes.io/issued-credential-id", `JTI=${answer.id}`);
    return answer.request;
  },
};
