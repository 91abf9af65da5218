// The Gaussians over our spectrogram: an ellipse of one standard deviation each, the stronger the more opaque.

const KINDS = {
  tone: { light: '#d6336c', dark: '#5eead4' },
  noise: { light: '#b4530a', dark: '#ffd166', dash: [2, 2] },
  asymmetric: { light: '#7c3aed', dark: '#c4b5fd' },
  chirped: { light: '#2563eb', dark: '#93c5fd' },
  panned: { light: '#4d7c0f', dark: '#bef264' },
};
const UNKNOWN_KIND = { light: '#57534e', dark: '#d6d3d1', dash: [4, 3] };
const FAINTEST_DB = 50;
const SHARPEST = 2;

function kindStyle(name) {
  const style = Object.hasOwn(KINDS, name) ? KINDS[name] : UNKNOWN_KIND;
  return { colour: style[darkScheme.matches ? 'dark' : 'light'], dash: style.dash ?? [] };
}

function gaussianCounts(gaussians) {
  const counts = gaussians.kinds.map(() => 0);
  for (const kind of gaussians.kind) counts[kind] += 1;
  return gaussians.kinds.map((name, kind) => [name, counts[kind]]);
}

function fitCanvas(canvas) {
  const scale = SHARPEST;
  canvas.width = Math.round(canvas.clientWidth * scale);
  canvas.height = Math.round(canvas.clientHeight * scale);
  return { context: canvas.getContext('2d'), scale };
}

function gaussianShape(gaussians, index, canvas, seconds, top, axis) {
  const [spreadTime, spreadFrequency] = gaussians.spreads[gaussians.spread[index]];
  const frequency = gaussians.frequency[index];
  const high = heightOf(Math.min(top, frequency + spreadFrequency), top, axis);
  const low = heightOf(Math.max(0, frequency - spreadFrequency), top, axis);
  return {
    x: (gaussians.time[index] / 1000 / seconds) * canvas.width,
    y: (1 - (high + low) / 2) * canvas.height,
    radiusX: Math.max(0.5, (spreadTime / seconds) * canvas.width),
    radiusY: Math.max(0.5, ((high - low) / 2) * canvas.height),
  };
}

// What the channel that is shown has of a Gaussian: the far one has 1 - |pan| of the near one.
function shareOf(gaussians, index) {
  const pan = (gaussians.pan?.[index] ?? 0) / 100;
  if (settings.channel === 'left') return 1 - Math.max(0, pan);
  return settings.channel === 'right' ? 1 + Math.min(0, pan) : 1;
}

function paintGaussians(canvas, gaussians, seconds, top, axis) {
  const { context, scale } = fitCanvas(canvas);
  const loudest = gaussians.level.reduce((most, level) => Math.max(most, level), -Infinity);
  const styles = gaussians.kinds.map(kindStyle);
  context.lineWidth = scale * 0.6;
  gaussians.time.forEach((_, index) => {
    const shape = gaussianShape(gaussians, index, canvas, seconds, top, axis);
    const style = styles[gaussians.kind[index]];
    const strength = Math.max(0.15, 1 - (loudest - gaussians.level[index]) / FAINTEST_DB) ** 2;
    context.globalAlpha = strength * shareOf(gaussians, index);
    context.strokeStyle = style.colour;
    context.setLineDash(style.dash.map((length) => length * scale));
    context.beginPath();
    context.ellipse(shape.x, shape.y, shape.radiusX, shape.radiusY, 0, 0, 2 * Math.PI);
    context.stroke();
  });
}

// Those that sound at this moment, filled.
function paintSounding(canvas, gaussians, seconds, top, axis, now) {
  const context = canvas.getContext('2d');
  context.clearRect(0, 0, canvas.width, canvas.height);
  gaussians.time.forEach((time, index) => {
    const away = (time / 1000 - now) / gaussians.spreads[gaussians.spread[index]][0];
    if (Math.abs(away) > 2) return;
    const shape = gaussianShape(gaussians, index, canvas, seconds, top, axis);
    context.globalAlpha = 0.8 * Math.exp(-(away ** 2) / 2) * shareOf(gaussians, index);
    context.fillStyle = kindStyle(gaussians.kinds[gaussians.kind[index]]).colour;
    context.beginPath();
    context.ellipse(shape.x, shape.y, shape.radiusX, shape.radiusY, 0, 0, 2 * Math.PI);
    context.fill();
  });
}
