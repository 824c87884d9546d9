import assert from "node:assert/strict";
import { test } from "node:test";
import { openApiV3Of } from "./openapi-upgrade.ts";

test("OpenAPI v2 in v3's words: bodies, answers, references and what stands beside them", () => {
  const thing = { $ref: "#/definitions/Thing" };
  const v3 = openApiV3Of({
    swagger: "2.0", info: { title: "Other", version: "1" },
    paths: { "/apis/a/v1/things": {
      parameters: [{ $ref: "#/parameters/pretty" }, { name: "limit", in: "query", type: "integer", uniqueItems: true, "x-more": 1 }],
      post: {
        operationId: "createThing", consumes: ["application/json"], produces: ["application/json"], schemes: ["https"], "x-kubernetes-action": "post",
        parameters: [{ name: "body", in: "body", required: true, schema: thing }, { name: "dryRun", in: "query", type: "string", description: "try" }], responses: { 201: { description: "Created", schema: thing }, 401: { description: "Unauthorized" } },
      },
    } },
    definitions: { Thing: { type: "object", properties: { meta: { ...thing, description: "itself", default: {} }, list: { type: "array", items: thing }, map: { type: "object", additionalProperties: thing }, open: { type: "object", additionalProperties: true }, "x-thing": thing }, "x-kubernetes-group-version-kind": [{ group: "a", version: "v1", kind: "Thing" }] } },
    securityDefinitions: { BearerToken: { type: "apiKey", name: "authorization", in: "header" } }, security: [{ BearerToken: [] }],
  });
  const there = { $ref: "#/components/schemas/Thing" };
  assert.deepEqual(v3, {
    openapi: "3.0.0", info: { title: "Other", version: "1" },
    paths: { "/apis/a/v1/things": {
      parameters: [{ $ref: "#/components/parameters/pretty" }, { name: "limit", in: "query", "x-more": 1, schema: { type: "integer", uniqueItems: true } }],
      post: {
        operationId: "createThing", "x-kubernetes-action": "post", parameters: [{ name: "dryRun", in: "query", description: "try", schema: { type: "string" } }],
        requestBody: { content: { "application/json": { schema: there } } }, responses: { 201: { description: "Created", content: { "application/json": { schema: there } } }, 401: { description: "Unauthorized" } },
      },
    } },
    components: {
      schemas: { Thing: { type: "object", properties: { meta: { description: "itself", default: {}, allOf: [there] }, list: { type: "array", items: there }, map: { type: "object", additionalProperties: there }, open: { type: "object", additionalProperties: true }, "x-thing": there }, "x-kubernetes-group-version-kind": [{ group: "a", version: "v1", kind: "Thing" }] } },
      securitySchemes: { BearerToken: { type: "apiKey", name: "authorization", in: "header" } },
    },
  });
});
