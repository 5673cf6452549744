// SPDX-License-Identifier: Apache-2.0
// /verify simulates a payer's transfer to a payee, and relies on that for his next payments
// there for a moment.  What only a simulation shows is refused when that moment is over, and
// by /settle at once; what differs from payment to payment is asked of the chain each time.
import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { after, afterEach, test } from 'node:test';
import { account } from '../../devnet/accounts.mjs';
import { USDC, startChain } from '../../devnet/chain.mjs';
import { sleep } from '../../devnet/process.mjs';
import { MODE, call, makeOdd } from '../chain/contracts.mjs';
import { transferData } from '../chain/world.mjs';
import { until } from '../harness/witness.mjs';
import { freshDir, ports, useDaemon, yaml } from './daemon.mjs';
import { body, post } from './payments.mjs';

const REUSE = 2000; // as it is when the file says nothing
const LONG = 10_000;
const at = await ports(31);
const other = account(7).address; // other payees
const listed = account(6).address;
const TRANSFER = /cf092995|e3ee160e/g; // transferWithAuthorization, either form
let chain, tried = 0, asked = 0;

/* Counts the transfers that the node is asked to try. */
const counter = createServer((req, res) => {
  const parts = [];
  req.on('data', (part) => parts.push(part));
  req.on('end', () => {
    const text = Buffer.concat(parts).toString();
    tried += text.match(TRANSFER)?.length ?? 0;
    asked += text.match(/eth_call/g)?.length ?? 0;
    const forward = request(chain.url, { method: 'POST', headers: { 'content-type': 'application/json' } },
      (answer) => answer.pipe(res.writeHead(answer.statusCode, { 'content-type': 'application/json' })));
    forward.on('error', () => res.destroy());
    forward.end(text);
  });
});

chain = await startChain({ port: at.rpc, dir: freshDir() });
after(() => chain.process.stop());
await makeOdd(chain.rpc);
await new Promise((resolve) => counter.listen(at.third, '127.0.0.1', resolve));
after(() => { counter.closeAllConnections(); counter.close(); });
const rpc = `http://127.0.0.1:${at.third}`;
const usual = await useDaemon({ port: at.facilitator, text: yaml({ port: at.facilitator, rpc }) });
const long = await useDaemon({ port: at.fourth,
  text: yaml({ port: at.fourth, rpc, http: 'any_payee: true, smart_wallets: true', network: `    verify_reuse: ${LONG}` }) });
for (const { url } of [usual, long])
  await until('the daemon sees its chain', 20_000, async () => (await fetch(`${url}/health`)).status, (s) => s === 200);

const send = async (data, from = account(8).address) =>
  chain.rpc.receipt(await chain.rpc.call('eth_sendTransaction', { from, to: USDC, data, gas: '0x100000' }));
const become = (mode) => send(call('OddUsdc', 'set', mode));
const blacklist = (who, yes) => send(call('OddUsdc', 'blacklist', who, yes));
const verify = async (what, { url } = long) => (await post(`${url}/verify`, what)).json;
const of = (payer, payTo) => body(2, { payer: account(payer), requirement: payTo && { payTo } });
async function good(what, daemon) {
  const answer = await verify(what, daemon);
  assert.equal(answer.isValid, true, JSON.stringify(answer));
}
async function bad(what, reason, daemon) {
  const answer = await verify(what, daemon);
  assert.deepEqual([answer.isValid, answer.invalidReason], [false, reason]);
}
const SIMULATION = 'invalid_exact_evm_transaction_simulation_failed';

afterEach(async () => {
  await become(MODE.HONEST);
  for (const who of [account(2).address, listed])
    await blacklist(who, false);
});

test('the next payment of a payer to the same payee is read, not tried', async () => {
  await good(await of(1));
  const before = [tried, asked];
  await good(await of(1));
  assert.equal(tried, before[0], 'transfers tried');
  assert.ok(asked > before[1], 'the chain is asked all the same');
  await good(await of(1, other));
  assert.equal(tried, before[0] + 1, 'to somebody else it is tried');
});

test('a token that is paused: refused when the moment is over', async () => {
  await good(await of(1), usual);
  await become(MODE.PAUSED);
  await sleep(REUSE + 50);
  await bad(await of(1), SIMULATION, usual);
  await bad(await of(1), SIMULATION, usual);
});

test('a token that is paused: refused by /settle at once, and by /verify from then on', async () => {
  await good(await of(1));
  await become(MODE.PAUSED);
  const response = await fetch(`${long.url}/settle`, { method: 'POST', body: JSON.stringify(await of(1)),
    headers: { 'content-type': 'application/json' }, signal: AbortSignal.timeout(20_000) });
  const answer = await response.json();
  assert.deepEqual([answer.success, answer.errorReason], [false, SIMULATION]);
  await bad(await of(1), SIMULATION);
});

test('a payee or a payer that is blacklisted: what others showed says nothing of him', async () => {
  await blacklist(listed, true);
  await good(await of(1));
  await bad(await of(1, listed), SIMULATION);
  await blacklist(account(2).address, true);
  await good(await of(1));
  await bad(await of(2), SIMULATION);
});

test('a nonce that was used since: refused at once', async () => {
  const what = await of(1);
  await good(what);
  const { authorization, signature } = what.paymentPayload.payload;
  assert.equal((await send(transferData({ ...authorization, signature }))).status, '0x1');
  assert.equal((await verify(what)).isValid, false);
});

test('money that is gone: refused at once', async () => {
  const payer = account(3);
  await good(await of(3));
  const word = (v) => BigInt(v).toString(16).padStart(64, '0');
  const all = await chain.rpc.balance(USDC, payer.address);
  const transfer = (to, value) => `0xa9059cbb${word(to)}${word(value)}`;
  assert.equal((await send(transfer(account(1).address, all), payer.address)).status, '0x1');
  await bad(await of(3), 'invalid_exact_evm_insufficient_balance');
  await send(transfer(payer.address, all), account(1).address);
  await good(await of(3));
});

test('a signature that nobody recovered is for the chain to judge', async () => {
  await good(await of(1));
  const what = await of(1);
  what.paymentPayload.payload.signature = (await of(2)).paymentPayload.payload.signature;
  assert.equal((await verify(what)).isValid, false);
});
