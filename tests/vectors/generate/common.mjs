// SPDX-License-Identifier: Apache-2.0
// What the generators share: a seeded random source, so that two runs write
// the same bytes, and one row of JSON per line, so that differences can be
// read.
import { writeFileSync } from 'node:fs';

/** xorshift128+, reproducible; nothing here is a secret. */
export function seeded(seed) {
  let a = BigInt(seed) | 1n;
  let b = 0x9e3779b97f4a7c15n;
  const mask = (1n << 64n) - 1n;
  return function next() {
    let x = a;
    a = b;
    x = (x ^ (x << 23n)) & mask;
    b = x ^ a ^ (x >> 17n) ^ (a >> 26n);
    return (a + b) & mask;
  };
}

export function bytes(next, length) {
  let text = '0x';
  for (let i = 0; i < length; i++)
    text += (next() & 0xffn).toString(16).padStart(2, '0');
  return text;
}

/** An integer whose size is random too: most bugs live at the edges. */
export function integer(next, maxBits) {
  const bits = next() % BigInt(maxBits + 1);
  let value = 0n;
  for (let i = 0; i < 5; i++) value = (value << 64n) | next();
  return value & ((1n << bits) - 1n);
}

export function write(name, rows) {
  const text = rows
    .map((row) =>
      JSON.stringify(row, (_, v) => (typeof v === 'bigint' ? v.toString() : v)),
    )
    .join(',\n');
  writeFileSync(new URL(`../${name}`, import.meta.url), `[\n${text}\n]\n`);
  console.log(`${name}: ${rows.length} rows`);
}
