// decode_vectors.mjs FOLDER STREAM...: the samples' CRC-32 of each stream, decoded in pieces of several lengths, and
// what the decoder gives after moves, with a budget and in its loop; one line of JSON each.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const [folder, ...streams] = process.argv.slice(2);
const { compile, compileAll, open } = await import(pathToFileURL(join(folder, 'audio-gs.mjs')));

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit += 1) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte >>> 0;
});

class Crc {
  value = 0xffffffff;
  add(samples) {
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    for (const byte of bytes) this.value = table[(this.value ^ byte) & 255] ^ (this.value >>> 8);
  }
  get text() {
    return ((this.value ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0');
  }
}

const whole = await compileAll();

function crcInPieces(decoder) {
  const crc = new Crc();
  for (let piece = 0; decoder.position < decoder.header.samples; piece += 1) {
    crc.add(decoder.read([1, 63, 64, 5000, 20000][piece % 5]));
  }
  return crc.text;
}

// What the module gives that plays one channel as it was encoded; null for a stream that takes the other one.
async function plainly(bytes) {
  try {
    const decoder = await open(bytes, await compile());
    const crc = crcInPieces(decoder);
    decoder.check();
    return { crc, again: crcInPieces(decoder) };
  } catch (error) {
    if (error.kind !== 'unsupported') throw error;
    return null;
  }
}

for (const stream of streams) {
  const bytes = new Uint8Array(readFileSync(stream));
  const plain = await plainly(bytes);
  const decoder = await open(bytes, whole);
  const { header } = decoder;
  const crc = crcInPieces(decoder);
  const middle = Math.floor(header.samples / 2);
  const after = (change) => {
    change();
    const moved = new Crc();
    moved.add(decoder.read(1500));
    return moved.text;
  };
  const sought = after(() => decoder.seek(middle));
  const budgeted = after(() => {
    decoder.setBudget(8);
    decoder.seek(middle);
  });
  decoder.setBudget(null);
  const muted = after(() => {
    decoder.setMute({ noise: true, from: 500, to: 1500 });
    decoder.setGain(10 ** (-6 / 20));
    decoder.seek(middle);
  });
  decoder.setMute();
  decoder.setGain(1);
  const pitched = after(() => {
    decoder.setPitch(1.25);
    decoder.seek(middle);
  });
  decoder.setPitch(1);
  const paced = after(() => {
    decoder.setTempo(0.75);
    decoder.seek(middle);
  });
  decoder.setTempo(1);
  let looped = null;
  if (header.canLoop) {
    looped = after(() => {
      decoder.seek(Math.max(0, header.loopEnd - 100));
      decoder.setLoop(true);
    });
  }
  console.log(JSON.stringify({ crc, plain, header, sought, budgeted, muted, pitched, paced, looped }));
}
