// Editing by hand: Gaussians of the layer are selected, dragged, transposed, made louder and deleted, by pointer, keys
// and buttons.

const LEAST_DRAG = 3; // pixels, below which a press is a click
const AUDITION = 0.15; // seconds that are played around what was changed
const PAN_STEP = 0.1;
const HISTORY_KEYS = { z: 'undo', y: 'redo' };

// `page` gives `view()`, `layer()`, `shown()`, `score()`, `isOn()`, does `see()`, `say(text)`, `commit(chosen, change)`,
// which makes another clip, `preview(chosen, change)`, which lets hear one, and `forget()`, which ends that.
class Editing {
  constructor(stage, frame, page) {
    Object.assign(this, { stage, frame, page });
    this.press = null; // where the pointer went down, and what it holds
    const first = { capture: true }; // before the stage seeks and scrolls
    stage.addEventListener('pointerdown', (event) => this.begin(event), first);
    stage.addEventListener('pointermove', (event) => this.move(event), first);
    stage.addEventListener('pointerup', (event) => this.end(event), first);
    stage.addEventListener('pointercancel', () => this.press && this.giveUp(), first);
    stage.addEventListener('keydown', (event) => this.key(event), first);
  }

  get layer() {
    return this.page.layer();
  }

  get selected() {
    return this.layer?.selected ?? new Set();
  }

  get header() {
    return this.page.score().header;
  }

  select(gaussians) {
    if (!this.layer) return;
    this.layer.selected = new Set(gaussians);
    const { size } = this.layer.selected;
    const [one] = this.layer.selected;
    this.page.say(size === 1 ? this.layer.wordsOf(one) : size === 0 ? '' : `${size} Gaussians are selected.`);
    this.page.selected(size);
    this.page.see();
  }

  selectKind(kind) {
    const { gaussians } = this.page.score();
    this.select(kind === 'all' ? gaussians : gaussians.filter((one) => one.kind === kind));
  }

  placeOf(event) {
    const box = this.stage.getBoundingClientRect();
    const across = (event.clientX - box.left) / box.width, up = 1 - (event.clientY - box.top) / box.height;
    return { across, up, time: this.page.view().timeAt(across), box };
  }

  // ---- pointer ----

  begin(event) {
    if (!this.page.isOn() || !this.layer || event.button !== 0 || event.shiftKey) return;
    event.stopImmediatePropagation();
    if (this.press) {
      this.giveUp(); // a second finger
      return;
    }
    this.stage.setPointerCapture(event.pointerId);
    const place = this.placeOf(event);
    const tolerance = [(4 / place.box.width) * this.page.view().span, 4 / place.box.height];
    const under = this.layer.under(place.time, place.up, tolerance, { ...this.page.shown(), coefficient: 0 });
    const one = under && this.layer.gaussianOf(under);
    const isMore = event.ctrlKey || event.metaKey;
    if (one && isMore) {
      const others = [...this.selected].filter((other) => other !== one);
      this.select(others.length === this.selected.size ? [...others, one] : others);
    } else if (one?.kind === 'tone' && !this.selected.has(one)) this.select([one]);
    // Noises are large: only what is selected of them is dragged, or there would be no room to draw a frame.
    const held = one && !isMore && this.selected.has(one) ? one : null;
    this.press = { id: event.pointerId, place, one, held, isMore, isDrag: false, shift: null };
  }

  move(event) {
    if (!this.press) return;
    event.stopImmediatePropagation();
    if (event.pointerId !== this.press.id) return;
    const { place, held } = this.press;
    const now = this.placeOf(event);
    const away = Math.hypot((now.across - place.across) * now.box.width, (now.up - place.up) * now.box.height);
    if (!this.press.isDrag && away < LEAST_DRAG) return;
    this.press.isDrag = true;
    if (held) this.shiftTo(now);
    else this.frameTo(now);
  }

  // Shows where the selection would lie, on the lattice of the Gaussian that is held.
  shiftTo(now) {
    const { place, held: one } = this.press;
    const { sampleRate } = this.header;
    const own = one.kind === 'tone' ? one.hertz : hertzOfPlace(one);
    const height = heightOf(own, sampleRate / 2, 'mel') + now.up - place.up;
    const hertz = frequencyAt(height, sampleRate / 2, 'mel') - own;
    const samples = (now.time - place.time) * sampleRate;
    const [there] = shifted([one], { samples, hertz }, this.header);
    this.press.shift = { samples, hertz };
    this.layer.shift = { seconds: now.time - place.time, height: now.up - place.up };
    if (there) {
      const mel = (gaussian) => heightOf(gaussian.hertz ?? hertzOfPlace(gaussian), sampleRate / 2, 'mel');
      this.layer.shift = { seconds: (there.start - one.start) / sampleRate, height: mel(there) - mel(one) };
      const shift = { samples: there.start - one.start, hertz };
      const place = String(rowOf(there));
      if (place !== this.press.heard) this.page.preview([...this.selected], (chosen) => shifted(chosen, shift, this.header));
      this.press.heard = place;
      this.press.shift = shift;
      this.page.say(this.layer.wordsOf(there));
    } else this.page.say('Outside of the clip: would be left out.');
    this.page.see();
  }

  frameTo(now) {
    const { place } = this.press;
    const [left, right] = [place.across, now.across].sort((a, b) => a - b);
    const [low, high] = [place.up, now.up].sort((a, b) => a - b);
    const { style } = this.frame;
    this.frame.hidden = false;
    [style.left, style.width] = [`${100 * left}%`, `${100 * (right - left)}%`];
    [style.bottom, style.height] = [`${100 * low}%`, `${100 * (high - low)}%`];
    this.press.part = [[left, right].map((share) => this.page.view().timeAt(share)), [low, high]];
  }

  end(event) {
    if (!this.press || event.pointerId !== this.press.id) return;
    event.stopImmediatePropagation();
    const { one, isMore, isDrag, shift, part } = this.press;
    this.cancel();
    if (shift) this.edit((chosen) => shifted(chosen, shift, this.header));
    else if (part) {
      const found = this.layer.within(...part, this.page.shown());
      this.select(isMore ? [...this.selected, ...found] : found);
    } else if (isMore || isDrag) return;
    else if (one) this.select([one]);
    else {
      this.select([]);
      this.page.seek(this.placeOf(event).time);
    }
  }

  cancel() {
    this.press = null;
    this.frame.hidden = true;
    if (this.layer) this.layer.shift = null;
    this.page.see();
  }

  // Lets go without an edit.
  giveUp() {
    const isHeard = this.press.heard !== undefined;
    this.cancel();
    if (isHeard) this.page.forget();
  }

  // ---- keys ----

  key(event) {
    if (!this.page.isOn() || !this.layer) return;
    const { key } = event;
    const isCommand = event.ctrlKey || event.metaKey;
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[key];
    const command = isCommand ? HISTORY_KEYS[key.toLowerCase()] : null;
    if (command) this.page[event.shiftKey ? 'redo' : command]();
    else if (isCommand && key === 'a') this.selectKind('all');
    else if (isCommand || event.altKey || (event.shiftKey && steps)) return;
    else if (key === 'Enter' && this.layer.chosen) this.toggle(this.layer.gaussianOf(this.layer.chosen));
    else if (key === 'Escape' && this.press) this.giveUp();
    else if (key === 'Escape') this.select([]);
    else if (this.selected.size === 0) return;
    else if (steps) this.step(...steps);
    else if (key === 'Delete' || key === 'Backspace') this.remove();
    else if (key === '[' || key === ']') this.transpose(key === ']' ? 1 : -1);
    else if (key === ',' || key === '.') this.louder(key === '.' ? 1 : -1);
    else if (key === 'l' || key === 'r') this.pan({ by: key === 'r' ? PAN_STEP : -PAN_STEP });
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  toggle(one) {
    if (one.kind === 'coefficient') return;
    const others = [...this.selected].filter((other) => other !== one);
    this.select(others.length === this.selected.size ? [...others, one] : others);
  }

  // By steps of the lattice that all of the selection has.
  step(later, higher) {
    const chosen = [...this.selected];
    const samples = later * chosen.reduce((most, { length }) => Math.max(most, length / 4), 0);
    const tones = chosen.filter(({ kind }) => kind === 'tone');
    let hertz = tones.reduce((most, { length }) => Math.max(most, this.header.sampleRate / length), 0);
    if (tones.length === 0) {
      const widest = chosen.reduce((one, other) => (other.barks > one.barks ? other : one));
      hertz = Math.abs(hertzOfPlace({ bark: widest.bark + (higher * widest.barks) / 4 }) - hertzOfPlace(widest));
    }
    this.edit(() => shifted(chosen, { samples, hertz: higher * hertz }, this.header));
  }

  // ---- edits ----

  remove() {
    return this.edit((chosen) => chosen.map(() => null));
  }

  transpose(semitones) {
    const limited = clamped(semitones, -MOST_SEMITONES, MOST_SEMITONES);
    return this.edit((chosen, breathe) => transposed(chosen, limited, this.header, breathe));
  }

  louder(decibels) {
    return this.edit((chosen) => louder(chosen, clamped(decibels, -MOST_DECIBELS, MOST_DECIBELS), this.header));
  }

  // To a place between left, -1, and right, 1, or by so much.
  pan(place) {
    return this.edit((chosen) => panned(chosen, place, this.page.score().pannedHeader));
  }

  // Lets hear what a pan would be that is still being chosen.
  previewPan(to) {
    const { pannedHeader } = this.page.score();
    this.page.preview([...this.selected], (chosen) => panned(chosen, { to }, pannedHeader));
  }

  // Where the selection lies, on the mean.
  get meanPan() {
    const { pannedHeader } = this.page.score();
    const sum = [...this.selected].reduce((total, one) => total + panOf(one, pannedHeader), 0);
    return sum / Math.max(1, this.selected.size);
  }

  edit(change) {
    return this.page.commit([...this.selected], change);
  }
}
