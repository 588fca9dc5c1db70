// Packs console/dist into the one committed file the executable embeds: crates/plinth/assets/console.pack.
//
// Layout (docs/adr/0010-console.md):
//   8 bytes   "PLNCON1\n"
//   4 bytes   length of the index, unsigned, little endian
//   index     UTF-8 JSON: {"sources": <sha256 of what the build reads>, "files": [{path, type, size, etag, immutable, encoding, offset, length}, …]}
//   blobs     each file's bytes, `length` of them from `offset` after the index; `encoding` is "br" or "identity"
// Files are sorted by path and nothing in it depends on the clock or the machine, so equal sources give equal bytes.
//
// usage: node snapshot.mjs            pack dist
//        node snapshot.mjs --check    compare what dist would pack to with the committed file
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");
const target = join(here, "../crates/plinth/assets/console.pack");
const MAGIC = "PLNCON1\n";
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".txt": "text/plain; charset=utf-8",
};
// What the build reads: a checker without Node can hash these and know whether the committed file is the sources' own.
const SOURCES = ["index.html", "package.json", "package-lock.json", "public", "src", "tsconfig.json", "vite.config.ts"];

function walk(path) {
  if (!existsSync(path)) return [];
  try {
    return readdirSync(path, { withFileTypes: true })
      .flatMap((entry) => (entry.isDirectory() ? walk(join(path, entry.name)) : [join(path, entry.name)]))
      .sort();
  } catch {
    return [path];
  }
}

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const urlPath = (root, file) => relative(root, file).split(sep).join("/");

/** One hash over every source file: `path NUL sha256 LF`, by path. */
function sourcesHash() {
  const lines = SOURCES.flatMap((source) => walk(join(here, source)))
    .filter((file) => !/\.test\.tsx?$/.test(file))
    .map((file) => `${urlPath(here, file)}\0${sha256(readFileSync(file))}\n`)
    .sort();
  return sha256(lines.join(""));
}

function pack() {
  const blobs = [];
  let offset = 0;
  const files = walk(dist).map((file) => {
    const path = urlPath(dist, file);
    const type = TYPES[extname(file)];
    if (!type) throw new Error(`${path}: no content type is known for this extension; add it to TYPES`);
    const bytes = readFileSync(file);
    const squeezed = brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    });
    const smaller = squeezed.length < bytes.length;
    const blob = smaller ? squeezed : bytes;
    const entry = {
      path,
      type,
      size: bytes.length,
      etag: sha256(bytes).slice(0, 32),
      // Vite puts a hash of the content into the names below assets/.
      immutable: path.startsWith("assets/"),
      encoding: smaller ? "br" : "identity",
      offset,
      length: blob.length,
    };
    blobs.push(blob);
    offset += blob.length;
    return entry;
  });
  if (!files.some((file) => file.path === "index.html")) throw new Error("dist has no index.html: run `npm run build` first");
  const index = Buffer.from(JSON.stringify({ sources: sourcesHash(), files }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(index.length);
  return { bytes: Buffer.concat([Buffer.from(MAGIC), length, index, ...blobs]), files: files.length };
}

const { bytes, files } = pack();
if (process.argv.includes("--check")) {
  const committed = existsSync(target) ? readFileSync(target) : Buffer.alloc(0);
  if (!committed.equals(bytes)) {
    console.error(`crates/plinth/assets/console.pack is not what console/ builds to (${sha256(committed).slice(0, 12)} committed, ${sha256(bytes).slice(0, 12)} built). Run \`npm run snapshot\` in console/ and commit the file.`);
    process.exit(1);
  }
  console.log("the committed console is what console/ builds to");
} else {
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, bytes);
  console.log(`packed ${files} files into ${bytes.length.toLocaleString("en-GB")} bytes`);
}
