// SPDX-License-Identifier: Apache-2.0
// 256-bit arithmetic as JavaScript's integers do it.  null: does not fit.
import { integer, seeded, write } from './common.mjs';

const next = seeded(402);
const limit = 1n << 256n;
const edges = [
  0n, 1n, 9n, 10n, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n, 1n << 64n,
  (1n << 64n) + 1n, (1n << 128n) - 1n, 1n << 128n, 1n << 192n, 1n << 255n,
  limit - 10n, limit - 1n,
];

function fits(value) {
  return value >= 0n && value < limit ? value : null;
}

function decimal(value, decimals) {
  const digits = value.toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

function row(a, b) {
  const factor = b & ((1n << 64n) - 1n);
  return {
    a, b,
    sum: fits(a + b), difference: fits(a - b),
    factor, product: fits(a * factor),
    compare: a < b ? -1 : a > b ? 1 : 0,
    hex: '0x' + a.toString(16).padStart(64, '0'),
    usdc: decimal(a, 6), wei: decimal(a, 18),
  };
}

const rows = [];
for (const a of edges) for (const b of edges) rows.push(row(a, b));
for (let i = 0; i < 275; i++) rows.push(row(integer(next, 256), integer(next, 256)));
write('amount.json', rows);
