
// The header of a WAV file of 16 bits, before its samples; `samples` is how many each channel has.
function wavHeader(sampleRate, samples, channels = 1) {
  const bytes = 2 * channels * samples;
  const wav = new DataView(new ArrayBuffer(44));
  const letters = (offset, text) => {
    for (let index = 0; index < text.length; index += 1) wav.setUint8(offset + index, text.charCodeAt(index));
  };
  letters(0, 'RIFF');
  wav.setUint32(4, 36 + bytes, true);
  letters(8, 'WAVEfmt ');
  wav.setUint32(16, 16, true);
  wav.setUint16(20, 1, true); // PCM
  wav.setUint16(22, channels, true);
  wav.setUint32(24, sampleRate, true);
  wav.setUint32(28, 2 * channels * sampleRate, true);
  wav.setUint16(32, 2 * channels, true);
  wav.setUint16(34, 16, true);
  letters(36, 'data');
  wav.setUint32(40, bytes, true);
  return new Uint8Array(wav.buffer);
}
