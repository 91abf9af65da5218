// The page's data, and how it is written.

const page = JSON.parse(document.getElementById('data').textContent);
const NOTHING = '\u2013';

function say(text) {
  document.getElementById('said').textContent = text;
}

function codecName(codec) {
  return page.codecs[codec] ?? codec;
}

function writtenMetric(key, value) {
  return Number.isFinite(value) ? value.toFixed(page.metrics[key].digits) : NOTHING;
}

