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
  /** Full scale is 32768 << outputShift of a tone's amplitude. */
  readonly outputShift: number;
  /** log2 of the samples in a frame of noise; 0 without noise. */
  readonly noiseFrameLog2: number;
  readonly channels: 1 | 2;
}

/** Of a Gaussian or a coefficient, in samples: where it begins, which may be before 0, and how long it lasts. */
interface Listed {
  readonly start: number;
  readonly length: number;
}

/** A tone; `scale`, `bin`, `amplitude` and `phase` are the integers of the stream. */
export interface ListedTone extends Listed {
  readonly kind: 'tone';
  readonly hertz: number;
  /** Peak of its envelope, below full scale; -Infinity if that is rounded to 0. */
  readonly decibels: number;
  readonly scale: number;
  readonly bin: number;
  readonly amplitude: number;
  readonly phase: number;
  /** Square root of its energy. */
  readonly strength: number;
}

/** A noise; `scale`, `width`, `place` and `weight` are the integers of the stream. */
export interface ListedNoise extends Listed {
  readonly kind: 'noise';
  /** Its centre and how much it covers, on the Bark axis. */
  readonly bark: number;
  readonly barks: number;
  /** What it adds to the level of the floor at its centre. */
  readonly decibels: number;
  readonly scale: number;
  readonly width: number;
  readonly place: number;
  readonly weight: number;
  /** What it weighs, by the square root of the time and of the Bark that it covers. */
  readonly strength: number;
}

/** A coefficient of the residual layer; `value` is in whole steps. */
export interface ListedCoefficient extends Listed {
  readonly kind: 'coefficient';
  readonly hertz: number;
  readonly frame: number;
  readonly bin: number;
  readonly value: number;
}

export type Gaussian = ListedTone | ListedNoise | ListedCoefficient;

/** What is left out: kinds, and all from one frequency in Hz to another one. */
export interface Mute {
  tones?: boolean;
  noise?: boolean;
  residual?: boolean;
  from?: number;
  to?: number;
}

/** Least strengths, 0 for all. */
export interface Least {
  tone?: number;
  noise?: number;
}

export class AudioGsError extends Error {
  readonly code: number;
  readonly kind: 'argument' | 'memory' | 'truncated' | 'corrupt' | 'crc' | 'version' | 'unsupported' | 'unknown';
}

/** The C decoder; one instance of a WebAssembly module each. */
export class Decoder {
  /**
   * Of the plain module, or of the one with everything, without which methods marked (All) throw an AudioGsError of
   * kind `unsupported`. Throws one for a stream whose header is not right, too.
   */
  constructor(module: WebAssembly.Module, bytes: Uint8Array);
  readonly header: Header;
  /** How many are read: with the plain module 1, which is the middle of two, where Gaussians are not panned. */
  readonly channels: 1 | 2;
  /** Opens another stream in the place of the one before, without its settings. */
  open(bytes: Uint8Array): void;
  /** The number of the next sample. */
  readonly position: number;
  /**
   * The next `count` samples of each channel, left and right in turn: fewer at the end of the stream or before damage,
   * which the next call throws.
   */
  read(count: number): Int16Array;
  seek(sample: number): void;
  setLoop(on: boolean): void;
  /** Most MACs a sample for tones; null for no limit. */
  setBudget(macs: number | null): void;
  /** Plays at a pitch, 0.5 to 2; 1 is as encoded. (All) */
  setPitch(pitch: number): void;
  /** Plays at a tempo, 0.5 to 2 times as fast; 1 is as encoded. Positions stay those of the clip. (All) */
  setTempo(tempo: number): void;
  /** Of amplitude, 0 to 3.99. (All) */
  setGain(gain: number): void;
  /** Without arguments nothing is left out. (All) */
  setMute(mute?: Mute): void;
  /** Tones and noises of less strength are not heard, and no residual layer where either is not 0. (All) */
  setLeast(least?: Least): void;
  /** Whether the Gaussians of slots that are decoded from now on are kept for `takeGaussians`. (All) */
  setListing(on: boolean): void;
  /**
   * What was decoded since this was asked last, in the order of the stream. There is room for 8192 between two calls,
   * which reading 1024 samples at a time leaves enough of in all but hostile streams.
   */
  takeGaussians(): Gaussian[];
  /** Gaussians that there was no room to list. */
  readonly leftOut: number;
  /** Decodes everything; throws if anything is damaged. At sample 0 then. */
  check(): void;
}

/** The decoder's plain module, compiled once: from audio-gs.wasm beside the script, or from bytes. */
export function compile(bytes?: BufferSource): Promise<WebAssembly.Module>;

/** The module with everything, from audio-gs-all.mjs, which is loaded then; compiled once. */
export function compileAll(): Promise<WebAssembly.Module>;

/** A decoder of a stream's bytes, of both channels where it has two; by `module` where one is given. */
export function open(bytes: Uint8Array, module?: WebAssembly.Module): Promise<Decoder>;

/** The header of a WAV file of 16 bits, before its samples, of which each channel has so many. */
export function wavHeader(sampleRate: number, samples: number, channels?: number): Uint8Array;

export interface PlayerOptions {
  /** With everything, for two channels and for what is played otherwise than encoded. */
  module: WebAssembly.Module;
  /** Address of audio-gs-worklet.js. */
  worklet: string | URL;
  /** Has to run at the stream's rate; made where it is missing. */
  context?: AudioContext;
  destination?: AudioNode;
}

/** A stream on its way to the loudspeaker, in browsers alone. Events: position, ended, error, paused, replaced. */
export class Player extends EventTarget {
  static open(bytes: Uint8Array, options: PlayerOptions): Promise<Player>;
  readonly header: Header;
  readonly context: AudioContext;
  /** Sample that was decoded last. */
  readonly position: number;
  readonly playing: boolean;
  /** Up to a sample, if one is given, where it pauses. */
  play(until?: number | null): Promise<void>;
  /** Goes on with another stream of the same rate, from where it is, with all settings. */
  replace(bytes: Uint8Array): void;
  pause(): void;
  seek(sample: number): void;
  setRepeat(on: boolean): void;
  setLoop(on: boolean): void;
  setBudget(macs: number | null): void;
  setPitch(pitch: number): void;
  setTempo(tempo: number): void;
  setMute(mute?: Mute): void;
  setLeast(least?: Least): void;
  setVolume(gain: number): void;
  close(): void;
}
