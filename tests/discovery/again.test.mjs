// SPDX-License-Identifier: Apache-2.0
// A Bazaar that is not there at first: our x402d registers its routes again
// until it is heard, and once a day after that.  And routes that refuse GET.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { recoverMessageAddress } from 'viem';
import { PAYEE, account, privateKey } from '../../devnet/accounts.mjs';
import { freshDir } from '../facilitator/daemon.mjs';
import { sql } from '../harness/ledger.mjs';
import { useStack } from '../harness/stack.mjs';
import { until } from '../harness/witness.mjs';

const answers = [503, 'nothing', 429]; // then 201
const asked = [];
const registry = createServer(async (req, res) => {
  let body = '';
  for await (const chunk of req)
    body += chunk;
  asked.push({ at: Date.now(), path: req.url, ...JSON.parse(body) });
  const answer = answers.shift() ?? 201;
  if (answer === 'nothing')
    return req.socket.destroy();
  return res.writeHead(answer).end('{}');
});
await new Promise((resolve) => { registry.listen(0, '127.0.0.1', resolve); });
after(() => registry.close());

const key = join(freshDir(), 'payee.key');
writeFileSync(key, `${privateKey(PAYEE).slice(2)}\n`, { mode: 0o600 });
const world = useStack({
  yaml: { bazaar: `  register_at: http://127.0.0.1:${registry.address().port}\n  register_key: ${key}\n` },
  conf: { server: `
    location = /posted {
      x402 on;
      x402_price 0.001 USDC;
      limit_except POST { deny all; }
      proxy_pass http://upstream/paid;
    }` } });

const listed = async () => (await (await fetch(`${world.stack.url('facilitator')}/discovery/resources`)).json()).items;
const catalogue = (text) => sql(join(world.stack.dir, 'catalogue.db'), text);
const written = () => catalogue('select tries, due_ms from announced').map((row) => row.map(Number));

test('a route that refuses GET is listed when it was paid for, and registered as it is called', async () => {
  const url = `${world.stack.url('gateway')}/posted`;
  assert.equal((await fetch(url)).status, 403);
  const more = { method: 'POST', body: '{}' };
  const payment = await world.pay('/posted', more);
  assert.equal((await world.get('/posted', payment.header('v2'), more)).status, 200);
  await until('the listing', 20_000, listed, (items) => items.some((item) => item.resource === url));
  const [first] = await until('the first try', 20_000, () => asked, ({ length }) => length > 0);
  assert.deepEqual([first.path, first.url, first.method], ['/register', url, 'POST']);
  const text = `List this resource in the x402 Bazaar\nURL: ${url}\nPay to: ${first.payTo}\nExpires: ${first.expires}`;
  assert.equal(await recoverMessageAddress({ message: text, signature: first.signature }), account(PAYEE).address);
});

test('it is tried again until it is heard, ever more rarely', async () => {
  await until('four tries', 60_000, () => asked, ({ length }) => length === 4);
  const gaps = asked.slice(1).map(({ at }, i) => at - asked[i].at);
  assert.ok(gaps[0] >= 900 && gaps[1] >= 1900 && gaps[2] >= 3900, String(gaps));
});

test('and the next day', async () => {
  const [[, due]] = await until('written down', 20_000, written, ([[tries]]) => tries === 0);
  const day = 24 * 3600_000;
  assert.ok(Math.abs(due - asked[3].at - day) < 60_000, String(due - asked[3].at));
  catalogue('update announced set due_ms = 0');
  await until('the day after', 20_000, () => asked, ({ length }) => length === 5);
  await until('written down', 20_000, written, ([[tries, next]]) => tries === 0 && next > due);
});

test('who refuses is asked the next day, seven times in a row', async () => {
  for (let i = 0; i < 7; i += 1) {
    const before = asked.length;
    answers.push(422);
    catalogue('update announced set due_ms = 0');
    await until('asked', 20_000, () => asked, ({ length }) => length === before + 1);
    await until('written down', 20_000, written,
      (rows) => (i === 6 ? rows.length === 0 : rows[0][0] === i + 1 && rows[0][1] > Date.now() + 20 * 3600_000));
  }
});
