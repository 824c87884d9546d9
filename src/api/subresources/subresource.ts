import type { AnyKind } from "../../kinds/kind.ts";
import type { Call } from "../core.ts";
import type { HttpResponse } from "../http.ts";
import type { Context, Services } from "../resources.ts";

/** What answers at `/<resource>/<name>/<subresource>`, or, for kinds that are never stored, at the resource itself (""). */
export type Subresource = {
  handle(services: Services, context: Context, call: Call): Promise<HttpResponse>;
};

export type Subresources = { find(kind: AnyKind, subresource: string): Subresource | undefined };
