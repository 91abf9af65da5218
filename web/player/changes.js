// What the page does for edits: reads the clip for them, carries them out one after another, plays, shows and saves what
// comes of them.

const EDIT_CONTROLS = ['delete', 'transpose', 'louder', 'pan']; // which need a selection
const SELECT_BUTTONS = ['select-all', 'select-tone', 'select-noise'];

const sayEdit = (text) => (at('edited').textContent = text);

function setEdit(isOn) {
  press(at('edit'), isOn);
  at('stage').classList.toggle('edits', isOn);
  if (!isOn && layer) layer.selected = new Set();
  allowEdits();
  see();
}

function allowEdits() {
  const isOn = at('edit').getAttribute('aria-pressed') === 'true' && history !== null;
  const some = isOn && (layer?.selected.size ?? 0) > 0;
  at('edit').disabled = !history;
  for (const id of SELECT_BUTTONS) at(id).disabled = !isOn;
  for (const id of EDIT_CONTROLS) at(id).disabled = !some;
  sayPan(some ? edits.meanPan : 0);
  at('undo').disabled = !history?.canUndo;
  at('redo').disabled = !history?.canRedo;
}

function sayPan(pan) {
  at('pan').value = 100 * pan;
  at('pan-is').textContent = panWords(pan);
  at('pan').setAttribute('aria-valuetext', panWords(pan));
}

// Reads the clip for edits, if it is one for them.
async function prepareEdits() {
  const number = serial;
  if (audioGs.header.seconds > LONGEST_SHOWN || !new Container(bytes).isEditable) return;
  const made = new Writer(await compiledWriter);
  const score = await Score.read(made, bytes, breather(pause, SLICE));
  if (number !== serial) return;
  writer = made;
  history = new History(score);
  await showScore([]);
}

// Shows the Gaussians of the score that history is at, some of them selected.
async function showScore(selected) {
  const score = history.current, number = serial;
  const place = score.header.channels === 2 ? (one) => panOf(one, score.header) : null;
  const made = await GaussianLayer.of([...score.gaussians, ...coefficients], audioGs.header, pause, place);
  if (pitchOf() !== 1) await made.place(pitchOf(), pause);
  if (number !== serial) return;
  made.selected = new Set(selected);
  layer = made;
  audioGs.score = score;
  sayFacts();
  sayAll();
  allowEdits();
  see();
}

// Plays and shows the score that history is at.
async function install(selected) {
  bytes = history.current.bytes;
  const { player } = audioGs;
  const replaced = new Promise((resolve) => player.addEventListener('replaced', resolve, { once: true }));
  player.replace(bytes);
  audioGs.header = player.header;
  // What is heard goes before what is seen.
  await Promise.race([replaced, new Promise((resolve) => setTimeout(resolve, player.playing ? STILL : 0))]);
  await showScore(selected);
  for (const name of FEW) if (HEARD[name].isSet()) HEARD[name].tell(player); // the strongest are others now
  clearTimeout(hear.waiting);
  hear.waiting = setTimeout(() => (audioGs.ready = draw()), STILL);
}

// Makes of the chosen Gaussians what `change` gives for them, one edit after another.
function commit(chosen, change) {
  editing = editing.then(async () => {
    const edited = history, { player } = audioGs;
    const before = edited?.current;
    if (!before || chosen.length === 0 || chosen.some((one) => !layer.selected.has(one))) return;
    const breathe = breather(pause, EDIT_SLICE);
    try {
      const become = await change(chosen, breathe);
      const left = become.filter(Boolean);
      if (chosen.every((one, index) => become[index] && String(rowOf(one)) === String(rowOf(become[index])))) {
        player.replace(before.bytes);
        sayEdit('Nothing changes: the stream has no nearer place for it.');
        return;
      }
      const gone = chosen.length - left.length;
      const map = new Map(chosen.map((one, index) => [one, become[index]]));
      const score = await before.with(writer, exchanged(before.gaussians, map), breathe);
      if (history !== edited) return;
      edited.add(score);
      await install(left);
      const outside = gone > 0 && left.length > 0 ? `; ${gone} left out` : '';
      const [one] = left;
      if (!one) sayEdit(`${gone} left out.`);
      else sayEdit(`${left.length === 1 ? layer.wordsOf(one) : `${left.length} changed`}${outside}.`);
      audition([...chosen, ...left]);
    } catch (error) {
      if (history !== edited) return;
      player.replace(before.bytes); // which a drag may have changed
      sayEdit(`Not changed: ${error.message}.`);
    }
  });
  return editing;
}

// Lets hear, while the clip plays, what `change` would make of Gaussians that are still being dragged; of several places
// that come before there is time for one, the last.
function preview(chosen, change) {
  if (!audioGs.player.playing) return;
  const isWaiting = dragged !== null;
  dragged = change;
  if (isWaiting) return;
  editing = editing.then(async () => {
    const latest = dragged, before = history?.current;
    dragged = null;
    if (!latest || !before) return;
    try {
      const map = new Map(latest(chosen).map((one, index) => [chosen[index], one]));
      const score = await before.with(writer, exchanged(before.gaussians, map), breather(pause, EDIT_SLICE));
      if (history?.current === before) audioGs.player.replace(score.bytes);
    } catch {
      // is said when they are let go
    }
  });
}

// Plays what history is at, after a drag that came to nothing.
function forget() {
  dragged = null;
  editing = editing.then(() => history && audioGs.player.replace(history.current.bytes));
}

function goThrough(way) {
  editing = editing.then(async () => {
    if (!(way === 'undo' ? history?.canUndo : history?.canRedo)) return;
    history[way]();
    await install([]);
    sayEdit(way === 'undo' ? 'Undone.' : 'Done again.');
  });
  return editing;
}

// Lets hear what was changed, if nothing plays, and goes back to where the clip was.
function audition(gaussians) {
  const { player, header } = audioGs;
  if (player.playing || !isOn('audition')) return;
  const { position } = player;
  const around = AUDITION * header.sampleRate;
  const from = gaussians.reduce((least, { start }) => Math.min(least, start), Infinity) - around;
  const to = gaussians.reduce((most, { start, length }) => Math.max(most, start + length), 0) + around;
  player.addEventListener('paused', () => player === audioGs.player && (player.seek(position), refresh()), { once: true });
  player.seek(from);
  player.play(Math.min(to, header.samples - 1));
  refresh();
}

function saveStream() {
  const name = at('name').textContent.replace(/\.gs$/, '');
  saveAs(`${name}${history?.canUndo ? '-edited' : ''}.gs`, [bytes]);
}
