/**
 * The images of the course: `site`, a Django site with a public app and an api app, and `postgres`. Made of Debian's packages.
 * `node tools/images/course.ts [folder]` starts a registry on 127.0.0.1:5000, pushes them and leaves the registry running.
 */
import { chmodSync, copyFileSync, cpSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pushImage, withRoot } from "./image.ts";
import { startRegistry } from "./registry.ts";
import { debianRoot } from "./rootfs.ts";

const files = new URL("course/", import.meta.url).pathname;

/** Pushes site:v1 and postgres:15. `cache` keeps downloaded packages between runs. */
export async function pushCourseImages(registry: string, cache: string): Promise<void> {
  await built(root => {
    debianRoot(root, cache, ["python3-django", "python3-psycopg2", "gunicorn"]);
    cpSync(join(files, "site"), join(root, "site"), { recursive: true });
    install(root, "site-start");
  }, root => pushImage(root, `${registry}/site:v1`, { Entrypoint: ["/site-start"], Env: ["PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1"], ExposedPorts: { "8000/tcp": {} } }));
  await built(root => {
    debianRoot(root, cache, ["postgresql-15", "postgresql-client-15", "util-linux"], [{ name: "postgres", id: 999, home: "/var/lib/postgresql" }]);
    install(root, "postgres-start");
  }, root => pushImage(root, `${registry}/postgres:15`, {
    Entrypoint: ["/postgres-start"], Env: ["PGDATA=/var/lib/postgresql/data/pgdata", "PATH=/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], StopSignal: "SIGINT", ExposedPorts: { "5432/tcp": {} },
  }));
}

function install(root: string, name: string): void {
  copyFileSync(join(files, name), join(root, name));
  chmodSync(join(root, name), 0o755);
}
function built(fill: (root: string) => void, push: (root: string) => Promise<unknown>): Promise<void> {
  return withRoot(async root => {
    fill(root);
    await push(root);
  });
}

if (import.meta.main) {
  const folder = process.argv[2] ?? join(tmpdir(), "timonier-registry");
  const registry = await startRegistry(folder);
  await pushCourseImages(registry.address, join(folder, "debs"));
  console.log(`site:v1 and postgres:15 are in the registry on ${registry.address}`);
}
