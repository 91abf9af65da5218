// The page: opens a clip, shows its spectrogram and its Gaussians, plays it.

const LONGEST_SHOWN = 600; // seconds
const SLICE = 8; // milliseconds of work between two looks at the page
const EDIT_SLICE = 24; // the same, where somebody waits to hear it
const STILL = 150; // milliseconds after which what moved counts as standing still
const KINDS = [[1, 'tones'], [2, 'noise'], [32, 'residual']];
const SOUNDS = ['speech', 'music', 'effects'];
const data = globalThis.audioGsParts; // the loader's
const at = (id) => document.getElementById(id);
const audioGs = (globalThis.audioGs = { player: null, header: null, ready: null });
let serial = 0; // of the clip that was opened last
let drawn = 0; // of the picture begun last
let bytes; // of the clip that is open
let picture = null; // { from, to, samples, spectrum, canvas, detail } of what is heard, the detail of what is seen
let view = null, layer = null;
let history = null; // of the scores of a clip that can be edited
let writer = null;
let editing = Promise.resolve(); // the edit begun last
let dragged = null; // change of what is being dragged, that is to be heard next
let heard = null; // what the last drag that was heard made: { before, chosen, rows, become, score }
let sounding = null; // the player and the score that it was given last
let coefficients = []; // of the residual layer, as listed
let isStale = false; // what is seen has to be drawn anew in the next frame
let isMoving = false; // and will be in those after it

const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
const compiled = WebAssembly.compile(data.module);
const compiledWriter = WebAssembly.compile(data.writer);
const { worklet } = data;
const pause = () => new Promise((resolve) => setTimeout(resolve));

function complain(text) {
  at('error').textContent = text;
}

async function openClip(name, read) {
  const number = (serial += 1);
  complain('');
  try {
    const found = await read();
    const player = await Player.open(found, { module: await compiled, worklet });
    if (number !== serial) {
      player.close();
      return;
    }
    audioGs.player?.close();
    bytes = found;
    show(name, player);
  } catch (error) {
    if (number === serial) complain(`${name}: ${error.message}`);
  }
}

function show(name, player) {
  const { header } = player;
  audioGs.player = player;
  audioGs.header = header;
  player.addEventListener('ended', refresh);
  player.addEventListener('error', ({ text }) => {
    complain(`${name}: ${text}`);
    refresh();
  });
  at('name').textContent = name;
  history = null;
  sayFacts();
  at('loop').hidden = !header.canLoop;
  for (const id of ['loop', 'repeat']) press(at(id), false);
  for (const [bit, kind] of KINDS.slice(1)) {
    for (const id of [`key-${kind}`, `mute-${kind}`]) at(id).hidden = !(header.kinds & bit);
  }
  picture = layer = null;
  at('edited').textContent = '';
  setEdit(false);
  view = new View(Math.min(header.seconds, LONGEST_SHOWN));
  forgetSettings();
  at('stage').setAttribute('aria-valuemax', header.seconds.toFixed(1));
  at('clip').hidden = false;
  audioGs.ready = draw();
  see();
  refresh();
}

// What the stream that is open says of itself.
function sayFacts() {
  const { header } = audioGs;
  const rate = (8 * bytes.length) / 1000 / header.seconds;
  for (const id of ['key-left', 'key-right']) at(id).hidden = header.channels !== 2;
  at('facts').textContent = [
    `${header.seconds.toFixed(2)} s`,
    `${header.sampleRate / 1000} kHz`,
    ...(header.channels === 2 ? ['two channels'] : []),
    `${bytes.length} bytes`,
    `${rate.toFixed(2)} kbit/s`,
    SOUNDS[header.tableSet],
    KINDS.filter(([bit]) => header.kinds & bit).map(([, name]) => name).join(', '),
  ].join(', ');
  sayCosts();
}

function sayCosts() {
  const { header } = audioGs;
  if (!header) return;
  const hasResidual = (header.kinds & RESIDUAL_BIT) !== 0;
  const meanMacs = history?.current.cost.meanMacs ?? null;
  const rows = costRows({ ...header, hasResidual, meanMacs, bytes: bytes.length }, at('core').value);
  at('costs').replaceChildren(
    ...rows.map(([term, value]) => element('div', {}, element('dt', {}, term), element('dd', {}, value))),
  );
}

// The mean of the channels of samples, full scale 1.
function mixedDown(samples, channels) {
  return Float32Array.from({ length: samples.length / channels }, (_, index) => {
    const [left, right] = [samples[channels * index], samples[channels * index + channels - 1]];
    return (left + right) / 65536;
  });
}

// The clip as it is heard, up to the longest that is shown: its samples, and its Gaussians where they are not known
// yet; null if another clip, or another setting, came meanwhile.
async function decoded(isLate) {
  const decoder = new Decoder(await compiled, bytes);
  const found = layer || history ? null : [];
  decoder.setListing(found !== null);
  // The picture is that of the clip, however fast it plays.
  for (const [name, { isSet, tell }] of Object.entries(HEARD)) if (name !== 'tempo' && isSet()) tell(decoder);
  const wanted = Math.min(decoder.header.samples, LONGEST_SHOWN * decoder.header.sampleRate);
  const samples = new Float32Array(wanted);
  const { channels } = decoder;
  let done = 0, until = performance.now() + SLICE;
  while (done < wanted) {
    const got = mixedDown(decoder.read(Math.min(1024, wanted - done)), channels);
    if (got.length === 0) break;
    samples.set(got, done);
    done += got.length;
    if (found && found.length < MOST_LISTED) {
      for (const one of decoder.takeGaussians()) found.push(one);
      if (found.length >= MOST_LISTED) decoder.setListing(false);
    }
    if (performance.now() > until) {
      await pause();
      if (isLate()) return null;
      until = performance.now() + SLICE;
    }
  }
  return { samples, found, isCut: found !== null && (found.length >= MOST_LISTED || decoder.leftOut > 0) };
}

async function draw() {
  const number = (drawn += 1);
  const isLate = () => number !== drawn;
  const { header } = audioGs;
  try {
    const sound = await decoded(isLate);
    if (!sound) return;
    const seconds = sound.samples.length / header.sampleRate;
    const spectrum = await analyseSpectrum(sound.samples, header.sampleRate, seconds);
    if (isLate()) return;
    if (sound.found) {
      const made = await GaussianLayer.of(sound.found, header, pause);
      if (isLate()) return;
      layer = made;
      layer.isCut = sound.isCut;
      coefficients = sound.found.filter(({ kind }) => kind === 'coefficient');
      at('many').disabled = false;
      sayAll();
    }
    if (layer.pitch !== pitchOf()) await layer.place(pitchOf(), pause);
    if (isLate()) return;
    picture = { samples: sound.samples, from: 0, to: seconds, spectrum, canvas: element('canvas'), detail: null };
    paint();
    detail();
    if (!history && !layer.isCut) await prepareEdits();
  } catch (error) {
    if (!isLate()) complain(`${at('name').textContent}: ${error.message}`);
  }
}

// The part that is seen, as sharp as the whole is from afar.
async function detail() {
  const whole = picture;
  if (!whole || view.isWhole) return;
  const { from, span } = view;
  const isLate = () => picture !== whole || view.from !== from || view.span !== span;
  const spectrum = await analyseSpectrum(whole.samples, audioGs.header.sampleRate, span, from);
  if (isLate()) return;
  whole.detail = { from, to: from + span, spectrum, canvas: element('canvas') };
  paintSpectrum(whole.detail.canvas, spectrum, 'mel');
  see();
}

function saveAs(download, parts) {
  const href = URL.createObjectURL(new Blob(parts));
  element('a', { download, href }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
}

// Colours anew what was computed.
function paint() {
  if (!picture) return;
  for (const part of [picture, picture.detail]) if (part) paintSpectrum(part.canvas, part.spectrum, 'mel');
  at('ticks').replaceChildren(...frequencyTicks(picture.spectrum.top, 'mel'));
  layer.paint();
  see();
}

// Has what is seen drawn in the next frame.
function see() {
  if (isStale) return;
  isStale = true;
  requestAnimationFrame(() => {
    isStale = false;
    drawSeen();
  });
}

function fitted(canvas) {
  const width = Math.round(canvas.clientWidth * devicePixelRatio);
  const height = Math.round(canvas.clientHeight * devicePixelRatio);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  return canvas;
}

function drawSeen() {
  if (!view || at('stage').clientWidth === 0) return;
  const canvas = fitted(at('picture')), over = fitted(at('layer'));
  const context = canvas.getContext('2d');
  context.clearRect(0, 0, canvas.width, canvas.height);
  for (const part of picture ? [picture, picture.detail] : []) {
    if (!part) continue;
    const left = view.shareOf(part.from) * canvas.width, right = view.shareOf(part.to) * canvas.width;
    context.drawImage(part.canvas, left, 0, right - left, canvas.height);
  }
  if (layer) layer.draw(over, view, shown(), isMoving);
  else over.getContext('2d').clearRect(0, 0, over.width, over.height);
  at('seen').textContent = `${view.from.toFixed(2)} to ${view.to.toFixed(2)} s`;
  placeCursor();
}

// What is seen moved; it is drawn with all that takes longer once it stands still.
function moved() {
  isMoving = true;
  see();
  clearTimeout(moved.waiting);
  moved.waiting = setTimeout(() => {
    isMoving = false;
    see();
    detail();
  }, STILL);
}

// ---- what is heard ----

// MACs a sample of the slider's place, finer where there are few; null at its end.
function budgetOf() {
  const share = Number(at('budget').value) / 100;
  return share === 1 ? null : Math.max(1, Math.round(audioGs.header.peakMacs * share ** 2));
}

const tempoOf = () => 2 ** Number(at('tempo').value);
const pitchOf = () => 2 ** (Number(at('pitch').value) / 12);

// The strongest tones and noises of the slider's place, ever more of them: their least strengths, and how many they
// are; null at its end.
function strongest() {
  const share = Number(at('many').value) / 100;
  if (share === 1 || !layer) return null;
  const wanted = (kind) => Math.round(layer.shapesOf(kind).count ** share);
  const tone = layer.least('tone', Math.max(1, wanted('tone')));
  const least = { tone, noise: layer.least('noise', wanted('noise') - 1) };
  return { least, tone: layer.countOf('tone', least.tone), noise: layer.countOf('noise', least.noise), coefficient: 0 };
}

const hertzOf = (id) => Math.round(frequencyAt(Number(at(id).value) / 100, audioGs.header.sampleRate / 2, 'mel'));
const isOn = (id) => at(id).getAttribute('aria-pressed') === 'true';

function muteOf() {
  const few = strongest();
  const [from, to] = [hertzOf('from'), hertzOf('to')];
  return {
    tones: isOn('mute-tones'),
    // Without any noise the floor below them is not heard either.
    noise: isOn('mute-noise') || few?.noise === 0,
    residual: isOn('mute-residual'),
    ...(from < to ? { from, to } : {}),
  };
}

const wordsOf = {
  many() {
    if (!layer) return '';
    const few = strongest();
    const total = layer.shapesOf('tone').count + layer.shapesOf('noise').count;
    const part = layer.isCut ? 'the first ' : '';
    return few ? `${few.tone + few.noise} of ${part}${total}` : `all of ${part}${total}`;
  },
  pitch(semitones) {
    return semitones === 0 ? 'as encoded' : `${semitones > 0 ? '+' : '−'}${Math.abs(semitones)} semitones`;
  },
  tempo() {
    return tempoOf() === 1 ? 'as encoded' : `${tempoOf().toFixed(2)} times as fast`;
  },
  budget() {
    return budgetOf() === null ? 'no limit' : `${budgetOf()} MACs a sample`;
  },
  from() {
    return `${hertzOf('from')} Hz`;
  },
  band() {
    return hertzOf('from') < hertzOf('to') ? `${hertzOf('to')} Hz` : `${hertzOf('to')} Hz: nothing`;
  },
};

// What a Decoder and a Player can be told alike, and whether it is otherwise than encoded.
const HEARD = {
  least: { isSet: () => strongest() !== null, tell: (decoder) => decoder.setLeast(strongest()?.least) },
  mute: { isSet: () => Object.values(muteOf()).some(Boolean), tell: (decoder) => decoder.setMute(muteOf()) },
  pitch: { isSet: () => pitchOf() !== 1, tell: (decoder) => decoder.setPitch(pitchOf()) },
  tempo: { isSet: () => tempoOf() !== 1, tell: (decoder) => decoder.setTempo(tempoOf()) },
  budget: { isSet: () => budgetOf() !== null, tell: (decoder) => decoder.setBudget(budgetOf()) },
};

const FEW = ['least', 'mute'];
const percent = (share) => `${Math.round(100 * share)} %`;
const { many, pitch, tempo, budget, from, band } = wordsOf;
// A line each: where it begins, what it says beside it, and what of HEARD it changes.
const SLIDERS = [
  { id: 'volume', label: 'Volume', min: 0, max: 1.5, step: 0.01, start: 1, words: percent },
  { id: 'many', label: 'How many Gaussians', max: 100, step: 0.5, start: 100, words: many, heard: FEW },
  { id: 'pitch', label: 'Pitch', min: -12, max: 12, step: 0.5, start: 0, words: pitch, heard: ['pitch'] },
  { id: 'tempo', label: 'Tempo', min: -1, max: 1, step: 0.05, start: 0, words: tempo, heard: ['tempo'] },
  { id: 'budget', label: 'Budget for tones', max: 100, step: 1, start: 100, words: budget, heard: ['budget'] },
  { id: 'from', label: 'Mute from', max: 100, step: 0.5, start: 0, words: from, heard: ['mute'] },
  { id: 'to', label: 'Mute to', max: 100, step: 0.5, start: 0, words: band, heard: ['mute'] },
];
const MUTES = ['mute-tones', 'mute-noise', 'mute-residual'];

// Says beside the sliders where they are.
function sayAll() {
  for (const { id, words } of SLIDERS) {
    const said = words(Number(at(id).value));
    at(`${id}-is`).textContent = said;
    at(id).setAttribute('aria-valuetext', said);
  }
}

function hear(names) {
  sayAll();
  for (const name of names) HEARD[name].tell(audioGs.player);
  moved();
  clearTimeout(hear.waiting);
  hear.waiting = setTimeout(() => (audioGs.ready = draw()), STILL);
}

function setVolume() {
  audioGs.player?.setVolume(Number(at('volume').value));
  sayAll();
}

function forgetSettings() {
  for (const { id, start } of SLIDERS) if (id !== 'volume') at(id).value = start;
  for (const id of MUTES) press(at(id), false);
  at('many').disabled = !layer;
  setVolume();
}

// How many of each kind the layer shows, and in which band none.
function shown() {
  const isShown = isOn('overlay'), muted = muteOf(), few = strongest();
  const count = (kind, isMuted) => (isShown && !isMuted ? (few ? few[kind] : Infinity) : 0);
  const [tone, noise] = [count('tone', muted.tones), count('noise', muted.noise)];
  const top = audioGs.header.sampleRate / 2;
  const band = muted.from === undefined ? null : [muted.from, muted.to].map((hertz) => heightOf(hertz, top, 'mel'));
  return { tone, noise, coefficient: count('coefficient', muted.residual), band };
}

// ---- what is under the pointer, or chosen by keys ----

function choose(chosen) {
  if (!layer) return;
  layer.chosen = chosen;
  at('under').textContent = chosen ? layer.describe(chosen) : '';
  see();
}

function chooseUnder(event) {
  if (!layer || event.buttons !== 0) return;
  const box = at('stage').getBoundingClientRect();
  const time = view.timeAt((event.clientX - box.left) / box.width);
  const tolerance = [(4 / box.width) * view.span, 4 / box.height];
  const under = layer.under(time, 1 - (event.clientY - box.top) / box.height, tolerance, shown());
  if (under?.kind !== layer.chosen?.kind || under?.index !== layer.chosen?.index) choose(under);
}

function chooseBeside(way) {
  const next = layer?.beside(way, audioGs.player.position / audioGs.header.sampleRate, shown());
  if (!next) return;
  choose(next);
  const [from, to] = layer.timesOf(next);
  if (from < view.from || to > view.to) view.begin((from + to - view.span) / 2, view.span);
  moved();
}

// ---- playing ----

function refresh() {
  const { player, header } = audioGs;
  if (!player) return;
  const seconds = player.position / header.sampleRate;
  at('play').textContent = player.playing ? 'Pause' : 'Play';
  at('time').textContent = `${seconds.toFixed(1)} / ${header.seconds.toFixed(1)} s`;
  at('stage').setAttribute('aria-valuenow', seconds.toFixed(1));
  at('stage').setAttribute('aria-valuetext', `${seconds.toFixed(1)} seconds`);
  // Where the cursor leaves what is seen, that turns a page.
  if (player.playing && !view.isWhole && (seconds < view.from || seconds > view.to)) {
    view.begin(seconds - 0.05 * view.span, view.span);
    moved();
  }
  placeCursor();
  if (player.playing) requestAnimationFrame(refresh);
}

function placeCursor() {
  const { player, header } = audioGs;
  const share = view.shareOf(player.position / header.sampleRate);
  at('cursor').style.transform = `translateX(${Math.max(-0.1, Math.min(1.1, share)) * at('stage').clientWidth}px)`;
}

function toggle() {
  const { player } = audioGs;
  if (!player) return;
  if (player.playing) player.pause();
  else player.play();
  refresh();
}

function seekTo(seconds) {
  audioGs.player?.seek(Math.round(seconds * audioGs.header.sampleRate));
  refresh();
}

// The whole clip as it is heard, but for the volume, as a WAV file of 16 bits, made in slices.
async function saveWav() {
  const name = at('name').textContent;
  try {
    const decoder = new Decoder(await compiled, bytes);
    for (const { isSet, tell } of Object.values(HEARD)) if (isSet()) tell(decoder);
    const { channels } = decoder;
    const { sampleRate, seconds } = decoder.header;
    if (seconds > LONGEST_SHOWN) throw new Error(`longer than ${LONGEST_SHOWN} s; gs-decode takes it`);
    const parts = [];
    let samples = 0;
    for (let got = decoder.read(16384); got.length > 0; got = decoder.read(16384)) {
      parts.push(got);
      samples += got.length / channels;
      await pause();
    }
    saveAs(`${name.replace(/\.gs$/, '')}.wav`, [wavHeader(sampleRate, samples, channels), ...parts]);
  } catch (error) {
    complain(`${name}: ${error.message}`);
  }
}

at('file').addEventListener('change', () => {
  const [file] = at('file').files;
  if (file) openFile(file);
  at('file').value = '';
});
// What a file of sound begins with: WAV, FLAC, Ogg, MP3.
const SOUND_FILES = ['RIFF', 'RF64', 'fLaC', 'OggS', 'ID3', '\xff\xfb'];

function encodeFirst(name) {
  const stem = name.replace(/\.[^.]*$/, '');
  return `this is sound that is not encoded yet; type gs-encode '${name}' -o '${stem}.gs' --bitrate 6 and drop that`;
}

function openFile(file) {
  return openClip(file.name, async () => {
    const start = String.fromCharCode(...new Uint8Array(await file.slice(0, 4).arrayBuffer()));
    if (SOUND_FILES.some((magic) => start.startsWith(magic))) throw new Error(encodeFirst(file.name));
    if (file.size > LARGEST_STREAM) throw new AudioGsError(-2, TOO_LARGE);
    return new Uint8Array(await file.arrayBuffer());
  });
}
for (const name of ['dragover', 'dragleave', 'drop']) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    at('drop').classList.toggle('over', name === 'dragover');
    if (name === 'drop' && event.dataTransfer.files.length > 0) openFile(event.dataTransfer.files[0]);
  });
}
for (const { name, stream } of data.clips) {
  const onclick = () => openClip(name, async () => bytesOf(stream));
  at('demos').append(element('button', { type: 'button', onclick }, name));
}
at('play').addEventListener('click', toggle);
for (const id of ['repeat', 'loop']) {
  at(id).addEventListener('click', () => {
    const on = at(id).getAttribute('aria-pressed') !== 'true';
    press(at(id), on);
    if (id === 'loop') audioGs.player.setLoop(on);
    else audioGs.player.setRepeat(on);
  });
}
at('save').addEventListener('click', saveWav);
at('save-stream').addEventListener('click', saveStream);
for (const [id, { name }] of Object.entries(CORES)) {
  at('core').append(element('option', { value: id, ...(id === KEPT_CORE ? { selected: '' } : {}) }, name));
}
at('core').addEventListener('change', sayCosts);
const edits = new Editing(at('stage'), at('frame'), {
  view: () => view,
  layer: () => layer,
  shown,
  score: () => history.current,
  isOn: () => isOn('edit') && history !== null,
  see,
  say: sayEdit,
  selected: allowEdits,
  commit,
  preview,
  forget,
  seek: seekTo,
  undo: () => goThrough('undo'),
  redo: () => goThrough('redo'),
});
at('edit').addEventListener('click', () => setEdit(!isOn('edit')));
at('audition').addEventListener('click', () => press(at('audition'), !isOn('audition')));
for (const way of ['undo', 'redo']) at(way).addEventListener('click', () => goThrough(way));
for (const kind of ['all', 'tone', 'noise']) at(`select-${kind}`).addEventListener('click', () => edits.selectKind(kind));
at('delete').addEventListener('click', () => edits.remove());
at('transpose').addEventListener('click', () => edits.transpose(at('semitones').valueAsNumber || 0));
at('pan').addEventListener('input', () => {
  const to = Number(at('pan').value) / 100;
  sayPan(to);
  edits.previewPan(to);
});
at('pan').addEventListener('change', () => edits.pan({ to: Number(at('pan').value) / 100 }));
at('louder').addEventListener('click', () => edits.louder(at('decibels').valueAsNumber || 0));
for (const { id, label, min = 0, max, step, start, heard } of SLIDERS) {
  const oninput = () => (heard ? hear(heard) : setVolume());
  at('sliders').append(
    element(
      'div',
      { class: 'slider' },
      element('label', { for: id }, label),
      element('input', { id, type: 'range', min, max, step, value: start, oninput }),
      element('output', { id: `${id}-is`, for: id }),
    ),
  );
}
for (const id of MUTES) {
  at(id).addEventListener('click', () => {
    press(at(id), !isOn(id));
    hear(['mute']);
  });
}
at('encoded').addEventListener('click', () => {
  forgetSettings();
  hear(Object.keys(HEARD));
});
at('overlay').addEventListener('click', () => {
  press(at('overlay'), !isOn('overlay'));
  choose(null);
});
for (const [id, factor] of [['closer', 0.5], ['farther', 2], ['whole', Infinity]]) {
  at(id).addEventListener('click', () => {
    // In the middle is what is heard, if it is seen.
    const share = view.shareOf(audioGs.player.position / audioGs.header.sampleRate);
    view.zoom(factor, share >= 0 && share <= 1 ? share : 0.5);
    moved();
  });
}
// In a frame of another page.
const framed = /^#framed-(play|edit)$/.exec(location.hash)?.[1];
if (framed) {
  document.documentElement.classList.add('framed', framed);
  at('demos').querySelector('button')?.click();
}
moveByHand(at('stage'), { view: () => view, moved, seek: seekTo });
at('stage').addEventListener('pointermove', chooseUnder);
at('stage').addEventListener('pointerleave', () => choose(null));
at('stage').addEventListener('keydown', (event) => {
  const way = { n: 1, p: -1 }[event.key];
  if (way && !event.ctrlKey && !event.metaKey && !event.altKey) chooseBeside(way);
  const seconds = audioGs.player.position / audioGs.header.sampleRate;
  const step = Math.min(0.5, view.isWhole ? Infinity : view.span / 20);
  const to = {
    ArrowLeft: seconds - step,
    ArrowRight: seconds + step,
    ArrowDown: seconds - step,
    ArrowUp: seconds + step,
    Home: 0,
    End: audioGs.header.seconds,
  }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  seekTo(Math.max(0, Math.min(audioGs.header.seconds, to)));
});
document.addEventListener('keydown', (event) => {
  const control = event.target.closest?.('button, input, a');
  if (event.key !== ' ' || control) return;
  event.preventDefault();
  toggle();
});
darkScheme.addEventListener('change', paint);
addEventListener('resize', () => {
  if (view) see();
});
