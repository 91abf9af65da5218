// list_vectors.mjs FOLDER STREAM...: what each stream's listing holds, as rows of numbers by kind,
// and how many samples it still has when none is heard; one line of JSON each.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const [folder, ...streams] = process.argv.slice(2);
const { compileAll, open } = await import(pathToFileURL(join(folder, 'audio-gs.mjs')));

for (const stream of streams) {
  const decoder = await open(new Uint8Array(readFileSync(stream)), await compileAll());
  decoder.setListing(true);
  const found = [];
  while (decoder.read(1024).length > 0) found.push(...decoder.takeGaussians());
  const ofKind = (kind, row) => found.filter((one) => one.kind === kind).map(row);
  decoder.setListing(false);
  decoder.setLeast({ tone: 0xffffffff, noise: 0xffffffff });
  decoder.seek(0);
  console.log(
    JSON.stringify({
      tone: ofKind('tone', (one) => [one.scale, one.start, one.bin, one.amplitude, one.phase]),
      noise: ofKind('noise', (one) => [one.scale, one.start, one.width, one.place, one.weight]),
      coefficient: ofKind('coefficient', (one) => [one.frame, one.bin, one.value]),
      silent: decoder.read(decoder.header.samples).length / decoder.channels,
      physical: found
        .filter((one) => one.kind === 'tone')
        .map((one) => [(one.start + one.length / 2) / decoder.header.sampleRate, one.hertz, 10 ** (one.decibels / 20)]),
    }),
  );
}
