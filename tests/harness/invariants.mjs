// SPDX-License-Identifier: Apache-2.0
// What must hold after every test, whatever went wrong in it, asked of the
// node, the upstream, the log files and the kernel, and compared with the
// ledger file.  keepPromises (promises.mjs) asks the buyers as well.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SETTLER, account, privateKey } from '../../devnet/accounts.mjs';
import { MULTICALL3, USDC } from '../../devnet/chain.mjs';
import { TOPIC } from '../../devnet/rpc.mjs';
import { inParallel } from './http.mjs';
import { EXACT_PROXY, PROXIES, UPTO_PROXY, nonceUsed, settledLogs } from './permit2.mjs';

const STATE = { RESERVED: 1, SUBMITTED: 4, MINED: 5, FINAL: 6, FAILED: 7 };
const PAID = [STATE.SUBMITTED, STATE.MINED, STATE.FINAL];
const uint = (hex) => BigInt(`0x${hex}`);

/* Payments as the chain knows them: the token logs AuthorizationUsed, then
 * Transfer.  A cancelled or failed one has no Transfer. */
async function paidOnChain(rpc) {
  const logs = await rpc.logs(USDC);
  return logs.flatMap((log, i) => {
    if (log.topics[0] !== TOPIC.AuthorizationUsed)
      return [];
    const next = logs[i + 1];
    if (next?.topics[0] !== TOPIC.Transfer || next.transactionHash !== log.transactionHash)
      return [];
    return [{ nonce: log.topics[2].slice(2), tx: log.transactionHash.slice(2), payer: log.topics[1].slice(26),
      payee: next.topics[2].slice(26), value: BigInt(next.data) }];
  });
}

const same = (row, paid) => row.payer === paid.payer && row.payee === paid.payee && uint(row.value) === paid.value;

/* INV-1, INV-4: what the ledger says was paid, the node says too, to the unit;
 * whatever moved by a transaction of ours has a row, and what moved by anybody's
 * is not called FAILED. */
async function moneyIsBooked({ witness }, { rows, txs }, before) {
  const chain = new Map((await paidOnChain(witness.rpc)).map((paid) => [paid.nonce, paid]));
  const ours = new Set(txs.map(({ hash }) => hash));
  const booked = new Map(rows.map((row) => [row.nonce, row]));

  for (const row of rows.filter(({ state }) => state === STATE.MINED || state === STATE.FINAL)) {
    const paid = chain.get(row.nonce);
    assert.ok(paid && same(row, paid) && paid.tx === row.tx, `INV-1: row ${row.id} is paid, the node does not say so`);
  }
  for (const paid of before) {
    const row = booked.get(paid.nonce);
    if (ours.has(paid.tx))
      assert.ok(row && PAID.includes(row.state), `INV-4: ${paid.nonce} was paid by ${paid.tx} of ours; its row: ${row?.state}`);
    else if (row && same(row, paid))
      assert.notEqual(row.state, STATE.FAILED, `INV-4: ${paid.nonce} was paid by ${paid.tx} and is FAILED`);
  }
}

/* The same for Permit2, whose logs name no nonce: in the row's transaction the
 * token's Transfer stands before the proxy's Settled, and the nonce is used. */
async function permit2IsBooked({ witness }, { rows, txs }) {
  const settled = await settledLogs(witness.rpc);
  const ours = new Set(txs.map(({ hash }) => `0x${hash}`));
  let booked = 0;
  for (const row of rows.filter(({ state }) => state === STATE.MINED || state === STATE.FINAL)) {
    const charge = uint(row.charge ?? row.value);
    const proof = settled.filter((one) => one.tx === `0x${row.tx}` && one.payer === `0x${row.payer}`
      && one.payee === `0x${row.payee}` && one.value === charge
      && one.proxy === [EXACT_PROXY, UPTO_PROXY][row.method - 1].toLowerCase());
    assert.equal(proof.length, 1, `INV-1: row ${row.id} is paid, the node does not say so`);
    assert.ok(await nonceUsed(witness.rpc, `0x${row.payer}`, uint(row.nonce)), `INV-1: the nonce of row ${row.id} is unused`);
    booked += ours.has(`0x${row.tx}`) ? 1 : 0;
  }
  const open = rows.filter(({ state }) => state === STATE.SUBMITTED).length;
  const moved = settled.filter(({ tx }) => ours.has(tx)).length;
  assert.ok(moved >= booked && moved <= booked + open, `INV-4: ${moved} were settled by us, ${booked} are booked`);
}

/* Transactions of our signer that settle. */
async function settlements(rpc) {
  const signer = account(SETTLER).address.toLowerCase();
  const targets = [USDC, MULTICALL3, ...PROXIES].map((one) => one.toLowerCase());
  const head = Number(await rpc.call('eth_blockNumber'));
  const blocks = await inParallel(Array.from({ length: head }, (_, i) => () =>
    rpc.call('eth_getBlockByNumber', `0x${(i + 1).toString(16)}`, true)), 8);
  return blocks.flatMap(({ transactions }) => transactions)
    .filter(({ from, to, input }) => from.toLowerCase() === signer && to !== null && targets.includes(to.toLowerCase()) && input !== '0x')
    .map(({ hash }) => hash);
}

/* INV-5: the node saw no transaction of our signer that is not in the ledger,
 * one account nonce has one batch, and no authorization was used twice. */
async function oneIntent({ witness }, { txs, twice }, sent) {
  const known = new Set(txs.map(({ hash }) => `0x${hash}`));
  for (const hash of sent)
    assert.ok(known.has(hash), `INV-5: ${hash} of our signer is not in the ledger`);
  assert.deepEqual(twice, [], 'INV-5: two batches with one account nonce');
  for (const [nonce, times] of await witness.usedCounts())
    assert.equal(times, 1, `INV-5: ${nonce} was used ${times} times`);
}

/* INV-2, INV-3: the upstream ran below /item/, where everything is priced, no
 * more often than the ledger has runs for it: each row's own, and those that
 * were given back. */
async function runsArePaid({ stack, items: prefix = '/item/' }, { rows }) {
  const hits = await (await fetch(`${stack.url('upstream')}/__hits`)).json();
  const ran = Object.entries(hits).filter(([path]) => path.startsWith(prefix)).reduce((n, [, hit]) => n + hit, 0);
  const items = rows.filter(({ resource }) => resource.includes('/item/'));
  const granted = items.reduce((n, { runs, releases, state }) => n + runs + releases + (state === STATE.RESERVED ? 1 : 0), 0);
  assert.ok(ran <= granted, `INV-3: the upstream ran ${ran} times, the ledger has ${granted} runs`);
  for (const row of items)
    assert.ok(row.runs <= 2, `INV-2: row ${row.id} had ${row.runs} runs`);
}

/* INV-6: FAILED has its proof at a final block. */
async function failuresAreProven({ witness }, { rows }) {
  const failed = rows.filter(({ state }) => state === STATE.FAILED);
  if (failed.length === 0)
    return;
  const final = await witness.rpc.call('eth_getBlockByNumber', 'finalized', false);
  for (const row of failed) {
    const used = row.method > 0
      ? await nonceUsed(witness.rpc, `0x${row.payer}`, uint(row.nonce))
      : await witness.used(`0x${row.payer}`, `0x${row.nonce}`);
    assert.ok(used || Number(final.timestamp) >= row.valid_before, `INV-6: row ${row.id} is FAILED without proof`);
  }
}

/* INV-7: the file is whole, the edges are still guarded.  What is owed is the
 * sum of the rows, and stands nowhere else in the file: tests/unit holds what
 * the daemon keeps of it in memory to them. */
function ledgerIsSound({ integrity, foreign, guards }) {
  assert.deepEqual(integrity, [{ integrity_check: 'ok' }]);
  assert.deepEqual(foreign, []);
  assert.ok(guards.length === 2, 'INV-7: the guards of the rows are gone');
}

function filesOf(dir) {
  return readdirSync(dir).filter((name) => /\.log$/.test(name)).map((name) => join(dir, name));
}

function processes(stack) {
  const workers = readFileSync(`/proc/${stack.nginx.pid}/task/${stack.nginx.pid}/children`, 'utf8').trim().split(/\s+/);
  return [stack.nginx.pid, stack.x402d.pid, ...workers.filter(Boolean).map(Number)];
}

/* INV-8: no key and no signature in a log, a command line, an environment. */
function secretsStay({ stack }, { rows }) {
  const key = privateKey(SETTLER).slice(2);
  const secrets = [key, Buffer.from(key, 'hex').toString('base64'), ...rows.map(({ signature }) => signature).filter(Boolean)];
  const places = filesOf(stack.dir).filter((file) => !file.endsWith('anvil.log')).map((file) => [file, readFileSync(file, 'latin1')]);
  for (const pid of processes(stack))
    for (const name of ['cmdline', 'environ'])
      if (existsSync(`/proc/${pid}/${name}`))
        places.push([`/proc/${pid}/${name}`, readFileSync(`/proc/${pid}/${name}`, 'latin1')]);
  for (const [place, text] of places) {
    const lower = text.toLowerCase();
    for (const secret of secrets)
      assert.ok(!lower.includes(secret.toLowerCase()), `INV-8: a secret in ${place}`);
  }
}

/* One moment of a file that is written to. */
const QUESTIONS = {
  rows: 'select * from payment',
  txs: 'select hash from tx',
  twice: `select signer, account_nonce, count(*) as n from batch
    where exists (select 1 from tx where tx.batch = batch.id) group by 1, 2 having n > 1`,
  integrity: 'pragma integrity_check',
  foreign: 'pragma foreign_key_check',
  guards: `select name from sqlite_master where name = 'payment_kept'
    union all select name from pragma_table_info('payment') where name = 'was'`,
};

/** INV-1 to INV-8 of a stack that is still up; INV-9 is read from its logs
 *  when it has stopped (stack.mjs).  world.items: where the paths begin that
 *  the upstream ran for this ledger alone. */
export async function checkInvariants(world) {
  // settling may go on: what the node knows now must be in the ledger then,
  // and what is in the ledger then the node must know afterwards
  const paid = await paidOnChain(world.witness.rpc);
  const sent = await settlements(world.witness.rpc);
  const answers = world.witness.ledgers(Object.values(QUESTIONS));
  const ledger = Object.fromEntries(Object.keys(QUESTIONS).map((key, i) => [key, answers[i]]));
  const by = (permit2) => ({ ...ledger, rows: ledger.rows.filter(({ method }) => method > 0 === permit2) });
  await moneyIsBooked(world, by(false), paid);
  await permit2IsBooked(world, by(true));
  await runsArePaid(world, ledger);
  await oneIntent(world, ledger, sent);
  await failuresAreProven(world, ledger);
  ledgerIsSound(ledger);
  secretsStay(world, ledger);
}
