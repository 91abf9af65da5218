// Spectrograms of the page's sounds, each made once.

const spectra = new Map();

// Power of a sound, as analyseSpectrum gives it, in each of its channels.
async function channelSpectra(number, sampleRate, seconds) {
  const found = [];
  for (const samples of await soundSamples(number, sampleRate)) {
    found.push(await analyseSpectrum(samples, sampleRate, seconds));
  }
  return found;
}

// Of the channel that is shown, 'left' or 'right', or of 'both' the louder one in each place.
async function spectrum(number, sampleRate, seconds, shown) {
  const key = `${number}/${sampleRate}`;
  if (!spectra.has(key)) spectra.set(key, channelSpectra(number, sampleRate, seconds));
  const [left, right = left] = await spectra.get(key);
  if (shown === 'left' || left === right) return left;
  if (shown === 'right') return right;
  return { ...left, levels: left.levels.map((level, place) => Math.max(level, right.levels[place])) };
}

function paintScale() {
  const canvas = document.getElementById('scale');
  const context = canvas.getContext('2d');
  const table = paints();
  for (let x = 0; x < canvas.width; x += 1) {
    const from = 3 * Math.round((255 * x) / (canvas.width - 1));
    context.fillStyle = `rgb(${table[from]} ${table[from + 1]} ${table[from + 2]})`;
    context.fillRect(x, 0, 1, 1);
  }
}
