// Runs every *.test.ts below src/ with Node's own test runner.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { build } from "esbuild";

const tests = (await readdir("src", { recursive: true })).filter((file) => file.endsWith(".test.ts"));
const out = await mkdtemp("node_modules/.tests-");
try {
  await build({ entryPoints: tests.map((file) => join("src", file)), outdir: out, bundle: true, platform: "node", format: "esm", outExtension: { ".js": ".mjs" }, packages: "external", logLevel: "warning" });
  const built = (await readdir(out, { recursive: true })).filter((file) => file.endsWith(".mjs")).map((file) => join(out, file));
  process.exitCode = spawnSync(process.execPath, ["--test", ...built], { stdio: "inherit" }).status ?? 1;
} finally {
  await rm(out, { recursive: true });
}
