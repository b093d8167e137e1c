// Compiles styles/*.scss and src/*.js into ../static: what the pages load, committed as built.
// A new entry point is a new file in one of the two folders.
import { readdir, readFile, rm, writeFile, mkdir, cp } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import * as sass from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "static");
const repository = join(here, "..", "..", "..");

async function sources(folder, ending) {
  const names = await readdir(join(here, folder));
  return names.filter((name) => name.endsWith(ending) && !name.startsWith("_")).sort();
}

async function styles() {
  for (const name of await sources("styles", ".scss")) {
    const made = await sass.compileAsync(join(here, "styles", name), {
      style: "compressed",
      loadPaths: [join(here, "node_modules")],
      quietDeps: true,
    });
    await writeFile(join(out, name.replace(/\.scss$/, ".css")), made.css + "\n");
  }
}

async function scripts() {
  const names = await sources("src", ".js");
  await esbuild.build({
    entryPoints: names.map((name) => join(here, "src", name)),
    outdir: out,
    bundle: true,
    minify: true,
    format: "iife",
    target: ["es2019"],
    legalComments: "none", // LICENCES.txt beside the built files says it for all
    charset: "utf8",
    logLevel: "warning",
  });
}

const VENDORED = [
  ...["govuk-frontend", "tus-js-client", "js-base64", "url-parse", "querystringify", "requires-port"],
  ...["codemirror", "@codemirror/autocomplete", "@codemirror/commands", "@codemirror/language"],
  ...["@codemirror/legacy-modes", "@codemirror/lint", "@codemirror/search", "@codemirror/state"],
  ...["@codemirror/streamparser", "@codemirror/view", "@lezer/common", "@lezer/highlight", "@lezer/lr"],
  ...["@marijn/find-cluster-break", "crelt", "style-mod", "w3c-keyname"],
];

async function licences() {
  const parts = ["The built files in this folder contain parts of these packages.\n"];
  for (const name of VENDORED) {
    const folder = join(here, "node_modules", name);
    const told = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const names = await readdir(folder);
    const file = names.find((each) => /^licen[cs]e/i.test(each));
    const text = file
      ? await readFile(join(folder, file), "utf8")
      : await readFile(join(here, "licences", `${name}.txt`), "utf8");
    parts.push(`\n==== ${name} ${told.version} (${told.license})\n\n${text.trim()}\n`);
  }
  await writeFile(join(out, "LICENCES.txt"), parts.join(""));
}

async function accessibilityEngine() {
  const from = join(here, "node_modules", "axe-core");
  const to = join(repository, "tests", "web");
  await mkdir(to, { recursive: true });
  const engine = await readFile(join(from, "axe.min.js"));
  await writeFile(join(to, "axe.min.js.gz"), gzipSync(engine, { level: 9 }));
  await cp(join(from, "LICENSE"), join(to, "axe.LICENSE.txt"));
}

await mkdir(out, { recursive: true });
for (const name of await readdir(out)) {
  if (/\.(css|js)$/.test(name)) await rm(join(out, name));
}
await styles();
await scripts();
await licences();
await accessibilityEngine();
