
// The header of a WAV file of one channel and 16 bits, before its samples.
function wavHeader(sampleRate, samples) {
  const wav = new DataView(new ArrayBuffer(44));
  const letters = (offset, text) => {
    for (let index = 0; index < text.length; index += 1) wav.setUint8(offset + index, text.charCodeAt(index));
  };
  letters(0, 'RIFF');
  wav.setUint32(4, 36 + 2 * samples, true);
  letters(8, 'WAVEfmt ');
  wav.setUint32(16, 16, true);
  wav.setUint16(20, 1, true); // PCM
  wav.setUint16(22, 1, true); // channel
  wav.setUint32(24, sampleRate, true);
  wav.setUint32(28, 2 * sampleRate, true);
  wav.setUint16(32, 2, true);
  wav.setUint16(34, 16, true);
  letters(36, 'data');
  wav.setUint32(40, 2 * samples, true);
  return new Uint8Array(wav.buffer);
}
