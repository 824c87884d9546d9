/**
 * The test images: `hello` (a web server on port 5000 that names its version and host, ends on TERM) in several versions, and `busybox`.
 * `node tools/images/hello.ts [folder]` starts a registry on 127.0.0.1:5000, pushes them and leaves the registry running.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pushImage, withRoot } from "./image.ts";
import { startRegistry } from "./registry.ts";
import { busyboxRoot } from "./rootfs.ts";

/** Pushes hello:v1, hello:v2 and busybox:1. `cache` keeps downloaded packages between runs. */
export async function pushTestImages(registry: string, cache: string): Promise<void> {
  await withRoot(async root => {
    busyboxRoot(root, cache);
    await pushImage(root, `${registry}/busybox:1`, { Cmd: ["sh"] });
    mkdirSync(join(root, "www/cgi-bin"), { recursive: true });
    writeFileSync(join(root, "start"), `#!/bin/sh\necho "hello $VERSION on $(hostname), listening on :5000"\necho "hello $VERSION" > /tmp/index.html 2>/dev/null\ntrap 'echo "got TERM, bye"; exit 0' TERM\nhttpd -f -v -p 5000 -h /www & wait $!\n`, { mode: 0o755 });
    for (const version of ["v1", "v2"]) {
      writeFileSync(join(root, "www/index.html"), `hello ${version}\n`);
      await pushImage(root, `${registry}/hello:${version}`, { Entrypoint: ["/start"], Env: [`VERSION=${version}`], ExposedPorts: { "5000/tcp": {} } });
    }
  });
}

if (import.meta.main) {
  const folder = process.argv[2] ?? join(tmpdir(), "timonier-registry");
  const registry = await startRegistry(folder);
  await pushTestImages(registry.address, join(folder, "debs"));
  console.log(`hello:v1, hello:v2 and busybox:1 are in the registry on ${registry.address} (pid ${registry.pid || "as before"})`);
}
