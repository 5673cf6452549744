// SPDX-License-Identifier: Apache-2.0
// Offers and proofs, end to end: gateway, daemon and a node that the test
// drives.  The oracles are the upstream's counter and the node's.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { invoiceOnly, sha256, proofs, useShop } from './shop.mjs';

const shop = useShop();
before(() => shop.start(), { timeout: 60_000 });

const LN = 'lnbtc:0f9188f13cb7b2c71f2a335e3a4fc328';
const origin = () => `http://127.0.0.1:${shop.ports.gateway}`;
const NOTHING = sha256('');

/* http:1, written from the specification; names are in order here already */
const requestHash = ({ method = 'GET', path, body = '', headers = [] }) => sha256(JSON.stringify({
  bodyHash: sha256(body).toString('hex'), domain: 'x402:exact:lnbtc:bolt11:http:1',
  headers: headers.map(([name, value]) => ({
    name, valueHash: sha256(value === undefined ? Buffer.of(0) : Buffer.concat([Buffer.of(1), Buffer.from(value)])).toString('hex') })),
  method, url: origin() + path,
})).toString('hex');

test('one 402 carries USDC, lnbtc, L402 and the Payment scheme, for one invoice', async () => {
  const added = shop.lnd.counts.add;
  const { response, offer, entry, l402, mpp, lines } = await shop.ask('/ln?x=1');
  assert.equal(response.status, 402);
  assert.equal(shop.lnd.counts.add, added + 1);
  assert.equal(offer.accepts.length, 2);
  assert.match(offer.accepts[0].network, /^eip155:/);
  assert.equal(offer.resource.url, `${origin()}/ln?x=1`);
  assert.deepEqual(entry, {
    scheme: 'exact', network: LN, amount: '21000', asset: 'BTC', payTo: shop.lnd.pubkey, maxTimeoutSeconds: 300,
    extra: {
      ...entry.extra, assetTransferMethod: 'bolt11', paymentFlow: 'upfront', paymentMethod: 'lightning',
      requestBindingProfile: 'http:1', requestBindingParams: { headers: [] }, requestHash: requestHash({ path: '/ln?x=1' }),
    },
  });
  const invoice = shop.lnd.byRequest(entry.extra.invoice);
  assert.equal(Buffer.from(invoice.description_hash, 'base64').toString('hex'), entry.extra.requestHash);
  assert.equal(invoice.expiry, '300');
  assert.ok(lines[0].startsWith('L402 macaroon="') && lines[1].startsWith('Payment id="'));
  assert.equal(l402.invoice, entry.extra.invoice);
  assert.equal(l402.token, l402.macaroon);
  const request = JSON.parse(Buffer.from(mpp.request, 'base64url').toString());
  assert.deepEqual([mpp.method, mpp.intent, mpp.realm], ['lightning', 'charge', `127.0.0.1:${shop.ports.gateway}`]);
  assert.deepEqual([request.amount, request.currency, request.methodDetails.invoice], ['21', 'sat', entry.extra.invoice]);
  assert.equal(response.headers['cache-control'], 'no-store');
  assert.deepEqual(await shop.ask('/ln?x=1').then((other) => other.entry.extra.invoice === entry.extra.invoice), false);
});

for (const dialect of ['lnbtc', 'l402', 'mpp']) {
  test(`${dialect}: paid, answered once, and a receipt`, async () => {
    const path = `/ln?${dialect}`;
    const asked = await shop.ask(path);
    const hits = shop.hits.length;
    const preimage = shop.lnd.pay(asked.entry.extra.invoice);
    const headers = proofs[dialect](asked, preimage);
    const paid = await shop.get(path, headers);
    assert.equal(paid.status, 200);
    assert.equal(paid.body, 'content\n');
    const receipt = JSON.parse(Buffer.from(paid.headers['payment-response'], 'base64').toString());
    assert.deepEqual([receipt.success, receipt.network, receipt.transaction.replace('0x', '')], [true, LN, sha256(preimage).toString('hex')]);
    assert.equal('payer' in receipt, false);
    assert.equal(paid.headers['payment-receipt'] !== undefined, dialect === 'mpp');
    if (dialect === 'mpp') {
      const mpp = JSON.parse(Buffer.from(paid.headers['payment-receipt'], 'base64url').toString());
      assert.deepEqual([mpp.status, mpp.method, mpp.reference, mpp.challengeId],
        ['success', 'lightning', sha256(preimage).toString('hex'), asked.mpp.id]);
    }
    assert.match(paid.headers['cache-control'], /private/);
    assert.equal(shop.hits.length, hits + 1);
    const seen = shop.hits.at(-1).headers;
    assert.deepEqual(['authorization', 'payment-signature'].filter((name) => name in seen), []);
    // whichever dialect presents it again
    for (const other of ['lnbtc', 'l402', 'mpp']) {
      const again = await shop.get(path, proofs[other](asked, preimage));
      assert.equal(again.status, 402, `${other} after ${dialect}`);
      assert.equal(again.headers['x-payment-error'], 'replayed');
    }
    assert.equal(shop.hits.length, hits + 1);
    assert.match(shop.log('access.log'), new RegExp(
      `GET /ln\\?${dialect} 200 x402=paid reason=- amount=21000 asset=BTC network=${LN} id=${LN}:${sha256(preimage).toString('hex')}`));
  });
}

test('256 copies of one proof: one request', async () => {
  const asked = await shop.ask('/ln?many');
  const hits = shop.hits.length;
  const headers = proofs.lnbtc(asked, shop.lnd.pay(asked.entry.extra.invoice));
  const answers = await Promise.all(Array.from({ length: 256 }, () => shop.get('/ln?many', headers)));
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  assert.deepEqual([...new Set(answers.map(({ status }) => status))].filter((status) => ![200, 402, 409].includes(status)), []);
  assert.equal(shop.hits.length, hits + 1);
  await shop.offered(); // each refusal brought a fresh invoice, as fast as the node makes them
});

test('a body is bound, on POST too, and reaches the upstream', async () => {
  const send = (body, headers = {}) => shop.get('/post', headers, { method: 'POST', body });
  const asked = await shop.ask('/post', {}, { method: 'POST', body: 'one question' });
  assert.equal(asked.entry.extra.requestHash, requestHash({ method: 'POST', path: '/post', body: 'one question' }));
  assert.equal(asked.entry.amount, '2000'); // up to whole satoshis
  const headers = proofs.l402(asked, shop.lnd.pay(asked.entry.extra.invoice));
  const other = await send('another question', headers);
  assert.equal(other.status, 401);
  assert.equal(other.headers['x-payment-error'], 'resource_mismatch');
  const hits = shop.hits.length;
  const paid = await send('one question', headers);
  assert.equal(paid.status, 200);
  assert.equal(shop.hits[hits].body.toString(), 'one question');
});

test('what a proof is bound to: path, query, method, headers', async () => {
  const asked = await shop.ask('/bound', { 'X-Tenant': 'a', 'Accept-Language': ' de ' });
  assert.deepEqual(asked.entry.extra.requestBindingParams, { headers: ['accept-language', 'x-tenant'] });
  assert.equal(asked.entry.extra.requestHash, requestHash({ path: '/bound', headers: [['accept-language', 'de'], ['x-tenant', 'a']] }));
  const proof = proofs.lnbtc(asked, shop.lnd.pay(asked.entry.extra.invoice));
  const hits = shop.hits.length;
  const mine = { 'X-Tenant': 'a', 'Accept-Language': 'de' };
  for (const [path, headers, more] of [
    ['/bound', { ...mine, 'X-Tenant': 'b' }], ['/bound', { 'X-Tenant': 'a' }], ['/bound?x', mine],
    ['/ln', mine], ['/bound', mine, { method: 'HEAD' }], ['/bound', mine, { method: 'POST', body: '' }],
  ]) {
    const refused = await shop.get(path, { ...proof, ...headers }, more);
    assert.equal(refused.status, 402, `${path} ${JSON.stringify(headers)}`);
  }
  assert.equal(shop.hits.length, hits);
  assert.equal((await shop.get('/bound', { ...proof, ...mine })).status, 200);
});

test('a changed entry is refused, whatever is changed', async () => {
  const asked = await shop.ask('/ln?changed');
  const preimage = shop.lnd.pay(asked.entry.extra.invoice);
  const hits = shop.hits.length;
  for (const change of [{ amount: '21001' }, { amount: '1000' }, { payTo: `02${'11'.repeat(32)}` }, { maxTimeoutSeconds: 301 },
    { network: 'lnbtc:000000000019d6689c085ae165831e93' }, { asset: 'BTX' },
    { extra: { ...asked.entry.extra, requestHash: NOTHING.toString('hex') } },
    { extra: { ...asked.entry.extra, paymentMethod: undefined } }]) {
    const refused = await shop.get('/ln?changed', proofs.lnbtc(asked, preimage, change));
    assert.equal(refused.status, 402, JSON.stringify(change));
  }
  assert.equal(shop.hits.length, hits);
  assert.equal((await shop.get('/ln?changed', proofs.lnbtc(asked, preimage))).status, 200);
});

test('an upstream failure is not the end of a proof, in any dialect', async () => {
  for (const dialect of ['lnbtc', 'l402', 'mpp']) {
    const asked = await shop.ask(`/ln?fails=${dialect}`);
    const headers = proofs[dialect](asked, shop.lnd.pay(asked.entry.extra.invoice));
    shop.answer = (req, res) => { res.statusCode = 503; res.end('no\n'); };
    assert.equal((await shop.get(`/ln?fails=${dialect}`, headers)).status, 503);
    shop.answer = (req, res) => res.end('content\n');
    const paid = await shop.get(`/ln?fails=${dialect}`, headers);
    assert.equal(paid.status, 200);
    assert.equal((await shop.get(`/ln?fails=${dialect}`, headers)).status, 402);
  }
});

test('malformed and foreign proofs: the status goes by the header', async () => {
  const asked = await shop.ask('/ln?bad');
  const preimage = shop.lnd.pay(asked.entry.extra.invoice);
  const other = Buffer.alloc(32, 7);
  const hits = shop.hits.length;
  const rows = [
    ['no macaroon', { Authorization: `L402 :${preimage.toString('hex')}` }, 401],
    ['upper-case preimage', { Authorization: `L402 ${asked.l402.macaroon}:${preimage.toString('hex').toUpperCase()}` }, 401],
    ['another preimage', proofs.l402(asked, other), 401],
    ['a changed macaroon', { Authorization: `L402 ${asked.l402.macaroon.replace(/^(.{40})./, (m, a) => a + (m[40] === 'A' ? 'B' : 'A'))}:${preimage.toString('hex')}` }, 401],
    ['an MPP credential that is not JSON', { Authorization: 'Payment e30' }, 402],
    ['a changed challenge', proofs.mpp(asked, preimage, { realm: 'other.example' }), 402],
    ['another preimage by MPP', proofs.mpp(asked, other), 402],
    ['another preimage by lnbtc', proofs.lnbtc(asked, other), 402],
    ['a malformed X-PAYMENT', { 'X-PAYMENT': '!' }, 400],
    ['two at once', { ...proofs.lnbtc(asked, preimage), ...proofs.l402(asked, preimage) }, 400],
    ['EVM beside L402', { 'X-PAYMENT': 'e30=', ...proofs.l402(asked, preimage) }, 400],
  ];
  for (const [why, headers, status] of rows) {
    const refused = await shop.get('/ln?bad', headers);
    assert.equal(refused.status, status, `${why}: ${refused.headers['x-payment-error']}`);
    assert.ok(refused.headers['x-payment-error'], why);
    if (headers.Authorization?.startsWith('Payment')) {
      assert.equal(refused.headers['content-type'], 'application/problem+json', why);
      assert.match(JSON.parse(refused.body).type, /^https:\/\/paymentauth\.org\/problems\//);
    }
    if (status === 401 || status === 402)
      assert.ok(refused.headers['www-authenticate'], why);
  }
  const { Authorization: once } = proofs.l402(asked, preimage);
  assert.equal((await shop.get('/ln?bad', { Authorization: [once, once] })).status, 400, 'two header lines');
  assert.equal((await shop.get('/ln?bad', { Authorization: `${once}, ${once}` })).status, 401, 'two in one line');
  assert.equal(shop.hits.length, hits);
  assert.equal((await shop.get('/ln?bad', proofs.l402(asked, preimage, 'LSAT'))).status, 200);
});

test('an invoice of somebody else on the same node buys nothing', async () => {
  const asked = await shop.ask('/ln?foreign');
  const foreign = shop.lnd.foreign(21000, { description_hash: Buffer.from(asked.entry.extra.requestHash, 'hex').toString('base64'), expiry: '300' });
  const preimage = shop.lnd.pay(foreign.payment_request);
  const hits = shop.hits.length;
  const refused = await shop.get('/ln?foreign', proofs.lnbtc(
    { ...asked, entry: { ...asked.entry, extra: { ...asked.entry.extra, invoice: foreign.payment_request } } }, preimage));
  assert.equal(refused.status, 402);
  assert.equal(refused.headers['x-payment-error'], 'no_matching_offer');
  assert.equal(shop.hits.length, hits);
});

test('an invoice is no proof, unless the daemon is told so', async () => {
  const asked = await shop.ask('/ln?alone');
  const preimage = shop.lnd.pay(asked.entry.extra.invoice);
  const refused = await shop.get('/ln?alone', invoiceOnly(asked));
  assert.deepEqual([refused.status, refused.headers['x-payment-error']], [402, 'bad_preimage']);
  assert.equal((await shop.get('/ln?alone', proofs.lnbtc(asked, preimage))).status, 200);
});

test('where there is no Lightning entry, nobody asks the daemon for one', async () => {
  const added = shop.lnd.counts.add;
  const goes = async (path, headers, more) => {
    const asked = await shop.ask(path, headers, more);
    assert.equal(asked.response.status, 402);
    assert.equal(asked.offer.accepts.length, asked.entry ? 2 : 1);
    return asked.entry !== undefined;
  };
  assert.equal(await goes('/ask'), false);
  assert.equal(await goes('/ask', { 'Accept-Payment': 'evm/charge' }), false);
  assert.equal(await goes('/ask', { 'Accept-Payment': 'evm/charge, lightning;q=0' }), false);
  assert.equal(await goes('/small', {}, { method: 'POST', body: 'x'.repeat(17) }), false);
  assert.equal(await goes('/ln', { 'transfer-encoding': 'chunked' }, { method: 'POST' }), false);
  assert.equal(await goes(`/ln?${'x'.repeat(2100)}`), false);
  assert.equal(await goes('/usd'), false); // no rate is configured
  assert.equal(shop.lnd.counts.add, added);
  assert.equal(await goes('/ask', { 'Accept-Payment': 'evm/charge;q=0.1, lightning/charge;q=0.9' }), true);
});

test('a price of its own is not sold for the bitcoin of the level above', async () => {
  const small = await shop.ask('/by-size');
  assert.equal(small.entry.amount, '21000');
  const large = await shop.ask('/by-size?size=l');
  assert.deepEqual([large.offer.accepts[0].amount, large.entry, large.lines], ['5000000', undefined, []]);
  // nor by a redirect of the upstream
  shop.answer = (req, res) => { res.setHeader('X-Accel-Redirect', '/by-size?size=l'); res.end(); };
  try {
    const redirected = await shop.get('/by-size', proofs.l402(small, shop.lnd.pay(small.entry.extra.invoice)));
    assert.equal(redirected.status, 500);
    assert.equal(shop.hits.some(({ url }) => url.includes('size=l')), false);
  } finally {
    shop.answer = (req, res) => res.end('content\n');
  }
});

test('a request that cannot be bound is offered no invoice, with a proof neither', async () => {
  const asked = await shop.ask('/ln?bound');
  const headers = proofs.l402(asked, shop.lnd.pay(asked.entry.extra.invoice));
  const added = shop.lnd.counts.add;
  for (const path of ['/ln?bound|', '/ln?"bound"']) {
    assert.equal((await shop.ask(path)).entry, undefined, path);
    const refused = await shop.ask(path, headers);
    assert.equal(refused.response.status, 402, path);
    assert.deepEqual([refused.entry, refused.lines], [undefined, []], path);
  }
  assert.equal(shop.lnd.counts.add, added);
  assert.equal((await shop.get('/ln?bound', headers)).status, 200);
});

test('dialects can be switched off', async () => {
  const exact = await shop.ask('/exact');
  assert.deepEqual([exact.entry.amount, exact.l402, exact.mpp], ['1500', undefined, undefined]);
  const without = await shop.ask('/no-l402');
  assert.deepEqual([without.l402, without.mpp.method], [undefined, 'lightning']);
  const preimage = shop.lnd.pay(without.entry.extra.invoice);
  const hits = shop.hits.length;
  const l402 = await shop.get('/no-l402', { Authorization: `L402 abcd:${preimage.toString('hex')}` });
  assert.equal(l402.status, 402);
  assert.equal(shop.hits.length, hits);
  assert.equal((await shop.get('/no-l402', proofs.mpp(without, preimage))).status, 200);
});
