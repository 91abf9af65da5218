// Runs an ffmpeg that is compiled to WebAssembly: node ffmpeg_core.mjs PACKAGE IN OUT ARGUMENT...
// IN is its only input and OUT its only output; the arguments between them are ffmpeg's.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';

process.on('uncaughtException', (error) => {
  console.log(error.message);
  process.exit(1);
});
const [folder, source, target, ...words] = process.argv.slice(2);
const script = join(folder, 'dist', 'ffmpeg-core.js');
const said = [];
const core = await createRequire(import.meta.url)(script)({
  mainScriptUrlOrBlob: script,
  wasmBinary: readFileSync(join(folder, 'dist', 'ffmpeg-core.wasm')),
  print: (line) => said.push(line),
  printErr: (line) => said.push(line),
});
const [input, output] = [basename(source), basename(target)];
core.FS.writeFile(input, readFileSync(source));
const args = ['ffmpeg', '-hide_banner', '-nostdin', '-i', input, ...words, output];
const pointers = core._malloc(4 * args.length);
args.forEach((word, index) => {
  const size = core.lengthBytesUTF8(word) + 1;
  const place = core._malloc(size);
  core.stringToUTF8(word, place, size);
  core.setValue(pointers + 4 * index, place, 'i32');
});
try {
  core._main(args.length, pointers);
} catch (end) {
  // It ends by throwing what says so, whether it succeeded or not.
  if (end.status !== 0) throw new Error(said.at(-1) ?? end.message);
}
writeFileSync(target, core.FS.readFile(output));
