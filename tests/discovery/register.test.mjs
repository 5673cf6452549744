// SPDX-License-Identifier: Apache-2.0
// A gateway's routes at somebody else's Bazaar: our x402d lists a route when it
// was paid for, and registers it there with the payee's key.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ExactEvmScheme } from '@x402/evm';
import { wrapFetchWithPaymentFromConfig } from '@x402/fetch';
import { PAYEE, account, privateKey } from '../../devnet/accounts.mjs';
import { NETWORK } from '../../devnet/chain.mjs';
import { Daemon, STUB, freshDir, ports, useDaemon, yaml } from '../facilitator/daemon.mjs';
import { useStack } from '../harness/stack.mjs';
import { until } from '../harness/witness.mjs';

const { facilitator: port, third } = await ports(21);
const elsewhere = await useDaemon({ program: STUB, port, text: yaml({ port, more: 'bazaar: {allow: [127.0.0.1]}' }) });
const key = join(freshDir(), 'payee.key');
writeFileSync(key, `${privateKey(PAYEE).slice(2)}\n`, { mode: 0o600 });
const world = useStack({ yaml: { bazaar: `  register_at: ${elsewhere.url}\n  register_key: ${key}\n` } });

test('a paid route of ours is listed at the other Bazaar', async () => {
  const buy = wrapFetchWithPaymentFromConfig(fetch, { schemes: [{ network: NETWORK, client: new ExactEvmScheme(account(4)) }] });
  const url = `${world.stack.url('gateway')}/paid`;
  assert.equal((await buy(url)).status, 200);
  const listed = async () => (await (await fetch(`${elsewhere.url}/discovery/resources`)).json()).items;
  const [item] = await until('the listing', 10_000, listed, (items) => items.length === 1);
  assert.equal(item.resource, url);
  assert.equal(item.verified, true);
  assert.equal(item.quality.l30DaysTotalCalls, 0, 'what was paid elsewhere is not known there');
  assert.doesNotMatch(elsewhere.logText(), new RegExp(privateKey(PAYEE).slice(2)));
});

test('a key that cannot be read is said at the start', async () => {
  const daemon = new Daemon({ program: STUB, port: third, text: yaml({ port: third, more: 'bazaar: {register_at: "http://127.0.0.1:1", register_key: nothing.key}' }) });
  await assert.rejects(daemon.start(), /nothing\.key/);
});
