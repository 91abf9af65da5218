// judge_streams.mjs FOLDER STREAM...: what the decoder makes of each stream, one line of JSON: whether there was an
// error, and number and SHA-256 of the samples before it.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, ...streams] = process.argv.slice(2);
const { open } = await import(pathToFileURL(join(folder, 'audio-gs.mjs')));

for (const stream of streams) {
  const hash = createHash('sha256');
  let samples = 0;
  let error = null;
  try {
    const decoder = await open(new Uint8Array(readFileSync(stream)));
    for (let piece = decoder.read(4096); piece.length > 0; piece = decoder.read(4096)) {
      hash.update(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
      samples += piece.length / decoder.channels;
    }
  } catch (caught) {
    error = caught.message;
  }
  console.log(JSON.stringify({ error, samples, hash: hash.digest('hex') }));
}
