// Spectrograms: one scale in dB for every picture, frequency on a mel or a linear axis.

const FLOOR_DB = -90, CEILING_DB = -10;
const WINDOW_SECONDS = 0.032;
const COLUMNS = 720, ROWS = 220;
const TICKS = { mel: [250, 500, 1000, 2000, 4000, 8000, 16000], linear: [1000, 2000, 4000, 8000, 12000, 16000, 20000] };
const PAINTS = {
  light: [[250, 249, 246], [214, 226, 224], [128, 184, 190], [46, 118, 148], [31, 58, 105], [15, 20, 46]],
  dark: [[16, 19, 21], [38, 28, 72], [112, 36, 108], [196, 66, 84], [246, 148, 74], [253, 240, 190]],
};

const toMel = (hertz) => Math.log1p(hertz / 700);
const fromMel = (mel) => 700 * Math.expm1(mel);

// Share of the picture's height, 0 at the bottom.
function heightOf(hertz, top, axis) {
  return axis === 'mel' ? toMel(hertz) / toMel(top) : hertz / top;
}

function frequencyAt(height, top, axis) {
  return axis === 'mel' ? fromMel(height * toMel(top)) : height * top;
}

// Power of so many seconds of samples, of full scale 1, from a time on, as bytes between the floor and the ceiling:
// COLUMNS frames of `bins`. Yields to the page now and then.
async function analyseSpectrum(samples, sampleRate, seconds, from = 0) {
  const size = 2 ** Math.round(Math.log2(WINDOW_SECONDS * sampleRate));
  const bins = size / 2 + 1;
  const levels = new Uint8Array(COLUMNS * bins);
  const transform = fourier(size);
  const window = Float64Array.from({ length: size }, (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / size));
  const gain = 4 / size; // 2 / the window's sum
  const real = new Float64Array(size), imaginary = new Float64Array(size);
  for (let column = 0; column < COLUMNS; column += 1) {
    const start = Math.round((from + ((column + 0.5) / COLUMNS) * seconds) * sampleRate - size / 2);
    for (let index = 0; index < size; index += 1) real[index] = (samples[start + index] ?? 0) * window[index];
    imaginary.fill(0);
    transform(real, imaginary);
    for (let bin = 0; bin < bins; bin += 1) {
      const power = (real[bin] ** 2 + imaginary[bin] ** 2) * gain * gain;
      const level = (10 * Math.log10(power + 1e-12) - FLOOR_DB) / (CEILING_DB - FLOOR_DB);
      levels[column * bins + bin] = 255 * Math.min(1, Math.max(0, level));
    }
    if (column % 120 === 119) await new Promise((resolve) => setTimeout(resolve));
  }
  return { levels, bins, top: sampleRate / 2 };
}

// In-place radix-2 transform of a power of two.
function fourier(size) {
  const bits = Math.log2(size);
  const cosine = Float64Array.from({ length: size / 2 }, (_, index) => Math.cos((2 * Math.PI * index) / size));
  const sine = Float64Array.from({ length: size / 2 }, (_, index) => -Math.sin((2 * Math.PI * index) / size));
  const reversed = Uint32Array.from({ length: size }, (_, index) => {
    let result = 0;
    for (let bit = 0; bit < bits; bit += 1) result |= ((index >> bit) & 1) << (bits - 1 - bit);
    return result;
  });
  return (real, imaginary) => {
    for (let index = 0; index < size; index += 1) {
      const other = reversed[index];
      if (other > index) {
        [real[index], real[other]] = [real[other], real[index]];
        [imaginary[index], imaginary[other]] = [imaginary[other], imaginary[index]];
      }
    }
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let index = 0; index < half; index += 1) {
          const low = start + index, high = low + half;
          const twiddleReal = cosine[index * stride], twiddleImaginary = sine[index * stride];
          const re = real[high] * twiddleReal - imaginary[high] * twiddleImaginary;
          const im = real[high] * twiddleImaginary + imaginary[high] * twiddleReal;
          real[high] = real[low] - re;
          imaginary[high] = imaginary[low] - im;
          real[low] += re;
          imaginary[low] += im;
        }
      }
    }
  };
}

function paints() {
  const stops = PAINTS[darkScheme.matches ? 'dark' : 'light'];
  const table = new Uint8ClampedArray(256 * 3);
  for (let level = 0; level < 256; level += 1) {
    const place = (level / 255) * (stops.length - 1);
    const stop = Math.min(stops.length - 2, Math.floor(place));
    for (let channel = 0; channel < 3; channel += 1) {
      const from = stops[stop][channel], to = stops[stop + 1][channel];
      table[3 * level + channel] = from + (to - from) * (place - stop);
    }
  }
  return table;
}

function paintSpectrum(canvas, { levels, bins, top }, axis) {
  canvas.width = COLUMNS;
  canvas.height = ROWS;
  const context = canvas.getContext('2d');
  const image = context.createImageData(COLUMNS, ROWS);
  const table = paints();
  const binAt = (height) => (frequencyAt(height, top, axis) / top) * (bins - 1);
  for (let row = 0; row < ROWS; row += 1) {
    const low = binAt(1 - (row + 1) / ROWS), high = binAt(1 - row / ROWS);
    const centre = (low + high) / 2, first = Math.floor(centre), share = centre - first;
    for (let column = 0; column < COLUMNS; column += 1) {
      const frame = column * bins;
      let level = levels[frame + first] * (1 - share) + levels[frame + Math.min(first + 1, bins - 1)] * share;
      // Where a row covers several bins the strongest shows, or thin partials would flicker away.
      for (let bin = Math.ceil(low); bin < high; bin += 1) level = Math.max(level, levels[frame + bin]);
      const from = 3 * Math.round(level), to = 4 * (row * COLUMNS + column);
      image.data[to] = table[from];
      image.data[to + 1] = table[from + 1];
      image.data[to + 2] = table[from + 2];
      image.data[to + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
}

function frequencyTicks(top, axis) {
  const ticks = [];
  let previous = 0.02;
  for (const hertz of TICKS[axis]) {
    const height = heightOf(hertz, top, axis);
    if (height > 0.95 || height - previous < 0.1) continue;
    previous = height;
    const tick = element('span', { class: 'tick' }, hertz < 1000 ? `${hertz} Hz` : `${hertz / 1000} kHz`);
    tick.style.bottom = `${100 * height}%`;
    ticks.push(tick);
  }
  return ticks;
}
