
// A stream on its way to the loudspeaker: decoded as it plays, on the audio thread. Events: position, ended, error,
// paused, by itself, and replaced.
class Player extends EventTarget {
  // `worklet` is the address of the worklet's script, `module` the compiled decoder; `context`, if given, has to run at
  // the stream's rate. Throws an AudioGsError for a stream whose header is not right.
  static async open(bytes, { module, worklet, context, destination }) {
    const { header } = new Decoder(module, bytes);
    const own = context ?? new AudioContext({ sampleRate: header.sampleRate });
    if (own.sampleRate !== header.sampleRate) {
      throw new AudioGsError(-1, `the stream has ${header.sampleRate} Hz and the audio context ${own.sampleRate}`);
    }
    try {
      await own.audioWorklet.addModule(worklet);
      return new Player(own, !context, module, bytes, header, destination ?? own.destination);
    } catch (error) {
      if (!context) own.close();
      throw error;
    }
  }

  constructor(context, isOwn, module, bytes, header, destination) {
    super();
    this.context = context;
    this.isOwn = isOwn;
    this.module = module;
    this.header = header;
    this.position = 0;
    this.jump = 0; // number of the last one; what was told before it is stale
    this.playing = false;
    this.judge = null; // decoder of the header of what is to come in its place
    this.node = new AudioWorkletNode(context, 'audio-gs', {
      numberOfInputs: 0,
      outputChannelCount: [2], // those of all streams that come in its place
      processorOptions: { module, bytes },
    });
    this.volumeNode = new GainNode(context);
    this.node.connect(this.volumeNode).connect(destination);
    this.node.port.onmessage = ({ data }) => this.hear(data);
  }

  hear({ event, sample, text, jump }) {
    if (event !== 'error' && event !== 'replaced' && jump !== this.jump) return;
    if (event === 'position') this.position = sample;
    else if (event !== 'replaced') this.playing = false;
    this.dispatchEvent(Object.assign(new Event(event), { text }));
  }

  send(command, value) {
    this.node.port.postMessage({ command, value });
  }

  // Up to a sample, if there is one given, where it pauses.
  async play(until = null) {
    this.playing = true;
    await this.context.resume();
    this.send('play', until);
  }

  // Goes on with another stream of the same rate, from where it is, with all settings.
  replace(bytes) {
    if (this.judge) this.judge.open(bytes);
    else this.judge = new Decoder(this.module, bytes);
    const { header } = this.judge;
    if (header.sampleRate !== this.header.sampleRate) throw new AudioGsError(-1, 'the streams have different rates');
    this.header = header;
    this.send('replace', bytes);
  }

  pause() {
    this.playing = false;
    this.send('pause');
  }

  seek(sample) {
    this.position = Math.max(0, Math.min(this.header.samples, Math.round(sample)));
    this.jump += 1;
    this.send('seek', { sample: this.position, jump: this.jump });
  }

  // Whether the whole clip begins again at its end.
  setRepeat(on) {
    this.send('repeat', Boolean(on));
  }

  // Whether the stream's own loop is played.
  setLoop(on) {
    this.send('setLoop', Boolean(on));
  }

  // Most MACs a sample for tones; null for no limit.
  setBudget(macs) {
    this.send('setBudget', macs);
  }

  // As a Decoder's methods of these names.
  setPitch(pitch) {
    this.send('setPitch', pitch);
  }

  setTempo(tempo) {
    this.send('setTempo', tempo);
  }

  setMute(mute) {
    this.send('setMute', mute);
  }

  setLeast(least) {
    this.send('setLeast', least);
  }

  // 0 to 1 and more, of amplitude.
  setVolume(gain) {
    this.volumeNode.gain.setTargetAtTime(gain, this.context.currentTime, 0.01);
  }

  close() {
    this.playing = false;
    this.send('close');
    this.node.disconnect();
    this.volumeNode.disconnect();
    if (this.isOwn) this.context.close();
  }
}
