
let compiledWriter;

// The score of a stream's bytes, a Uint8Array, and the writer that others are made of it with.
export async function edit(bytes, module) {
  compiledWriter ??= unpacked(PACKED_WRITER).then((read) => WebAssembly.compile(read));
  const writer = new Writer(module ?? (await compiledWriter));
  return { writer, score: await Score.read(writer, bytes) };
}

export { exchanged, louder, panned, panOf, shifted, transposed };
