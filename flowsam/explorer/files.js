// The picture as a file that carries its state and version.

function svgFile(state, { plot, ground, lines, at }, ink, verdict) {
  const { width } = plot;
  const safe = (words) => words.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  const facts = JSON.stringify({ flowsam: FACTS.version, ...state });
  const cut = (words, size) => words.match(new RegExp(`.{1,${Math.floor((width - 16) / size)}}(\\s|$)|.{1,${Math.floor((width - 16) / size)}}`, "g"));
  const words = [...cut(verdict, 7).map((line) => [line, 13]), ...cut(facts, 5.6).map((line) => [line, 10])];
  const rows = words.map(([line, size], k) => text(8, plot.height + 18 + 16 * k, safe(line), `font-size="${size}" fill="${ink.ink}"`));
  const height = plot.height + 16 * words.length + 12;
  const start = `<circle cx="${plot.px(at[0])}" cy="${plot.py(at[1])}" r="8" fill="${ink.paper}" stroke="${ink.ink}" stroke-width="3"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"
    font-family="system-ui, Arial, sans-serif"><metadata>${safe(facts)}</metadata>
    <rect width="100%" height="100%" fill="${ink.paper}"/>${ground}${lines}${start}${rows.join("")}</svg>`;
}

// The same as pixels; a text chunk holds the state, readable by any image library
async function pngFile(state, source) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2 * image.width, 2 * image.height];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done));
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const body = new TextEncoder().encode(`tEXtflowsam\0${JSON.stringify({ flowsam: FACTS.version, ...state })}`);
  let crc = -1;
  for (const byte of body) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  const number = (x) => new Uint8Array([x >>> 24, x >>> 16, x >>> 8, x]);
  const end = bytes.length - 12; // before the last chunk
  return new Blob([bytes.slice(0, end), number(body.length - 4), body, number(~crc), bytes.slice(end)], { type: "image/png" });
}

function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
