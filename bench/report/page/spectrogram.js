// Spectrograms of the page's sounds, each made once.

const spectra = new Map();

// Power of a sound, as analyseSpectrum gives it.
async function spectrum(number, sampleRate, seconds) {
  const key = `${number}/${sampleRate}`;
  const analysed = async () => analyseSpectrum(await soundSamples(number, sampleRate), sampleRate, seconds);
  if (!spectra.has(key)) spectra.set(key, analysed());
  return spectra.get(key);
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
