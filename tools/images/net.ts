/** The image `net:1`: busybox with a small client and server for network tests, once with glibc (`net`) and once with musl (`net-musl`). Needs gcc and Debian's musl-tools. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { pushImage, withRoot } from "./image.ts";
import { busyboxRoot } from "./rootfs.ts";

const source = new URL("net.c", import.meta.url).pathname;

/** Builds and pushes it; `cache` keeps downloaded packages. Gives the path of a `net` for this machine, in `cache`. */
export async function pushNetImage(registry: string, cache: string): Promise<string> {
  return withRoot(async root => {
    busyboxRoot(root, cache);
    execFileSync("gcc", ["-O2", "-Wall", "-o", join(root, "bin/net"), source]);
    execFileSync("musl-gcc", ["-O2", "-Wall", "-static", "-o", join(root, "bin/net-musl"), source]);
    const here = join(cache, "net");
    execFileSync("cp", [join(root, "bin/net"), here]);
    await pushImage(root, `${registry}/net:1`, { Entrypoint: ["/bin/net"], Cmd: ["serve", "tcp:80", "udp:80"] });
    return here;
  });
}
