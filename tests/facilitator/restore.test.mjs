// SPDX-License-Identifier: Apache-2.0
// A ledger that is put back from a backup has forgotten payments.  The chain
// has not: before anything is given on credit again, it is read since then.
// And: one ledger, one daemon.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { account } from '../../devnet/accounts.mjs';
import { NETWORK, USDC, startChain } from '../../devnet/chain.mjs';
import { sleep } from '../../devnet/process.mjs';
import { copyLedger, restoreLedger, sql } from '../harness/ledger.mjs';
import { permit2, v2 } from '../harness/pay-permit2.mjs';
import { approve, installPermit2, settleTogether } from '../harness/permit2.mjs';
import { until } from '../harness/witness.mjs';
import { Daemon, PAY_TO, X402D, freshDir, ports, yaml } from './daemon.mjs';
import { body, post } from './payments.mjs';

const { facilitator: port, rpc: rpcPort, third: proxyPort } = await ports(9);
const chain = await startChain({ port: rpcPort, dir: freshDir() });
const { rpc } = chain;

/* Between daemon and node: what was asked, and a hand on eth_getLogs. */
const ranges = [];
let logsAnswer = 'yes'; // or "held", or a number of blocks that is too many
const proxy = createServer(async (request, response) => {
  let text = '';
  for await (const piece of request)
    text += piece;
  const calls = [JSON.parse(text)].flat();
  const asked = calls.filter(({ method }) => method === 'eth_getLogs').map(({ params: [{ fromBlock, toBlock }] }) => [fromBlock, toBlock].map(Number));
  ranges.push(...asked);
  if (asked.length && logsAnswer === 'held') {
    request.socket.destroy();
    return;
  }
  if (asked.some(([from, to]) => to - from >= Number(logsAnswer))) {
    const error = { code: -32005, message: 'block range too large' };
    const answers = calls.map(({ id }) => ({ jsonrpc: '2.0', id, error }));
    response.end(JSON.stringify(text.startsWith('[') ? answers : answers[0]));
    return;
  }
  const answer = await fetch(chain.url, { method: 'POST', body: text, headers: { 'content-type': 'application/json' } });
  response.end(await answer.text());
}).listen(proxyPort, '127.0.0.1');

const text = (url) => yaml({
  port, rpc: url, http: 'any_payee: true', network: '    poll: 100\n    rpc_timeout: 1000',
  more: `payees: [{network: base-sepolia, address: "${PAY_TO}"}]`,
});
const daemon = new Daemon({ port, text: text(`http://127.0.0.1:${proxyPort}`) });
after(async () => { // whoever asks stops before whom he asks
  await daemon.stop();
  proxy.close();
  await chain.process.stop();
});
const LEDGER = join(daemon.dir, 'ledger.db');
const BACKUP = join(daemon.dir, 'backup.db');

const health = async () => fetch(`${daemon.url}/health`).then(async (answer) => ({ ...(await answer.json()), status: answer.status }), () => ({}));
const ready = () => until('the daemon is ready', 10_000, health, ({ status }) => status === 200);
const caughtUp = () => until('it has caught up', 20_000, health, ({ status, networks }) => status === 200 && !networks[0].behind);
const settle = (request) => post(`${daemon.url}/settle`, request);
const uses = async () => (await rpc.authorizationsUsed(USDC)).length;
const payments = (n) => Promise.all(Array.from({ length: n }, (_, i) => body(2, { payer: account(2 + (i % 5)) })));

/* Asks the node itself: this process, and the proxy in it, waits. */
const DIRECT = join(daemon.dir, 'direct.yaml');
writeFileSync(DIRECT, text(chain.url));
function reconcile() {
  const { status, stdout } = spawnSync(X402D, ['ledger', 'reconcile', '--json', '--config', DIRECT], { encoding: 'utf8' });
  const { silentLoss, phantomIncome, transfers } = JSON.parse(stdout.trim().split('\n').at(-1));
  return { status, silentLoss, phantomIncome, transfers };
}

const lost = await payments(100);
let answers;

test('a backup that is put back: the chain is read, and every payment is there again', { timeout: 120_000 }, async () => {
  await daemon.start();
  await caughtUp();
  for (const request of await payments(3))
    assert.equal((await settle(request)).json.success, true);
  await daemon.stop();
  restoreLedger(LEDGER, BACKUP);

  await daemon.start();
  await caughtUp();
  answers = await Promise.all(lost.map(settle));
  assert.ok(answers.every(({ json }) => json.success));
  await daemon.stop();
  restoreLedger(BACKUP, LEDGER);
  assert.deepEqual(reconcile(), { status: 1, silentLoss: 100, phantomIncome: 0, transfers: 103 });

  logsAnswer = 'held';
  await daemon.start();
  await ready();
  await sleep(1500);
  assert.equal((await health()).networks[0].behind, true, 'as long as the chain was not read');
  assert.equal((await settle((await payments(1))[0])).json.success, true, 'what is settled first goes on');
  logsAnswer = 'yes';
  await caughtUp();
  assert.deepEqual(reconcile(), { status: 0, silentLoss: 0, phantomIncome: 0, transfers: 104 });
});

test('replayed, each gets the answer that it got before, and nothing moves', async () => {
  const before = await uses();
  const again = await Promise.all(lost.map(settle));
  assert.deepEqual(again.map(({ json }) => json), answers.map(({ json }) => json));
  assert.equal(await uses(), before);
});

test('what was adopted becomes final like everything else', async () => {
  await rpc.mine(100);
  await until('all are final', 40_000, async () => sql(LEDGER, 'SELECT DISTINCT state FROM payment'), (rows) => rows.length === 1 && rows[0][0] === '6');
  assert.equal(reconcile().status, 0);
});

test('a long stop: read in windows, each half as wide when the node wants that, and taken up where it was', { timeout: 120_000 }, async () => {
  await daemon.stop();
  restoreLedger(BACKUP, LEDGER);
  const from = Number(sql(LEDGER, 'SELECT block_number FROM mark')[0][0]);
  await rpc.mine(400);
  const [last] = await payments(1);
  logsAnswer = '50';
  ranges.length = 0;
  await daemon.start();
  await until('half of it was read', 20_000, async () => ranges.length, (n) => n >= 14);
  logsAnswer = 'held';
  await sleep(300);
  process.kill(daemon.process.pid, 'SIGKILL');
  await daemon.process.exited;
  const mark = Number(sql(LEDGER, 'SELECT block_number FROM mark')[0][0]);
  assert.ok(mark > from + 50, `${from} to ${mark}`);
  assert.ok(ranges.every(([a, b]) => b - a < 5000));
  assert.equal(ranges[0][0], Math.max(from - 64, 0));

  logsAnswer = '50';
  ranges.length = 0;
  await daemon.start();
  await caughtUp();
  assert.equal(ranges[0][0], Math.max(mark - 64, 0), 'not from the beginning');
  assert.deepEqual(reconcile(), { status: 0, silentLoss: 0, phantomIncome: 0, transfers: 104 });
  logsAnswer = 'yes';
  assert.equal((await settle(last)).json.success, true);
});

test('a backup with a payment under way: it is brought up to date, not paid again', { timeout: 60_000 }, async () => {
  await rpc.call('evm_setAutomine', false);
  const [request] = await payments(1);
  const waiting = settle(request);
  await until('submitted', 20_000, async () => sql(LEDGER, 'SELECT count(*) FROM payment WHERE state = 4'), ([[n]]) => n === '1');
  copyLedger(LEDGER, BACKUP);
  spawnSync('chmod', ['600', BACKUP]);
  await rpc.mine(1);
  await rpc.call('evm_setAutomine', true);
  const { json } = await waiting;
  assert.equal(json.success, true);
  const before = await uses();
  await daemon.stop();
  restoreLedger(BACKUP, LEDGER);
  await daemon.start();
  await caughtUp();
  await until('mined', 10_000, async () => sql(LEDGER, 'SELECT count(*) FROM payment WHERE state = 4'), ([[n]]) => n === '0');
  assert.deepEqual((await settle(request)).json, json);
  assert.equal(await uses(), before);
  assert.equal(reconcile().status, 0);
});

// Permit2 logs no nonce; the calls of its transactions name them.
test('forgotten Permit2 payments, upto among them, are there again without being asked for', { timeout: 90_000 }, async () => {
  const payers = [account(6), account(7), account(8)];
  const asked = { scheme: 'exact', network: NETWORK, amount: '2000', asset: USDC, payTo: PAY_TO, maxTimeoutSeconds: 300,
    extra: { name: 'USDC', version: '2', assetTransferMethod: 'permit2' } };
  const most = { ...asked, scheme: 'upto', extra: { ...asked.extra, facilitatorAddress: account(0).address } };
  const request = async (payer = payers[0]) => ({ x402Version: 2, paymentPayload: v2(asked, await permit2(payer, asked)), paymentRequirements: asked });
  const metered = async (amount) => ({ x402Version: 2, paymentPayload: v2(most, await permit2(payers[0], most)), paymentRequirements: { ...most, amount } });
  const verify = (one) => post(`${daemon.url}/verify`, one);
  await daemon.stop();
  restoreLedger(LEDGER, BACKUP);
  await installPermit2(rpc);
  for (const { address } of payers)
    await approve(rpc, address);
  await daemon.start();
  await caughtUp();
  // one after the other, several in one transaction, two equal ones, and upto
  const forgotten = [await request(), await request(), ...await Promise.all(payers.map(request)), await metered('700')];
  const answers = [await settle(forgotten[0]), await settle(forgotten[1]), ...await Promise.all(forgotten.slice(2, 5).map(settle)), await settle(forgotten[5])].map(({ json }) => json);
  assert.deepEqual(answers.map(({ success }) => success), forgotten.map(() => true), JSON.stringify(answers));
  const rows = () => sql(LEDGER, "SELECT hex(payer), hex(nonce), hex(payee), hex(value), hex(charge), method, hex(asset), hex(facilitator), valid_before, hex(tx) FROM payment WHERE method > 0 ORDER BY nonce");
  const before = rows();
  await daemon.stop();
  restoreLedger(BACKUP, LEDGER);
  await daemon.start();
  await caughtUp();
  assert.deepEqual(rows(), before);

  const had = await rpc.balance(USDC, PAY_TO);
  assert.equal((await verify(forgotten[0])).json.invalidReason, 'permit2_invalid_nonce');
  assert.deepEqual((await Promise.all(forgotten.map(settle))).map(({ json }) => json), answers);
  assert.equal(await rpc.balance(USDC, PAY_TO), had);
  assert.equal((await settle(await request())).json.success, true, 'a new one is taken');
  assert.equal(reconcile().status, 0);
});

// A call that failed beside one that did not: which one moved the tokens is in
// no log, so neither is taken for paid.
test('of two calls of one payer in a transaction one failed: neither is adopted by itself', { timeout: 60_000 }, async () => {
  const payer = account(9);
  const asked = { scheme: 'exact', network: NETWORK, amount: '3000', asset: USDC, payTo: PAY_TO, maxTimeoutSeconds: 300,
    extra: { name: 'USDC', version: '2', assetTransferMethod: 'permit2' } };
  await approve(rpc, payer.address);
  const [good, bad] = [await permit2(payer, asked), await permit2(payer, asked, { change: { deadline: '1' } })];
  await daemon.stop();
  const receipt = await settleTogether(rpc, account(5).address, [bad, good]);
  assert.equal(receipt.status, '0x1');
  await daemon.start();
  await caughtUp();
  const nonces = [good, bad].map(({ permit2Authorization: { nonce } }) => BigInt(nonce).toString(16).padStart(64, '0').toUpperCase());
  assert.deepEqual(sql(LEDGER, `SELECT hex(nonce) FROM payment WHERE hex(nonce) IN ('${nonces.join("','")}')`), []);
});

// Nobody here has its signature any more, so what a reorg takes back is neither
// owed nor lost: it is found again when it is mined again, and else let go.
test('an adopted payment that a reorg takes back: found again, or let go when that is final', { timeout: 240_000 }, async () => {
  const state = (nonce) => sql(LEDGER, `SELECT state FROM payment WHERE nonce = x'${nonce.slice(2)}'`)[0]?.[0];
  const forgotten = async () => {
    await daemon.stop();
    restoreLedger(LEDGER, BACKUP);
    await daemon.start();
    await caughtUp();
    const request = await body(2);
    const { transaction } = (await settle(request)).json;
    const raw = await rpc.call('eth_getRawTransactionByHash', transaction);
    const { nonce } = request.paymentPayload.payload.authorization;
    await daemon.stop();
    restoreLedger(BACKUP, LEDGER);
    await daemon.start();
    await until('adopted', 20_000, () => state(nonce), (s) => s === '5');
    await rpc.call('anvil_reorg', 1, []);
    await until('taken back', 20_000, () => state(nonce), (s) => s === '3');
    return { request, nonce, raw, transaction };
  };
  const again = await forgotten();
  await rpc.call('eth_sendRawTransaction', again.raw);
  await until('found again', 30_000, () => state(again.nonce), (s) => s === '5');
  assert.equal((await settle(again.request)).json.transaction, again.transaction);

  // nobody sends it again: its account nonce is missing, and would hold up
  // whatever is settled from now on, so an empty one is sent; then finality, 64
  // behind
  const gone = await forgotten();
  const settler = account(0).address;
  const nonces = () => rpc.call('eth_getTransactionCount', settler, 'latest').then(Number);
  const missing = await nonces();
  await until('the hole is filled', 90_000, nonces, (n) => n > missing);
  assert.match(daemon.logText(), /account_nonce_missing/);
  await until('let go', 90_000, async () => {
    await sleep(4000);
    await rpc.mine(70);
    return state(gone.nonce);
  }, (s) => s === '2');
  const had = await rpc.balance(USDC, PAY_TO);
  assert.equal((await settle(gone.request)).json.success, true, 'nobody was charged: it is as good as new');
  assert.equal(await rpc.balance(USDC, PAY_TO) - had, 1000n);
});

test('a second daemon is refused, also while the first one is stopped', async () => {
  const second = () => {
    const { status, stderr } = spawnSync(X402D, ['--config', daemon.config], { encoding: 'utf8', timeout: 10_000 });
    return { status, stderr };
  };
  for (const stopped of [false, true]) {
    if (stopped)
      process.kill(daemon.process.pid, 'SIGSTOP');
    const { status, stderr } = second();
    if (stopped)
      process.kill(daemon.process.pid, 'SIGCONT');
    assert.equal(status, 1);
    assert.match(stderr, /in use by another x402d/);
  }
  assert.equal((await settle((await payments(1))[0])).json.success, true);
});

test('a daemon whose ledger another one took over ends, and writes nothing more', { timeout: 60_000 }, async () => {
  // as a second one would that the lock did not hold off: another machine's
  const rows = () => sql(LEDGER, 'SELECT count(*), max(updated_ms) FROM payment');
  sql(LEDGER, 'UPDATE meta SET epoch = epoch + 1');
  const before = rows();
  // reading the ledger held this process up, and with it the proxy to the node:
  // the daemon may not know its chain for a moment, and then writes nothing
  await until('it has ended', 10_000, async () => {
    await settle((await payments(1))[0]).catch(() => {});
    return daemon.process.how;
  });
  assert.deepEqual(rows(), before);
  assert.equal(daemon.process.how, 'exit code 2');
  assert.match(daemon.logText(), /another daemon took the ledger over/);
  await daemon.start();
  await caughtUp();
});

test('a clock that was set back: nothing on credit until the chain agrees with it', { timeout: 60_000 }, async () => {
  await daemon.stop();
  const later = (hours) => sql(LEDGER, `UPDATE payment SET created_ms = created_ms + ${hours * 3_600_000} WHERE id = (SELECT max(id) FROM payment)`);
  later(2);
  await daemon.start();
  await caughtUp(); // the chain says that our clock is right: the ledger's was wrong
  await daemon.stop();
  await rpc.call('evm_increaseTime', 3600);
  await rpc.mine(1);
  await daemon.start();
  await until('it was told', 10_000, async () => daemon.logText().includes('clock_behind_ledger'), Boolean);
  assert.equal((await health()).networks[0].behind, true);
  await daemon.stop();
  later(-2);
  await daemon.start();
  await caughtUp();
});
