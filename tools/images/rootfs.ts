/** Small root file systems from Debian packages, downloaded but not installed. Needs apt-get and dpkg-deb. */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync, chmodSync } from "node:fs";
import { dirname, join } from "node:path";

const libraries = process.arch === "arm64" ? "/lib/aarch64-linux-gnu" : "/lib/x86_64-linux-gnu";

/** A root with busybox, its applets and the C library, name service included. `cache` keeps downloaded packages. */
export function busyboxRoot(root: string, cache: string): void {
  for (const folder of ["bin", "etc", "tmp", "root", "var", "proc", "sys", "dev", "run", "www", "home", `usr${libraries}`, "lib64"]) mkdirSync(join(root, folder), { recursive: true });
  chmodSync(join(root, "tmp"), 0o1777);
  if (!existsSync(join(root, "lib"))) symlinkSync("usr/lib", join(root, "lib"));
  const busybox = join(unpacked("busybox", cache), "bin/busybox");
  copyFileSync(busybox, join(root, "bin/busybox"));
  for (const applet of execFileSync(busybox, ["--list"], { encoding: "utf8" }).split("\n").filter(name => name !== "" && name !== "busybox"))
    if (!existsSync(join(root, "bin", applet))) symlinkSync("busybox", join(root, "bin", applet));
  const needed = execFileSync("ldd", [busybox], { encoding: "utf8" }).match(/\/\S+\.so\S*/g) ?? [];
  for (const library of [...needed, `${libraries}/libnss_dns.so.2`, `${libraries}/libnss_files.so.2`]) {
    const target = join(root, library.replace(/^\/lib\//, "/usr/lib/"));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(library, target);
  }
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n");
  writeFileSync(join(root, "etc/group"), "root:x:0:\nnobody:x:65534:\n");
  writeFileSync(join(root, "etc/nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files dns\n");
}

/** The files of a Debian package, in a folder of `cache`. */
function unpacked(name: string, cache: string): string {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  if (!readdirSync(cache).some(file => file.startsWith(`${name}_`))) execFileSync("apt-get", ["download", "-q", name], { cwd: cache, stdio: ["ignore", "ignore", "inherit"] });
  const archive = readdirSync(cache).find(file => file.startsWith(`${name}_`) && file.endsWith(".deb"));
  if (!archive) throw new Error(`apt-get did not download ${name}`);
  execFileSync("dpkg-deb", ["-x", join(cache, archive), folder]);
  return folder;
}
