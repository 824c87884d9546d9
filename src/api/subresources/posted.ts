/** Requests that are answered rather than stored: bindings, evictions, tokens, reviews. They pass admission like every write. */
import { decode } from "../../schema/decode.ts";
import { apiVersionOf, type AnyKind } from "../../kinds/kind.ts";
import { withNulls } from "../../schema/go-nulls.ts";
import { updateManagedFields } from "../../schema/apply.ts";
import { managerOf } from "../../schema/managed-fields.ts";
import { matchNamespace, setDefaults, wipeSystemFields } from "../strategy.ts";
import { admit } from "../admission/pipeline.ts";
import { readBody } from "../body.ts";
import type { Call } from "../core.ts";
import { methodNotAllowed } from "../errors.ts";
import type { HttpResponse } from "../http.ts";
import { negotiateInput, plainForms } from "../negotiate.ts";
import { writeOptions, type WriteOptions } from "../options.ts";
import { outputOf, type Context, type Services } from "../resources.ts";
import { sendOther, sendStatus } from "../respond.ts";
import type { Subresource } from "./subresource.ts";
import { expectedOf } from "../type-meta.ts";

/** What answers a POST with a body of this kind. */
export type Posted = {
  readonly body: AnyKind;
  /** The answer is the object itself, with what came of it: its metadata are those of an object that is made. */
  readonly answersObject?: true;
  /** `body` is private, canonical and defaulted. Answers with an object of the same kind, or a `Status`. */
  answer(services: Services, call: Call, body: any, options: WriteOptions): Promise<any>;
};

/** `status: Success` as bindings and evictions answer. */
export const created = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };

/** Answers below HTTP: `value` is what a client sent, in any shape that the kind's schema reads. */
export async function post(services: Services, call: Call, posted: Posted, value: any, options: WriteOptions): Promise<any> {
  const { core } = services;
  const body = decode(posted.body.schema.node, value).object;
  body.kind = posted.body.kind;
  body.apiVersion = apiVersionOf(posted.body);
  setDefaults(posted.body, body);
  call.trail?.asked?.(structuredClone(withNulls(posted.body.schema.node, body)));
  if (posted.answersObject === true) {
    if (call.subresource === "") wipeSystemFields(body.metadata);
    matchNamespace(posted.body, body.metadata, call.namespace);
    const fields = updateManagedFields({ node: posted.body.schema.node, before: undefined, after: body, manager: managerOf(options.fieldManager, call.userAgent), apiVersion: body.apiVersion, now: core.clock.now(), ...(call.subresource === "" ? {} : { subresource: call.subresource }) });
    if (fields === undefined) delete body.metadata.managedFields;
    else body.metadata.managedFields = fields;
  }
  const admission = {
    operation: "CREATE" as const, kind: call.served.kind, served: call.served, subresource: call.subresource, namespace: call.namespace, name: call.name, user: call.user, dryRun: options.dryRun, options,
    object: body, previous: undefined, now: core.clock.now(), read: core.reader, warn: (text: string) => call.warn(text), annotate: (key: string, value: string) => call.annotate?.(key, value), trail: call.trail,
  };
  await admit(core, "mutate", admission);
  await admit(core, "validate", admission);
  return posted.answer(services, call, body, options);
}

/** The same as an endpoint. */
export function postedEndpoint(posted: Posted): Subresource {
  return {
    async handle(services: Services, { request, info, warn }: Context, call: Call): Promise<HttpResponse> {
      if (info.verb !== "create") throw methodNotAllowed();
      const output = outputOf(request, info, plainForms);
      const type = negotiateInput(request.headers, true);
      const bytes = await request.body();
      const options = writeOptions("CreateOptions", info.query);
      const { body: kind } = posted;
      const body = readBody(bytes, type, expectedOf(services.core, { kind, group: kind.group, version: kind.version, node: kind.schema.node }), { parseYaml: services.parseYaml, fieldValidation: options.fieldValidation, warn });
      const answer = await post(services, call, posted, body, options);
      if (answer.kind === "Status") return sendStatus(answer.code ?? 201, answer, output);
      return sendOther(201, { core: services.core, output, query: info.query }, kind, answer);
    },
  };
}
