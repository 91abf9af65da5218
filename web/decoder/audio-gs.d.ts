/** What a stream's header says; times in samples. */
export interface Header {
  readonly sampleRate: number;
  readonly samples: number;
  readonly seconds: number;
  readonly hasLoop: boolean;
  /** Whether its loop is long enough to be played, 64 samples. */
  readonly canLoop: boolean;
  readonly loopStart: number;
  readonly loopEnd: number;
  /** Most multiply-accumulates a sample in any 20 ms. */
  readonly peakMacs: number;
  /** Bit 0: tones; bit 1: noises; bit 5: a residual layer. */
  readonly kinds: number;
  /** 0: speech, 1: music, 2: effects. */
  readonly tableSet: number;
  readonly maxTones: number;
  readonly maxNoises: number;
  /** Bytes of the decoder's state on a 32-bit core. */
  readonly stateBytes: number;
}

export class AudioGsError extends Error {
  readonly code: number;
  readonly kind: 'argument' | 'memory' | 'truncated' | 'corrupt' | 'crc' | 'version' | 'unsupported' | 'io' | 'unknown';
}

/** The C decoder; one instance of the WebAssembly module each. */
export class Decoder {
  /** Throws an AudioGsError for a stream whose header is not right. */
  constructor(module: WebAssembly.Module, bytes: Uint8Array);
  readonly header: Header;
  /** The number of the next sample. */
  readonly position: number;
  /** The next samples: fewer at the end of the stream or before damage, which the next call throws. */
  read(count: number): Int16Array;
  seek(sample: number): void;
  setLoop(on: boolean): void;
  /** Most MACs a sample for tones; null for no limit. */
  setBudget(macs: number | null): void;
  /** Decodes everything without rendering; throws if anything is damaged. */
  check(): void;
}

/** The decoder's module, compiled once: from audio-gs.wasm beside the script, or from bytes. */
export function compile(bytes?: BufferSource): Promise<WebAssembly.Module>;

/** A decoder of a stream's bytes. */
export function open(bytes: Uint8Array, module?: WebAssembly.Module): Promise<Decoder>;

/** The header of a WAV file of one channel and 16 bits, before its samples. */
export function wavHeader(sampleRate: number, samples: number): Uint8Array;

export interface PlayerOptions {
  module: WebAssembly.Module;
  /** Address of audio-gs-worklet.js. */
  worklet: string | URL;
  /** Has to run at the stream's rate; made where it is missing. */
  context?: AudioContext;
  destination?: AudioNode;
}

/** A stream on its way to the loudspeaker, in browsers alone. Events: position, ended, error. */
export class Player extends EventTarget {
  static open(bytes: Uint8Array, options: PlayerOptions): Promise<Player>;
  readonly header: Header;
  readonly context: AudioContext;
  /** Sample that was decoded last. */
  readonly position: number;
  readonly playing: boolean;
  play(): Promise<void>;
  pause(): void;
  seek(sample: number): void;
  setRepeat(on: boolean): void;
  setLoop(on: boolean): void;
  setBudget(macs: number | null): void;
  setVolume(gain: number): void;
  close(): void;
}
