// Bundles the dashboard into dist/, which is committed and embedded: the same sources always give the same bytes.
// `node build.mjs --out DIR` writes elsewhere, so that a check can compare.
import { cp, mkdir } from "node:fs/promises";
import { build } from "esbuild";

const flag = process.argv.indexOf("--out");
const out = flag < 0 ? "dist" : process.argv[flag + 1];
await mkdir(out, { recursive: true });
await build({
  entryPoints: { app: "src/main.tsx", style: "src/style/all.css" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
});
await cp("src/index.html", `${out}/index.html`);
