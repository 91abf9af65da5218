// The page: opens a clip, shows its spectrogram, plays it.

const LONGEST_SHOWN = 600; // seconds
const SLICE = 8; // milliseconds of work between two looks at the page
const KINDS = [[1, 'tones'], [2, 'noise'], [32, 'residual']];
const SOUNDS = ['speech', 'music', 'effects'];
const data = JSON.parse(document.getElementById('data').textContent);
const at = (id) => document.getElementById(id);
const audioGs = (globalThis.audioGs = { player: null, header: null, ready: null });
let serial = 0; // of the clip that was opened last
let drawn = 0; // of the picture begun last
let bytes, picture;

const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
const compiled = WebAssembly.compile(bytesOf(data.module));
// Of all addresses only this kind loads in a page that is a file.
const worklet = `data:text/javascript;base64,${data.worklet}`;
const pause = () => new Promise((resolve) => setTimeout(resolve));

function complain(text) {
  at('error').textContent = text;
  at('error').hidden = !text;
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
  const rate = (8 * bytes.length) / 1000 / header.seconds;
  at('facts').textContent = [
    `${header.seconds.toFixed(2)} s`,
    `${header.sampleRate / 1000} kHz`,
    `${bytes.length} bytes`,
    `${rate.toFixed(2)} kbit/s`,
    SOUNDS[header.tableSet],
  ].join(', ');
  at('costs').replaceChildren(
    ...[
      ['Peak work', `${header.peakMacs} MACs a sample`],
      ['State in RAM', `${header.stateBytes} bytes`],
      ['Tones held at most', `${header.maxTones}`],
      ['Kinds', KINDS.filter(([bit]) => header.kinds & bit).map(([, name]) => name).join(', ')],
    ].map(([term, value]) => element('div', {}, element('dt', {}, term), element('dd', {}, value))),
  );
  at('loop').hidden = !header.canLoop;
  press(at('loop'), false);
  press(at('repeat'), false);
  at('budget').value = 100;
  at('stage').setAttribute('aria-valuemax', header.seconds.toFixed(1));
  at('clip').hidden = false;
  player.setVolume(Number(at('volume').value));
  setBudget(false);
  audioGs.ready = draw();
  refresh();
}

// The clip's samples, up to the longest that is shown, as full scale 1; null if another clip came meanwhile.
async function decoded(budget, isStale) {
  const decoder = new Decoder(await compiled, bytes);
  decoder.setBudget(budget);
  const wanted = Math.min(decoder.header.samples, LONGEST_SHOWN * decoder.header.sampleRate);
  const samples = new Float32Array(wanted);
  let done = 0, until = performance.now() + SLICE;
  while (done < wanted) {
    const got = decoder.read(Math.min(1024, wanted - done));
    if (got.length === 0) break;
    for (let index = 0; index < got.length; index += 1) samples[done + index] = got[index] / 32768;
    done += got.length;
    if (performance.now() > until) {
      await pause();
      if (isStale()) return null;
      until = performance.now() + SLICE;
    }
  }
  return samples;
}

async function draw() {
  const number = (drawn += 1);
  const { header } = audioGs;
  try {
    const samples = await decoded(budgetOf(), () => number !== drawn);
    if (!samples) return;
    const spectrum = await analyseSpectrum(samples, header.sampleRate, samples.length / header.sampleRate);
    if (number !== drawn) return;
    picture = spectrum;
    paint();
  } catch (error) {
    if (number === drawn) complain(`${at('name').textContent}: ${error.message}`);
  }
}

function paint() {
  if (!picture) return;
  paintSpectrum(at('picture'), picture, 'mel');
  at('ticks').replaceChildren(...frequencyTicks(picture.top, 'mel'));
}

// MACs a sample of the slider's place, finer where there are few; null at its end.
function budgetOf() {
  const share = Number(at('budget').value) / 100;
  return share === 1 ? null : Math.max(1, Math.round(audioGs.header.peakMacs * share ** 2));
}

function setBudget(isNew = true) {
  const budget = budgetOf();
  at('budgeted').textContent = budget === null ? 'no limit' : `${budget} MACs a sample`;
  audioGs.player.setBudget(budget);
  if (!isNew) return;
  clearTimeout(setBudget.waiting);
  setBudget.waiting = setTimeout(() => (audioGs.ready = draw()), 150);
}

function refresh() {
  const { player, header } = audioGs;
  if (!player) return;
  const seconds = player.position / header.sampleRate;
  at('play').textContent = player.playing ? 'Pause' : 'Play';
  at('time').textContent = `${seconds.toFixed(1)} / ${header.seconds.toFixed(1)} s`;
  at('stage').setAttribute('aria-valuenow', seconds.toFixed(1));
  at('stage').setAttribute('aria-valuetext', `${seconds.toFixed(1)} seconds`);
  const shown = Math.min(header.seconds, LONGEST_SHOWN);
  at('cursor').style.transform = `translateX(${Math.min(1, seconds / shown) * at('stage').clientWidth}px)`;
  if (player.playing) requestAnimationFrame(refresh);
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

function seekByPointer(event) {
  const box = at('stage').getBoundingClientRect();
  const shown = Math.min(audioGs.header.seconds, LONGEST_SHOWN);
  seekTo(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * shown);
}

// The whole clip as a WAV file of 16 bits, made in slices.
async function saveWav() {
  const name = at('name').textContent;
  try {
    const decoder = new Decoder(await compiled, bytes);
    const { samples, sampleRate, seconds } = decoder.header;
    if (seconds > LONGEST_SHOWN) throw new Error(`longer than ${LONGEST_SHOWN} s; gs-decode takes it`);
    const parts = [];
    for (let done = 0; done < samples; ) {
      const got = decoder.read(16384);
      if (got.length === 0) break;
      parts.push(got);
      done += got.length;
      await pause();
    }
    const href = URL.createObjectURL(new Blob([wavHeader(sampleRate, samples), ...parts]));
    element('a', { download: `${name.replace(/\.gs$/, '')}.wav`, href }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60000);
  } catch (error) {
    complain(`${name}: ${error.message}`);
  }
}

at('file').addEventListener('change', () => {
  const [file] = at('file').files;
  if (file) openFile(file);
  at('file').value = '';
});
function openFile(file) {
  return openClip(file.name, async () => {
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
at('volume').addEventListener('input', () => audioGs.player?.setVolume(Number(at('volume').value)));
at('budget').addEventListener('input', () => setBudget());
at('stage').addEventListener('pointerdown', (event) => {
  at('stage').setPointerCapture(event.pointerId);
  seekByPointer(event);
});
at('stage').addEventListener('pointermove', (event) => {
  if (event.buttons & 1) seekByPointer(event);
});
at('stage').addEventListener('keydown', (event) => {
  const seconds = audioGs.player.position / audioGs.header.sampleRate;
  const to = {
    ArrowLeft: seconds - 0.5,
    ArrowRight: seconds + 0.5,
    ArrowDown: seconds - 0.5,
    ArrowUp: seconds + 0.5,
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
addEventListener('resize', refresh);
