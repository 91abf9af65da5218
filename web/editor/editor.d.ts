import type { ListedNoise, ListedTone } from './audio-gs.mjs';

/** A tone or a noise on the lattice of its stream; nothing changes one. */
export type Edited = ListedTone | ListedNoise;

/** What decoding costs, as the header says it; the mean in MACs a sample. */
export interface Cost {
  readonly maxTones: number;
  readonly maxNoises: number;
  readonly peakMacs: number;
  readonly meanMacs: number;
}

/** Called between pieces of work, so that a page stays alive. */
export type Breathe = () => void | Promise<void>;

/** Reads and writes one clip. */
export interface Writer {}

/** The header of a stream, as far as edits need it. */
export interface StreamHeader {
  readonly sampleRate: number;
  readonly samples: number;
}

/** A clip as its Gaussians. */
export interface Score {
  readonly header: StreamHeader;
  /** The header that the score has once some of its Gaussians are panned. */
  readonly pannedHeader: StreamHeader;
  readonly gaussians: readonly Edited[];
  readonly tones: readonly ListedTone[];
  readonly noises: readonly ListedNoise[];
  readonly cost: Cost;
  /** The stream. */
  readonly bytes: Uint8Array;
  /**
   * The score of other Gaussians, of which those that are the same objects are the same. Segments without a change keep
   * their bytes. The residual layer stays where it is: where what steers it changes, its values are rounded to the new
   * steps, and left out where there is none. Throws an AudioGsError for what the format has no words for.
   */
  with(writer: Writer, gaussians: readonly Edited[], breathe?: Breathe): Promise<Score>;
}

/** The score of a stream. Throws an AudioGsError for one that is damaged, or too long. */
export function edit(bytes: Uint8Array, module?: WebAssembly.Module): Promise<{ writer: Writer; score: Score }>;

/** So many samples later and hertz higher, to the nearest place; null for what would lie outside of the clip. */
export function shifted(
  gaussians: readonly Edited[], by: { samples?: number; hertz?: number }, header: StreamHeader,
): (Edited | null)[];

/** So many semitones higher; the phases of partials go on from tone to tone. */
export function transposed(
  gaussians: readonly Edited[], semitones: number, header: StreamHeader, breathe?: Breathe,
): Promise<(Edited | null)[]>;

/** Where it lies between left, -1, and right, 1. */
export function panOf(gaussian: Edited, header: StreamHeader): number;

/**
 * Panned to a place between left, -1, and right, 1, or by so much from where each is, and as loud in both channels
 * together. `header` is the score's `pannedHeader`. A stream of one channel gets two by it. What noises are panned by
 * adds up, up to 1.
 */
export function panned(
  gaussians: readonly Edited[], place: { to?: number; by?: number }, header: StreamHeader,
): Edited[];

/** So many decibels louder; null for what is too soft to state. */
export function louder(gaussians: readonly Edited[], decibels: number, header: StreamHeader): (Edited | null)[];

/** What a clip's Gaussians are when some of them become others, or, with null, nothing. */
export function exchanged(gaussians: readonly Edited[], become: Map<Edited, Edited | null>): Edited[];
