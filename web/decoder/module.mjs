
let compiled, compiledAll;

// The decoder's plain module, compiled once: from the file beside this one, or from bytes.
export function compile(bytes) {
  if (bytes) return WebAssembly.compile(bytes);
  compiled ??= readBeside('audio-gs.wasm').then((read) => WebAssembly.compile(read));
  return compiled;
}

// The module with everything, compiled once: two channels, playing otherwise than encoded, lists of Gaussians.
export function compileAll() {
  compiledAll ??= import('./audio-gs-all.mjs').then(async ({ default: all }) => WebAssembly.compile(await unpacked(all)));
  return compiledAll;
}

async function readBeside(name) {
  const url = new URL(name, import.meta.url);
  if (url.protocol === 'file:') return (await import('node:fs/promises')).readFile(url);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} was not found (${response.status})`);
  return response.arrayBuffer();
}

// A decoder of a stream's bytes, a Uint8Array; of all its channels, unless a module is given.
export async function open(bytes, module) {
  return new Decoder(module ?? (await (hasTwoChannels(bytes) ? compileAll() : compile())), bytes);
}

export { AudioGsError, Decoder, Player, wavHeader };
