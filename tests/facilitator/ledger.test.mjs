// SPDX-License-Identifier: Apache-2.0
// The operator's tools, beside a daemon that runs: what the ledger holds, who
// owes what, and the ledger against the chain.  The chain is anvil.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { account } from '../../devnet/accounts.mjs';
import { NETWORK, USDC, startChain } from '../../devnet/chain.mjs';
import { PROGRAMS } from '../../devnet/paths.mjs';
import { copyLedger, sql, tamper } from '../harness/ledger.mjs';
import { until } from '../harness/witness.mjs';
import { Daemon, PAY_TO, X402D, freshDir, ports, yaml } from './daemon.mjs';
import { body, post } from './payments.mjs';

const { facilitator: port, rpc: rpcPort } = await ports(7);
const chain = await startChain({ port: rpcPort, dir: freshDir() });
after(() => chain.process.stop());
const { rpc } = chain;
const daemon = await new Daemon({ port, text: yaml({
  port, rpc: chain.url, http: 'any_payee: true', network: '    poll: 200',
  more: `payees: [{network: base-sepolia, address: "${PAY_TO}"}]`,
}) }).start();
after(() => daemon.stop());

const LEDGER = join(daemon.dir, 'ledger.db');
const copy = join(daemon.dir, 'copy.db');
const copyConfig = join(daemon.dir, 'copy.yaml');

const run = (...args) => spawnSync(X402D, ['ledger', ...args], { encoding: 'utf8' });
const mutable = readFileSync(X402D).includes('X402_MUTANT'); // tests' own times
const lines = (text) => text.split('\n').filter(Boolean);
const json = (...args) => {
  const { status, stdout, stderr } = run(...args, '--json', '--config', daemon.config);
  assert.equal(status, 0, stderr);
  return lines(stdout).map((line) => JSON.parse(line));
};

const settled = [];
before(async () => {
  await until('the daemon sees its chain', 10_000, async () => (await fetch(`${daemon.url}/health`)).status, (s) => s === 200);
  for (let i = 0; i < 10; i += 1) {
    const request = await body(2, { payer: account(2 + (i % 3)), requirement: { amount: String(1000 + i) } });
    request.paymentPayload.resource.url = i === 9 ? '=HYPERLINK("http://evil.example","x")\u001b[31m' : `https://shop.example/${i}`;
    const { json: answer } = await post(`${daemon.url}/settle`, request);
    assert.equal(answer.success, true);
    settled.push({ ...request.paymentPayload.payload.authorization, transaction: answer.transaction });
  }
});

test('list: newest first, filtered by state, payer, network and time', () => {
  const all = json('list');
  assert.deepEqual(all.map(({ id }) => id), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  assert.deepEqual(all.map(({ nonce }) => nonce), settled.map(({ nonce }) => nonce).reverse());
  assert.deepEqual(all.map(({ transaction }) => transaction), settled.map(({ transaction }) => transaction).reverse());
  for (const row of all) {
    assert.ok(['mined', 'final'].includes(row.state));
    assert.deepEqual([row.network, row.asset, row.payee, row.origin, row.settle], [NETWORK, USDC, PAY_TO, 'facilitator', 'before']);
  }
  assert.equal(json('list', '--payer', account(2).address).length, 4);
  assert.equal(json('list', '--payee', account(2).address).length, 0);
  assert.equal(json('list', '--state', 'mined,final').length, 10);
  assert.equal(json('list', '--state', 'unsettled').length, 0);
  assert.equal(json('list', '--network', 'base').length, 0);
  assert.equal(json('list', '--since', '1h').length, 10);
  assert.equal(json('list', '--until', '1h').length, 0);
  assert.equal(json('list', '--since', '2001-01-01', '--until', '2001-02-01T00:00:00Z').length, 0);
  assert.equal(json('list', '--limit', '3').length, 3);
});

test('show: by number, nonce and transaction; a signature never', () => {
  for (const what of ['3', settled[2].nonce, settled[2].transaction]) {
    const { status, stdout } = run('show', what, '--ledger', LEDGER);
    assert.equal(status, 0);
    assert.match(stdout, /0\.001002 USDC/);
    assert.match(stdout, new RegExp(settled[2].transaction));
    assert.doesNotMatch(stdout, /signature/);
  }
  assert.equal(run('show', '99', '--ledger', LEDGER).status, 1);
  assert.equal(run('show', 'x', '--ledger', LEDGER).status, 2);
});

test('show: a payment that was adopted from the chain has no end that is known', () => {
  copyLedger(LEDGER, copy);
  chmodSync(copy, 0o600);
  tamper(copy, 'UPDATE payment SET valid_before = 9223372036854775807 WHERE id = 3');
  assert.match(run('show', '3', '--ledger', copy).stdout, /^valid before +not known$/m);
  assert.match(run('show', '4', '--ledger', copy).stdout, /^valid before +20\d\d-\d\d-\d\dT/m);
});

test('export: CSV that a spreadsheet does not run, JSON that a program reads', () => {
  const { status, stdout } = run('export', '--ledger', LEDGER);
  assert.equal(status, 0);
  const rows = stdout.split('\r\n');
  assert.equal(rows.length, 12); // head, ten, the end
  assert.match(rows[0], /^id,state,reason,network,asset,amount,payer,payee,nonce,/);
  assert.match(rows[1], new RegExp(`^1,(mined|final),,${NETWORK},${USDC},1000,`));
  assert.match(rows[10], /,"'=HYPERLINK\(""http:\/\/evil\.example"",""x""\)\?\[31m",/);
  assert.equal(json('export').at(-1).resource, '=HYPERLINK("http://evil.example","x")\u001b[31m');
  assert.doesNotMatch(run('list', '--ledger', LEDGER).stdout, /\u001b/);
});

test('what others send us by hand is not in the way', async () => {
  assert.equal(run('credit', '--ledger', LEDGER).stdout, 'nobody owes anything\n');
});

const reconcile = (config = daemon.config, ...more) => {
  const { status, stdout, stderr } = run('reconcile', '--json', '--config', config, ...more);
  const all = lines(stdout).map((line) => JSON.parse(line));
  return { status, stderr, sum: all.at(-1), found: all.slice(0, -1).map(({ found }) => found) };
};

/** Reconcile a copy of the ledger that something was done to. */
function afterwards(...statements) {
  copyLedger(LEDGER, copy);
  chmodSync(copy, 0o600);
  if (statements.length)
    tamper(copy, ...statements);
  writeFileSync(copyConfig, yaml({
    port, rpc: chain.url, http: 'any_payee: true', more: `payees: [{network: base-sepolia, address: "${PAY_TO}"}]`,
  }).replace('ledger: ledger.db', 'ledger: copy.db'));
  return reconcile(copyConfig, '--from-block', '0');
}

test('reconcile: everything is where it should be', () => {
  const { status, sum, found } = reconcile();
  assert.deepEqual([status, found], [0, []]);
  assert.deepEqual([sum.transfers, sum.payments, sum.silentLoss, sum.phantomIncome, sum.unmatched], [10, 10, 0, 0, 0]);
  assert.equal(afterwards().status, 0);
});

test('reconcile keeps to rpc_rate, says how far it is and how fast', { timeout: 60_000 }, async () => {
  copyLedger(LEDGER, copy);
  chmodSync(copy, 0o600);
  writeFileSync(copyConfig, yaml({
    port, rpc: chain.url, http: 'any_payee: true', network: '    rpc_rate: 4', more: `payees: [{network: base-sepolia, address: "${PAY_TO}"}]`,
  }).replace('ledger: ledger.db', 'ledger: copy.db'));
  const begun = Date.now();
  const { status, stderr, sum } = reconcile(copyConfig, '--from-block', '0');
  const took = Date.now() - begun;
  assert.equal(status, 0);
  assert.ok(sum.questions >= 20, `${sum.questions}`);
  // a bucket of a second's worth, and one question that is paid off later
  assert.ok(took >= (sum.questions - 8) / 4 * 1000, `${sum.questions} questions in ${took} ms`);
  assert.ok(sum.perSecond <= 6, `${sum.perSecond}`);
  if (mutable)
    assert.match(stderr, /^eip155:84532: payment \d+ of 10, \d+ questions a second$/m);
});

test('reconcile: rows that are gone, failed or released are silent loss', () => {
  for (const [statement, count] of [
    ['DELETE FROM payment WHERE id = 4', 1],
    ['DELETE FROM payment', 10],
    ['UPDATE payment SET state = 7 WHERE id IN (1, 2)', 2],
    ['UPDATE payment SET state = 2, tx = NULL WHERE id = 5', 1],
    [`UPDATE payment SET value = (SELECT value FROM payment WHERE id = 1) WHERE id = 2`, 1],
  ]) {
    const { status, sum, found } = afterwards(statement);
    assert.equal(status, 1, statement);
    assert.equal(sum.silentLoss, count, statement);
    assert.equal(found.filter((kind) => kind === 'silent loss').length, count);
  }
  // an open payment has not failed: the daemon will find its transfer
  assert.equal(afterwards('UPDATE payment SET state = 3, tx = NULL, batch = NULL, block_number = NULL WHERE id = 6').status, 0);
});

test('reconcile: payments that no transfer stands behind are phantom income', () => {
  const zeros = '00'.repeat(32);
  for (const [statement, count] of [
    [`UPDATE payment SET tx = x'${zeros}' WHERE id = 3`, 1],
    [`UPDATE payment SET payee = x'${'11'.repeat(20)}' WHERE id = 3`, 1],
    [`UPDATE payment SET value = x'${zeros}' WHERE id IN (7, 8)`, 2],
    ['UPDATE payment SET tx = (SELECT tx FROM payment WHERE id = 1) WHERE id = 2', 1],
    ["UPDATE payment SET nonce = randomblob(32) WHERE id = 9", 1],
  ]) {
    const { status, sum } = afterwards(statement);
    assert.equal(status, 1, statement);
    assert.equal(sum.phantomIncome, count, statement);
  }
});

test('reconcile: a transfer without an authorization is nobody\'s payment, and no loss', async () => {
  const data = `0xa9059cbb${PAY_TO.slice(2).toLowerCase().padStart(64, '0')}${(77).toString(16).padStart(64, '0')}`;
  await rpc.receipt(await rpc.call('eth_sendTransaction', { from: account(6).address, to: USDC, data }));
  const { status, sum, found } = reconcile();
  assert.deepEqual([status, sum.unmatched, sum.silentLoss, found], [0, 1, 0, ['unmatched']]);
});

test('reconcile: a node that does not answer is no verdict', { timeout: 60_000 }, () => {
  copyLedger(LEDGER, copy);
  writeFileSync(copyConfig, yaml({ port, http: 'any_payee: true', network: '    rpc_timeout: 500' }).replace('ledger.db', 'copy.db'));
  const { status, stderr } = run('reconcile', '--config', copyConfig);
  assert.equal(status, 3);
  assert.match(stderr, /no node answers/);
});

test('credit and clear: a payer with a loss is settled first until he is forgiven', () => {
  const payer = account(2).address;
  const blob = payer.slice(2).toLowerCase();
  const amount = (1234).toString(16).padStart(64, '0');
  sql(LEDGER, `INSERT OR REPLACE INTO payer (payer, asset, chain_id, lost, settle_first, full_ms)
    SELECT payer, contract, chain_id, x'${amount}', 1, 0 FROM payment WHERE payer = x'${blob}' LIMIT 1`,
    `INSERT INTO loss (payment, chain_id, asset, value, at_ms) SELECT id, chain_id, contract, x'${amount}', 1 FROM payment WHERE payer = x'${blob}' LIMIT 1`);
  const [debt] = json('credit');
  assert.deepEqual([debt.payer, debt.lost, debt.settleFirst, debt.unsettled], [payer, '1234', true, '0']);
  assert.match(run('credit', '--ledger', LEDGER).stdout, /lost 0\.001234 USDC {2}settled first/);
  assert.equal(run('clear', account(3).address, '--ledger', LEDGER).status, 1, 'nothing to forgive');
  const cleared = run('clear', payer, '--ledger', LEDGER);
  assert.deepEqual([cleared.status, cleared.stdout], [0, `${payer} is settled after the response again (1 account)\n`]);
  assert.deepEqual(json('credit'), []);
  assert.equal(run('clear', 'nobody', '--ledger', LEDGER).status, 2);
});

test('the daemon does not mind, and nobody else may read', async () => {
  const request = await body(2, { payer: account(2) });
  assert.equal((await post(`${daemon.url}/settle`, request)).json.success, true);
  for (const tail of ['', '-wal', '-shm'])
    assert.equal(statSync(LEDGER + tail).mode & 0o777, 0o600, tail);
});

test('x402 ledger hands over to x402d', () => {
  const { status, stdout } = spawnSync(PROGRAMS.x402, ['ledger', 'list', '--json', '--ledger', LEDGER], {
    encoding: 'utf8', env: { ...process.env, PATH: `${join(X402D, '..')}:${process.env.PATH}` },
  });
  assert.equal(status, 0);
  assert.equal(lines(stdout).length, 11);
});

test('the command line', () => {
  assert.match(run('--help').stdout, /Examples:/);
  for (const args of [[], ['lists'], ['list', 'x'], ['list', '--state', 'paid'], ['list', '--network', 'moon'], ['list', '--since', 'soon'],
    ['list', '--payer', '0x1'], ['reconcile', '--ledger', LEDGER], ['list', '--config', 'a', '--ledger', 'b'], ['list', '--limit', '-1']])
    assert.equal(run(...args).status, 2, args.join(' '));
  for (const [file, what] of [['/dev/null', /not a ledger|file is not a database/], [daemon.config, /not a database/], ['/none', /unable to open/]]) {
    const { status, stderr } = run('list', '--ledger', file);
    assert.equal(status, 3);
    assert.match(stderr, what);
  }
});
