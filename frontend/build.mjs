// Writes what the pages load from elsewhere into wego/web/static/vendor, and the land of the maps into wego/web/drawing,
// each with its source, licence and SHA-256 in vendor/MANIFEST.json, which a test compares with the files.
//
//   cd frontend && npm ci && node build.mjs
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import subsetFont from "subset-font";
import { geoEqualEarth, geoPath } from "d3-geo";
import { feature } from "topojson-client";

const ROOT = join(import.meta.dirname, "..");
const WEB = join(ROOT, "wego", "web");
const VENDOR = join(WEB, "static", "vendor");
const noto = (slice) => `noto-sans-${slice}-wght-normal.woff2`;
const FILES = [
  ["@digdir/designsystemet-css", "dist/src/index.css", "designsystemet.css"],
  ...["latin", "cyrillic", "cyrillic-ext", "vietnamese", "devanagari"].map(
    (slice) => ["@fontsource-variable/noto-sans", `files/${noto(slice)}`, noto(slice)],
  ),
  ["@fontsource-variable/noto-sans-arabic", "files/noto-sans-arabic-arabic-wght-normal.woff2", noto("arabic")],
];

const manifest = {};
const entry = (path, source) => {
  const { version, license } = JSON.parse(readFileSync(join("node_modules", source, "package.json")));
  const bytes = readFileSync(path);
  manifest[relative(ROOT, path)] = { source: `${source} ${version}`, licence: license, sha256: createHash("sha256").update(bytes).digest("hex") };
};

rmSync(VENDOR, { recursive: true, force: true });
mkdirSync(VENDOR, { recursive: true });
for (const [source, from, to] of FILES) {
  cpSync(join("node_modules", source, from), join(VENDOR, to));
  entry(join(VENDOR, to), source);
}

// Of the extended Latin letters those of the languages of Europe and Turkey: 15 KB instead of 168.
let letters = "ȘșȚț";
for (let code = 0x100; code <= 0x17f; code++) letters += String.fromCodePoint(code);
const extended = readFileSync(join("node_modules/@fontsource-variable/noto-sans/files", noto("latin-ext")));
writeFileSync(join(VENDOR, noto("latin-ext")), await subsetFont(extended, letters, { targetFormat: "woff2" }));
entry(join(VENDOR, noto("latin-ext")), "@fontsource-variable/noto-sans");

execFileSync("npx", ["designsystemet", "tokens", "create"], { stdio: "ignore" });
execFileSync("npx", ["designsystemet", "tokens", "build"], { stdio: "ignore" });
cpSync("design-tokens-build/hub.css", join(VENDOR, "theme.css"));
entry(join(VENDOR, "theme.css"), "@digdir/designsystemet");
rmSync("design-tokens", { recursive: true });
rmSync("design-tokens-build", { recursive: true });

// The world: Equal Earth (Šavrič, Patterson, Jenny 2018), turned by 11 degrees so that no land is cut in two.
const [WIDTH, HEIGHT, TURN] = [960, 468, -11];
const world = JSON.parse(readFileSync("node_modules/world-atlas/land-110m.json"));
const land = feature(world, world.objects.land);
land.features = (land.features ?? [land]).map((each) => each);
const projection = geoEqualEarth().rotate([TURN, 0]).fitExtent([[2, 2], [WIDTH - 2, HEIGHT - 2]], { type: "Sphere" });
const path = geoPath(projection).digits(0)(land);
const drawing = { width: WIDTH, height: HEIGHT, turn: TURN, scale: projection.scale(), translate: projection.translate(), land: path };
writeFileSync(join(WEB, "drawing", "world.json"), JSON.stringify(drawing) + "\n");
entry(join(WEB, "drawing", "world.json"), "world-atlas");

// What the browser tests look at pages with; it is in no page.
const axe = join(ROOT, "tests", "browser", "axe.min.js");
cpSync("node_modules/axe-core/axe.min.js", axe);
entry(axe, "axe-core");

writeFileSync(join(VENDOR, "MANIFEST.json"), JSON.stringify(manifest, null, 2) + "\n");
