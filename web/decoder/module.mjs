
let compiled;

// The decoder's module, compiled once: from the file beside this one, or from bytes.
export function compile(bytes) {
  if (bytes) return WebAssembly.compile(bytes);
  compiled ??= readBeside('audio-gs.wasm').then((read) => WebAssembly.compile(read));
  return compiled;
}

async function readBeside(name) {
  const url = new URL(name, import.meta.url);
  if (url.protocol === 'file:') return (await import('node:fs/promises')).readFile(url);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} was not found (${response.status})`);
  return response.arrayBuffer();
}

// A decoder of a stream's bytes, a Uint8Array.
export async function open(bytes, module) {
  return new Decoder(module ?? (await compile()), bytes);
}

export { AudioGsError, Decoder, Player, wavHeader };
