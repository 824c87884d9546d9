import assert from "node:assert/strict";
import { test } from "node:test";
import { cri } from "./cri-messages.ts";
import { operationOf } from "./cri.ts";

test("calls of the runtime are counted under upstream's names", () => {
  assert.deepEqual(Object.values(cri).map(({ path }) => operationOf(path)), [
    "version", "status", "run_podsandbox", "stop_podsandbox", "remove_podsandbox", "podsandbox_status", "list_podsandbox", "create_container", "start_container", "stop_container", "remove_container",
    "list_containers", "container_status", "update_container", "reopen_container_log", "exec_sync", "attach", "port_forward", "update_runtime_config", "list_container_stats", "list_images", "image_status", "pull_image", "remove_image", "image_fs_info",
  ]);
});
