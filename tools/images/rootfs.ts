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

/**
 * A root with these Debian packages and all that they depend on, unpacked as dpkg would but without running their scripts: no users made, no
 * files generated. `users` are added to /etc/passwd beside root and nobody, each with its own group. `cache` keeps downloaded packages.
 */
export function debianRoot(root: string, cache: string, packages: readonly string[], users: readonly { readonly name: string; readonly id: number; readonly home: string }[] = []): void {
  for (const folder of ["bin", "sbin", "lib", "lib64"]) {
    mkdirSync(join(root, "usr", folder), { recursive: true });
    if (!existsSync(join(root, folder))) symlinkSync(`usr/${folder}`, join(root, folder));
  }
  for (const folder of ["etc", "tmp", "root", "var", "proc", "sys", "dev", "run"]) mkdirSync(join(root, folder), { recursive: true });
  chmodSync(join(root, "tmp"), 0o1777);
  for (const archive of downloaded([...packages, "base-files", "dash", "coreutils"], cache))
    execFileSync("sh", ["-c", 'dpkg-deb --fsys-tarfile "$0" | tar -C "$1" -x --keep-directory-symlink', archive, root], { stdio: ["ignore", "ignore", "inherit"] });
  if (!existsSync(join(root, "bin/sh"))) symlinkSync("dash", join(root, "bin/sh"));
  const people = [{ name: "root", id: 0, home: "/root" }, { name: "nobody", id: 65534, home: "/" }, ...users];
  writeFileSync(join(root, "etc/passwd"), people.map(({ name, id, home }) => `${name}:x:${id}:${id}::${home}:/bin/sh\n`).join(""));
  writeFileSync(join(root, "etc/group"), people.map(({ name, id }) => `${name}:x:${id}:\n`).join(""));
  writeFileSync(join(root, "etc/nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files dns\n");
}

/** The archives of these packages and of all that they depend on. */
function downloaded(packages: readonly string[], cache: string): readonly string[] {
  mkdirSync(cache, { recursive: true });
  // Of use only to scripts that do not run here, or large and loaded only when asked for (PostgreSQL's compiler).
  const skipped = new Set(["debconf", "cdebconf", "dpkg", "init-system-helpers", "systemd", "adduser", "udev", "libllvm14", "libz3-4", "locales", "locales-all"]);
  const flags = ["--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances"];
  const names = execFileSync("apt-cache", ["depends", ...flags, ...packages], { encoding: "utf8", maxBuffer: 1 << 26 })
    .split("\n").filter(line => /^[a-z0-9]/.test(line) && !skipped.has(line) && !line.includes("debconf") && !line.includes("debian-installer") && !line.includes(":"));
  const missing = [...new Set(names)].filter(name => !readdirSync(cache).some(file => file.startsWith(`${name}_`)));
  if (missing.length > 0) execFileSync("apt-get", ["download", "-q", ...missing], { cwd: cache, stdio: ["ignore", "ignore", "inherit"] });
  const files = readdirSync(cache).filter(file => file.endsWith(".deb"));
  return [...new Set(names)].map(name => join(cache, files.find(file => file.startsWith(`${name}_`)) ?? `${name}_missing.deb`));
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
