// SPDX-License-Identifier: Apache-2.0
// A QR code (ISO/IEC 18004): alphanumeric mode, error correction level L,
// versions 1 to 40.  Part of paywall.html: the build puts it in there.

const QR_CHARS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
/* of level L, by version: error correction bytes of a block, and blocks */
const QR_ECC = [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, ...Array(14).fill(30)];
const QR_BLOCKS = [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25];
const range = (n) => [...Array(n).keys()];

/* in GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1 */
function qrTimes(a, b) {
  let out = 0;
  for (let i = 7; i >= 0; i -= 1)
    out = (out << 1) ^ ((out >> 7) * 0x11d) ^ (((b >> i) & 1) * a);
  return out;
}

function qrCorrection(data, degree) {
  const divisor = [...Array(degree - 1).fill(0), 1];
  for (let i = 0, root = 1; i < degree; i += 1, root = qrTimes(root, 2))
    for (let j = 0; j < degree; j += 1)
      divisor[j] = qrTimes(divisor[j], root) ^ (divisor[j + 1] ?? 0);
  const out = Array(degree).fill(0);
  for (const byte of data) {
    const factor = byte ^ out.shift();
    out.push(0);
    divisor.forEach((c, i) => { out[i] ^= qrTimes(c, factor); });
  }
  return out;
}

/* Bytes that a version has room for, correction included. */
function qrRoom(version) {
  const aligned = Math.floor(version / 7) + 2;
  const bits = (16 * version + 128) * version + 64 - (version > 1 ? (25 * aligned - 10) * aligned - 55 : 0) - (version > 6 ? 36 : 0);
  return Math.floor(bits / 8);
}

/* The smallest version that the text fits in, and its bytes. */
function qrData(text) {
  for (let version = 1; version <= 40; version += 1) {
    const room = qrRoom(version) - QR_ECC[version - 1] * QR_BLOCKS[version - 1];
    const bits = [];
    const add = (value, length) => { for (let i = length - 1; i >= 0; i -= 1) bits.push((value >> i) & 1); };
    add(2, 4);
    add(text.length, version < 10 ? 9 : version < 27 ? 11 : 13);
    for (let i = 0; i < text.length; i += 2) {
      const first = QR_CHARS.indexOf(text[i]);
      if (i + 1 < text.length)
        add(first * 45 + QR_CHARS.indexOf(text[i + 1]), 11);
      else
        add(first, 6);
    }
    if (bits.length > room * 8)
      continue;
    add(0, Math.min(4, room * 8 - bits.length));
    add(0, (8 - bits.length % 8) % 8);
    const data = range(bits.length / 8).map((i) => parseInt(bits.slice(8 * i, 8 * i + 8).join(''), 2));
    for (let pad = 0xec; data.length < room; pad ^= 0xec ^ 0x11)
      data.push(pad);
    return { version, data };
  }
  throw new Error('too long for a QR code');
}

/* Blocks with their correction, the first bytes of all, then the second, … */
function qrInterleave({ version, data }) {
  const [degree, count, room] = [QR_ECC[version - 1], QR_BLOCKS[version - 1], qrRoom(version)];
  const short = Math.floor(room / count) - degree;
  let at = 0;
  const blocks = range(count).map((i) => data.slice(at, at += short + (i >= count - room % count ? 1 : 0)));
  const corrections = blocks.map((block) => qrCorrection(block, degree));
  return [blocks, corrections].flatMap((part) => range(Math.max(...part.map((block) => block.length)))
    .flatMap((i) => part.filter((block) => i < block.length).map((block) => block[i])));
}

function qrAligned(version) {
  if (version === 1)
    return [];
  const count = Math.floor(version / 7) + 2;
  const step = version === 32 ? 26 : Math.ceil((4 * version + 4) / (2 * count - 2)) * 2;
  return [6, ...range(count - 1).map((i) => 4 * version + 10 - i * step).reverse()];
}

const QR_MASKS = [(x, y) => (x + y) % 2, (x, y) => y % 2, (x) => x % 3, (x, y) => (x + y) % 3,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2, (x, y) => (x * y) % 2 + (x * y) % 3,
  (x, y) => ((x * y) % 2 + (x * y) % 3) % 2, (x, y) => ((x + y) % 2 + (x * y) % 3) % 2];

/* What stands still in every code of a version: rows of 0, 1 and undefined. */
function qrFrame(version, mask) {
  const size = 17 + 4 * version;
  const rows = range(size).map(() => Array(size));
  const set = (x, y, dark) => { if (rows[y] && x >= 0 && x < size) rows[y][x] = dark ? 1 : 0; };
  const square = (x, y, reach, light) => {
    for (let dy = -reach; dy <= reach; dy += 1)
      for (let dx = -reach; dx <= reach; dx += 1)
        set(x + dx, y + dy, !light.includes(Math.max(Math.abs(dx), Math.abs(dy))));
  };
  range(size).forEach((i) => { set(6, i, i % 2 === 0); set(i, 6, i % 2 === 0); });
  for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]])
    square(x, y, 4, [2, 4]);
  const aligned = qrAligned(version);
  const corner = (x, y) => (x === 6 && y === 6) || (x === 6 && y === size - 7) || (x === size - 7 && y === 6);
  for (const x of aligned)
    for (const y of aligned)
      if (!corner(x, y))
        square(x, y, 2, [1]);
  let rest = 8 | mask; // level L is 01
  for (let i = 0; i < 10; i += 1)
    rest = (rest << 1) ^ ((rest >> 9) * 0x537);
  const format = (((8 | mask) << 10) | rest) ^ 0x5412;
  const near = [0, 1, 2, 3, 4, 5, 7, 8];
  for (let i = 0; i < 15; i += 1) {
    const bit = (format >> i) & 1;
    set(...(i < 8 ? [8, near[i]] : [near[14 - i], 8]), bit);
    set(...(i < 8 ? [size - 1 - i, 8] : [8, size - 15 + i]), bit);
  }
  set(8, size - 8, 1);
  rest = version;
  for (let i = 0; i < 12; i += 1)
    rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
  for (let i = 0; version > 6 && i < 18; i += 1) {
    const bit = (((version << 12) | rest) >> i) & 1;
    set(size - 11 + i % 3, Math.floor(i / 3), bit);
    set(Math.floor(i / 3), size - 11 + i % 3, bit);
  }
  return rows;
}

/* Two columns at a time from the right, up and down. */
function qrFill(rows, bytes, mask) {
  const size = rows.length;
  let i = 0;
  for (let right = size - 1; right > 0; right -= right === 8 ? 3 : 2)
    for (let step = 0; step < size; step += 1)
      for (const x of [right, right - 1]) {
        const y = ((right + 1) & 2) === 0 ? size - 1 - step : step;
        if (rows[y][x] !== undefined)
          continue;
        const bit = i < 8 * bytes.length ? (bytes[i >> 3] >> (7 - i % 8)) & 1 : 0;
        rows[y][x] = bit ^ (QR_MASKS[mask](x, y) === 0 ? 1 : 0);
        i += 1;
      }
  return rows;
}

/* How much of it misleads a reader: long runs, squares, false corners, grey. */
function qrPenalty(rows) {
  const columns = rows.map((_, x) => rows.map((row) => row[x]));
  let out = 0;
  for (const line of [...rows, ...columns].map((row) => row.join(''))) {
    for (const [run] of line.matchAll(/0{5,}|1{5,}/g))
      out += run.length - 2;
    out += 40 * [...line.matchAll(/(?=10111010000|00001011101)/g)].length;
  }
  for (let y = 1; y < rows.length; y += 1)
    for (let x = 1; x < rows.length; x += 1)
      if (rows[y][x] + rows[y - 1][x] + rows[y][x - 1] + rows[y - 1][x - 1] === 4 * rows[y][x])
        out += 3;
  const dark = rows.flat().reduce((sum, bit) => sum + bit, 0) / rows.length ** 2;
  return out + 10 * Math.floor(Math.abs(dark - .5) * 20);
}

/* Rows of 0 and 1 (dark), without the light border. */
function qr(text) {
  const coded = qrData(text);
  const bytes = qrInterleave(coded);
  const made = range(8).map((mask) => qrFill(qrFrame(coded.version, mask), bytes, mask));
  return made.reduce((best, rows) => (qrPenalty(rows) < qrPenalty(best) ? rows : best));
}
