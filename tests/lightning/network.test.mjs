// SPDX-License-Identifier: Apache-2.0
// The network itself: two real LND nodes on a regtest chain, what they say of
// their invoices and what we read in them, what the small macaroons may do, and
// a node that is killed.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import bolt11 from 'bolt11';
import { eventually } from '../../devnet/lightning.mjs';
import { startNetwork, stopNetwork } from './network.mjs';
import { decode } from './tool.mjs';

let network;
before(async () => { network = await startNetwork(); }, { timeout: 180_000 });
after(stopNetwork);

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const hexOf = (base64) => Buffer.from(base64, 'base64').toString('hex');

const issue = (msat, hash = randomBytes(32)) => network.seller.call('/v1/invoices', {
  body: { value_msat: String(msat), description_hash: hash.toString('base64'), expiry: '300' } });

test("LND's invoices read as LND reads them", async () => {
  for (const msat of [1, 999, 1000, 21_000, 123_456_789]) {
    const hash = randomBytes(32);
    const { payment_request, r_hash, payment_addr } = await issue(msat, hash);
    const ours = decode(payment_request);
    const theirs = await network.payer.call(`/v1/payreq/${payment_request}`);
    assert.deepEqual(ours, {
      currency: 'bcrt',
      msat: theirs.num_msat,
      created: Number(theirs.timestamp),
      expiry: 300,
      cltv: Number(theirs.cltv_expiry),
      payment_hash: theirs.payment_hash,
      payment_secret: hexOf(payment_addr),
      payee: theirs.destination,
      description_hash: theirs.description_hash,
    });
    assert.equal(ours.payment_hash, hexOf(r_hash));
    assert.equal(ours.description_hash, hash.toString('hex'));
    assert.equal(ours.payee, network.seller.node);
    assert.equal(bolt11.decode(payment_request).millisatoshis, String(msat));
  }
});

test('a payment settles, and its preimage is the proof', async () => {
  const { payment_request, r_hash } = await issue(21_000);
  const before = await network.seller.balance();
  const paid = await network.payer.pay(payment_request);
  assert.equal(paid.status, 'SUCCEEDED');
  assert.equal(sha256(Buffer.from(paid.payment_preimage, 'hex')), hexOf(r_hash));
  const invoice = await network.seller.invoice(hexOf(r_hash));
  assert.equal(invoice.state, 'SETTLED');
  assert.equal(invoice.amt_paid_msat, '21000');
  // the channel's balance follows once both sides have signed
  await eventually('the money is there', async () =>
    assert.equal(await network.seller.balance() - before, 21_000n), 10_000);
});

test('the small macaroons do their work and no other', async () => {
  const { payer, seller } = network;
  const may = async (node, path, body) => {
    try {
      await node.call(path, { body, macaroon: node.macaroonFile });
      return true;
    } catch (error) {
      assert.match(error.message, /permission denied/);
      return false;
    }
  };
  assert.equal(await may(seller, '/v1/invoices', { value_msat: '1000' }), true);
  assert.equal(await may(seller, '/v1/getinfo'), true);
  assert.equal(await may(seller, '/v1/balance/channels'), false);
  assert.equal(await may(payer, '/v1/getinfo'), true);
  assert.equal(await may(payer, '/v1/newaddress?type=TAPROOT_PUBKEY'), false);
  assert.equal(await may(payer, '/v1/balance/channels'), false);
  assert.equal(await may(payer, '/v1/macaroon', { permissions: [] }), false);
  assert.ok(readFileSync(seller.macaroonFile).length > 50);
});

test('a seller that was killed comes back with its invoices', async () => {
  const { seller } = network;
  const open = await issue(5000);
  await seller.kill();
  await seller.start();
  await seller.serves();
  await network.connect();
  await network.active();
  assert.equal((await seller.invoice(hexOf(open.r_hash))).state, 'OPEN');
  assert.equal((await network.payer.pay(open.payment_request)).status, 'SUCCEEDED');
  assert.equal((await seller.invoice(hexOf(open.r_hash))).state, 'SETTLED');
});
