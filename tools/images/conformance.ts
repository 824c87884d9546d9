/**
 * The images that upstream's end-to-end suite starts, made from its own test programs (see `tools/conformance.ts`) and Debian's packages, under
 * the names the suite asks for, in a registry on the loopback. They stand in for registry.k8s.io, which tests here never reach.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pushImage, withRoot, type ImageConfig } from "./image.ts";
import { busyboxRoot, debianRoot } from "./rootfs.ts";

/** `binaries` holds agnhost, sample-apiserver, resource-consumer and others of upstream's programs; `sources` is upstream's tree (certificates of the test server). */
export async function pushConformanceImages(registry: string, cache: string, binaries: string, sources: string): Promise<readonly string[]> {
  const pushed: string[] = [];
  const image = async (names: readonly string[], config: ImageConfig, fill: (root: string) => void): Promise<void> => {
    const there = await Promise.all(names.map(async name => (await fetch(`http://${registry}/v2/${name.replace(":", "/manifests/")}`, { method: "HEAD", headers: { accept: "application/vnd.oci.image.manifest.v1+json" } })).ok));
    if (there.every(Boolean)) return;
    await withRoot(async root => {
      fill(root);
      for (const name of names) {
        await pushImage(root, `${registry}/${name}`, config);
        pushed.push(name);
      }
    });
  };
  const program = (root: string, name: string, to = name): void => {
    copyFileSync(join(binaries, name), join(root, to));
    chmodSync(join(root, to), 0o755);
  };
  const agnhost = (root: string): void => {
    const user = { name: "user-defined-in-image", id: 1000, home: "/home/user" };
    debianRoot(root, cache, ["bash", "bind9-dnsutils", "curl", "netcat-openbsd", "iproute2", "iperf", "util-linux", "procps", "busybox", "grep", "sed", "ca-certificates", "libc-bin", "wget"], [user]);
    writeFileSync(join(root, "etc/group"), `root:x:0:\n${user.name}:x:1000:\ngroup-defined-in-image:x:50000:${user.name}\nnobody:x:65534:\n`);
    applets(root);
    // busybox's wget, which stands here upstream, tries once (and Debian's crashes with -T).
    writeFileSync(join(root, "etc/wgetrc"), "tries = 1\n");
    for (const folder of ["uploads", "home/user"]) mkdirSync(join(root, folder), { recursive: true });
    for (const file of ["localhost.crt", "localhost.key"]) copyFileSync(join(sources, "test/images/agnhost/porter", file), join(root, file));
    program(root, "agnhost");
    symlinkSync("agnhost", join(root, "agnhost-2"));
    symlinkSync("nc.openbsd", join(root, "bin/nc"));
  };
  const e2e = "e2e-test-images";
  await image([`${e2e}/agnhost:2.63.0`, `${e2e}/agnhost:2.55`], { Entrypoint: ["/agnhost"], Cmd: ["pause"] }, agnhost);
  for (const animal of ["nautilus", "kitten"])
    await image([`${e2e}/${animal}:1.8`], { Entrypoint: ["/agnhost"], Cmd: ["test-webserver"] }, root => {
      agnhost(root);
      // Upstream's is made from Alpine's, and a test of image volumes reads that in it.
      rmSync(join(root, "etc/os-release"), { force: true });
      writeFileSync(join(root, "etc/os-release"), 'NAME="stands in for Alpine Linux"\n');
      for (const file of [`${animal}.jpg`, "data.json"]) copyFileSync(join(sources, "test/images", animal, "html", file), join(root, file));
    });
  await image([`${e2e}/busybox:1.37.0-1`], { Cmd: ["sh"] }, root => {
    debianRoot(root, cache, ["bash", "busybox"]);
    applets(root, execFileSync(join(root, "bin/busybox"), ["--list"], { encoding: "utf8" }).trim().split("\n"));
    // Debian's busybox and dash drop variables whose names no shell could say (`data-1`); the busybox that stands here upstream, and bash, pass them on.
    rmSync(join(root, "bin/sh"));
    symlinkSync("bash", join(root, "bin/sh"));
  });
  // A program that belongs to root and says under which user it runs.
  await image([`${e2e}/nonewprivs:1.4`], { Cmd: ["nnp"] }, root => {
    mkdirSync(join(root, "usr/local/bin"), { recursive: true });
    execFileSync("gcc", ["-static", "-x", "c", "-o", join(root, "usr/local/bin/nnp"), "-"], { input: '#include <stdio.h>\n#include <unistd.h>\nint main(void) { printf("Effective uid: %d\\n", geteuid()); return 0; }\n' });
    chmodSync(join(root, "usr/local/bin/nnp"), 0o6755);
  });
  await image([`${e2e}/nonroot:1.5`], { User: "1234", Cmd: ["sh"] }, root => busyboxRoot(root, cache));
  await image([`${e2e}/ipc-utils:1.4`], { Cmd: ["sh"] }, root => debianRoot(root, cache, ["bash", "util-linux"]));
  await image(["pause:3.10.2", "pause:3.10.1", "pause:3.10"], { Entrypoint: ["/agnhost", "pause"] }, root => program(root, "agnhost"));
  await image([`${e2e}/glibc-dns-testing:2.0.0`], { Cmd: ["bash"] }, root => debianRoot(root, cache, ["bash", "bind9-dnsutils", "curl", "libc-bin"]));
  await image([`${e2e}/nginx:1.15-4`, `${e2e}/nginx:1.27-0`], { Cmd: ["nginx", "-g", "daemon off;"], ExposedPorts: { "80/tcp": {} } }, root => {
    debianRoot(root, cache, ["nginx-light", "curl"], [{ name: "www-data", id: 33, home: "/var/www" }]);
    writeFileSync(join(root, "etc/nginx/sites-enabled/default"), "server { listen 80 default_server; root /usr/share/nginx/html; }\n");
  });
  await image(["build-image/distroless-iptables:v0.9.6"], { Cmd: ["sh"] }, root => debianRoot(root, cache, ["bash", "grep", "conntrack"]));
  await image([`${e2e}/regression-issue-74839:1.4`], { Entrypoint: ["/regression-issue-74839"] }, root => {
    debianRoot(root, cache, ["bash"]);
    program(root, "regression-issue-74839");
  });
  await image(["etcd:3.6.8-0"], { Entrypoint: ["etcd"] }, root => {
    debianRoot(root, cache, ["etcd-server"]);
    mkdirSync(join(root, "usr/local/bin"), { recursive: true });
    symlinkSync("../../bin/etcd", join(root, "usr/local/bin/etcd"));
  });
  await image([`${e2e}/sample-apiserver:1.29.2`], { Entrypoint: ["/sample-apiserver"] }, root => {
    debianRoot(root, cache, ["bash"]);
    program(root, "sample-apiserver");
  });
  await image([`${e2e}/resource-consumer:1.14`], { Entrypoint: ["/consumer"], ExposedPorts: { "8080/tcp": {} } }, root => {
    debianRoot(root, cache, ["bash", "stress"]);
    program(root, "resource-consumer", "consumer");
    program(root, "consume-cpu");
  });
  return pushed;
}

/** What Debian's packages do not bring is busybox's, as on the images of upstream, which are Alpine's. */
function applets(root: string, names: readonly string[] = ["ping", "nslookup", "traceroute", "vi", "less", "telnet", "hostname", "find", "xargs", "awk", "ifconfig", "route", "arp", "killall", "unzip", "ip6tables"]): void {
  for (const name of names)
    try {
      symlinkSync("busybox", join(root, "bin", name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
}
