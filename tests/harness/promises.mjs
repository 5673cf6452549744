// SPDX-License-Identifier: Apache-2.0
// The promises, put to the node and the upstream after programs were killed:
// one successful run per authorization and one more when redeemable; no answer
// without its payment; no payment without its answer; nothing for an
// upstream's error; every transfer has its row.
import assert from 'node:assert/strict';
import { sleep } from '../../devnet/process.mjs';
import { until } from './witness.mjs';

/** A priced route with a path of its own for every payment, so that the
 *  upstream's counter says which payment it ran for. */
export const ITEMS = `
    location /item/ {
      x402 on;
      x402_price 0.001 USDC;
      proxy_pass http://upstream/item/;
    }`;

async function everythingIsOnTheChain({ witness, stack }, buyers) {
  await until('every answer is paid on the chain', 90_000, async () => {
    const used = await witness.usedCounts();
    return buyers.filter((buyer) => buyer.answers > 0 && !used.has(buyer.payment.nonce)).map((b) => b.story());
  }, (unpaid) => unpaid.length === 0);
  await sleep(2500); // anything that is still to be sent, is sent
  await stack.rpc.mine(80);
}

/** Buyers paid for items; failers asked for what always fails; so many others
 *  paid by Permit2, which uses no nonce of the token.  Resolves to the nonces
 *  that the chain has used. */
export async function judge({ stack, witness }, buyers, failers = [], permit2 = 0) {
  const used = await witness.usedCounts();
  const hits = await (await fetch(`${stack.url('upstream')}/__hits`)).json();
  const ran = (buyer) => hits[buyer.path] ?? 0;
  const charged = (buyer) => used.get(buyer.payment.nonce) ?? 0;
  const none = (list, promise) => assert.deepEqual(
    list.map((buyer) => `${buyer.story()} (used ${charged(buyer)}, hits ${ran(buyer)})`), [], promise);

  none(buyers.filter((b) => b.final === undefined), 'everybody comes to an end');
  none(buyers.filter((b) => charged(b) > 1), 'no authorization moves tokens twice');
  none(buyers.filter((b) => b.answers > 0 && charged(b) !== 1), 'no answer without its payment');
  none(buyers.filter((b) => charged(b) === 1 && b.answers === 0 && b.breaks < 2), 'no payment without its answer');
  none(buyers.filter((b) => b.answers > 0 && ran(b) === 0), 'the answers came from the upstream');
  none(buyers.filter((b) => ran(b) > 1 + b.breaks), 'no second run without a broken first one');
  // just after a start the daemon gives no credit: it settles first, and the same payment buys the answer later
  const later = new Set(witness.ledger('select nonce from payment where mode = 2 and run = 3').map(({ nonce }) => `0x${nonce}`));
  none(failers.filter((b) => charged(b) > 0 && !later.has(b.payment.nonce)), "nothing is charged for an upstream's error");

  const transfers = await witness.transfers();
  assert.equal(transfers.length, used.size + permit2, 'every transfer is an authorization');
  return [...used.keys()];
}

/** The same at the very end, when everything is final. */
export async function keepPromises(world, buyers, failers = []) {
  await everythingIsOnTheChain(world, buyers);
  const used = await judge(world, buyers, failers);
  const rows = await until('every transfer has its row, FINAL', 30_000,
    () => world.witness.finalNonces(), (nonces) => nonces.length >= used.length);
  assert.deepEqual(rows.sort(), used.sort());
}
