// SPDX-License-Identifier: Apache-2.0
// Invalid payments in their thousands cost us a signature check each, and the node nothing:
// what goes to it is counted on the way.  X402_INVALID_PAYMENTS=100000 for the whole of it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startChain } from '../../devnet/chain.mjs';
import { BUILD } from '../../devnet/paths.mjs';
import { client, inParallel } from '../harness/http.mjs';
import { until } from '../harness/witness.mjs';
import { PAY_TO, freshDir, ports, useDaemon, yaml } from './daemon.mjs';
import { body, post } from './payments.mjs';

const COUNT = Number(process.env.X402_INVALID_PAYMENTS ?? 6000);
const { facilitator: port, rpc: rpcPort, third: countingPort } = await ports(7);
const chain = await startChain({ port: rpcPort, dir: freshDir() });
after(() => chain.process.stop());

/* What is asked about a payment; heads, fees and balances of the signer are asked all the time. */
const ABOUT_PAYMENTS = ['eth_call', 'eth_getCode', 'eth_estimateGas', 'eth_getLogs', 'eth_sendRawTransaction'];
let asked = 0;
const counter = createServer((req, res) => {
  const parts = [];
  req.on('data', (part) => parts.push(part));
  req.on('end', () => {
    const text = Buffer.concat(parts);
    asked += [JSON.parse(text)].flat().filter(({ method }) => ABOUT_PAYMENTS.includes(method)).length;
    const forward = request(chain.url, { method: 'POST', headers: { 'content-type': 'application/json' } },
      (answer) => answer.pipe(res.writeHead(answer.statusCode, { 'content-type': 'application/json' })));
    forward.on('error', () => res.destroy());
    forward.end(text);
  });
});
await new Promise((resolve) => counter.listen(countingPort, '127.0.0.1', resolve));
after(() => { counter.closeAllConnections(); counter.close(); });
const daemon = await useDaemon({ port, text: yaml({ port, rpc: `http://127.0.0.1:${countingPort}` }) });
await until('the daemon sees its chain', 10_000, async () => (await fetch(`${daemon.url}/health`)).status, (s) => s === 200);

const flip = (hex, at) => hex.slice(0, at) + (hex[at] === '0' ? '1' : '0') + hex.slice(at + 1);
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const word = (value) => value.toString(16).padStart(64, '0');
const later = (value) => String(BigInt(value) + 1n);

/* Each takes a payment that is good, and makes one that is not: its signature is none, or is
 * of something else. */
const KINDS = {
  'another r': ({ payload }) => { payload.signature = flip(payload.signature, 20); },
  'another s': ({ payload }) => { payload.signature = flip(payload.signature, 100); },
  'another v': ({ payload }) => { payload.signature = payload.signature.slice(0, -2) + (payload.signature.endsWith('1b') ? '1c' : '1b'); },
  'the other s': ({ payload }) => {
    const s = BigInt(`0x${payload.signature.slice(66, 130)}`);
    payload.signature = `${payload.signature.slice(0, 66)}${word(N - s)}${payload.signature.endsWith('1b') ? '1c' : '1b'}`;
  },
  'all zeros': ({ payload }) => { payload.signature = `0x${'00'.repeat(65)}`; },
  'another value': ({ payload }) => { payload.authorization.value = '999'; },
  'another payee': ({ payload }) => { payload.authorization.to = `0x${'11'.repeat(20)}`; },
  'another payer': ({ payload }) => { payload.authorization.from = flip(payload.authorization.from, 10).toLowerCase(); },
  'another nonce': ({ payload }) => { payload.authorization.nonce = flip(payload.authorization.nonce, 10); },
  'another end': ({ payload }) => { payload.authorization.validBefore = later(payload.authorization.validBefore); },
  'over': ({ payload }) => { payload.authorization.validBefore = '1000'; },
  'not yet': ({ payload }) => { payload.authorization.validAfter = later(payload.authorization.validBefore); },
};

function invalid(line, i) {
  const value = JSON.parse(line);
  const names = Object.keys(KINDS);
  KINDS[names[i % names.length]](value.paymentPayload);
  return JSON.stringify(value);
}

test(`${COUNT} invalid payments: refused, and nothing is asked about them`, async (t) => {
  const lines = execFileSync(join(BUILD, 'bench', 'sign'), ['bodies', String(COUNT), '16', PAY_TO, '1000', '3000'],
    { encoding: 'utf8', maxBuffer: 1 << 30 }).trim().split('\n');
  const http = client(daemon.url, { connections: 64 });
  const before = asked;
  const begin = Date.now();
  const answers = await inParallel(lines.map((line, i) => async () => {
    const path = i % 2 === 0 ? '/verify' : '/settle';
    const { status, body: text } = await http.send(path, { method: 'POST', body: invalid(line, i >> 1), headers: { 'content-type': 'application/json' } });
    const json = JSON.parse(text);
    return status === 200 && (json.isValid ?? json.success) === false;
  }), 64);
  http.close();
  t.diagnostic(`${Math.round(COUNT / (Date.now() - begin) * 1000)}/s`);
  assert.equal(answers.filter((good) => !good).length, 0);
  assert.equal(asked - before, 0, 'questions about payments');
});

test('a good one is asked about: the counter counts', async () => {
  const before = asked;
  assert.equal((await post(`${daemon.url}/verify`, await body(2))).json.isValid, true);
  assert.ok(asked > before);
});

test('and so is one that cannot pay, whose signature is good', async () => {
  const before = asked;
  assert.equal((await post(`${daemon.url}/verify`, await body(2, { change: { value: '2000000000000' }, requirement: { amount: '2000000000000' } }))).json.isValid, false);
  assert.ok(asked > before);
});
