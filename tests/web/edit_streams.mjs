// edit_streams.mjs FOLDER: edits streams with the editor of a folder of gs-export wasm. Reads from standard input a list
// of { path, steps }, where a step is { of, move | transpose | scale | pan | drop | copy }, and `of` a kind, or the number of
// a tone in the stream. Prints a line for each: the stream in base64, or what it was refused for.

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const { edit, exchanged, louder, panned, shifted, transposed } = await import(`${pathToFileURL(process.argv[2])}/audio-gs-editor.mjs`);

async function become(chosen, { move, transpose, scale, pan, copy }, { header, pannedHeader }) {
  if (move) return shifted(chosen, { samples: (move.seconds ?? 0) * header.sampleRate, hertz: move.hertz }, header);
  if (transpose) return transposed(chosen, transpose, header);
  if (scale) return louder(chosen, scale, header);
  if (pan) return panned(chosen, pan, pannedHeader);
  return chosen.map((one) => (copy ? { ...one } : null));
}

for (const { path, steps } of JSON.parse(readFileSync(0, 'utf8'))) {
  try {
    const { writer, score } = await edit(new Uint8Array(readFileSync(path)));
    let edited = score;
    for (const step of steps) {
      const { of } = step;
      const chosen = edited.gaussians.filter((one) => of === 'all' || one.kind === of || one === edited.tones[of]);
      const changed = await become(chosen, step, edited);
      const map = new Map(chosen.map((one, index) => [one, changed[index]]));
      edited = await edited.with(writer, exchanged(edited.gaussians, map));
    }
    console.log(Buffer.from(edited.bytes).toString('base64'));
  } catch (error) {
    console.log(`refused: ${error.message}`);
  }
}
