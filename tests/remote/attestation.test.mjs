// SPDX-License-Identifier: Apache-2.0
// Attestations: x402d's /verify signs what it saw good, and an x402d that pins
// the verifier takes no yes without one.  The oracle of the signature is viem.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { recoverTypedDataAddress } from 'viem';
import { privateKeyToAccount, publicKeyToAddress } from 'viem/accounts';
import { NETWORK, USDC } from '../../devnet/chain.mjs';
import { says } from './scripted.mjs';
import { canSettle, ourFacilitator, row, uses, useRemote } from './world.mjs';

const VERIFIER = `0x${'22'.repeat(32)}`;
const { address } = privateKeyToAccount(VERIFIER);
const world = await useRemote({
  node: false, // where only /verify protects the seller
  more: `, verifier: "${address}"`,
  facilitator: (rpc) => ourFacilitator(rpc, { http: 'any_payee: true, attestation_key: verifier.key' }, (dir) =>
    writeFileSync(join(dir, 'verifier.key'), `${VERIFIER.slice(2)}\n`, { mode: 0o600 })),
});
const { scripted } = world;
const buy = (path, payment) => world.get(path, payment.header('v2'), { timeout: 60_000 });

const string = (name) => ({ name, type: 'string' });
const uint = (name) => ({ name, type: 'uint256' });
const TYPES = {
  Attestation: [uint('version'), string('receiptHash'), string('resourceUrl'), string('scheme'), string('network'), string('asset'),
    string('payTo'), string('amount'), string('payer'), string('paymentId'), uint('issuedAt'), uint('validUntil')],
};
const DOMAIN = { name: 'x402 attestation', version: '1', chainId: 1 };

function canonical(value) {
  if (value === null || typeof value !== 'object')
    return JSON.stringify(value);
  if (Array.isArray(value))
    return `[${value.map(canonical).join(',')}]`;
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
}
const sha256 = (text) => `0x${createHash('sha256').update(text).digest('hex')}`;

test('/verify attests what it saw good, with the key that is published', async () => {
  const payment = await world.pay('/paid');
  assert.equal((await buy('/paid', payment)).status, 200);
  const [{ json }] = scripted.asked('/verify', payment.nonce);
  const [call] = scripted.asked('/verify', payment.nonce);
  assert.ok(call);
  // the same question once more, about a payment that was not settled
  const fresh = await world.pay('/paid');
  const request = structuredClone(json);
  request.paymentPayload.payload = { signature: fresh.signature, authorization: fresh.authorization };
  const answer = JSON.parse((await scripted.forward({ method: 'POST', url: '/verify', body: JSON.stringify(request) })).body);
  assert.equal(answer.isValid, true);
  const { format, payload, signature } = answer.extensions['verification-attestation'].info.attestation;
  assert.equal(format, 'eip712');
  assert.equal(payload.receiptHash, sha256(canonical(request.paymentPayload)));
  assert.equal(payload.resourceUrl, `${world.stack.url('gateway')}/paid`);
  assert.deepEqual([payload.network, payload.asset, payload.payTo, payload.amount, payload.payer, payload.scheme, payload.version],
    [NETWORK, USDC, world.stack.payTo, '1000', world.payer.address, 'exact', 1]);
  assert.equal(payload.paymentId, `${NETWORK}:${USDC}:${world.payer.address}:${fresh.nonce}`.toLowerCase());
  assert.equal(payload.validUntil, Number(fresh.authorization.validBefore));
  assert.equal(await recoverTypedDataAddress({ domain: DOMAIN, types: TYPES, primaryType: 'Attestation', message: payload, signature }), address);

  const { keys } = await (await fetch(`${scripted.to}/.well-known/jwks.json`)).json();
  const hex = (text) => Buffer.from(text, 'base64url').toString('hex');
  assert.equal(publicKeyToAddress(`0x04${hex(keys[0].x)}${hex(keys[0].y)}`), address);
  assert.equal(keys[0].kid, address);
  const supported = await (await fetch(`${scripted.to}/supported`)).json();
  assert.deepEqual(supported.extensions, ['verification-attestation']);
});

test('a refusal attests nothing', async () => {
  const payment = await world.pay('/paid');
  await buy('/paid', payment);
  const [{ body }] = scripted.asked('/verify', payment.nonce);
  const answer = JSON.parse((await scripted.forward({ method: 'POST', url: '/verify', body })).body);
  assert.equal(answer.isValid, false, 'it is settled already');
  assert.equal(answer.extensions, undefined);
});

test('the same receipt for the same resource is asked about once, and the cache gives nothing away', async () => {
  await buy('/paid', await world.pay('/paid'));
  const [{ json }] = scripted.asked('/verify'); // a question of ours, to ask about another payment
  const hits = await world.witness.hits('/paid');
  const [payment, stranger] = [await world.pay('/paid'), await world.pay('/paid')];
  const ask = async (resource, signature = payment.signature) => {
    const request = structuredClone(json);
    request.paymentPayload.payload = { signature, authorization: payment.authorization };
    request.paymentPayload.resource = { url: resource };
    const response = await fetch(`${world.stack.url('facilitator')}/verify`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(request),
    });
    return (await response.json()).isValid;
  };
  const asked = () => scripted.asked('/verify', payment.nonce).length;
  const url = `${world.stack.url('gateway')}/paid`;
  assert.deepEqual([await ask(url), await ask(url), asked()], [true, true, 1]);
  assert.deepEqual([await ask(`${url}/other`), asked()], [true, 2], 'another resource is another question');
  assert.equal(await ask(url, stranger.signature), false, 'another signature under the same authorization');
  assert.equal((await buy('/paid', payment)).status, 200);
  assert.equal(asked(), 2, 'the purchase is spared the question');
  assert.equal(await uses(world, payment), 1);
  assert.equal(await ask(url), false, 'attested, and used up all the same');
  assert.equal((await buy('/paid', payment)).status, 402);
  assert.equal(await world.witness.hits('/paid'), hits + 1);
  assert.equal(await uses(world, payment), 1);
});

const tampered = {
  'none': (answer) => { delete answer.extensions; },
  'an empty one': (answer) => { answer.extensions['verification-attestation'].info = {}; },
  'another format': (answer, at) => { at.format = 'jws'; },
  'another amount': (answer, at) => { at.payload.amount = '1'; },
  'another receipt': (answer, at) => { at.payload.receiptHash = `0x${'00'.repeat(32)}`; },
  'another resource': (answer, at) => { at.payload.resourceUrl += '/other'; },
  'a longer life': (answer, at) => { at.payload.validUntil += 1; },
  'one member more': (answer, at) => { at.payload.more = true; },
  'a broken signature': (answer, at) => { at.signature = `${at.signature.slice(0, 20)}${at.signature[20] === '0' ? '1' : '0'}${at.signature.slice(21)}`; },
};

for (const [why, change] of Object.entries(tampered)) {
  test(`${why}: 503, nothing served, nothing kept`, async () => {
    const hits = await world.witness.hits('/paid');
    scripted.script.verify = async (response, call) => {
      const answer = JSON.parse((await scripted.forward(call)).body);
      change(answer, answer.extensions['verification-attestation'].info.attestation);
      says(answer)(response);
    };
    const payment = await world.pay('/paid');
    const response = await buy('/paid', payment);
    scripted.honest();
    assert.equal(response.status, 503);
    assert.equal(response.headers['x-payment-error'], 'verifier_unavailable');
    assert.equal(row(world, payment), undefined);
    assert.equal(await world.witness.hits('/paid'), hits);
    await canSettle(world);
    assert.equal((await buy('/paid', payment)).status, 200);
  });
}

test('a good attestation by another key, or of another payment: 503', async () => {
  const other = privateKeyToAccount(`0x${'44'.repeat(32)}`);
  let kept;
  const plays = [
    async (answer, at) => { at.signature = await other.signTypedData({ domain: DOMAIN, types: TYPES, primaryType: 'Attestation', message: at.payload }); },
    async (answer, at) => { kept = structuredClone(at); answer.isValid = 'later'; },
    async (answer) => { answer.extensions['verification-attestation'].info.attestation = kept; },
  ];
  for (const play of plays) {
    scripted.script.verify = async (response, call) => {
      const answer = JSON.parse((await scripted.forward(call)).body);
      await play(answer, answer.extensions['verification-attestation'].info.attestation);
      says(answer)(response);
    };
    const payment = await world.pay('/paid');
    assert.equal((await buy('/paid', payment)).status, 503);
    assert.equal(row(world, payment), undefined);
    scripted.honest();
    await canSettle(world);
  }
});
