// The page's data, and elements made without ever parsing text as HTML.

const page = JSON.parse(document.getElementById('data').textContent);
const NOTHING = '\u2013';

function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function drawing(tag, attributes = {}, ...children) {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function press(button, pressed) {
  button.setAttribute('aria-pressed', String(pressed));
}

function say(text) {
  document.getElementById('said').textContent = text;
}

function codecName(codec) {
  return page.codecs[codec] ?? codec;
}

function writtenMetric(key, value) {
  return Number.isFinite(value) ? value.toFixed(page.metrics[key].digits) : NOTHING;
}

const darkScheme = matchMedia('(prefers-color-scheme: dark)');
