// FLAC from base64 to samples: at the clip's own rate for pictures, at the output's rate for the ears.

let output = null;

function outputContext() {
  output ??= new AudioContext({ latencyHint: 'interactive' });
  return output;
}

function soundBytes(number) {
  const text = atob(page.sounds[number]);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes.buffer;
}

// Of each channel.
async function soundSamples(number, sampleRate) {
  const buffer = await new OfflineAudioContext(1, 1, sampleRate).decodeAudioData(soundBytes(number));
  return Array.from({ length: buffer.numberOfChannels }, (_, channel) => buffer.getChannelData(channel));
}

// Every sound of a clip gets the same length, so that loops of all of them stay together.
async function soundBuffer(number, seconds) {
  const context = outputContext();
  const decoded = await context.decodeAudioData(soundBytes(number));
  const frames = Math.max(1, Math.round(seconds * context.sampleRate));
  if (decoded.length === frames) return decoded;
  const fitted = context.createBuffer(decoded.numberOfChannels, frames, context.sampleRate);
  for (let channel = 0; channel < decoded.numberOfChannels; channel += 1) {
    fitted.copyToChannel(decoded.getChannelData(channel).subarray(0, frames), channel);
  }
  return fitted;
}
