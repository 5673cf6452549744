// SPDX-License-Identifier: Apache-2.0
// x402 get --rail lightning: it pays through a real LND what it asked for, once,
// and nothing else.  The oracles are the two nodes.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { clientConfig, eventually } from '../../devnet/lightning.mjs';
import { newUser } from '../client/harness.mjs';
import { startNetwork, stopNetwork } from './network.mjs';
import { Seller, sha256 } from './seller.mjs';

let network;
const sellers = [];
before(async () => { network = await startNetwork(); }, { timeout: 180_000 });
after(async () => {
  await Promise.all(sellers.map((seller) => seller.stop()));
  await stopNetwork();
});

async function sell(options = {}) {
  const seller = await new Seller({ lnd: network.seller, ...options }).start();
  sellers.push(seller);
  return seller;
}

function buyer(more = '') {
  const user = newUser({ config: `${clientConfig(network.payer)}${more}` });
  user.lightning = join(user.home, '.local', 'state', 'x402', 'lightning');
  user.buy = (args, options) => user.run(['get', '--rail', 'lightning', '--retry-delay', '0.05', ...args], options);
  user.records = () => readdirSync(user.lightning).map((name) => readFileSync(join(user.lightning, name), 'utf8'));
  return user;
}

const payments = async () => (await network.payer.payments()).filter(({ status }) => status !== 'FAILED').length;

/** Runs and says how many payments the node made meanwhile. */
async function counting(run) {
  const before = await payments();
  const result = await run();
  return { ...result, made: await payments() - before };
}

test('a request is paid and answered', async () => {
  const seller = await sell();
  const user = buyer();
  const before = await network.seller.balance();
  const { code, out, err, made } = await counting(() => user.buy([`${seller.url}/report?b=2&a=%2f`]));
  assert.equal(code, 0, err);
  assert.equal(out, 'bought\n');
  assert.match(err, /paying 21 sat by Lightning \(regtest\)/);
  assert.equal(made, 1);
  const [hash] = seller.seen;
  assert.equal((await network.seller.invoice(hash)).state, 'SETTLED');
  await eventually('the money is there', async () =>
    assert.equal(await network.seller.balance() - before, 21_000n), 10_000);
  assert.equal(user.records().length, 1);
  assert.match(user.records()[0], /"state":"done"/);
  const file = join(user.lightning, readdirSync(user.lightning)[0]);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const listed = await user.run(['payments']);
  assert.match(listed.out, /done +21 sat +Lightning regtest/);
  assert.ok(!(await user.run(['payments', '--json'])).out.includes('preimage'));
});

test('a request with a body and bound headers is the one that is paid for', async () => {
  const seller = await sell({ names: ['accept', 'content-type', 'x-account'] });
  const user = buyer();
  const requests = [[], ['-d', '{"a":1}'], ['-d', 'x', '-H', 'Content-Type: text/plain', '-H', 'X-Account: 7'],
    ['-H', 'Accept: text/plain', '-H', 'X-Account;'], ['-X', 'DELETE', '-H', 'Accept:']];
  for (const args of requests) {
    const { code, out, err, made } = await counting(() => user.buy([...args, `${seller.url}/`]));
    assert.equal(code, 0, `${args}: ${err}`);
    assert.equal(out, 'bought\n');
    assert.equal(made, 1);
  }
});

test('--dry-run shows the price and pays nothing', async () => {
  const seller = await sell();
  const user = buyer();
  const { code, out, made } = await counting(() => user.buy(['--dry-run', `${seller.url}/`]));
  assert.equal(code, 0);
  assert.match(out, /^would pay 21 sat\n/);
  assert.match(out, new RegExp(network.seller.node));
  assert.equal(made, 0);
});

const other = (lnd, fields) => lnd.call('/v1/invoices', { body: fields }).then((made) => made.payment_request);
const lies = {
  'a dearer invoice': { invoice: ({ hash }) => other(network.seller,
    { value_msat: '21001', description_hash: hash.toString('base64'), expiry: '300' }) },
  'satoshis for millisatoshis': { invoice: ({ hash }) => other(network.seller,
    { value: '21000', description_hash: hash.toString('base64'), expiry: '300' }) },
  'an invoice without an amount': { invoice: ({ hash }) => other(network.seller,
    { description_hash: hash.toString('base64'), expiry: '300' }) },
  "another node's invoice": { invoice: ({ hash, msat }) => other(network.payer,
    { value_msat: String(msat), description_hash: hash.toString('base64'), expiry: '300' }) },
  'an invoice for another request': { invoice: ({ msat }) => other(network.seller,
    { value_msat: String(msat), description_hash: randomBytes(32).toString('base64'), expiry: '300' }) },
  'a description in words': { invoice: ({ msat }) => other(network.seller,
    { value_msat: String(msat), memo: 'a report', expiry: '300' }) },
  'another expiry': { invoice: ({ hash, msat }) => other(network.seller,
    { value_msat: String(msat), description_hash: hash.toString('base64'), expiry: '301' }) },
  'no invoice at all': { lie: (_, entry) => { entry.extra.invoice = 'lnbcrt1'; } },
  'the invoice of mainnet': { lie: (_, entry) => { entry.extra.invoice = 'lnbc250n1pj48ugqpp54y3u9s8ylemsv8l3ewyzzu0klhujvuvmkl6llchq23vy8rzjsf0qsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygshp5p4nz8am4uqj4q8a87z3sk4x6yk4dv2mvel34epw68qqkwy0xcqvqxqzfvcqpjr4rx6ls6j5rpwknuea64evlk7yfx56wmqcer5eerekdsn9tlv6v4ex9mlz5dtm9qapl3svwlqcf7837dmjkru9z9w4h2rvm0md52w2sqxrwu5f'; } },
  'the hash of another request': { lie: (_, entry) => { entry.extra.requestHash = 'ab'.repeat(32); } },
  "another resource's URL": { lie: (offer) => { offer.resource.url += 'x'; } },
  'no URL of the resource': { lie: (offer) => { delete offer.resource; } },
  'another payee': { lie: (_, entry) => { entry.payTo = network.payer.node; } },
  'a header bound later': { lie: (_, entry) => { entry.extra.requestBindingParams.headers = ['cookie']; } },
  'the header Host bound': { lie: (_, entry) => { entry.extra.requestBindingParams.headers = ['host']; } },
  'the profile of MCP': { lie: (_, entry) => {
    entry.extra.requestBindingProfile = 'mcp:1';
    entry.extra.requestBindingParams = { server: 'https://a/', metadata: [] };
  } },
  'another flow': { lie: (_, entry) => { entry.extra.paymentFlow = 'escrow'; } },
};

for (const [name, lie] of Object.entries(lies)) {
  test(`refused: ${name}`, async () => {
    const seller = await sell(lie);
    const user = buyer();
    const { code, out, err, made } = await counting(() => user.buy([`${seller.url}/`]));
    assert.equal(code, 101, err);
    assert.match(err, /lnbtc/);
    assert.equal(out, '');
    assert.equal(made, 0);
    assert.deepEqual(user.records(), []);
  });
}

test('an invoice that runs out is not paid', async () => {
  const seller = await sell({
    invoice: ({ hash, msat }) => other(network.seller,
      { value_msat: String(msat), description_hash: hash.toString('base64'), expiry: '2' }),
    lie: (_, entry) => { entry.maxTimeoutSeconds = 2; },
  });
  const { code, err, made } = await counting(() => buyer().buy([`${seller.url}/`]));
  assert.equal(code, 101);
  assert.match(err, /invoice_expired/);
  assert.equal(made, 0);
});

test('prices, payees and budgets are kept to', async () => {
  const seller = await sell();
  const url = `${seller.url}/`;
  for (const [args, code, words] of [
    [['--max-sats', '20.999 sat'], 101, /the price is 21 sat, above --max-sats 20.999 sat/],
    [['--pay-to', network.payer.node], 101, /--pay-to/],
    [['--pay-to', '0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB'], 2, /another rail/],
    [['--sat-budget', '30 sat/day'], 103, /would pass the budget, 30 sat\/day/],
    [['--max-sats', '21'], 2, /no value/],
    [['--rail', 'gold'], 2, /no value/],
  ]) {
    const result = await counting(() => buyer().buy([...args, url]));
    assert.equal(result.code, code, result.err);
    assert.match(result.err, words);
    assert.equal(result.made, 0);
  }
});

test('the budget in satoshis counts what was paid and its fees', async () => {
  const seller = await sell();
  const user = buyer('sat-budget = 70 sat/day');
  const codes = [];
  for (const path of ['1', '2', '3'])
    codes.push((await user.buy([`${seller.url}/${path}`])).code);
  assert.deepEqual(codes, [0, 0, 103]); // 21 + 10 each
});

test('the node is reached by its own certificate and a private macaroon only', async () => {
  const seller = await sell();
  const { payer } = network;
  const user = buyer();
  const open = join(user.home, 'open.macaroon');
  copyFileSync(payer.macaroonFile, open);
  chmodSync(open, 0o644);
  for (const [change, words] of [
    [`lnd.cert = ${network.seller.certFile}`, /not made: .*(certificate|SSL)/i],
    [`lnd.macaroon = ${open}`, /open.macaroon/],
    [`lnd.url = https://127.0.0.1:1`, /not made: /],
    [`lnd.url = http://127.0.0.1:${payer.ports.rest}`, /https/],
  ]) {
    const result = await counting(() => buyer(change).buy([`${seller.url}/`]));
    assert.equal(result.code, 107, result.err);
    assert.match(result.err, words);
    assert.equal(result.made, 0);
  }
  const told = await user.run(['wallet', 'lightning']);
  assert.equal(told.code, 0, told.err);
  assert.match(told.out, new RegExp(`^${payer.node} payer, synced, regtest\n`));
});

test('-v does not show the preimage or the macaroon', async () => {
  const seller = await sell();
  const { err, code } = await buyer().buy(['-v', `${seller.url}/`]);
  assert.equal(code, 0);
  assert.ok(!err.includes(readFileSync(network.payer.macaroonFile).toString('hex')));
  assert.doesNotMatch(err, /payment-signature: ey/i);
});

test('after an error of the server the same proof buys the answer', async () => {
  const seller = await sell({ answer: (n) => (n === 1 ? 500 : 200) });
  const user = buyer();
  const first = await counting(() => user.buy(['-f', `${seller.url}/`]));
  assert.equal(first.code, 22);
  assert.match(first.err, /stays usable for this request until/);
  assert.equal(first.made, 1);
  const second = await counting(() => user.buy([`${seller.url}/`]));
  assert.equal(second.code, 0, second.err);
  assert.equal(second.out, 'bought\n');
  assert.equal(second.made, 0);
  assert.equal(seller.seen[0], seller.seen[1]);
  assert.equal(user.records().length, 1);
});

test('the same request again is another purchase', async () => {
  const seller = await sell();
  const user = buyer();
  const { made } = await counting(async () => {
    assert.equal((await user.buy([`${seller.url}/`])).code, 0);
    return user.buy([`${seller.url}/`]);
  });
  assert.equal(made, 2);
});

/* A seller whose first invoice is a hold invoice: its payment stays on its way
 * until the test lets it end. */
function held() {
  const preimage = randomBytes(32);
  const hash = sha256(preimage);
  let first = true;
  return {
    hash: hash.toString('hex'),
    async invoice(fields) {
      if (!first)
        return Seller.prototype.invoice.call(this, fields);
      first = false;
      const made = await network.seller.call('/v2/invoices/hodl', {
        body: { hash: hash.toString('base64'), value_msat: String(fields.msat), expiry: '300',
          description_hash: fields.hash.toString('base64') } });
      return made.payment_request;
    },
    arrives: () => eventually('the payment arrives', async () =>
      assert.equal((await network.seller.invoice(hash.toString('hex'))).state, 'ACCEPTED'), 20_000),
    settle: () => network.seller.call('/v2/invoices/settle', { body: { preimage: preimage.toString('base64') } }),
    cancel: () => network.seller.call('/v2/invoices/cancel', { body: { payment_hash: hash.toString('base64') } }),
  };
}

test('a client that is killed while it pays goes on with the payment', async () => {
  const hold = held();
  const seller = await sell({ invoice: hold.invoice });
  const user = buyer();
  const { made } = await counting(async () => {
    const child = user.start(['get', '--rail', 'lightning', `${seller.url}/`]);
    await hold.arrives();
    child.kill('SIGKILL');
    await child.end;
    const again = user.start(['get', '--rail', 'lightning', `${seller.url}/`]);
    setTimeout(hold.settle, 1000);
    const end = await again.end;
    assert.equal(end.code, 0, end.err);
    assert.equal(end.out, 'bought\n');
    assert.match(end.err, /going on with the payment of 21 sat/);
    return end;
  });
  assert.equal(made, 1);
  assert.deepEqual(seller.seen, [hold.hash]);
  assert.equal(user.records().length, 1);
});

test('--new-payment makes none while the old one is on its way; a failed one frees the way', async () => {
  const hold = held();
  const seller = await sell({ invoice: hold.invoice });
  const user = buyer();
  const child = user.start(['get', '--rail', 'lightning', `${seller.url}/`]);
  await hold.arrives();
  child.kill('SIGKILL');
  await child.end;
  setTimeout(hold.cancel, 1000);
  const { code, err, out, made } = await counting(() => user.buy(['--new-payment', `${seller.url}/`]));
  assert.equal(code, 0, err);
  assert.match(err, /the Lightning payment was not made/);
  assert.equal(out, 'bought\n');
  assert.equal(made, 0); // one in the place of the one that failed
  assert.notEqual(seller.seen[0], hold.hash);
  assert.deepEqual(user.records().map((text) => /"state":"(done|void)"/.exec(text)?.[1]).sort(), ['done', 'void']);
});

test('a client that is killed before the node was asked pays the same invoice', async () => {
  const seller = await sell();
  const user = buyer('lnd.url = https://127.0.0.1:1\n');
  // an entry without a word from the node: as if the run had ended right there
  assert.equal((await user.buy([`${seller.url}/`])).code, 107);
  const [name] = readdirSync(user.lightning);
  const [line] = readFileSync(join(user.lightning, name), 'utf8').split('\n');
  writeFileSync(join(user.lightning, name), `${line}\n`);
  const config = join(user.home, '.config', 'x402', 'config');
  writeFileSync(config, readFileSync(config, 'utf8').replace('lnd.url = https://127.0.0.1:1\n', ''));
  const { code, err, made } = await counting(() => user.buy([`${seller.url}/`]));
  assert.equal(code, 0, err);
  assert.equal(made, 1);
  assert.deepEqual(seller.seen, [JSON.parse(line).paymentHash]);
  assert.equal(user.records().length, 1);
});

test('nothing is paid when the journal cannot be written', async () => {
  const seller = await sell();
  const user = buyer();
  await user.buy(['--dry-run', `${seller.url}/`]);
  const { code, made } = await counting(() => user.buy([`${seller.url}/`], { env: { XDG_STATE_HOME: '/proc/nowhere' } }));
  assert.equal(code, 108);
  assert.equal(made, 0);
});
