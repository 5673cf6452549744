// SPDX-License-Identifier: Apache-2.0
// A payment goes to a server that has proven who it is, or to this machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificate } from './certificates.mjs';
import { entry, newUser, offers, send402, serve, shop } from './harness.mjs';

for (const [what, name, options, code] of [
  ['good', 'localhost', {}, 0],
  ['for another host', 'api.example.com', {}, 60],
  ['expired', 'localhost', { days: -1 }, 60],
  ['signed by itself', 'localhost', { self: true }, 60],
  ['signed with SHA-1', 'localhost', { digest: 'sha1' }, 60],
]) {
  test(`a certificate that is ${what}: ${code}`, async () => {
    const user = newUser();
    const tls = certificate(name, options);
    const server = await shop({ options: { host: 'localhost', tls } });
    const end = await user.get(['--cacert', tls.file, server.url]);
    assert.equal(end.code, code, end.err);
    assert.equal(server.nonces().size, code === 0 ? 1 : 0);
    assert.equal(server.requests.length, code === 0 ? 2 : 0);
  });
}

test('the system does not know our authority: refused; -k lets this machine pass', async () => {
  const user = newUser();
  const server = await shop({ options: { host: 'localhost', tls: certificate('localhost') } });
  assert.equal((await user.get([server.url])).code, 60);
  assert.equal((await user.get(['-k', server.url])).code, 0);
  assert.equal(server.nonces().size, 1);
});

test('-k ends at a redirect to another machine', async () => {
  const user = newUser();
  // the proxy plays the other machine: it would show any certificate
  const here = await serve((request, response) => { response.writeHead(302, { location: 'https://api.example.com/' }); response.end(); });
  const proxy = await serve((request, response) => response.end());
  const end = await user.get(['-k', '-L', here.url], { env: { https_proxy: proxy.url, no_proxy: '127.0.0.1' } });
  assert.notEqual(end.code, 0);
  assert.equal(proxy.paid().length, 0);
});

test('plain http to another machine is never paid', async () => {
  const user = newUser();
  // a proxy answers in the other machine's name, as anyone on the way could
  const proxy = await serve((request, response, seen) => send402(response, offers.v2([entry()], seen.url)));
  const end = await user.get(['http://api.example.com/thing'], { env: { http_proxy: proxy.url } });
  assert.equal(end.code, 101, end.err);
  assert.match(end.err, /https only/);
  assert.equal(proxy.requests.length, 1);
  assert.equal(proxy.paid().length, 0);
  assert.deepEqual(user.files(), []);
});

test('what costs nothing is fetched over plain http all the same', async () => {
  const user = newUser();
  const proxy = await serve((request, response) => response.end('free'));
  const end = await user.get(['http://api.example.com/thing'], { env: { http_proxy: proxy.url } });
  assert.deepEqual([end.code, end.out], [0, 'free']);
});

test('names of this machine: 127.0.0.1, localhost, and the spellings of 127.0.0.1', async () => {
  for (const host of ['127.0.0.1', 'localhost', 'LOCALHOST', '127.1', '0x7f000001', '2130706433']) {
    const user = newUser();
    const server = await serve((request, response, seen) =>
      seen.header ? response.end('ok') : send402(response, offers.v1([entry()], `http://127.0.0.1:${server.port}/`)));
    const end = await user.get(['--resource-origin', `http://127.0.0.1:${server.port}`, `http://${host}:${server.port}/`]);
    assert.equal(end.code, 0, `${host}: ${end.err}`);
  }
});

test('--no-private reaches nothing inside', async () => {
  const user = newUser();
  const server = await shop();
  for (const url of [server.url, server.url.replace('127.0.0.1', 'localhost'), `http://2130706433:${server.port}/`,
    'http://10.0.0.1/', 'http://169.254.169.254/latest/meta-data/', 'http://[::1]/', 'http://[::ffff:127.0.0.1]/',
    'http://[fe80::1]/', 'http://[64:ff9b::7f00:1]/', 'http://100.64.0.1/', 'http://0.0.0.0/']) {
    const end = await user.get(['--no-private', '--max-time', '5', url]);
    assert.equal(end.code, 101, `${url}: ${end.err}`);
  }
  assert.equal(server.requests.length, 0);
});
