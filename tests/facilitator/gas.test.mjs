// SPDX-License-Identifier: Apache-2.0
// What an API key's settlements may cost in gas a day: counted with each claim,
// kept over restarts, told before anything is promised.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { USDC, startChain } from '../../devnet/chain.mjs';
import { until } from '../harness/witness.mjs';
import { Daemon, PAY_TO, freshDir, ports } from './daemon.mjs';
import { body, post } from './payments.mjs';

const { facilitator: port, rpc: rpcPort } = await ports(30);
const chain = await startChain({ port: rpcPort, dir: freshDir() });
after(() => chain.process.stop());
const SHOP = randomBytes(32).toString('hex'), OTHER = randomBytes(32).toString('hex');
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

const text = (gas = '') => `ledger: ledger.db
http:
  listen: "127.0.0.1:${port}"
  keys:
    - {name: shop, sha256: ${sha256(SHOP)}, payees: ["${PAY_TO}"]${gas}}
    - {name: other, sha256: ${sha256(OTHER)}, payees: ["${PAY_TO}"]}
networks:
  - network: base-sepolia
    rpc: ["${chain.url}"]
    signers: [{key_file: signer.key}]
    poll: 200
`;
const daemon = await new Daemon({ port, text: text() }).start();
after(() => daemon.stop());
const healthy = () => until('the daemon sees its chain', 10_000, async () => (await fetch(`${daemon.url}/health`)).status, (status) => status === 200);
await healthy();

const ask = async (path, key, request) => post(daemon.url + path, request ?? await body(2), { authorization: `Bearer ${key}` });
const paid = () => chain.rpc.balance(USDC, PAY_TO);
async function gauge(name, key) {
  const page = await (await fetch(`${daemon.url}/metrics`)).text();
  return Number(new RegExp(`^${name}{key="${key}"} (\\d+)$`, 'm').exec(page)[1]);
}
const used = (key) => gauge('x402_key_gas_gwei', key);

/** A budget for just one more. */
async function oneMore() {
  const before = await used('shop');
  assert.equal((await ask('/settle', SHOP)).json.success, true);
  const each = await used('shop') - before;
  assert.ok(each > 0);
  const reloads = () => daemon.events().filter(({ event }) => event === 'reloaded').length;
  const had = reloads();
  daemon.reconfigure(text(`, gas: ${await used('shop') + Math.ceil(each * 1.2)}`));
  process.kill(daemon.process.pid, 'SIGHUP');
  await until('reloaded', 5000, async () => reloads(), (n) => n > had);
}

test('the last one that fits is the last one, however many come at once; a restart does not forget', async () => {
  await oneMore();
  const had = await paid();
  const answers = await Promise.all([1, 2, 3, 4].map(() => ask('/settle', SHOP)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 429, 429, 429]);
  assert.equal(await paid() - had, 1000n);
  const refused = answers.find(({ status }) => status === 429);
  assert.equal(refused.json.success, false);
  assert.equal(refused.json.errorReason, 'api_key_gas_budget_exceeded');
  const wait = Number(refused.headers.get('retry-after'));
  assert.ok(wait > 0 && wait <= 86_400, `${wait}`);

  const verified = await ask('/verify', SHOP);
  assert.deepEqual([verified.status, verified.json.invalidReason], [429, 'api_key_gas_budget_exceeded']);
  assert.equal((await ask('/settle', OTHER)).json.success, true, 'another key has a day of its own');

  const before = await used('shop');
  await daemon.stop();
  await daemon.start();
  await healthy();
  assert.equal(await used('shop'), before);
  assert.equal((await ask('/settle', SHOP)).status, 429);
});

test('the same payment again costs the day nothing', async () => {
  const request = await body(2);
  const first = await ask('/settle', OTHER, request);
  const before = await used('other');
  assert.ok(before > 0);
  const again = await ask('/settle', OTHER, request);
  assert.equal(again.json.transaction, first.json.transaction);
  assert.equal(await used('other'), before);
});

test('x402d check names the budgets', () => {
  const { stdout } = spawnSync(daemon.program, ['check', daemon.config], { encoding: 'utf8' });
  assert.match(stdout, /^key: shop: may cost \d+ gwei of gas a day$/m);
  assert.match(stdout, /^key: other: no end to its gas/m);
});
