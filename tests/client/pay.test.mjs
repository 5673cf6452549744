// SPDX-License-Identifier: Apache-2.0
// What the client is for: a URL that costs money, in each of the four wires.
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  KEY, PAYEE, PAYER, USDC, USDC_BASE, deliver, entry, newUser, now, offers, send402, serve, shop, signerOf,
} from './harness.mjs';

const HEADER = { v2: 'PAYMENT-SIGNATURE', v1: 'X-PAYMENT', seed000: 'X-PAYMENT', seed001: 'X-Payment' };

for (const wire of ['v2', 'v1', 'seed000', 'seed001']) {
  test(`pays a server that speaks ${wire}`, async () => {
    const user = newUser();
    const server = await shop({ wire });
    const end = await user.report([`${server.url}/thing?q=1`]);

    assert.equal(end.code, 0, end.err);
    assert.equal(end.body, '{"answer":42}');
    assert.equal(end.outcome, 'paid');
    assert.equal(end.status, 200);
    assert.equal(end.payment.wire, wire);
    assert.equal(end.payment.price, '0.001');
    assert.equal(end.payment.payTo, PAYEE);
    assert.equal(end.payment.payer, PAYER);
    assert.equal(end.payment.state, 'done');
    assert.equal(end.serverReceipt.success, true);

    assert.equal(server.requests.length, 2);
    const [, { header, payment, raw, url }] = server.requests;
    assert.equal(url, '/thing?q=1');
    assert.ok(raw.includes(HEADER[wire]), raw.join());
    assert.equal(header.count, 1);
    const { authorization } = payment.payload;
    assert.equal(authorization.from, PAYER);
    assert.equal(authorization.to, PAYEE);
    assert.equal(authorization.value, '1000');
    assert.ok(Number(authorization.validBefore) <= now() + 60);
    assert.ok(Number(authorization.validBefore) >= now() + 50);
    assert.ok(Number(authorization.validAfter) < now());
    assert.equal(await signerOf(payment), PAYER);
  });
}

test('version 2 echoes what was chosen, exactly', async () => {
  const user = newUser();
  const odd = entry({ extra: { name: 'USDC', version: '2', more: { deep: [1, 'é'] } } });
  const extensions = { bazaar: { info: { input: { type: 'http' } }, schema: {} } };
  const server = await shop({ accepts: [odd], more: { extensions } });
  assert.equal((await user.get([`${server.url}/a`])).code, 0);
  const [{ payment }] = server.paid();
  assert.deepEqual(payment.accepted, odd);
  assert.deepEqual(payment.extensions, extensions);
  assert.deepEqual(payment.resource, { url: `${server.url}/a` });
  assert.equal(payment.x402Version, 2);
});

test('seed 000 is the version 1 shape with version 2 and no `accepted`', async () => {
  const user = newUser();
  const server = await shop({ wire: 'seed000' });
  assert.equal((await user.get([server.url])).code, 0);
  const [{ payment }] = server.paid();
  assert.deepEqual(Object.keys(payment).sort(), ['network', 'payload', 'scheme', 'x402Version']);
  assert.equal(payment.x402Version, 2);
  assert.equal(payment.network, 'eip155:84532');
});

test('seed 001 names the resource, and the object is canonical', async () => {
  const user = newUser();
  const server = await shop({ wire: 'seed001' });
  assert.equal((await user.get([`${server.url}/premium-data`])).code, 0);
  const [{ payment, header }] = server.paid();
  assert.equal(payment.resource, `${server.url}/premium-data`);
  assert.equal(payment.chain, 'base-sepolia');
  assert.ok(header.text.startsWith('eyJjaGFpbiI6ImJhc2Ut'));
});

test('Base mainnet is signed as "USD Coin", whatever the server calls it', async () => {
  const user = newUser();
  const server = await shop({
    accepts: [entry({ network: 'eip155:8453', asset: USDC_BASE, extra: { name: 'USDC', version: '2' } })],
  });
  assert.equal((await user.get([server.url])).code, 0);
  assert.equal(await signerOf(server.paid()[0].payment, 8453), PAYER);
});

test('what costs nothing is fetched, and nothing is written down', async () => {
  const user = newUser();
  const bytes = Buffer.from([0, 1, 2, 255, 27, 91, 10, 13]);
  const server = await serve((request, response) => response.end(bytes));
  const end = await user.get([server.url]);
  assert.equal(end.code, 0);
  assert.deepEqual(end.bytes, bytes);
  assert.equal(end.err, '');
  assert.deepEqual(user.files(), []);
});

test('the body reaches standard output untouched', async () => {
  const user = newUser();
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) & 255));
  const server = await shop({ afterwards: (response, seen) => deliver(response, seen, bytes) });
  const end = await user.get([server.url]);
  assert.equal(end.code, 0, end.err);
  assert.deepEqual(end.bytes, bytes);
});

test('-X -d -H -o -i as in curl', async () => {
  const user = newUser();
  const server = await shop();
  writeFileSync(join(user.home, 'in'), 'one\ntwo\r\n');
  const out = join(user.home, 'out');
  const end = await user.get(['-d', '@in', '-d', 'x=1', '-H', 'X-Mine: yes', '-i', '-o', out, `${server.url}/v1`]);
  assert.equal(end.code, 0, end.err);
  assert.equal(end.out, '');
  for (const { method, body, headers } of server.requests) {
    assert.equal(method, 'POST');
    assert.equal(body.toString(), 'onetwo&x=1');
    assert.equal(headers['x-mine'], 'yes');
    assert.equal(headers['content-type'], 'application/x-www-form-urlencoded');
  }
  const text = readFileSync(out, 'utf8');
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(text, /\r\n\r\n\{"answer":42\}$/);
});

test('--data-binary, standard input, PUT, HEAD', async () => {
  const user = newUser();
  const server = await shop();
  assert.equal((await user.get(['-X', 'PUT', '--data-binary', '@-', server.url], { input: 'a\r\nb\n' })).code, 0);
  assert.equal(server.requests[1].method, 'PUT');
  assert.equal(server.requests[1].body.toString(), 'a\r\nb\n');
  const end = await user.get(['-I', server.url]);
  assert.equal(end.code, 0, end.err);
  assert.equal(server.requests[3].method, 'HEAD');
  assert.match(end.out, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/);
});

test('-f hides the body of an error and exits with 22', async () => {
  const user = newUser();
  const server = await serve((request, response) => { response.writeHead(404); response.end('gone'); });
  const plain = await user.get([server.url]);
  assert.deepEqual([plain.code, plain.out], [0, 'gone']);
  const fail = await user.get(['-f', server.url]);
  assert.deepEqual([fail.code, fail.out], [22, '']);
});

test('--dry-run shows from our own table what would be paid, and pays nothing', async () => {
  const user = newUser();
  const server = await shop({ accepts: [entry({ extra: { name: 'FREE MONEY', version: '2', decimals: 2, symbol: 'EUR' } })] });
  const end = await user.get(['--dry-run', server.url]);
  assert.equal(end.code, 0, end.err);
  assert.match(end.out, /^would pay 0\.001 USDC$/m);
  assert.ok(end.out.includes(PAYEE));
  assert.match(end.out, /Base Sepolia \(eip155:84532\)/);
  assert.ok(end.out.includes(USDC));
  assert.doesNotMatch(end.out, /FREE|EUR/);
  assert.equal(server.requests.length, 1);
  assert.deepEqual(user.files(), []);
  const json = await user.report(['--dry-run', server.url]);
  assert.equal(json.outcome, 'would-pay');
  assert.deepEqual(json.offer, {
    wire: 'v2', network: 'eip155:84532', amount: '1000', price: '0.001', symbol: 'USDC', asset: USDC, payTo: PAYEE,
  });
});

test('--wire and --network choose among what is offered', async () => {
  const user = newUser();
  const server = await serve(async (request, response, seen) => {
    if (seen.header)
      return deliver(response, seen);
    const url = `http://${request.headers.host}${seen.url}`;
    const mainnet = entry({ network: 'eip155:8453', asset: USDC_BASE, amount: '900' });
    const all = [entry(), mainnet];
    const v2 = offers.v2(all, url);
    const v1 = offers.seed000(all, url);
    send402(response, { headers: { ...v2.headers, ...v1.headers, ...offers.seed001(all).headers }, body: v1.body });
  });
  const wires = [];
  for (const wire of ['v2', 'seed000', 'seed001'])
    wires.push((await user.report(['--wire', wire, '--network', 'base-sepolia', server.url])).payment.wire);
  assert.deepEqual(wires, ['v2', 'seed000', 'seed001']);
  const networks = [];
  for (const network of ['base', 'eip155:84532', 'base,base-sepolia'])
    networks.push((await user.report(['--network', network, server.url])).payment.network);
  assert.deepEqual(networks, ['eip155:8453', 'eip155:84532', 'eip155:8453']);
  assert.equal((await user.report(['--wire', 'v1', server.url])).exit, 102);
});

test('--json with -o: the report on standard output, the body in the file', async () => {
  const user = newUser();
  const server = await shop();
  const out = join(user.home, 'out');
  const end = await user.report(['-o', out, server.url]);
  assert.equal(end.code, 0);
  assert.equal(end.body, undefined);
  assert.equal(readFileSync(out, 'utf8'), '{"answer":42}');
});

test('--json carries bytes as base64, and says when the answer was too large for it', async () => {
  const user = newUser();
  let body = Buffer.from([255, 254, 0]);
  const server = await shop({ afterwards: (response, seen) => deliver(response, seen, body) });
  const small = await user.report([server.url]);
  assert.equal(small.bodyBase64, body.toString('base64'));
  body = Buffer.alloc(2 * 1024 * 1024, 'x');
  const large = await user.report([server.url]);
  assert.equal(large.exit, 23);
  assert.equal(large.outcome, 'paid');
  assert.equal(large.bodyCut, true);
});

test('-v shows the conversation and the receipt, and no secret', async () => {
  const user = newUser();
  const server = await shop();
  const end = await user.get(['-v', '-H', 'Authorization: Bearer sesame', server.url]);
  assert.equal(end.code, 0);
  assert.match(end.err, /^> GET \/ HTTP\/1\.1$/m);
  assert.match(end.err, /^< HTTP\/1\.1 402 Payment Required$/m);
  assert.match(end.err, /the server's receipt says: success/);
  assert.doesNotMatch(end.err, /sesame/);
  assert.equal(server.requests[0].headers.authorization, 'Bearer sesame');
  assert.ok(!end.err.includes(server.paid()[0].header.text.slice(0, 64)));
  assert.ok(!end.err.includes(KEY.slice(2)));
});

test('the journal is private, and holds what was sent', async () => {
  const user = newUser();
  const server = await shop();
  await user.get([`${server.url}/a`, '-d', 'x']);
  const [payment] = await user.payments();
  assert.equal(payment.state, 'done');
  assert.equal(payment.header, server.paid()[0].header.text);
  assert.equal(payment.url, `${server.url}/a`);
  assert.equal(payment.method, 'POST');
  assert.equal(statSync(payment.file).mode & 0o777, 0o600);
  assert.equal(statSync(user.journal).mode & 0o777, 0o700);
  const list = await user.run(['payments']);
  assert.match(list.out, /done {6}0\.001 USDC {2}Base Sepolia/);
});

test('usage: what is wrong is said, with the exit code of curl', async () => {
  const user = newUser();
  for (const [args, code] of [
    [['get'], 2],
    [['get', '--no-such-option', 'http://127.0.0.1/'], 2],
    [['get', 'ftp://127.0.0.1/'], 3],
    [['get', 'http://good.example@127.0.0.1/'], 3],
    [['get', '-k', 'https://example.com/'], 2],
    [['get', '-H', 'X-Payment: mine', 'http://127.0.0.1/'], 2],
    [['get', '-H', 'PAYMENT-SIGNATURE: mine', 'http://127.0.0.1/'], 2],
    [['get', '-H', 'X: a\r\nY: b', 'http://127.0.0.1/'], 2],
    [['get', '--max-amount', '1e3', 'http://127.0.0.1/'], 2],
    [['get', '--pay-to', '0x5cbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB', 'http://127.0.0.1/'], 2],
    [['get', '-d', '@/no/such/file', 'http://127.0.0.1/'], 26],
    [['get', 'http://127.0.0.1:15399/'], 7],
    [['nonsense'], 2],
  ]) {
    const end = await user.run(args);
    assert.equal(end.code, code, `${args.join(' ')}: ${end.err}`);
    assert.match(end.err, /x402/);
  }
  for (const args of [['--help'], ['get', '--help'], ['wallet', '--help'], ['wallet', 'new', '--help'], ['payments', '--help'], ['budget', '--help'], ['--version']]) {
    const end = await user.run(args);
    assert.equal(end.code, 0, args.join(' '));
    assert.match(end.out, /x402/);
  }
});

test('a configuration that does not read is refused with its line', async () => {
  const user = newUser({ config: '# mine\nmax-amount = 0.10\nbudgets = 1/day\n' });
  const end = await user.get(['http://127.0.0.1:15399/']);
  assert.equal(end.code, 2);
  assert.match(end.err, /config:3: unknown key or wrong value/);
});
