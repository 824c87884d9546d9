import { Eviction } from "../../kinds/policy/eviction.ts";
import { deleteOptions } from "../options.ts";
import { badRequest } from "../errors.ts";
import { remove } from "../delete.ts";
import { created, type Posted } from "./posted.ts";

/** A delete that asks first (pkg/registry/core/pod/storage/eviction.go). */
export const eviction: Posted = {
  body: Eviction,
  async answer({ core }, call, body, { dryRun }) {
    const given = body.metadata.name ?? "";
    if (given !== "" && given !== call.name) throw badRequest("name in URL does not match name in Eviction object");
    const asked = deleteOptions(new URLSearchParams(""), body.deleteOptions ?? {});
    await remove(core, { ...call, subresource: "" }, { ...asked, dryRun: dryRun || asked.dryRun });
    return created;
  },
};
