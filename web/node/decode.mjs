#!/usr/bin/env node
// decode.mjs CLIP.gs OUT.wav: decodes a stream to a WAV file of 16 bits. -f overwrites. Exit code 0, 1 for an error, 2
// for a wrong call, 3 for a damaged stream.

import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { AudioGsError, open, wavHeader } from './audio-gs.mjs';

const BLOCK = 65536; // samples

async function decode(input, output, force) {
  if (existsSync(output) && !force) throw new Error(`${output} exists; -f overwrites it`);
  const decoder = await open(new Uint8Array(readFileSync(input)));
  const { channels } = decoder;
  const { sampleRate, samples: length } = decoder.header;
  if (channels * length > 0x7fffffff - 36) throw new Error('the sound is too long for a WAV file');
  const partial = `${output}.${process.pid}.part`;
  const file = openSync(partial, 'wx');
  try {
    writeSync(file, wavHeader(sampleRate, length, channels));
    for (;;) {
      const samples = decoder.read(BLOCK);
      if (samples.length === 0) break;
      const bytes = Buffer.alloc(2 * samples.length);
      samples.forEach((sample, index) => bytes.writeInt16LE(sample, 2 * index));
      writeSync(file, bytes);
    }
    renameSync(partial, output);
  } finally {
    closeSync(file);
    rmSync(partial, { force: true });
  }
}

const given = process.argv.slice(2);
const paths = given.filter((word) => word !== '-f');
if (paths.length !== 2 || given.length - paths.length > 1) {
  console.error('decode.mjs: give a stream and the WAV file to write: decode.mjs CLIP.gs OUT.wav [-f]');
  process.exit(2);
}
try {
  await decode(paths[0], paths[1], given.includes('-f'));
} catch (error) {
  console.error(`decode.mjs: ${paths[0]}: ${error.message}`);
  process.exit(error instanceof AudioGsError && error.kind !== 'argument' ? 3 : 1);
}
