// Decodes Opus packets to one channel of 32-bit floats: node opus_lace.mjs PACKAGE ENHANCEMENT RATE IN OUT
// IN has the length of each packet in two bytes, the low one first, before it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

process.on('uncaughtException', (error) => {
  console.log(error.message);
  process.exit(1);
});
const [folder, enhancement, rate, source, target] = process.argv.slice(2);
const { OpusMLDecoder } = await import(pathToFileURL(join(folder, 'index.js')).href);
const data = readFileSync(source);
const packets = [];
for (let position = 0; position < data.length;) {
  const start = position + 2;
  position = start + data.readUInt16LE(position);
  packets.push(new Uint8Array(data.subarray(start, position)));
}
const decoder = new OpusMLDecoder({
  channels: 1, sampleRate: Number(rate), speechQualityEnhancement: enhancement,
});
await decoder.ready;
const { channelData, errors } = decoder.decodeFrames(packets);
decoder.free();
if (errors.length) throw new Error(errors[0].message);
writeFileSync(target, channelData[0]);
