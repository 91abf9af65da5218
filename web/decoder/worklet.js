
// Plays one stream on the audio thread. Commands come as messages { command, value }; `position`, `ended`, `paused`,
// `replaced` and `error` go back. Nothing starts, stops, jumps or
// becomes another stream without a fade of one block.
class AudioGsProcessor extends AudioWorkletProcessor {
  constructor({ processorOptions: { module, bytes } }) {
    super();
    this.gain = 0;
    this.wanted = 0;
    this.target = null; // sample to jump to when all is silent
    this.jump = 0; // its number, which all that is told after it bears
    this.ended = false;
    this.blocks = 0;
    this.until = null; // sample to pause at
    this.waiting = null; // stream to go on with
    this.spare = null; // decoder of the stream before
    this.module = module;
    this.settings = new Map();
    try {
      this.decoder = new Decoder(module, bytes);
    } catch (error) {
      this.fail(error);
    }
    this.port.onmessage = ({ data }) => this.obey(data);
  }

  obey({ command, value }) {
    if (!this.decoder) return;
    try {
      if (command === 'play') {
        if (this.ended) this.target ??= 0;
        this.wanted = 1;
        this.until = value ?? null;
      } else if (command === 'pause') this.wanted = 0;
      else if (command === 'seek') {
        this.target = value.sample;
        this.jump = value.jump;
      } else if (command === 'repeat') this.repeat = value;
      else if (command === 'replace') this.waiting = value;
      else if (command.startsWith('set')) {
        this.decoder[command](value);
        this.settings.set(command, value);
      }
      else if (command === 'close') this.closed = true;
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error) {
    this.decoder = null;
    this.port.postMessage({ event: 'error', text: error.message });
  }

  process(inputs, [outputs]) {
    if (!this.decoder || this.closed) return !this.closed;
    try {
      this.fill(outputs);
    } catch (error) {
      for (const output of outputs) output.fill(0);
      this.fail(error);
    }
    return true;
  }

  // Goes on with the stream that waits, from where the decoder is. Returns the decoder before.
  exchange() {
    const before = this.decoder;
    const { position } = before;
    if (this.spare) this.spare.open(this.waiting);
    else this.spare = new Decoder(this.module, this.waiting);
    this.decoder = this.spare;
    this.spare = before;
    this.waiting = null;
    for (const [command, value] of this.settings) this.decoder[command](value);
    this.decoder.seek(Math.min(position, this.decoder.header.samples));
    this.port.postMessage({ event: 'replaced' });
    return before;
  }

  // The channels of the decoder, the first one again where there are more to be filled.
  fill(outputs) {
    const [{ length }] = outputs;
    const before = this.waiting ? this.exchange() : null;
    if (this.target !== null && this.gain === 0) {
      this.decoder.seek(this.target);
      this.target = null;
      this.ended = false;
      this.tell();
    }
    const to = this.target === null && !this.ended ? this.wanted : 0;
    if (to === 0 && this.gain === 0) return;
    const step = (to - this.gain) / length;
    const { channels } = this.decoder;
    const samples = this.next(length);
    if (before) fadeInto(samples, channels, before.read(length), before.channels);
    outputs.forEach((output, number) => {
      const channel = number < channels ? number : 0;
      let { gain } = this;
      for (let index = 0; index < length; index += 1) {
        gain += step;
        output[index] = ((samples[channels * index + channel] ?? 0) / 32768) * gain;
      }
    });
    this.gain = to;
    if (this.blocks++ % 8 === 0) this.tell();
    if (samples.length < channels * length) this.finish();
    else if (this.until !== null && this.target === null && this.decoder.position >= this.until) {
      this.wanted = 0;
      this.until = null;
      this.port.postMessage({ event: 'paused', jump: this.jump });
    }
  }

  // The next samples of each channel; at the end fewer, or the beginning again.
  next(count) {
    const { channels } = this.decoder;
    const samples = this.decoder.read(count);
    if (samples.length === channels * count || !this.repeat) return samples;
    this.decoder.seek(0);
    const joined = new Int16Array(channels * count);
    joined.set(samples);
    joined.set(this.decoder.read(count - samples.length / channels), samples.length);
    return joined;
  }

  finish() {
    this.gain = 0;
    if (this.target !== null) return;
    this.ended = true;
    this.wanted = 0;
    this.tell();
    this.port.postMessage({ event: 'ended', jump: this.jump });
  }

  tell() {
    if (this.target !== null) return;
    this.port.postMessage({ event: 'position', sample: this.decoder.position, jump: this.jump });
  }
}

// Fades from samples to other ones, which become what is heard.
function fadeInto(samples, channels, before, channelsBefore) {
  const length = samples.length / channels;
  for (let index = 0; index < samples.length; index += 1) {
    const place = Math.floor(index / channels);
    const old = before[channelsBefore * place + (index % channels) * (channelsBefore - 1)] ?? 0;
    samples[index] = Math.round(old + ((samples[index] - old) * (place + 1)) / length);
  }
}

registerProcessor('audio-gs', AudioGsProcessor);
