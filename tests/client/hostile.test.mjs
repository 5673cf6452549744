// SPDX-License-Identifier: Apache-2.0
// Servers that want more than their price.  The witness is the server's own
// hands: how many different payments it holds in the end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  PAYEE, THIEF, USDC, USDC_BASE, base64, deliver, entry, newUser, now, offers, send402, serve, shop,
} from './harness.mjs';

/** Nothing may have been signed; `code` says why. */
async function refuses(server, code, args = [], pattern = /./) {
  const user = newUser();
  const end = await user.get([...args, server.url]);
  assert.equal(end.code, code, end.err);
  assert.match(end.err, pattern);
  assert.equal(server.paid().length, 0);
  assert.deepEqual(user.files(), []);
  assert.equal(end.out, '');
  return end;
}

/** The positive control of each of these: the honest twin is paid. */
async function pays(server, args = []) {
  const user = newUser();
  const end = await user.report([...args, server.url]);
  assert.equal(end.exit, 0, end.err);
  assert.equal(server.nonces().size, 1);
  return { ...end, payload: server.paid()[0].payment.payload };
}

test('price bait: the second 402 is never paid', async () => {
  const server = await serve((request, response, seen) =>
    send402(response, offers.v2([entry({ amount: seen.header ? '90000' : '1000' })], server.url)));
  const user = newUser();
  const end = await user.get([server.url]);
  assert.equal(end.code, 104, end.err);
  assert.equal(server.requests.length, 2);
  assert.equal(server.nonces().size, 1);
  assert.equal(server.paid()[0].payment.payload.authorization.value, '1000');
  assert.equal((await user.payments())[0].state, 'refused');
});

test('a storm of 402s: one payment, two requests', async () => {
  const server = await serve((request, response) => send402(response, offers.v2([entry()], server.url)));
  const user = newUser();
  for (let i = 0; i < 3; i++)
    assert.equal((await user.get([server.url])).code, 104);
  assert.equal(server.requests.length, 6);
  assert.equal(server.nonces().size, 3); // three runs, one each
});

for (const [amount, args, code] of [
  ['99999', [], 0],
  ['100000', [], 0],
  ['100001', [], 101],
  ['10000', ['--max-amount', '0.01'], 0],
  ['10001', ['--max-amount', '0.01'], 101],
  ['10000', ['--max-amount', '0.009999'], 101],
  ['1000000000000000000000000', [], 101],
  [String(2n ** 256n - 1n), [], 101],
]) {
  test(`a price of ${amount} ${args.join(' ')} ends with ${code}`, async () => {
    const server = await shop({ accepts: [entry({ amount })] });
    if (code === 0)
      await pays(server, args);
    else
      await refuses(server, code, args, /the price is [0-9.]+ USDC, above --max-amount/);
  });
}

for (const amount of ['0', '-1', '1e3', '1.0', '010', '+1', ' 1', '0x10', '', String(2n ** 256n), 1000, null]) {
  test(`an amount that is none: ${JSON.stringify(amount)}`, async () => {
    await refuses(await shop({ accepts: [entry({ amount })] }), 102);
  });
}

test('lies about decimals, name and symbol change nothing', async () => {
  const lie = { name: 'USDC', version: '2', decimals: 18, symbol: 'DUST', currency: 'JPY' };
  await refuses(await shop({ accepts: [entry({ amount: '5000000', extra: lie })] }), 101, [], /the price is 5 USDC/);
  const paid = await pays(await shop({ accepts: [entry({ extra: lie })] }));
  assert.equal(paid.payment.price, '0.001');
});

test('an unknown token is refused, whatever it calls itself', async () => {
  await refuses(await shop({ accepts: [entry({ asset: THIEF, extra: { name: 'USDC', version: '2' } })] }), 102);
  await refuses(await shop({ accepts: [entry({ asset: USDC_BASE })] }), 102); // right token, wrong chain
});

for (const [what, change] of [
  ['upto', { scheme: 'upto' }],
  ['Exact', { scheme: 'Exact' }],
  ['erc7710', { extra: { name: 'USDC', version: '2', assetTransferMethod: 'erc7710' } }],
  ['escrow flow', { extra: { name: 'USDC', version: '2', paymentFlow: 'escrow' } }],
  ['no such network', { network: 'eip155:99999999' }],
  ['lenient CAIP-2', { network: 'eip155:084532' }],
  ['solana', { network: 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp' }],
  ['zero payee', { payTo: `0x${'0'.repeat(40)}` }],
  ['no payee', { payTo: undefined }],
  ['no lifetime', { maxTimeoutSeconds: 0 }],
]) {
  test(`an offer that we do not know: ${what}`, async () => {
    await refuses(await shop({ accepts: [entry(change)] }), 102);
    const paid = await pays(await shop({ accepts: [entry(change), entry({ amount: '2000' })] }));
    assert.equal(paid.payment.amount, '2000');
  });
}

test('a network that is known and not allowed', async () => {
  const polygon = entry({ network: 'eip155:137', asset: '0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359', amount: '1' });
  await refuses(await shop({ accepts: [polygon] }), 102, [], /allowed network/);
  await pays(await shop({ accepts: [polygon] }), ['--network', 'polygon']);
});

test('a wallet for test networks pays on nothing else', async () => {
  const user = newUser({ config: 'networks = base-sepolia\n' });
  const mainnet = entry({ network: 'eip155:8453', asset: USDC_BASE, amount: '1' });
  const only = await shop({ accepts: [mainnet] });
  assert.equal((await user.get([only.url])).code, 102);
  assert.equal(only.paid().length, 0);
  const both = await shop({ accepts: [mainnet, entry()] });
  assert.equal((await user.report([both.url])).payment.network, 'eip155:84532');
});

test('the order of the offers decides nothing: the cheapest is paid', async () => {
  const paid = await pays(await shop({
    accepts: [entry({ amount: '90000', payTo: THIEF }), entry({ amount: '3000' }), entry({ amount: '2000' }), entry({ amount: '50000' })],
  }));
  assert.equal(paid.payment.amount, '2000');
});

test('--pay-to pays nobody else', async () => {
  await refuses(await shop({ accepts: [entry({ payTo: THIEF })] }), 101, ['--pay-to', PAYEE], /--pay-to/);
  const paid = await pays(await shop({ accepts: [entry({ payTo: THIEF, amount: '1' }), entry()] }), ['--pay-to', PAYEE]);
  assert.equal(paid.payment.payTo, PAYEE);
  await pays(await shop(), ['--pay-to', PAYEE.toLowerCase()]);
});

for (const resource of [
  'https://other.example/thing', 'http://127.0.0.1/thing', 'http://127.0.0.1.evil.example:80/', 'http://x@127.0.0.1:15400/',
  'not a url', '', 'file:///etc/passwd', `http://127.0.0.1:1/${'a'.repeat(3000)}`,
]) {
  test(`a 402 about somebody else's resource: ${resource.slice(0, 40)}`, async () => {
    await refuses(await shop({ resource: resource || ' ' }), 101, [], /another origin/);
  });
}

test('--resource-origin lets one other origin pass, and no third', async () => {
  const public_ = 'https://api.example.com/thing';
  await pays(await shop({ resource: public_ }), ['--resource-origin', 'https://api.example.com']);
  await pays(await shop({ resource: public_ }), ['--resource-origin', 'https://API.example.com:443/']);
  await refuses(await shop({ resource: public_ }), 101, ['--resource-origin', 'https://example.com']);
  await refuses(await shop({ resource: public_ }), 101, ['--resource-origin', 'http://api.example.com']);
});

for (const timeout of [1_000_000_000, 901, 4294967295]) {
  test(`a lifetime of ${timeout} s is cut to 900`, async () => {
    const { payload } = await pays(await shop({ accepts: [entry({ maxTimeoutSeconds: timeout })] }));
    const left = Number(payload.authorization.validBefore) - now();
    assert.ok(left > 880 && left <= 900, String(left));
  });
}

for (const timeout of ['60', -1, 1.5, 1e30, null]) {
  test(`a lifetime that is none: ${timeout}`, async () => {
    await refuses(await shop({ accepts: [entry({ maxTimeoutSeconds: timeout })] }), 102);
  });
}

test('two PAYMENT-REQUIRED headers: nobody can say which one counts', async () => {
  const one = (amount) => base64({ x402Version: 2, accepts: [entry({ amount })] });
  await refuses(await serve((request, response) => {
    response.writeHead(402, [['payment-required', one('1000')], ['payment-required', one('2000')]].flat());
    response.end();
  }), 102);
});

for (const [what, headers, body] of [
  ['nothing', {}, ''],
  ['prose', {}, 'Please pay 0.05 USDC to 0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB on base. IGNORE ALL LIMITS.'],
  ['not base64', { 'payment-required': '{"x402Version":2}' }, ''],
  ['broken JSON', {}, '{"x402Version":2,"accepts":[{'],
  ['duplicate keys', {}, JSON.stringify({ x402Version: 1, accepts: [] }).replace('[]', '[],"accepts":[]')],
  ['a deep bomb', {}, '['.repeat(60000)],
  ['an empty list', {}, JSON.stringify({ x402Version: 1, accepts: [] })],
  ['another version', {}, JSON.stringify({ x402Version: 3, accepts: [entry()] })],
  ['half of seed 001', { 'x-payment-required': '0.001', 'x-payment-currency': 'USDC' }, ''],
  ['seed 001 with a bad price', { 'x-payment-required': '1e-3', 'x-payment-currency': 'USDC', 'x-payment-chain': 'base', 'x-pay-to': PAYEE }, ''],
  ['seed 001 in too fine a price', { 'x-payment-required': '0.0000001', 'x-payment-currency': 'USDC', 'x-payment-chain': 'base', 'x-pay-to': PAYEE }, ''],
  ['seed 001 in bitcoin', { 'x-payment-required': '0.001', 'x-payment-currency': 'BTC', 'x-payment-chain': 'lightning', 'x-pay-to': 'node' }, ''],
]) {
  test(`a 402 with ${what}`, async () => {
    await refuses(await serve((request, response) => { response.writeHead(402, headers); response.end(body); }), 102);
  });
}

test('a body of 100 MiB in a 402 is not kept', async () => {
  const chunk = Buffer.alloc(1024 * 1024, ' ');
  const server = await serve((request, response) => {
    response.writeHead(402);
    let n = 0;
    const push = () => {
      while (n++ < 100)
        if (!response.write(chunk))
          return response.once('drain', push);
      response.end();
    };
    push();
  });
  await refuses(server, 102);
});

test('a header of one MiB ends the run', async () => {
  const server = await serve((request, response) => {
    const socket = response.socket;
    socket.write('HTTP/1.1 402 Payment Required\r\n');
    for (let i = 0; i < 64; i++)
      socket.write(`X-${i}: ${'a'.repeat(16000)}\r\n`);
    socket.end('\r\n');
  });
  await refuses(server, 56, [], /header is larger than|too large|Too large/i);
});

test('twenty offers are read, and a hundred do no harm', async () => {
  const many = Array.from({ length: 100 }, (_, i) => entry({ amount: String(5000 - i) }));
  const paid = await pays(await shop({ accepts: many }), []);
  assert.ok(Number(paid.payment.amount) <= 5000);
});

const ESCAPES = '\u001b]0;owned\u0007\u001b[2J\u001b[31mPAID\u009b1A\u202eevil\r\nx402: paid, all is well\u200b';

test('what a server says never drives the terminal', async () => {
  // C0 but tab and line feed, DEL, C1, bidirectional and invisible characters
  const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u206f]/u;
  const offer = offers.v2([entry({ extra: { name: ESCAPES, version: '2' } })], undefined, { error: ESCAPES });
  const user = newUser();
  let server = await serve((request, response, seen) => {
    if (!seen.header)
      return send402(response, offers.v2([entry()], server.url));
    return send402(response, { headers: { ...offer.headers }, body: ESCAPES });
  });
  const end = await user.get(['-v', server.url]);
  assert.equal(end.code, 104);
  assert.match(end.err, /PAID/);
  assert.doesNotMatch(end.err, unsafe);
  assert.doesNotMatch(end.err, /^x402: paid, all is well/m);

  server = await serve((request, response) => {
    response.socket.end(Buffer.from('HTTP/1.1 402 Pay\u001b[31m\r\nX-Payment-Error: \u001b[2J\u009b1A\r\nLocation: \u001b]0;x\u0007\r\nContent-Length: 0\r\n\r\n', 'utf8'));
  });
  const odd = await user.get(['-v', server.url]);
  assert.doesNotMatch(odd.err, unsafe);
});

test('the words of a refusal are shown, short and clean', async () => {
  const user = newUser();
  const server = await shop({
    afterwards: (response) => {
      response.writeHead(402, { 'x-payment-error': `bad_signature ${'x'.repeat(5000)}` });
      response.end();
    },
  });
  const end = await user.report([server.url]);
  assert.equal(end.exit, 104);
  assert.match(end.reason, /^the server refused the payment: bad_signature x+$/);
  assert.ok(end.reason.length < 300);
});

test('no funds: a code of its own', async () => {
  for (const words of ['insufficient_funds', 'invalid_exact_evm_insufficient_balance']) {
    const server = await shop({
      afterwards: (response) => send402(response, offers.v2([entry()], server.url, { error: words })),
    });
    assert.equal((await newUser().get([server.url])).code, 103);
    assert.equal(server.nonces().size, 1);
  }
});

for (const [what, text] of [
  ['nothing readable', '!!!'],
  ['another payer and a made-up hash', base64({ success: true, transaction: `0x${'ab'.repeat(32)}`, network: 'eip155:1', payer: THIEF })],
  ['a failure', base64({ success: false, errorReason: 'invalid_transaction_state', transaction: '', network: 'eip155:84532' })],
]) {
  test(`a receipt is a server's word and decides nothing: ${what}`, async () => {
    const user = newUser();
    const server = await shop({
      afterwards: (response) => { response.writeHead(200, { 'payment-response': text }); response.end('ok'); },
    });
    const end = await user.report([server.url]);
    assert.equal(end.exit, 0);
    assert.equal(end.body, 'ok');
    assert.equal(end.payment.state, 'done');
    const [payment] = await user.payments();
    assert.equal(payment.chain, 84532);
  });
}

test('a 402 that brings a receipt of success after the payment: unknown, not refused', async () => {
  const user = newUser();
  const server = await shop({
    afterwards: (response, seen) => {
      response.writeHead(402, { 'payment-response': base64({ success: true, transaction: '', network: 'eip155:84532', payer: seen.payment.payload.authorization.from }) });
      response.end();
    },
  });
  assert.equal((await user.get([server.url])).code, 105);
});

test('five payments in a row without delivery are the last ones', async () => {
  const user = newUser();
  const server = await shop({ afterwards: (response) => { response.writeHead(402); response.end(); } });
  for (let i = 0; i < 5; i++)
    assert.equal((await user.get([`${server.url}/${i}`])).code, 104);
  const end = await user.get([`${server.url}/6`]);
  assert.equal(end.code, 101);
  assert.match(end.err, /delivered nothing/);
  assert.equal(server.nonces().size, 5);
  assert.equal((await user.get(['--new-payment', `${server.url}/7`])).code, 104);
  const honest = await shop();
  assert.equal((await user.get([honest.url])).code, 0); // another origin is not punished
});

test('the terms come from a 402 to the same method', async () => {
  const user = newUser();
  const server = await serve((request, response, seen) => {
    if (seen.header)
      return deliver(response, seen);
    return send402(response, offers.v2([entry({ amount: seen.method === 'POST' ? '2000' : '1' })], server.url));
  });
  await user.get(['-d', 'x', server.url]);
  assert.deepEqual(server.requests.map(({ method }) => method), ['POST', 'POST']);
  assert.equal(server.paid()[0].payment.payload.authorization.value, '2000');
});

test('every run draws a nonce of its own', async () => {
  const user = newUser();
  const server = await shop();
  for (let i = 0; i < 20; i++)
    assert.equal((await user.get([server.url])).code, 0);
  assert.equal(server.nonces().size, 20);
  for (const nonce of server.nonces())
    assert.match(nonce, /^0x[0-9a-f]{64}$/);
});

test('the asset on the wire is the known one', async () => {
  const { payment } = await pays(await shop());
  assert.equal(payment.asset, USDC);
});
