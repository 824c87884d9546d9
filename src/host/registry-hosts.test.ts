import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { messageOf } from "../base/log.ts";
import { RegistryHosts } from "./registry-hosts.ts";

test("what containerd is told follows the file, leaves other people's files alone, and names what is wrong", async () => {
  const folder = mkdtempSync(join(tmpdir(), "timonier-registries-"));
  try {
    const file = join(folder, "registries.yaml");
    const at = (registry: string): string => join(folder, "certs.d", registry, "hosts.toml");
    let edits = 0;
    const edit = (text: string): void => { writeFileSync(file, text); utimesSync(file, 1, ++edits); };
    edit("mirrors:\n  docker.io:\n    endpoint: [http://127.0.0.1:5000]\nconfigs:\n  docker.io:\n    auth: {username: ann, password: pass}\n");
    const told: (string | undefined)[] = [];
    const options = { folder: join(folder, "certs.d"), file, kept: join(folder, "kept.json"), tell: (problem: string | undefined) => void told.push(problem) };
    const hosts = new RegistryHosts(options);
    await hosts.check();
    assert.deepEqual(await hosts.prepare("nginx:1"), { username: "ann", password: "pass" });
    assert.match(readFileSync(at("docker.io"), "utf8"), /host\."http:\/\/127\.0\.0\.1:5000"/);
    assert.equal(await hosts.prepare("quay.io/x"), undefined);
    assert.equal(existsSync(at("quay.io")), false);

    edit("mirrors: {}\n");
    mkdirSync(join(folder, "certs.d/own.lan"));
    writeFileSync(at("own.lan"), "server = \"http://own.lan\"\n");
    assert.equal(await hosts.prepare("nginx:1"), undefined);
    await hosts.prepare("own.lan/x");
    assert.deepEqual([existsSync(at("docker.io")), readFileSync(at("own.lan"), "utf8")], [false, "server = \"http://own.lan\"\n"]);

    // A bad edit stops nothing: what could be used last counts, after a restart too, and it is told once.
    edit("configs: {docker.io: {auth: {username: eve, password: pass}}}\n");
    assert.deepEqual(await hosts.prepare("nginx:1"), { username: "eve", password: "pass" });
    edit("mirrors: {docker.io: {}}\n");
    const problem = `${file} (--registries): mirrors[docker.io].endpoint: Required value: a mirror without an endpoint is none`;
    for (let i = 0; i < 2; i++) assert.deepEqual([await hosts.prepare("nginx:1"), told], [{ username: "eve", password: "pass" }, [problem]]);
    const again = new RegistryHosts(options);
    await again.check();
    assert.deepEqual([await again.prepare("nginx:1"), told.splice(0)], [{ username: "eve", password: "pass" }, [problem, problem]]);
    rmSync(file);
    for (let i = 0; i < 2; i++) assert.deepEqual(await hosts.prepare("nginx:1"), { username: "eve", password: "pass" });
    assert.match(told.splice(0).join("|"), /^[^|]*ENOENT[^|]*$/);
    edit("configs: {docker.io: {auth: {username: bob, password: pass}}}\n");
    for (let i = 0; i < 2; i++) assert.deepEqual([await hosts.prepare("nginx:1"), told], [{ username: "bob", password: "pass" }, [undefined]]);
    await assert.rejects(new RegistryHosts({ folder, file: join(folder, "bad.yaml"), kept: join(folder, "none.json") }).check(), error => /bad\.yaml \(--registries\): ENOENT/.test(messageOf(error)));
    assert.equal(statSync(options.kept).mode & 0o777, 0o600);
    await assert.rejects(new RegistryHosts({ folder, file: join(folder, "none.yaml") }).check(), error => /none\.yaml \(--registries\): ENOENT/.test(messageOf(error)));

    const note = join(folder, "gateway.json");
    const box = new RegistryHosts({ folder: join(folder, "box"), gatewayNote: note });
    await assert.rejects(box.prepare("127.0.0.1:5000/hello:v1"), /registry 127\.0\.0\.1:5000 is the machine's own/);
    writeFileSync(note, JSON.stringify({ url: "http://10.95.0.1:3333", token: "secret" }));
    await box.prepare("127.0.0.1:5000/hello:v1");
    assert.match(readFileSync(join(folder, "box/127.0.0.1:5000/hosts.toml"), "utf8"), /^server = "http:\/\/10\.95\.0\.1:3333"$/m);
    await box.prepare("quay.io/x");
    assert.equal(existsSync(join(folder, "box/quay.io")), false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
