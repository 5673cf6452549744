// SPDX-License-Identifier: Apache-2.0
// Answers that are neither yes nor no: what a facilitator, or whoever stands
// in between, may send in place of one.  `yes` is the honest answer's object,
// `flag` its boolean.
import { gzipSync } from 'node:zlib';
import { says } from './scripted.mjs';

const JSON_TYPE = { 'content-type': 'application/json' };

export function variants(yes, flag) {
  const but = (change) => says({ ...yes, ...change });
  const text = JSON.stringify(yes);
  const without = ({ [flag]: _, ...rest }) => rest;
  return {
    'the flag as a string': but({ [flag]: 'true' }),
    'the flag as 1': but({ [flag]: 1 }),
    'the flag as null': but({ [flag]: null }),
    'the flag as an object': but({ [flag]: { value: true } }),
    'the flag as a list': but({ [flag]: [true] }),
    'no flag': says(without(yes)),
    'another flag': says({ ...without(yes), [flag === 'success' ? 'isValid' : 'success']: true }),
    'the flag twice': says(`{"${flag}":false,${text.slice(1)}`),
    'another payer': but({ payer: '0x000000000000000000000000000000000000dEaD' }),
    'a payer that is none': but({ payer: 'nobody' }),
    'yes, with a reason against it': but(flag === 'success' ? { errorReason: 'invalid_payload' } : { invalidReason: 'invalid_payload' }),
    'an empty body': says(''),
    'an empty object': says({}),
    'null': says('null'),
    'true': says('true'),
    'a list': says([yes]),
    'JSON in a string': says(JSON.stringify(text)),
    'cut off JSON': says(text.slice(0, -2)),
    'two values': says(text + text),
    'HTML': says('<html>true</html>', { headers: { 'content-type': 'text/html' } }),
    'JSON that calls itself HTML': says(text, { headers: { 'content-type': 'text/html' } }),
    'no content type': (response) => { response.writeHead(200); response.end(text); },
    'status 201': says(yes, { status: 201 }),
    'status 202': says(yes, { status: 202 }),
    'status 204': (response) => response.writeHead(204).end(),
    'status 206': says(yes, { status: 206 }),
    'status 302 to itself': says(yes, { status: 302, headers: { ...JSON_TYPE, location: '/verify' } }),
    'status 400': says(yes, { status: 400 }),
    'status 401': says(yes, { status: 401 }),
    'status 500': says(yes, { status: 500 }),
    'status 502': says('bad gateway', { status: 502 }),
    'status 503 that says yes': says(yes, { status: 503 }),
    'early hints, then nothing': (response) => { response.writeEarlyHints({ link: '</x>; rel=preload' }); response.destroy(); },
    'compressed without being asked': says(gzipSync(text), { headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } }),
    'a gzip bomb': says(gzipSync(Buffer.alloc(50 << 20, 0x20)), { headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } }),
    'a body of 10 MB': says(`${text.slice(0, -1)},"x":"${'y'.repeat(10 << 20)}"}`),
    'deep nesting': says(`${text.slice(0, -1)},"x":${'['.repeat(1000)}${']'.repeat(1000)}}`),
    'not UTF-8': says(Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0x2c, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])])),
    'a length that is not reached': (response) => {
      response.writeHead(200, { ...JSON_TYPE, 'content-length': String(text.length + 10) });
      response.write(text, () => response.destroy());
    },
    'the connection is reset': (response) => response.socket.resetAndDestroy(),
    'nothing at all': () => {},
    'a byte a second': (response) => {
      response.writeHead(200, JSON_TYPE);
      let at = 0;
      const timer = setInterval(() => {
        response.write(text[at++] ?? ' ');
        if (response.destroyed)
          clearInterval(timer);
      }, 1000);
      response.once('close', () => clearInterval(timer));
    },
  };
}

/** Of /settle alone: a transaction that is none, or not ours. */
export function settleVariants(yes) {
  const but = (change) => says({ ...yes, ...change });
  return {
    'no transaction': but({ transaction: undefined }),
    'an empty transaction': but({ transaction: '' }),
    'a short transaction': but({ transaction: '0xabcd' }),
    'a zero transaction': but({ transaction: `0x${'0'.repeat(64)}` }),
    'a transaction that is a number': but({ transaction: 1 }),
    'no network': but({ network: undefined }),
    'another network': but({ network: 'eip155:8453' }),
    'another amount': but({ amount: '1' }),
    'a plain refusal': says({ success: false, errorReason: 'invalid_exact_evm_transaction_failed', transaction: '', network: yes.network }),
    'a refusal without a reason': says({ success: false }),
    'pending, with a transaction': says({ success: false, errorReason: 'settlement_pending', transaction: `0x${'ab'.repeat(32)}`, network: yes.network }),
  };
}
