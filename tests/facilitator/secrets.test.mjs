// SPDX-License-Identifier: Apache-2.0
// A canary in every place where a secret can come in; then everything that
// comes out, at the log level debug, is searched for them in all their forms.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { privateKeyToAccount } from 'viem/accounts';
import { account } from '../../devnet/accounts.mjs';
import { startChain } from '../../devnet/chain.mjs';
import { sleep } from '../../devnet/process.mjs';
import { until } from '../harness/witness.mjs';
import { Daemon, freshDir, ports, yaml } from './daemon.mjs';
import { body, post } from './payments.mjs';

const { facilitator: port, rpc: rpcPort } = await ports(5);
const chain = await startChain({ port: rpcPort, dir: freshDir() });
after(() => chain.process.stop());

const canary = (name) => `canary${name}${randomBytes(12).toString('hex')}`;
const key = randomBytes(32);
const secrets = {
  signerKey: key,
  rpcUser: canary('user'),
  rpcPassword: canary('password'),
  rpcKey: canary('apikey'),
  downKey: canary('downkey'),
  authorization: canary('bearer'),
  header: canary('header'),
  query: canary('query'),
  garbage: canary('garbage'),
};

/** A secret as text, hex and base64, at every alignment. */
function forms(secret) {
  const bytes = Buffer.isBuffer(secret) ? secret : Buffer.from(secret);
  const base64 = [0, 1, 2].map((shift) => Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64')
    .slice(shift ? 4 : 0, -4));
  return [...(Buffer.isBuffer(secret) ? [] : [secret]), bytes.toString('hex'), bytes.toString('hex').toUpperCase(), ...base64];
}

const [good, bad] = [`http://${secrets.rpcUser}:${secrets.rpcPassword}@127.0.0.1:${rpcPort}/?key=${secrets.rpcKey}`,
  `http://127.0.0.1:1/v2/${secrets.downKey}`];
const daemon = new Daemon({
  port,
  text: yaml({ port, rpc: good, more: 'log: debug' }).replace(JSON.stringify(good), `${JSON.stringify(bad)}, ${JSON.stringify(good)}`)
    .replace('networks:', 'networks:\n  - network: base\n    rpc: ["http://127.0.0.1:1/v3/' + secrets.downKey + '"]\n    signers: [{key_file: signer.key}]'),
});
writeFileSync(join(daemon.dir, 'signer.key'), `0x${key.toString('hex')}\n`, { mode: 0o600 });
writeFileSync(daemon.config, readFileSync(daemon.config), { mode: 0o600 });
await chain.rpc.call('anvil_setBalance', privateKeyToAccount(`0x${key.toString('hex')}`).address, '0xde0b6b3a7640000');
await daemon.start();
after(() => daemon.stop());

test('no secret leaves', async () => {
  const said = [];
  const keep = async (answer) => said.push((await answer).text);
  const page = async (path, options) => said.push(await (await fetch(daemon.url + path, options)).text());
  const settled = await body(2);
  const poor = await body(2, { payer: account(0) });
  const headers = { authorization: `Bearer ${secrets.authorization}`, 'x-payment': secrets.header, cookie: secrets.header };

  await until('the chain is seen', 15_000, async () => {
    const { kinds } = await (await fetch(`${daemon.url}/supported`)).json();
    return kinds.length;
  });
  await keep(post(`${daemon.url}/verify`, settled, headers));
  await keep(post(`${daemon.url}/settle`, settled, headers));
  assert.equal(JSON.parse(said.at(-1)).success, true, said.at(-1));
  await keep(post(`${daemon.url}/settle`, settled, headers));
  await keep(post(`${daemon.url}/settle`, poor, headers));
  await keep(post(`${daemon.url}/verify?${secrets.query}`, poor, headers));
  await keep(post(`${daemon.url}/verify`, `{"x402Version":2,"${secrets.garbage}":"${secrets.garbage}"}`));
  await keep(post(`${daemon.url}/verify`, secrets.garbage));
  await keep(post(`${daemon.url}/${secrets.query}`, secrets.garbage));
  for (const path of ['/health', '/supported', '/metrics'])
    await page(path, { headers });
  await page('/health', { method: 'POST', headers, body: secrets.garbage });
  process.kill(daemon.process.pid, 'SIGHUP');
  await sleep(500);

  const places = {
    log: daemon.logText(),
    answers: said.join('\n'),
    cmdline: readFileSync(`/proc/${daemon.process.pid}/cmdline`, 'latin1'),
    environ: readFileSync(`/proc/${daemon.process.pid}/environ`, 'latin1'),
  };
  const signatures = [settled, poor].map((request) => request.paymentPayload.payload.signature.slice(2));
  for (const [name, secret] of [...Object.entries(secrets), ...signatures.map((s) => ['signature', Buffer.from(s, 'hex')])]) {
    for (const form of forms(secret)) {
      for (const [place, text] of Object.entries(places))
        assert.ok(!text.includes(form), `${name} stands in ${place}: ${form}`);
    }
  }
  assert.ok(places.log.length > 500, 'there was a log to search');
});

test('the search finds what it looks for', () => {
  const secret = canary('test');
  for (const text of [`x${secret}y`, Buffer.from(`ab${secret}cd`).toString('base64'), Buffer.from(`a${secret}`).toString('base64'),
    Buffer.from(secret).toString('hex')])
    assert.ok(forms(secret).some((form) => text.includes(form)), text);
});
