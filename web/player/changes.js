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

// Has a score played, unless it is what was given last.
function sound(score) {
  const { player } = audioGs;
  if (sounding?.player === player && sounding.score === score) return Promise.resolve();
  sounding = { player, score };
  const replaced = new Promise((resolve) => player.addEventListener('replaced', resolve, { once: true }));
  player.replace(score.bytes);
  return Promise.race([replaced, new Promise((resolve) => setTimeout(resolve, player.playing ? STILL : 0))]);
}

// Plays and shows the score that history is at.
async function install(selected) {
  bytes = history.current.bytes;
  const { player } = audioGs;
  // What is heard goes before what is seen.
  await sound(history.current);
  audioGs.header = player.header;
  await showScore(selected);
  for (const name of FEW) if (HEARD[name].isSet()) HEARD[name].tell(player); // the strongest are others now
  clearTimeout(hear.waiting);
  hear.waiting = setTimeout(() => (audioGs.ready = draw()), STILL);
}

const rowsOf = (gaussians) => gaussians.map((one) => one && rowOf(one)).join(';');

// The score that the chosen Gaussians make once they have become others; that of a drag if it was heard already.
async function changedScore(before, chosen, become, breathe) {
  const rows = rowsOf(become);
  if (heard?.before === before && heard.chosen === rowsOf(chosen) && heard.rows === rows) return heard;
  const map = new Map(chosen.map((one, index) => [one, become[index]]));
  const score = await before.with(writer, exchanged(before.gaussians, map), breathe);
  return { before, chosen: rowsOf(chosen), rows, become, score };
}

// Makes of the chosen Gaussians what `change` gives for them, one edit after another.
function commit(chosen, change) {
  editing = editing.then(async () => {
    const edited = history;
    const before = edited?.current;
    if (!before || chosen.length === 0 || chosen.some((one) => !layer.selected.has(one))) return;
    const breathe = breather(pause, EDIT_SLICE);
    try {
      const wanted = await change(chosen, breathe);
      if (rowsOf(chosen) === rowsOf(wanted)) {
        await sound(before);
        sayEdit('Nothing changes: the stream has no nearer place for it.');
        return;
      }
      const { become, score } = await changedScore(before, chosen, wanted, breathe);
      const left = become.filter(Boolean);
      const gone = chosen.length - left.length;
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
      await sound(before); // which a drag may have changed
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
      heard = await changedScore(before, chosen, latest(chosen), breather(pause, EDIT_SLICE));
      if (history?.current === before) sound(heard.score);
    } catch {
      // is said when they are let go
    }
  });
}

// Plays what history is at, after a drag that came to nothing.
function forget() {
  dragged = null;
  editing = editing.then(() => history && sound(history.current));
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
