// A clip's player. All its sources run at once, in step, and only the chosen one is let through: switching is a
// short crossfade that never moves the position. Nothing ever changes a source's level.

const CROSSFADE_SECONDS = 0.012;
const START_SECONDS = 0.04;
const BLIND_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const ICONS = { play: 'M7 4.5v15l13-7.5z', pause: 'M6 4.5h4.5v15H6zM13.5 4.5H18v15h-4.5z' };
const settings = { rate: 0, overlay: true, loop: false, axis: 'mel', channel: 'both' };
const players = [];
let currentPlayer = null;

class Player {
  constructor(clip) {
    this.clip = clip;
    this.entry = 0;
    this.offset = 0;
    this.running = null;
    this.starting = 0;
    this.blind = 'off'; // 'off', 'hidden', 'revealed'
    this.shuffled = [];
    this.buffers = new Map();
    this.seen = false;
    this.build();
    this.fill();
  }

  build() {
    const { clip } = this;
    this.icon = drawing('path', { d: ICONS.play });
    const picture = drawing('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true' }, this.icon);
    this.playButton = element('button', { type: 'button', class: 'play', onclick: () => this.toggle() }, picture);
    this.slider = element('input', {
      type: 'range', class: 'position', min: 0, max: clip.seconds, step: 'any', value: 0,
      'aria-label': 'Position', oninput: () => this.seek(Number(this.slider.value)),
    });
    this.time = element('span', { class: 'time' });
    this.blindButton = element('button', { type: 'button', class: 'blind', onclick: () => this.nextBlind() });
    this.panels = element('div', { class: 'panels' });
    this.absent = element('p', { class: 'absent' });
    const facts = `${clip.class}, ${clip.sampleRate / 1000} kHz${clip.channels > 1 ? ', 2 channels' : ''}, ${clip.seconds.toFixed(1)} s`;
    const name = element('h3', {}, element('bdi', {}, clip.name), element('small', {}, facts));
    this.card = element('article', { class: 'clip', 'aria-label': clip.name },
      element('header', {}, this.playButton, name, this.slider, this.time, this.blindButton), this.panels, this.absent);
    const own = () => this.makeCurrent();
    this.card.addEventListener('pointerdown', own);
    this.card.addEventListener('focusin', own);
  }

  get group() {
    return this.clip.rates[settings.rate] ?? { sources: [], absent: [] };
  }

  // What can be heard at the chosen rate, the original first.
  get sources() {
    const original = this.clip.original === null ? [] : [{ codec: 'original', sound: this.clip.original }];
    return [...original, ...this.group.sources];
  }

  // What the panels offer: the sources, or a known reference and all of them shuffled.
  get entries() {
    const { sources } = this;
    if (this.blind === 'off') return sources.map((source) => ({ source, label: sourceName(source) }));
    const known = this.clip.original === null ? [] : [{ source: sources[0], label: 'Reference' }];
    return [...known, ...this.shuffled.map((number, place) => ({
      source: sources[number], label: BLIND_LETTERS[place] ?? String(place + 1), blind: true,
    }))];
  }

  get source() {
    return this.entries[this.entry]?.source;
  }

  fill() {
    this.shown = this.entries.map((entry, number) => new Panel(this, entry, number));
    this.panels.replaceChildren(...this.shown.map((panel) => panel.node));
    this.entry = Math.min(this.entry, Math.max(0, this.shown.length - 1));
    this.playButton.disabled = this.slider.disabled = this.blindButton.disabled = !this.shown.length;
    this.blindButton.textContent = { off: 'Blind', hidden: 'Reveal', revealed: 'End blind' }[this.blind];
    const lines = this.group.absent.map(([codec, reason]) => `${codecName(codec)}: ${reason}`);
    if (this.clip.problem) lines.unshift(this.clip.problem);
    this.absent.textContent = lines.length && this.blind !== 'hidden' ? `Not here: ${lines.join('; ')}.` : '';
    this.mark();
    this.move();
    if (this.seen) this.paint();
  }

  mark() {
    this.shown.forEach((panel, number) => press(panel.button, number === this.entry));
    this.icon.setAttribute('d', this.playing ? ICONS.pause : ICONS.play);
    this.playButton.setAttribute('aria-label', `${this.playing ? 'Pause' : 'Play'} ${this.clip.name}`);
  }

  async paint() {
    this.seen = true;
    for (const panel of this.shown) {
      await panel.paint().catch((error) => panel.cover(`cannot be shown: ${error.message}`));
    }
  }

  get playing() {
    return this.running !== null;
  }

  // Seconds into the clip.
  get position() {
    if (!this.running) return this.offset;
    const elapsed = Math.max(this.offset, outputContext().currentTime - this.running.origin);
    return settings.loop ? elapsed % this.clip.seconds : Math.min(elapsed, this.clip.seconds);
  }

  toggle() {
    return this.playing ? this.pause() : this.play();
  }

  async play() {
    this.makeCurrent();
    for (const other of players.filter((one) => one !== this)) {
      other.pause();
      other.buffers.clear();
    }
    const turn = ++this.starting;
    const context = outputContext();
    this.playButton.setAttribute('aria-busy', 'true');
    try {
      await context.resume();
      await this.decode();
    } catch (error) {
      this.absent.textContent = `This browser cannot play it: ${error.message}`;
      return;
    } finally {
      this.playButton.removeAttribute('aria-busy');
    }
    // Another press may have come while the sounds were decoded.
    if (turn === this.starting && !this.running) this.start();
  }

  async decode() {
    const wanted = [...new Set(this.sources.map((source) => source.sound))];
    const buffers = await Promise.all(wanted.map((number) => this.buffers.get(number) ?? soundBuffer(number, this.clip.seconds)));
    this.buffers = new Map(wanted.map((number, index) => [number, buffers[index]]));
  }

  start() {
    const context = outputContext();
    if (this.offset >= this.clip.seconds - 0.01) this.offset = 0;
    const at = context.currentTime + START_SECONDS;
    const fader = context.createGain();
    fader.gain.setValueAtTime(0, at);
    fader.gain.linearRampToValueAtTime(1, at + CROSSFADE_SECONDS);
    fader.connect(context.destination);
    const voices = new Map();
    for (const [number, buffer] of this.buffers) {
      const node = context.createBufferSource();
      const gain = context.createGain();
      node.buffer = buffer;
      node.loop = settings.loop;
      gain.gain.value = number === this.source.sound ? 1 : 0;
      node.connect(gain).connect(fader);
      node.start(at, this.offset);
      voices.set(number, { node, gain });
    }
    this.running = { origin: at - this.offset, fader, voices };
    this.mark();
    this.follow();
  }

  halt() {
    const { fader, voices } = this.running;
    const now = outputContext().currentTime;
    this.running = null;
    fader.gain.cancelScheduledValues(now);
    fader.gain.setValueAtTime(fader.gain.value, now);
    fader.gain.linearRampToValueAtTime(0, now + CROSSFADE_SECONDS);
    for (const { node } of voices.values()) node.stop(now + 2 * CROSSFADE_SECONDS);
  }

  pause() {
    this.starting += 1;
    if (!this.running) return;
    this.offset = this.position;
    this.halt();
    this.mark();
    this.move();
  }

  seek(seconds) {
    const { running } = this;
    if (running) this.halt();
    this.offset = Math.min(this.clip.seconds, Math.max(0, seconds));
    if (running) this.start();
    this.move();
  }

  choose(number) {
    if (number < 0 || number >= this.shown.length) return;
    this.entry = number;
    if (this.running) {
      const now = outputContext().currentTime;
      for (const [sound, { gain }] of this.running.voices) {
        gain.gain.cancelScheduledValues(now);
        gain.gain.setValueAtTime(gain.gain.value, now);
        gain.gain.linearRampToValueAtTime(sound === this.source.sound ? 1 : 0, now + CROSSFADE_SECONDS);
      }
    }
    this.mark();
    say(this.shown[number].entry.label);
  }

  setLoop(loop) {
    if (!this.running) return;
    // Whole rounds that lie behind must not count once the position no longer wraps.
    this.running.origin += Math.floor((outputContext().currentTime - this.running.origin) / this.clip.seconds) * this.clip.seconds;
    this.offset = 0;
    for (const { node } of this.running.voices.values()) node.loop = loop;
  }

  // What must outlive a change of the sources: another rate, or the blind order.
  lift() {
    const state = { position: this.position, playing: this.playing, codec: this.source?.codec };
    this.pause();
    return state;
  }

  async restore({ position, playing, codec }) {
    this.offset = position;
    const same = this.entries.findIndex((entry) => !entry.blind && entry.source.codec === codec);
    this.entry = Math.max(0, same);
    this.fill();
    if (playing && this.shown.length) await this.play();
  }

  shuffle() {
    this.shuffled = shuffledNumbers(this.sources.length);
    if (this.blind === 'revealed') this.blind = 'hidden';
  }

  nextBlind() {
    if (this.blind === 'hidden') {
      this.blind = 'revealed';
      this.fill();
      return undefined;
    }
    const state = this.lift();
    this.blind = this.blind === 'off' ? 'hidden' : 'off';
    if (this.blind === 'hidden') this.shuffle();
    return this.restore(state);
  }

  makeCurrent() {
    if (currentPlayer === this) return;
    currentPlayer?.card.classList.remove('current');
    currentPlayer = this;
    this.card.classList.add('current');
  }

  move() {
    const { position } = this;
    const share = position / this.clip.seconds;
    this.slider.value = position;
    this.slider.setAttribute('aria-valuetext', `${position.toFixed(1)} seconds`);
    this.time.textContent = `${position.toFixed(1)} / ${this.clip.seconds.toFixed(1)} s`;
    for (const panel of this.shown) panel.moveCursor(share, this.playing ? position : null);
  }

  follow() {
    const { running } = this;
    const step = () => {
      if (this.running !== running || !running) return;
      const ended = !settings.loop && outputContext().currentTime - running.origin >= this.clip.seconds;
      if (ended) {
        this.pause();
        this.offset = 0;
      }
      this.move();
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }
}

// One source of a player: its name, facts, spectrogram and cursor.
class Panel {
  constructor(player, entry, number) {
    this.player = player;
    this.entry = entry;
    const { source } = entry;
    this.hidden = entry.blind && player.blind === 'hidden';
    const name = element('span', { class: 'name' }, this.hidden || !entry.blind ? entry.label : `${entry.label} = ${sourceName(source)}`);
    const rate = element('span', { class: 'rate' }, this.hidden ? '' : sourceRate(source));
    this.button = element('button', { type: 'button', 'aria-pressed': 'false', onclick: () => player.choose(number) },
      element('span', { class: 'number', 'aria-hidden': 'true' }, number < 9 ? String(number + 1) : ' '), name, rate);
    this.cursor = element('div', { class: 'cursor' });
    this.stage = element('div', { class: 'stage', 'aria-hidden': 'true', onclick: (event) => this.click(event, number) }, this.cursor);
    const measures = this.hidden ? [] : sourceMeasures(source);
    this.node = element('div', {
      class: 'panel', 'data-codec': this.hidden ? 'hidden' : source.codec,
    }, this.button, this.stage, element('ul', { class: 'measures' }, ...measures));
  }

  click(event, number) {
    const box = this.stage.getBoundingClientRect();
    this.player.choose(number);
    this.player.seek(((event.clientX - box.left) / box.width) * this.player.clip.seconds);
  }

  cover(text) {
    this.stage.replaceChildren(element('div', { class: 'veil' }, text), this.cursor);
  }

  get drawn() {
    return settings.overlay && !this.hidden ? this.entry.source.gaussians : undefined;
  }

  async paint() {
    if (this.hidden) return this.cover('hidden');
    const { clip } = this.player;
    const picture = await spectrum(this.entry.source.sound, clip.sampleRate, clip.seconds, settings.channel);
    const canvas = element('canvas');
    paintSpectrum(canvas, picture, settings.axis);
    const layers = [canvas];
    this.sounding = null;
    if (this.drawn) {
      const ellipses = element('canvas', { class: 'ellipses' });
      this.sounding = element('canvas', { class: 'sounding' });
      layers.push(ellipses, this.sounding);
    }
    this.stage.classList.toggle('overlaid', layers.length > 1);
    this.stage.replaceChildren(...layers, ...frequencyTicks(picture.top, settings.axis), this.cursor);
    if (this.drawn) {
      paintGaussians(layers[1], this.drawn, clip.seconds, picture.top, settings.axis);
      fitCanvas(this.sounding);
    }
    return undefined;
  }

  moveCursor(share, now) {
    this.cursor.style.transform = `translateX(${(100 * share).toFixed(3)}%)`;
    if (!this.sounding || !this.drawn) return;
    const { clip } = this.player;
    paintSounding(this.sounding, this.drawn, clip.seconds, clip.sampleRate / 2, settings.axis, now ?? -Infinity);
  }
}

function sourceName(source) {
  return source.codec === 'original' ? 'Original' : codecName(source.codec);
}

function sourceRate(source) {
  if (source.codec === 'original') return '';
  const variant = source.variant ? `${source.variant}, ` : '';
  return `${variant}${source.kbitS.toFixed(2)} kbit/s, ${source.bytes.toLocaleString('en')} bytes`;
}

function sourceMeasures(source) {
  const items = Object.keys(page.metrics).filter((key) => source.metrics && key in source.metrics).map((key) => {
    const metric = page.metrics[key];
    const value = source.metrics[key];
    const text = value === null ? (source.marks[key] ?? 'not measured') : `${writtenMetric(key, value)}${metric.unit === 'dB' ? ' dB' : ''}`;
    return element('li', {}, `${metric.name} `, element('b', {}, text));
  });
  if (source.gaussians) {
    for (const [kind, count] of gaussianCounts(source.gaussians)) {
      const item = element('li', { class: 'kind' }, element('b', {}, count.toLocaleString('en')), ` ${kind} Gaussians`);
      item.style.setProperty('--kind', kindStyle(kind).colour);
      items.push(item);
    }
  }
  if (source.overlayProblem) items.push(element('li', {}, source.overlayProblem));
  return items;
}

function shuffledNumbers(count) {
  const numbers = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = crypto.getRandomValues(new Uint32Array(1))[0] % (last + 1);
    [numbers[last], numbers[other]] = [numbers[other], numbers[last]];
  }
  return numbers;
}
