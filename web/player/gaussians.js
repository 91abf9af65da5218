// The Gaussians over the spectrogram, on its axes: tones and noises as soft ellipses, the stronger the more opaque, and
// bars where the residual layer has coefficients.

const MOST_LISTED = 200000; // Gaussians and coefficients of a clip
const MOST_DRAWN = 6000; // of a kind, the strongest of those that are seen
const MOST_RINGS = 1000, FEW_RINGS = 40; // up to which they are thick
const MOST_MOVING = 1500; // the same while what is seen moves
const THIN_RING = 0.7; // opacity
const SIGMAS_OF_SUPPORT = 5; // the envelope ends 2.5 standard deviations from its centre
const SIGMAS_SEEN = 2;
const FAINTEST = 0.12, FAINTEST_DB = 54; // below the loudest
const NOISE_OPACITY = 0.4, COEFFICIENT_OPACITY = 0.3;
const THINNEST = 3; // pixels of the canvas
const SPRITE = 64; // pixels
const PANS = 5; // colours from left to right
const COARSER = 4; // are the pixels of noise, which is soft and large
const ORDER = ['noise', 'coefficient', 'tone']; // the last one on top

const hertzOfBark = (bark) => (1960 * (bark + 0.53)) / (26.28 - Math.min(bark, 26));
const clamped = (value, low, high) => Math.max(low, Math.min(high, value));

// In words where between left, -1, and right, 1, something lies.
function panWords(pan) {
  const share = Math.round(100 * Math.abs(pan));
  return share === 0 ? 'in the middle' : `${share} % ${pan < 0 ? 'left' : 'right'}`;
}

// Coefficients of a frame beside each other are one bar. In the order of the stream.
function joinedCoefficients(coefficients) {
  const bars = [];
  let last = null;
  for (const one of coefficients) {
    const value = Math.abs(one.value);
    if (last && last.frame === one.frame && last.bin + last.bins === one.bin) {
      last.bins += 1;
      last.value = Math.max(last.value, value);
    } else {
      last = { ...one, bins: 1, value };
      bars.push(last);
    }
  }
  return bars;
}

// Where the Gaussians of one kind are: arrays by number, the strongest first, times in seconds, heights as shares, pans
// as numbers of their colours.
function shapesOf(kind, gaussians, { header, panOf }, pitch) {
  const top = header.sampleRate / 2;
  const height = (hertz) => heightOf(clamped(hertz, 0, top), top, 'mel');
  const rank = kind === 'coefficient' ? (one) => one.value : (one) => one.strength;
  const ranked = (kind === 'coefficient' ? joinedCoefficients(gaussians) : gaussians).slice();
  ranked.sort((one, other) => rank(other) - rank(one));
  const loudest = ranked.reduce((most, one) => Math.max(most, Math.abs(one.decibels)), 1e-9);
  const highest = ranked.reduce((most, one) => Math.max(most, one.decibels), -Infinity);
  const [from, to, low, high, opacity] = Array.from({ length: 5 }, () => new Float32Array(ranked.length));
  const pan = new Uint8Array(ranked.length).fill((PANS - 1) / 2);
  ranked.forEach((one, index) => {
    if (panOf && kind !== 'coefficient') pan[index] = Math.round(((panOf(one) + 1) / 2) * (PANS - 1));
    let seen = [one.start, one.start + one.length];
    let hertz;
    if (kind === 'tone') {
      const spread = (SIGMAS_SEEN * SIGMAS_OF_SUPPORT * header.sampleRate) / (2 * Math.PI * one.length);
      hertz = [one.hertz * pitch - spread, one.hertz * pitch + spread];
      opacity[index] = clamped(1 - (highest - one.decibels) / FAINTEST_DB, FAINTEST, 1);
    } else if (kind === 'noise') {
      const spread = (SIGMAS_SEEN * one.barks) / SIGMAS_OF_SUPPORT;
      hertz = [one.bark - spread, one.bark + spread].map((bark) => hertzOfBark(clamped(bark, -0.53, 26)) * pitch);
      opacity[index] = clamped(NOISE_OPACITY * (Math.abs(one.decibels) / loudest), FAINTEST / 2, 1);
    } else {
      const width = header.sampleRate / one.length;
      hertz = [one.bin * width, (one.bin + one.bins) * width];
      // Frames overlap by half; a bar is as long as they are apart.
      seen = [one.start + one.length / 4, one.start + (3 * one.length) / 4];
      opacity[index] = COEFFICIENT_OPACITY;
    }
    [from[index], to[index]] = seen.map((sample) => sample / header.sampleRate);
    [low[index], high[index]] = hertz.map(height);
  });
  return { kind, ranked, from, to, low, high, opacity, pan, count: ranked.length };
}

// Whether a band mutes all of a shape; of a tone, which is muted by its frequency, its middle counts.
function isMuted({ kind, low, high }, index, band) {
  if (!band) return false;
  const middle = (low[index] + high[index]) / 2;
  const [least, most] = kind === 'tone' ? [middle, middle] : [low[index], high[index]];
  return least >= band[0] && most <= band[1];
}

// A layer of shapes of all kinds. `shown` says of each kind how many of the strongest are there, and in which band of
// heights, if not null, there is none.
class GaussianLayer {
  constructor(header, panOf) {
    this.header = header;
    this.panOf = panOf; // of a tone or a noise; null where there is one channel
    this.found = {};
    this.chosen = null; // { kind, index }
    this.selected = new Set(); // Gaussians, which are ringed
    this.shift = null; // by how much they are seen elsewhere: seconds, and share of the height
    this.coarse = element('canvas');
    this.paint();
  }

  // The layer of what was found, made a kind at a time, with a look at the page after each.
  static async of(found, header, pause, panOf = null) {
    const layer = new GaussianLayer(header, panOf);
    for (const kind of ORDER) {
      layer.found[kind] = found.filter((one) => one.kind === kind);
      await pause();
    }
    await layer.place(1, pause);
    return layer;
  }

  // Computes where everything is at a pitch.
  async place(pitch, pause) {
    const shapes = [];
    for (const kind of ORDER) {
      shapes.push(shapesOf(kind, this.found[kind], this, pitch));
      await pause();
    }
    this.pitch = pitch;
    this.shapes = shapes;
  }

  shapesOf(kind) {
    return this.shapes[ORDER.indexOf(kind)];
  }

  // Least strength of the strongest `count` of a kind, one above the highest for none.
  least(kind, count) {
    const { ranked } = this.shapesOf(kind);
    if (ranked.length === 0) return 1;
    return count > 0 ? ranked[Math.min(count, ranked.length) - 1].strength : ranked[0].strength + 1;
  }

  // How many of a kind have at least a strength.
  countOf(kind, least) {
    const { ranked } = this.shapesOf(kind);
    const below = ranked.findIndex((one) => one.strength < least);
    return below < 0 ? ranked.length : below;
  }

  // Makes what is drawn with, in the colours of the scheme.
  paint() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.colours = { ...Object.fromEntries(ORDER.map((kind) => [kind, colour(kind)])), chosen: colour('ink') };
    const soft = (away) => Math.exp(-2 * away * away);
    // A noise that lowers the floor is a hollow one.
    const hollow = (away) => Math.exp(-40 * (away - 0.75) ** 2);
    const ofPans = (middle, opacityAt) =>
      Array.from({ length: PANS }, (_, pan) => {
        const place = (2 * pan) / (PANS - 1) - 1;
        return blob(mixed(middle, colour(place < 0 ? 'left' : 'right'), Math.abs(place)), opacityAt);
      });
    this.sprites = {
      tone: ofPans(this.colours.tone, soft),
      raised: ofPans(this.colours.noise, soft),
      lowered: ofPans(this.colours.noise, hollow),
    };
  }

  // Draws what is seen of the kinds of which `shown` has some; fewer of them while that moves.
  draw(canvas, view, shown, isMoving) {
    const { width, height } = canvas;
    const context = canvas.getContext('2d');
    const most = isMoving ? MOST_MOVING : MOST_DRAWN;
    this.coarse.width = Math.ceil(width / COARSER);
    this.coarse.height = Math.ceil(height / COARSER);
    this.drawKind(this.coarse.getContext('2d'), this.shapesOf('noise'), view, shown, most);
    context.globalAlpha = 1;
    context.clearRect(0, 0, width, height);
    context.drawImage(this.coarse, 0, 0, this.coarse.width * COARSER, this.coarse.height * COARSER);
    for (const kind of ['coefficient', 'tone']) this.drawKind(context, this.shapesOf(kind), view, shown, most);
    this.ringSelected(context, view);
    if (this.chosen && this.chosen.index < shown[this.chosen.kind]) this.ring(context, view, this.chosen);
  }

  drawKind(context, shapes, view, shown, most) {
    const { width, height } = context.canvas;
    const { kind, from, to, low, high, opacity, pan, ranked } = shapes;
    const scale = width / view.span;
    const end = Math.min(shown[kind], shapes.count);
    const isBar = kind === 'coefficient';
    context.globalAlpha = COEFFICIENT_OPACITY;
    context.fillStyle = this.colours.coefficient;
    for (let index = 0, drawn = 0; index < end && drawn < most; index += 1) {
      if (to[index] < view.from || from[index] > view.to || isMuted(shapes, index, shown.band)) continue;
      drawn += 1;
      const left = (from[index] - view.from) * scale;
      const wide = Math.max(THINNEST, (to[index] - from[index]) * scale);
      const tall = Math.max(isBar ? 1 : THINNEST, (high[index] - low[index]) * height);
      const upper = (1 - (low[index] + high[index]) / 2) * height - tall / 2;
      if (isBar) {
        context.fillRect(left, upper, wide, tall);
      } else {
        context.globalAlpha = opacity[index];
        context.drawImage(this.spritesOf(kind, ranked[index])[pan[index]], left, upper, wide, tall);
      }
    }
  }

  spritesOf(kind, gaussian) {
    if (kind === 'tone') return this.sprites.tone;
    return gaussian.weight > 0 ? this.sprites.raised : this.sprites.lowered;
  }

  // The selected ones, strongest first, as far as they are seen.
  ringSelected(context, view) {
    if (this.selected.size === 0) return;
    let left = MOST_RINGS;
    for (const { kind, ranked, from, to } of this.shapes) {
      for (let index = 0; index < ranked.length && left > 0; index += 1) {
        if (!this.selected.has(ranked[index]) || to[index] < view.from || from[index] > view.to) continue;
        left -= 1;
        this.ring(context, view, { kind, index }, this.selected.size > FEW_RINGS ? 1 : 2, this.shift);
      }
    }
  }

  ring(context, view, { kind, index }, lineWidth = 2, shift = null) {
    const { width, height } = context.canvas;
    const { from, to, low, high } = this.shapesOf(kind);
    const radius = (size) => Math.max(4, size / 2 + 2);
    context.globalAlpha = lineWidth > 1 ? 1 : THIN_RING;
    context.lineWidth = lineWidth;
    context.strokeStyle = this.colours.chosen;
    context.beginPath();
    context.ellipse(
      view.shareOf((from[index] + to[index]) / 2 + (shift?.seconds ?? 0)) * width,
      (1 - (low[index] + high[index]) / 2 - (shift?.height ?? 0)) * height,
      radius(((to[index] - from[index]) / view.span) * width),
      radius((high[index] - low[index]) * height),
      0, 0, 2 * Math.PI,
    );
    context.stroke();
  }

  // What is under a point, of a time and a height, and of tolerances in both: the smallest one; null if there is none.
  under(time, place, [widest, highest], shown) {
    let best = null, least = Infinity;
    for (const shapes of this.shapes) {
      const { kind, from, to, low, high, count } = shapes;
      for (let index = 0; index < Math.min(shown[kind], count); index += 1) {
        if (isMuted(shapes, index, shown.band)) continue;
        const acrossHalf = Math.max(widest, (to[index] - from[index]) / 2);
        const across = (time - (from[index] + to[index]) / 2) / acrossHalf;
        if (across > 1 || across < -1) continue;
        const upHalf = Math.max(highest, (high[index] - low[index]) / 2);
        const up = (place - (low[index] + high[index]) / 2) / upHalf;
        if (across * across + up * up <= 1 && acrossHalf * upHalf < least) {
          least = acrossHalf * upHalf;
          best = { kind, index };
        }
      }
    }
    return best;
  }

  // The next one in time after the chosen one, or before it where `way` is -1; the first from a time on where none is.
  // Of equal times the higher numbers come later.
  beside(way, time, shown) {
    const middle = ({ from, to }, index) => (from[index] + to[index]) / 2;
    const isLater = ([t, order, index], [u, other, number]) => t - u || order - other || index - number;
    const start = this.chosen
      ? [middle(this.shapesOf(this.chosen.kind), this.chosen.index), ORDER.indexOf(this.chosen.kind), this.chosen.index]
      : [time, way > 0 ? -1 : ORDER.length, 0];
    let best = null;
    this.shapes.forEach((shapes, order) => {
      if (shapes.kind === 'coefficient') return;
      for (let index = 0; index < Math.min(shown[shapes.kind], shapes.count); index += 1) {
        const place = [middle(shapes, index), order, index];
        if (isMuted(shapes, index, shown.band)) continue;
        if (way * isLater(place, start) <= 0) continue;
        if (!best || way * isLater(place, best) < 0) best = place;
      }
    });
    return best && { kind: ORDER[best[1]], index: best[2] };
  }

  // Its span of time in seconds.
  timesOf({ kind, index }) {
    const { from, to } = this.shapesOf(kind);
    return [from[index], to[index]];
  }

  gaussianOf({ kind, index }) {
    return this.shapesOf(kind).ranked[index];
  }

  // Tones and noises whose middle lies in a part of the picture.
  within([from, to], [low, high], shown) {
    return this.shapes.flatMap((shapes) => {
      if (shapes.kind === 'coefficient') return [];
      return shapes.ranked.filter((_, index) => {
        const time = (shapes.from[index] + shapes.to[index]) / 2, height = (shapes.low[index] + shapes.high[index]) / 2;
        const isSeen = index < shown[shapes.kind] && !isMuted(shapes, index, shown.band);
        return isSeen && time >= from && time <= to && height >= low && height <= high;
      });
    });
  }

  // What it is, in words.
  describe({ kind, index }) {
    return this.wordsOf(this.gaussianOf({ kind, index }));
  }

  wordsOf(one) {
    const { kind } = one;
    const { sampleRate } = this.header;
    const hertz = (value) => `${Math.round(value)} Hz`;
    const signed = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`;
    const at = `at ${((one.start + one.length / 2) / sampleRate).toFixed(3)} s`;
    const lasting = `${((1000 * one.length) / sampleRate).toFixed(1)} ms long`;
    const place = this.panOf && kind !== 'coefficient' ? `, ${panWords(this.panOf(one))}` : '';
    if (kind === 'tone') {
      const level = Number.isFinite(one.decibels) ? `${signed(one.decibels)} dB` : 'silent';
      return `Tone ${at}, ${hertz(one.hertz * this.pitch)}, ${lasting}, ${level}${place}`;
    }
    if (kind === 'noise') {
      const edge = (side) => hertzOfBark(Math.max(0, one.bark + (side * one.barks) / 2)) * this.pitch;
      const [low, high] = [edge(-1), Math.min(edge(1), sampleRate / 2)];
      return `Noise ${at}, ${Math.round(low)} to ${hertz(high)}, ${lasting}, ${signed(one.decibels)} dB${place}`;
    }
    const bins = one.bins > 1 ? `${one.bins} coefficients` : 'coefficient';
    const from = hertz((one.bin * sampleRate) / one.length);
    return `Residual ${at}, ${bins} from ${from}, ${lasting}, up to ${one.value} steps`;
  }
}

// A colour, #rrggbb, with a share of another one.
function mixed(one, other, share) {
  const part = (colour, at) => parseInt(colour.slice(at, at + 2), 16);
  const parts = [1, 3, 5].map((at) => Math.round(part(one, at) + (part(other, at) - part(one, at)) * share));
  return `rgb(${parts.join(' ')})`;
}

// A round shape in a colour, whose opacity follows from how far off its centre it is.
function blob(colour, opacityAt) {
  const canvas = element('canvas', { width: SPRITE, height: SPRITE });
  const context = canvas.getContext('2d');
  context.fillStyle = colour;
  context.fillRect(0, 0, SPRITE, SPRITE);
  const image = context.getImageData(0, 0, SPRITE, SPRITE);
  for (let pixel = 0; pixel < SPRITE * SPRITE; pixel += 1) {
    const across = (2 * ((pixel % SPRITE) + 0.5)) / SPRITE - 1;
    const down = (2 * (Math.floor(pixel / SPRITE) + 0.5)) / SPRITE - 1;
    const away = Math.hypot(across, down);
    image.data[4 * pixel + 3] = away < 1 ? 255 * opacityAt(away) * Math.min(1, 8 * (1 - away)) : 0;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
