// Unpacks the page, whose scripts and modules lie in it deflated, and starts it.

(async () => {
  const packed = JSON.parse(document.getElementById('data').textContent);
  const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const unpacked = (base64) => {
    const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream('deflate'));
    return new Response(stream).arrayBuffer();
  };
  // Of all addresses only this kind loads in a page that is a file.
  const addressOf = async (...parts) => {
    const reader = new FileReader();
    const read = new Promise((resolve) => reader.addEventListener('load', resolve));
    reader.readAsDataURL(new Blob(parts, { type: 'text/javascript;charset=utf-8' }));
    await read;
    return reader.result;
  };
  try {
    const names = ['module', 'writer', 'decoder', 'worklet', 'page'];
    const [module, writer, decoder, worklet, page] = await Promise.all(names.map((name) => unpacked(packed[name])));
    globalThis.audioGsParts = { module, writer, worklet: await addressOf(decoder, worklet), clips: packed.clips };
    const script = document.createElement('script');
    script.src = await addressOf("(() => {\n'use strict';\n", decoder, page, '\n})();');
    document.head.append(script);
  } catch (error) {
    const reason = `This browser is too old for the page; it takes one of 2023 or later (${error.message}).`;
    document.getElementById('error').textContent = reason;
  }
})();
