// SPDX-License-Identifier: Apache-2.0
// TLS to the facilitator is verified: an expired certificate, another name,
// an unknown authority are no facilitator.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sleep } from '../../devnet/process.mjs';
import { freshDir } from '../facilitator/daemon.mjs';
import { until } from '../harness/witness.mjs';
import { Scripted, says } from './scripted.mjs';
import { canSettle, uses, useRemote } from './world.mjs';

const dir = freshDir();
const at = (name) => join(dir, name);
const openssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });

/** An authority of our own, and certificates by it. */
function authority(name) {
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`);
}
function certificate(name, ca, host, days) {
  openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
    '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
  writeFileSync(at(`${name}.ext`), `subjectAltName=${host}\n`);
  openssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${ca}.pem`, '-CAkey', `${ca}.key`, '-CAcreateserial',
    '-days', String(days), '-extfile', `${name}.ext`, '-out', `${name}.pem`);
  return { key: readFileSync(at(`${name}.key`)), cert: readFileSync(at(`${name}.pem`)) };
}

authority('ours');
authority('another');
const good = certificate('good', 'ours', 'IP:127.0.0.1', 2);
const bad = {
  'an expired certificate': certificate('expired', 'ours', 'IP:127.0.0.1', -1),
  "another host's certificate": certificate('host', 'ours', 'DNS:facilitator.example', 2),
  "an unknown authority's certificate": certificate('foreign', 'another', 'IP:127.0.0.1', 2),
};

writeFileSync(at('api.key'), 'secret-api-key\n', { mode: 0o600 });
const world = await useRemote({ tls: good, more: `, ca_file: ${at('ours.pem')}, key_file: ${at('api.key')}` });
const { scripted } = world;
const buy = (payment) => world.get('/paid', payment.header('v2'), { timeout: 60_000 });

test('the authority of ca_file is trusted, and the key of key_file goes along', async () => {
  await canSettle(world);
  const payment = await world.pay('/paid');
  assert.equal((await buy(payment)).status, 200);
  await until('settled', 10_000, () => uses(world, payment));
  assert.ok(scripted.calls.length >= 3);
  for (const { headers } of scripted.calls)
    assert.equal(headers.authorization, 'Bearer secret-api-key');
  assert.doesNotMatch(readFileSync(join(world.stack.dir, 'x402d.log'), 'utf8'), /secret-api-key/);
});

test('/verify: the second copy of a yes is not the answer to the next payment', async () => {
  await canSettle(world);
  const before = await world.witness.hits('/paid');
  const [first, second] = [await world.pay('/fail'), await world.pay('/paid')];
  const yes = JSON.stringify({ isValid: true, payer: world.payer.address });
  scripted.script.verify = (response) => {
    const { socket } = response;
    socket.on('error', () => {}); // it may be closed by then, and should be
    says(yes, { headers: { 'content-type': 'application/json', 'content-length': yes.length } })(response);
    setTimeout(() => socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${yes.length}\r\n\r\n${yes}`), 30);
  };
  assert.equal((await world.get('/fail', first.header('v2'))).status, 500, 'verified, and never settled');
  await sleep(200); // the copy is there, unread
  scripted.script.verify = says({ isValid: false, invalidReason: 'invalid_exact_evm_signature' });
  const response = await buy(second);
  scripted.honest();
  assert.equal(response.status, 402, response.body);
  assert.equal(await world.witness.hits('/paid'), before);
});

for (const [why, tls] of Object.entries(bad)) {
  test(`${why}: nothing is asked, paid routes 503, and it heals`, async () => {
    await scripted.away();
    const impostor = await Scripted.start({ tls });
    await impostor.away();
    impostor.to = scripted.to;
    await impostor.listen(scripted.port);
    const payment = await world.pay('/paid');
    assert.equal((await buy(payment)).status, 503);
    await canSettle(world, false);
    assert.equal((await buy(payment)).status, 503);
    assert.equal((await world.get('/free/x')).status, 200);
    assert.equal(impostor.calls.length, 0, 'not a byte of a payment');
    await impostor.away();
    await scripted.listen(scripted.port);
    await canSettle(world);
    assert.equal((await buy(payment)).status, 200);
  });
}

test('plain http where https is configured: nothing is asked', async () => {
  await scripted.away();
  const plain = await Scripted.start();
  await plain.away();
  await plain.listen(scripted.port);
  const payment = await world.pay('/paid');
  assert.equal((await buy(payment)).status, 503);
  assert.equal(plain.calls.length, 0);
  await plain.close();
  await scripted.listen(scripted.port);
  await canSettle(world);
});
