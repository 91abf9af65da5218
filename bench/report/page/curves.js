// Rate-quality curves as SVG, one chart for each group and metric, with values under the pointer.

const CHART = { width: 360, height: 232, left: 38, right: 12, top: 12, bottom: 32 };
const RATE_TICKS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];
const curveSettings = { hidden: new Set(), logRate: true };

function drawCharts() {
  for (const figure of document.querySelectorAll('.chart')) drawChart(figure);
}

function drawChart(figure) {
  const metric = page.metrics[figure.dataset.metric];
  const curves = page.curves[figure.dataset.group][figure.dataset.metric];
  const shown = Object.keys(page.codecs).filter((codec) => curves[codec] && !curveSettings.hidden.has(codec));
  const unit = [metric.unit, metric.better && `${metric.better} is better`].filter(Boolean).join(', ');
  const caption = element('figcaption', {}, metric.name, element('small', {}, unit));
  const { width, height, left, right, top, bottom } = CHART;
  const root = drawing('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${metric.name} over rate` });
  figure.replaceChildren(caption, root);
  // The axes span all codecs, so that hiding one never moves the others.
  const all = Object.values(curves).flat();
  const values = all.map((point) => point[1]).filter((value) => value !== null);
  if (!values.length) {
    root.append(drawing('text', { x: width / 2, y: height / 2, 'text-anchor': 'middle' }, 'not measured'));
    return;
  }
  const x = rateAxis(all.map((point) => point[0]), left, width - right);
  const ticks = niceTicks(Math.min(...values), Math.max(...values));
  const low = ticks[0], high = ticks[ticks.length - 1];
  const y = (value) => height - bottom - ((value - low) / (high - low)) * (height - top - bottom);
  for (const tick of ticks) {
    root.append(
      drawing('line', { class: 'grid', x1: left, x2: width - right, y1: y(tick), y2: y(tick) }),
      drawing('text', { x: left - 7, y: y(tick) + 4, 'text-anchor': 'end' }, tickText(tick, ticks)),
    );
  }
  for (const rate of x.ticks) {
    root.append(drawing('text', { x: x.at(rate), y: height - bottom + 16, 'text-anchor': 'middle' }, String(rate)));
  }
  root.append(drawing('text', { x: width - right, y: height - 2, 'text-anchor': 'end' }, 'kbit/s'));
  const guide = drawing('line', { class: 'guide', y1: top, y2: height - bottom });
  root.append(guide);
  for (const codec of [...shown].reverse()) root.append(drawCurve(codec, curves[codec], x.at, y, height - bottom));
  const tip = element('div', { class: 'tip', 'aria-hidden': 'true' });
  figure.append(tip);
  watchPointer(figure, root, guide, tip, shown, curves, x.at);
}

function drawCurve(codec, points, x, y, floor) {
  const group = drawing('g', { 'data-codec': codec });
  const most = Math.max(...points.map((point) => point[2]));
  let path = '', pen = 'M';
  for (const [rate, value] of points) {
    if (value === null) pen = 'M';
    else {
      path += `${pen}${x(rate).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = 'L';
    }
  }
  if (path) group.append(drawing('path', { class: 'line', d: path }));
  for (const [rate, value, clips] of points) {
    const at = x(rate);
    if (value === null) {
      const cross = `M${at - 3.5} ${floor - 3.5}l7 7m0 -7l-7 7`;
      group.append(drawing('path', { class: 'missing', d: cross, 'data-rate': rate }));
    } else {
      const marks = { class: clips < most ? 'few' : 'full', cx: at, cy: y(value), r: codec === page.ours ? 3.4 : 2.4 };
      group.append(drawing('circle', { ...marks, 'data-rate': rate, 'data-value': value }));
    }
  }
  return group;
}

function watchPointer(figure, root, guide, tip, shown, curves, x) {
  const hide = () => {
    guide.style.visibility = tip.style.visibility = 'hidden';
  };
  const show = (event) => {
    const box = root.getBoundingClientRect();
    const pointer = ((event.clientX - box.left) / box.width) * CHART.width;
    const rates = shown.flatMap((codec) => curves[codec].map((point) => point[0]));
    if (!rates.length) return hide();
    const rate = rates.reduce((best, one) => (Math.abs(x(one) - pointer) < Math.abs(x(best) - pointer) ? one : best));
    const lines = shown.flatMap((codec) => {
      const point = curves[codec].find((one) => one[0] === rate);
      if (!point) return [];
      const value = point[1] === null ? 'not measured' : writtenMetric(figure.dataset.metric, point[1]);
      return [[point[1] ?? -Infinity, codec, value, point[2]]];
    });
    lines.sort((one, other) => other[0] - one[0]);
    guide.setAttribute('x1', x(rate));
    guide.setAttribute('x2', x(rate));
    tip.replaceChildren(
      element('strong', {}, `${Number(rate.toPrecision(3))} kbit/s`),
      ...lines.map(([, codec, value, clips]) =>
        element('div', { 'data-codec': codec }, element('span', {}, codecName(codec)),
          element('small', {}, `${clips} clip${clips === 1 ? '' : 's'}`), element('span', {}, value))),
    );
    const share = x(rate) / CHART.width;
    tip.style.left = share < 0.5 ? `calc(${100 * share}% + 12px)` : 'auto';
    tip.style.right = share < 0.5 ? 'auto' : `calc(${100 * (1 - share)}% + 12px)`;
    guide.style.visibility = tip.style.visibility = 'visible';
  };
  root.addEventListener('pointermove', show);
  root.addEventListener('pointerdown', show);
  root.addEventListener('pointerleave', hide);
}

function rateAxis(rates, from, to) {
  const low = Math.min(...rates), high = Math.max(...rates);
  const scale = curveSettings.logRate ? Math.log : Number;
  const first = curveSettings.logRate ? scale(low * 0.94) : 0;
  const last = scale(high * (curveSettings.logRate ? 1.06 : 1.02));
  const at = (rate) => from + ((scale(rate) - first) / (last - first || 1)) * (to - from);
  const ticks = [];
  for (const tick of RATE_TICKS) {
    const inside = at(tick) >= from - 0.5 && at(tick) <= to + 0.5;
    if (inside && (!ticks.length || at(tick) - at(ticks[ticks.length - 1]) > 24)) ticks.push(tick);
  }
  return { at, ticks };
}

function niceTicks(low, high) {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const ticks = [];
  const end = Math.max(Math.ceil(high / step - 1e-9), Math.floor(low / step + 1e-9) + 1);
  for (let index = Math.floor(low / step + 1e-9); index <= end; index += 1) ticks.push(index * step);
  return ticks;
}

function tickText(tick, ticks) {
  const step = ticks[1] - ticks[0];
  const digits = [0, 1, 2, 3, 4].find((one) => Math.abs(Number(step.toFixed(one)) - step) < step * 1e-6) ?? 5;
  return tick.toFixed(digits).replace('-', '\u2212');
}

function prepareCurves() {
  const legend = document.getElementById('legend');
  const charted = new Set(Object.values(page.curves).flatMap((metrics) => Object.values(metrics).flatMap(Object.keys)));
  for (const codec of Object.keys(page.codecs).filter((one) => charted.has(one))) {
    const button = element('button', { type: 'button', 'data-codec': codec, 'aria-pressed': 'true' }, codecName(codec));
    button.addEventListener('click', () => {
      const hidden = curveSettings.hidden;
      if (!hidden.delete(codec)) hidden.add(codec);
      press(button, !hidden.has(codec));
      drawCharts();
    });
    legend.append(button);
  }
  const log = document.getElementById('rate-log'), linear = document.getElementById('rate-linear');
  const choose = (logRate) => {
    curveSettings.logRate = logRate;
    press(log, logRate);
    press(linear, !logRate);
    drawCharts();
  };
  log.addEventListener('click', () => choose(true));
  linear.addEventListener('click', () => choose(false));
  drawCharts();
}
