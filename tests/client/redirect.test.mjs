// SPDX-License-Identifier: Apache-2.0
// -L: another origin is a stranger.  It gets no payment, no credentials, and
// its own decision; TLS is never taken off.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { certificate } from './certificates.mjs';
import { base64, deliver, entry, newUser, offers, send402, serve, shop } from './harness.mjs';

const MOVED = [301, 302, 303, 307, 308];
const SECRETS = ['-H', 'Authorization: Bearer sesame', '-H', 'Cookie: a=b', '-H', 'X-Api-Key: k', '-H', 'Accept: text/plain'];

const moved = (status, location) => (request, response) => { response.writeHead(status, { location }); response.end('moved'); };

test('without -L a redirect is the answer', async () => {
  const user = newUser();
  const server = await serve(moved(302, '/there'));
  const end = await user.get(['-i', server.url]);
  assert.equal(end.code, 0);
  assert.match(end.out, /^HTTP\/1\.1 302[^]*moved$/);
  assert.equal(server.requests.length, 1);
});

for (const status of MOVED) {
  test(`${status} within the origin, before a payment: the new place is paid`, async () => {
    const user = newUser();
    const server = await serve((request, response, seen) => {
      if (seen.url === '/old')
        return moved(status, '/new?x=1')(request, response);
      return seen.header ? deliver(response, seen) : send402(response, offers.v2([entry()], server.url));
    });
    const end = await user.report(['-L', ...SECRETS, `${server.url}/old`]);
    assert.equal(end.exit, 0, end.err);
    assert.equal(end.url, `${server.url}/new?x=1`);
    assert.deepEqual(server.requests.map(({ url }) => url), ['/old', '/new?x=1', '/new?x=1']);
    assert.equal(server.requests[2].headers.authorization, 'Bearer sesame');
    assert.equal(server.nonces().size, 1);
  });

  test(`${status} to another origin, before a payment: no credentials go along, and its 402 is decided anew`, async () => {
    const user = newUser();
    const there = await shop();
    const dear = await shop({ accepts: [entry({ amount: '100001' })] });
    const foreign = await shop({ resource: 'http://127.0.0.1:1/' });
    for (const [target, code] of [[there, 0], [dear, 101], [foreign, 101]]) {
      const here = await serve(moved(status, `${target.url}/x`));
      const end = await user.report(['-L', ...SECRETS, here.url]);
      assert.equal(end.exit, code, end.err);
      assert.equal(here.requests[0].headers.authorization, 'Bearer sesame');
      for (const { headers } of target.requests) {
        assert.equal(headers.authorization, undefined);
        assert.equal(headers.cookie, undefined);
        assert.equal(headers['x-api-key'], undefined);
        assert.equal(headers.accept, 'text/plain');
      }
      assert.equal(target.nonces().size, code === 0 ? 1 : 0);
      assert.equal(here.paid().length, 0);
    }
  });

  test(`${status} to another origin, after the payment: it does not go along, and nothing more is signed`, async () => {
    const user = newUser();
    for (const thief of [await shop(), await serve((request, response) => response.end('loot'))]) {
      const here = await shop({ afterwards: (response) => moved(status, `${thief.url}/x`)(null, response) });
      const end = await user.report(['-L', ...SECRETS, here.url]);
      assert.equal(here.nonces().size, 1);
      assert.equal(thief.paid().length, 0, 'no payment at the stranger');
      assert.equal(thief.requests.length, 1);
      assert.equal(thief.requests[0].headers.authorization, undefined);
      assert.equal(end.exit, end.body === 'loot' ? 0 : 105, end.err);
      assert.equal((await user.payments()).filter(({ nonce }) => !here.nonces().has(nonce)).length, end.body === 'loot' ? 1 : 0);
    }
  });

  test(`${status} within the origin, after the payment: the same bytes, as long as it is the same request`, async () => {
    const user = newUser();
    const server = await serve((request, response, seen) => {
      if (!seen.header)
        return send402(response, offers.v2([entry()], server.url));
      return seen.url === '/a' ? moved(status, '/b')(request, response) : deliver(response, seen);
    });
    const get = await user.report(['-L', `${server.url}/a`]);
    assert.equal(get.exit, 0, get.err);
    assert.equal(server.texts().size, 1);
    assert.equal(server.paid().length, 2);

    const post = await user.report(['-L', '-d', 'x', `${server.url}/a`]);
    const kept = status === 307 || status === 308;
    assert.equal(post.exit, kept ? 0 : 105, post.err);
    assert.equal(server.nonces().size, 2);
    const last = server.requests.at(-1);
    assert.equal(last.method, kept ? 'POST' : 'GET');
    assert.equal(last.body.toString(), kept ? 'x' : '');
    assert.equal(last.header !== undefined, kept);
  });
}

for (const location of [
  'http://good@127.0.0.1:15400/', 'http://user:word@localhost/', 'ftp://127.0.0.1/', 'file:///etc/passwd',
  'gopher://127.0.0.1/', 'http://', `/${'a'.repeat(3000)}`, 'http://[::1%25lo]/',
]) {
  test(`a redirect that is refused: ${location.slice(0, 40)}`, async () => {
    const user = newUser();
    const server = await serve(moved(302, location));
    const end = await user.get(['-L', server.url]);
    assert.equal(end.code, 101, end.err);
    assert.equal(server.requests.length, 1);

    const paid = await shop({ afterwards: (response) => moved(302, location)(null, response) });
    const after = await user.get(['-L', paid.url]);
    assert.equal(after.code, 105, after.err);
    assert.equal(paid.nonces().size, 1);
  });
}

test('a redirect for ever ends after ten', async () => {
  const user = newUser();
  const server = await serve((request, response, seen) => moved(302, `/${seen.index}`)(request, response));
  assert.equal((await user.get(['-L', server.url])).code, 47);
  assert.equal(server.requests.length, 11);
});

test('127.0.0.1 and localhost are two origins', async () => {
  const user = newUser();
  const there = await shop();
  const here = await shop({
    afterwards: (response) => moved(307, there.url.replace('127.0.0.1', 'localhost'))(null, response),
  });
  const end = await user.get(['-L', here.url]);
  assert.equal(end.code, 105);
  assert.equal(there.paid().length, 0);
  assert.equal(there.requests.length, 1);
});

test('https to http is refused, before and after a payment', async () => {
  const user = newUser();
  const tls = certificate('localhost');
  const plain = await shop();
  const free = await serve(moved(302, plain.url), { host: 'localhost', tls });
  const first = await user.get(['-L', '--cacert', tls.file, free.url]);
  assert.equal(first.code, 101, first.err);
  assert.match(first.err, /from https to http/);

  const paid = await shop({
    options: { host: 'localhost', tls },
    afterwards: (response) => moved(307, plain.url)(null, response),
  });
  const second = await user.get(['-L', '--cacert', tls.file, paid.url]);
  assert.equal(second.code, 105, second.err);
  assert.equal(paid.nonces().size, 1);
  assert.equal(plain.requests.length, 0);
});

test('http to https is fine', async () => {
  const user = newUser();
  const tls = certificate('localhost');
  const there = await shop({ options: { host: 'localhost', tls } });
  const here = await serve(moved(301, there.url));
  const end = await user.get(['-L', '--cacert', tls.file, here.url]);
  assert.equal(end.code, 0, end.err);
  assert.equal(there.nonces().size, 1);
});

test('a 402 with a Location is a 402', async () => {
  const user = newUser();
  const thief = await shop();
  const server = await serve((request, response, seen) => {
    if (seen.header)
      return deliver(response, seen);
    response.writeHead(402, { location: thief.url, 'payment-required': base64({ x402Version: 2, accepts: [entry()] }) });
    return response.end();
  });
  assert.equal((await user.get(['-L', '-o', join(user.home, 'o'), server.url])).code, 0);
  assert.equal(thief.requests.length, 0);
});
