
let compiledWriter;

// The module that reads and writes, compiled once: from the file beside this one.
async function compileWriter() {
  const url = new URL('audio-gs-writer.wasm', import.meta.url);
  if (url.protocol === 'file:') {
    return WebAssembly.compile(await (await import('node:fs/promises')).readFile(url));
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} was not found (${response.status})`);
  return WebAssembly.compile(await response.arrayBuffer());
}

// The score of a stream's bytes, a Uint8Array, and the writer that others are made of it with.
export async function edit(bytes, module) {
  const writer = new Writer(module ?? (await (compiledWriter ??= compileWriter())));
  return { writer, score: await Score.read(writer, bytes) };
}

export { exchanged, louder, shifted, transposed };
