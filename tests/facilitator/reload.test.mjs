// SPDX-License-Identifier: Apache-2.0
// SIGHUP: what changes without a restart, and that anything else leaves the
// daemon as it was.  And its end: whoever waits is told how far his payment
// got.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { account } from '../../devnet/accounts.mjs';
import { startChain } from '../../devnet/chain.mjs';
import { sleep } from '../../devnet/process.mjs';
import { sql } from '../harness/ledger.mjs';
import { until } from '../harness/witness.mjs';
import { Daemon, PAY_TO, STUB, freshDir, ports, useDaemon, yaml } from './daemon.mjs';
import { body, post, stubNonce } from './payments.mjs';

const { facilitator: port, rpc: rpcPort, third } = await ports(8);
const OTHER = account(5).address;
const key = randomBytes(32).toString('hex');
const hash = createHash('sha256').update(key).digest('hex');

const text = ({ log = 'info', http = '', payee = PAY_TO, ledger = 'ledger.db', rpc = 'http://127.0.0.1:1', signer = 'signer.key', more = '', listen = port } = {}) =>
  `ledger: ${ledger}
log: ${log}
http: {listen: "127.0.0.1:${listen}"${http}}
payees: [{network: base-sepolia, address: "${payee}"}]
networks:
  - network: base-sepolia
    rpc: ["${rpc}"]
    signers: [{key_file: ${signer}}]
${more}`;

const daemon = await useDaemon({ program: STUB, port, text: text() });
const seen = (event) => daemon.events().filter((one) => one.event === event);

async function reload(change) {
  const before = seen('reloaded').length + seen('reload_refused').length;
  daemon.reconfigure(typeof change === 'string' ? change : text(change));
  process.kill(daemon.process.pid, 'SIGHUP');
  await until('it was read again', 5000, async () => seen('reloaded').length + seen('reload_refused').length, (n) => n > before);
}

const verify = async (payTo, headers) => post(`${daemon.url}/verify`, await body(2, { change: { nonce: stubNonce() }, requirement: { payTo } }), headers);
const valid = async (payTo, headers) => (await verify(payTo, headers)).json.isValid;

test('payees', async () => {
  assert.deepEqual([await valid(PAY_TO), await valid(OTHER)], [true, false]);
  await reload({ payee: OTHER });
  assert.deepEqual([await valid(PAY_TO), await valid(OTHER)], [false, true]);
  await reload({});
});

test('API keys: there, changed, gone', async () => {
  await reload({ http: `, keys: [{name: shop, sha256: ${hash}}]` });
  assert.equal((await verify(PAY_TO)).status, 401);
  assert.equal((await verify(PAY_TO, { authorization: `Bearer ${key}` })).status, 200);
  await reload({ http: `, keys: [{name: shop, sha256: ${'0'.repeat(64)}}]` });
  assert.equal((await verify(PAY_TO, { authorization: `Bearer ${key}` })).status, 401);
  await reload({});
  assert.equal((await verify(PAY_TO)).status, 200);
});

test('hosts and the log level', async () => {
  const { request } = await import('node:http');
  const ask = () => new Promise((resolve) => {
    request({ port, path: '/supported', headers: { host: 'pay.example' } }, (answer) => { answer.resume(); resolve(answer.statusCode); }).end();
  });
  assert.equal(await ask(), 403);
  await reload({ http: ', hosts: [pay.example]', log: 'debug' });
  assert.equal(await ask(), 200);
  await valid(PAY_TO);
  assert.ok(seen('verify').length > 0, 'debug lines');
  await reload({});
  assert.equal(await ask(), 403);
});

for (const [why, change, word] of [
  ['another ledger', { ledger: 'other.db' }, /^ledger: a change of this needs a restart/],
  ['another port', { listen: third }, /^http\.listen/],
  ['another node', { rpc: 'http://127.0.0.1:2' }, /^networks: rpc/],
  ['another rate of calls', { more: '    rpc_rate: 7\n' }, /^networks: rpc/],
  ['another word on proofs', { more: '    rpc_agree: 1\n' }, /^networks: rpc/],
  ['another signer', { signer: 'other.key' }, /^networks: signers/],
  ['another rhythm', { more: '    poll: 77\n' }, /^networks: poll/],
  ['a till', `${text()}till: {socket: till.sock}\n`, /^till/],
  ['one more network', `${text()}  - network: base\n    rpc: ["http://127.0.0.1:1"]\n`, /^networks/],
  ['nonsense', 'ledger: [\n', /x402d\.yaml:\d+: /],
  ['half of it good', { payee: OTHER, ledger: 'other.db' }, /^ledger/],
]) {
  test(`refused, and everything stays: ${why}`, async () => {
    await reload(change);
    const last = seen('reload_refused').at(-1);
    assert.match(last.reason, word);
    assert.equal(last.note, 'nothing was changed');
    assert.deepEqual([await valid(PAY_TO), await valid(OTHER)], [true, false]);
  });
}

test('read again a hundred times while requests come in', async () => {
  await reload({});
  let over = false;
  const asked = Promise.all(Array.from({ length: 8 }, async () => {
    let n = 0;
    for (; !over; n += 1)
      assert.equal(await valid(PAY_TO), true);
    return n;
  }));
  for (let i = 0; i < 100; i += 1) {
    daemon.reconfigure(text({ log: i % 2 ? 'info' : 'debug', http: i % 3 ? `, hosts: [a${i}.example]` : '' }));
    process.kill(daemon.process.pid, 'SIGHUP');
    await sleep(10);
  }
  over = true;
  assert.ok((await asked).every((n) => n > 0));
});

test('credit on the real daemon: a new limit holds for the next payment', { timeout: 60_000 }, async () => {
  const chain = await startChain({ port: rpcPort, dir: freshDir() });
  after(() => chain.process.stop());
  const real = new Daemon({ port: third, text: yaml({ port: third, rpc: chain.url, network: '    poll: 100' }) });
  await real.start();
  try {
    await until('it sees its chain', 10_000, async () => (await fetch(`${real.url}/health`)).status, (s) => s === 200);
    real.reconfigure(yaml({ port: third, rpc: chain.url, network: '    poll: 100\n    credit: {payer: "0.5 USDC"}' }));
    process.kill(real.process.pid, 'SIGHUP');
    await until('reloaded', 5000, async () => real.logText(), (log) => log.includes('"event":"reloaded"'));
    assert.equal((await post(`${real.url}/settle`, await body(2))).json.success, true);

    // no more blocks: who waits when the daemon stops is told what he waits for
    await chain.rpc.call('evm_setAutomine', false);
    const request = await body(2);
    const waiting = post(`${real.url}/settle`, request);
    await until('submitted', 5000, async () => sql(`${real.dir}/ledger.db`, 'SELECT count(*) FROM payment WHERE state = 4'), ([[n]]) => n === '1');
    const began = Date.now();
    const ended = real.stop();
    const answer = await waiting;
    assert.deepEqual([answer.status, answer.json.success, answer.json.errorReason], [200, false, 'settlement_pending']);
    assert.match(answer.json.transaction, /^0x[0-9a-f]{64}$/);
    assert.equal(await ended, 'exit code 0');
    assert.ok(Date.now() - began < 9000, `${Date.now() - began} ms`);

    await chain.rpc.call('evm_setAutomine', true);
    await chain.rpc.mine(1);
    await real.start();
    await until('it sees its chain', 10_000, async () => (await fetch(`${real.url}/health`)).status, (s) => s === 200);
    const again = await post(`${real.url}/settle`, request);
    assert.deepEqual([again.json.success, again.json.transaction], [true, answer.json.transaction]);
  } finally {
    await real.stop();
  }
});
