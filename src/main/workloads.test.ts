import assert from "node:assert/strict";
import { test } from "node:test";
import { whileStarting } from "./workloads.ts";

const starting = 'failed to set removing state for container "9e19": container is in starting state, can\'t be removed';

test("a pod whose container still starts is ended again, not for ever, and no other failure is waited for", async () => {
  const triesWith = async (failures: number, text: string): Promise<readonly [tries: number, waited: number, failed: boolean]> => {
    let tries = 0, waited = 0;
    const failed = await whileStarting(async () => { if (tries++ < failures) throw new Error(text); }, async ms => { waited += ms; }).then(() => false, () => true);
    return [tries, waited, failed];
  };
  assert.deepEqual(await triesWith(2, starting), [3, 1_000, false]);
  assert.deepEqual(await triesWith(99, starting), [20, 9_500, true]);
  assert.deepEqual(await triesWith(99, "the disk is gone"), [1, 0, true]);
});
