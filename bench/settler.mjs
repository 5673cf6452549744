// SPDX-License-Identifier: Apache-2.0
// The settler by itself: captured payments that wait in the ledger, and payments that keep
// coming.  bench/run measures with it, tests/scenario/settler.test.mjs holds it to a tenth.
import { execFile, execFileSync } from 'node:child_process';
import http from 'node:http';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HOLDERS } from '../devnet/accounts.mjs';
import { USDC } from '../devnet/chain.mjs';
import { BUILD } from '../devnet/paths.mjs';
import { sleep } from '../devnet/process.mjs';
import { PAY_TO, startSite } from './site.mjs';

const VALUE = 1000n; // what each payment moves, atomic units
const AUTHORIZATION_USED = '0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5';
const tool = (name) => join(BUILD, 'bench', name);

/** Give each of the benches' payers 1,000 USDC. */
export async function fund(rpc, payers) {
  const list = execFileSync(tool('sign'), ['payers', String(payers)], { encoding: 'utf8' }).trim().split('\n');
  for (const payer of list) {
    const data = `0xa9059cbb${payer.slice(2).padStart(64, '0')}${(1_000_000_000n).toString(16).padStart(64, '0')}`;
    await rpc.receipt(await rpc.call('eth_sendTransaction', { from: HOLDERS[0], to: USDC, data, gas: '0x30d40' }));
  }
}

const head = async (rpc) => Number(await rpc.call('eth_blockNumber'));

/** {payments, transactions, gas} of what was settled since a block; the first use of a payee's
 *  balance is dearer than the later ones. */
async function settlements(rpc, from) {
  const logs = await rpc.call('eth_getLogs', { fromBlock: `0x${from.toString(16)}`, toBlock: 'latest', address: USDC, topics: [AUTHORIZATION_USED] });
  const hashes = new Set(logs.map(({ transactionHash }) => transactionHash));
  let gas = 0;
  for (const hash of hashes)
    gas += Number((await rpc.call('eth_getTransactionReceipt', hash)).gasUsed);
  return { payments: logs.length, transactions: hashes.size, gas };
}

async function movedAll(rpc, before, count, timeoutMs) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const moved = Number((await rpc.balance(USDC, PAY_TO) - before) / VALUE);
    if (moved >= count || Date.now() > deadline)
      return moved;
    await sleep(50);
  }
}

/* A balance may be a block ahead of the logs. */
async function allSettlements(rpc, from, moved) {
  const deadline = Date.now() + 5000;
  for (;;) {
    const found = await settlements(rpc, from);
    if (found.payments >= moved || Date.now() > deadline)
      return found;
    await sleep(50);
  }
}

/** `count` captured payments of `payers` payers are in the ledger; a daemon starts on it. */
export async function settleCaptured({ chain, dir, ports, count, payers, batch, timeoutMs = 120_000 }) {
  mkdirSync(dir, { recursive: true });
  execFileSync(tool('capture'), [join(dir, 'ledger.db'), String(count), String(payers), PAY_TO, String(VALUE), '3000'], { stdio: 'inherit' });
  const from = await head(chain.rpc) + 1;
  const before = await chain.rpc.balance(USDC, PAY_TO);
  const begin = Date.now();
  const site = await startSite({ dir, ...ports, rpc: chain.url, workers: 1, credit: '1000000 USDC', batch });
  try {
    const moved = await movedAll(chain.rpc, before, count, timeoutMs);
    const seconds = (Date.now() - begin) / 1000;
    const { payments, transactions, gas } = await allSettlements(chain.rpc, from, moved);
    return { count, moved, seconds, rate: moved / seconds, payments, transactions, each: payments / transactions, gas: gas / payments };
  } finally {
    await site.stop();
  }
}

const run = promisify(execFile);

/** Payments that buy /paid at an even rate; {sent, refused, moved, most, after}: the most that
 *  ever waited for the chain, and how long the last of them took. */
export async function keepUp({ chain, dir, ports, rate, seconds, payers, batch }) {
  const site = await startSite({ dir, ...ports, rpc: chain.url, workers: 2, credit: '1000000 USDC', batch });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 128 });
  try {
    const count = rate * seconds;
    const { stdout } = await run(tool('sign'), ['payments', String(count), String(payers), PAY_TO, String(VALUE), '300'], { maxBuffer: 1 << 30 });
    const payments = stdout.trim().split('\n');
    const before = await chain.rpc.balance(USDC, PAY_TO);
    let answered = 0, refused = 0, sent = 0, most = 0;
    const buy = (payment) => new Promise((resolve) => {
      http.get(`${site.url}/paid`, { agent, headers: { 'PAYMENT-SIGNATURE': payment } }, (response) => {
        refused += response.statusCode !== 200;
        response.resume().on('end', resolve);
      }).on('error', () => { refused += 1; resolve(); });
    }).then(() => { answered += 1; });
    const waiting = [];
    const begin = Date.now();
    let looked = begin;
    while (sent < count) {
      const due = Math.min(count, Math.floor((Date.now() - begin) / 1000 * rate) + 1);
      while (sent < due)
        waiting.push(buy(payments[sent++]));
      if (Date.now() - looked > 1000) {
        looked = Date.now();
        most = Math.max(most, answered - refused - Number((await chain.rpc.balance(USDC, PAY_TO) - before) / VALUE));
      }
      await sleep(5);
    }
    await Promise.all(waiting);
    const took = (Date.now() - begin) / 1000;
    const last = Date.now();
    const moved = await movedAll(chain.rpc, before, count - refused, 60_000);
    return { sent, refused, moved, most, seconds: took, rate: sent / took, after: (Date.now() - last) / 1000 };
  } finally {
    agent.destroy();
    await site.stop();
  }
}
