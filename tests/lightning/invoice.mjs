// SPDX-License-Identifier: Apache-2.0
// BOLT 11 invoices as a node writes them, for the fake one.
import { createHash } from 'node:crypto';
import { secp256k1 } from '@noble/curves/secp256k1';
import { bech32 } from '@scure/base';

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

const number = (value, words) => {
  const out = [];
  for (let i = 0; i < words; i += 1)
    out.unshift(Number((BigInt(value) >> BigInt(5 * i)) & 31n));
  return out;
};
const minimal = (value) => number(value, Math.max(1, Math.ceil(value.toString(2).length / 5)));
const field = (type, words) => ['qpzry9x8gf2tvdw0s3jn54khce6mua7l'.indexOf(type), ...number(words.length, 2), ...words];
const bytes = (type, data) => field(type, bech32.toWords(data));

/* picobitcoin when it is not whole in anything shorter */
function amountText(msat) {
  for (const [unit, msats] of [['m', 100_000_000n], ['u', 100_000n], ['n', 100n]])
    if (msat % msats === 0n)
      return `${msat / msats}${unit}`;
  return `${msat * 10n}p`;
}

export function encodeInvoice({ key, prefix = 'lnbcrt', msat, created, expiry, paymentHash, descriptionHash, description }) {
  const hrp = prefix + (msat === undefined ? '' : amountText(BigInt(msat)));
  const words = [
    ...number(created, 7),
    ...bytes('p', paymentHash),
    ...bytes('s', sha256('secret', paymentHash)),
    ...(descriptionHash ? bytes('h', descriptionHash) : bytes('d', Buffer.from(description ?? ''))),
    ...field('x', minimal(expiry)),
    ...field('c', minimal(40)),
    ...field('9', [16, 8, 0]), // payment secret (14) required, 8 and 17 as LND has them
  ];
  // the signed bytes are padded with zero bits to whole ones
  const padded = [];
  let bits = 0n, n = 0;
  for (const word of words) {
    bits = (bits << 5n) | BigInt(word);
    n += 5;
    while (n >= 8) {
      padded.push(Number((bits >> BigInt(n - 8)) & 255n));
      n -= 8;
    }
    bits &= (1n << BigInt(n)) - 1n;
  }
  if (n > 0)
    padded.push(Number((bits << BigInt(8 - n)) & 255n));
  const signature = secp256k1.sign(sha256(Buffer.from(hrp), Buffer.from(padded)), key);
  const signed = [...words, ...bech32.toWords(Uint8Array.of(...signature.toCompactRawBytes(), signature.recovery))];
  return bech32.encode(hrp, signed, false);
}

export const nodeKey = (key) => Buffer.from(secp256k1.getPublicKey(key, true)).toString('hex');
