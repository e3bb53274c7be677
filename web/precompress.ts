import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";
import type { Plugin } from "vite";

const COMPRESSIBLE = /\.(js|css|svg)$/;
const WAYS = { br: promisify(brotliCompress), gz: promisify(gzip) };

/** Writes a .br and a .gz beside each file of text; the server sends them to clients that take them. */
export function precompress(): Plugin {
  let folder = "";
  return {
    name: "precompress",
    apply: "build",
    configResolved: ({ build, root }) => {
      folder = join(root, build.outDir);
    },
    closeBundle: async () => {
      const names = (await readdir(folder, { recursive: true })).filter((name) => COMPRESSIBLE.test(name));
      await Promise.all(names.map(async (name) => {
        const path = join(folder, name);
        const bytes = await readFile(path);
        for (const [ending, compress] of Object.entries(WAYS)) await writeFile(`${path}.${ending}`, await compress(bytes));
      }));
    },
  };
}
