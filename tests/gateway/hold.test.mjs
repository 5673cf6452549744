// SPDX-License-Identifier: Apache-2.0
// No byte of a response leaves before its payment is durable, whoever produces
// it; and nothing of it leaves when the payment cannot be had.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, beforeEach, test } from 'node:test';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { ERR } from './fake-till.mjs';
import { payment, priced, raw, sleep, startGateway, startUpstream } from './harness.mjs';

const run = promisify(execFile);
const HELD = 250;
const BIG = 'x402 paid content, again and again\n'.repeat(30_000); // 1 MB

let g;
let upstream;

before(async () => {
  upstream = await startUpstream();
  const at = (path, more) => priced(path, upstream, more);
  g = await startGateway({
    server: at('= /buffered') + at('= /unbuffered', 'proxy_buffering off;')
      + at('= /gzip', 'gzip on; gzip_types *; gzip_min_length 1; gzip_http_version 1.0;')
      + at('= /tempfile', 'proxy_buffers 4 4k; proxy_buffer_size 4k; proxy_busy_buffers_size 8k;')
      + at('= /charged', 'x402_charge_status 404;')
      + at('= /ssi', 'ssi on; ssi_types *;')
      + at('= /ssi-free', '').replace(/x402 on;[^}]*?proxy_pass/, 'proxy_pass')
      + at('= /short', 'x402_settle_margin 1;')
      + at('= /sub', 'sub_filter paid SOLD; sub_filter_once off; sub_filter_types *;')
      + `
    location /file { x402 on; x402_price 0.001 USDC; }
    location /sendfile { x402 on; x402_price 0.001 USDC; sendfile on; }
    location /copied { x402 on; x402_price 0.001 USDC; sendfile off; output_buffers 2 32k; }
    location /threads { x402 on; x402_price 0.001 USDC; aio threads; sendfile off; }
    location = /nobody { x402 on; x402_price 0.001 USDC; proxy_pass http://127.0.0.1:1; }
    location = /accel { x402 on; x402_price 0.001 USDC; proxy_pass http://127.0.0.1:${upstream.port}; }
    location /internal/ { internal; }
    `,
  }, { files: { file: BIG, sendfile: BIG, copied: BIG, threads: BIG, 'internal/small': 'accelerated\n' } });
});
after(async () => {
  await g.stop();
  await upstream.close();
});
beforeEach(() => {
  g.till.reset();
  upstream.hits.length = 0;
  upstream.handler = (req, res) => res.end(BIG);
});

const late = async (answer = {}) => { await sleep(HELD); return answer; };
const head = async (path, more = '', method = 'GET', o = {}) => {
  const headers = await payment(path, o);
  return `${method} ${path} HTTP/1.1\r\nHost: x\r\n${Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`).join('')}${more}\r\n`;
};
const bodyOf = (text) => text.slice(text.indexOf('\r\n\r\n') + 4);
const statusOf = (text) => Number(text.slice(9, 12));

/** Sends, watches for early bytes until the answer of `name` went out. */
async function watch(request, name, until) {
  let released = 0;
  g.till.script[name] = async () => { await sleep(HELD); released = Date.now(); return {}; };
  let first = 0;
  const state = await raw(g.port, request, { until: (text) => { first ||= Date.now(); return until(text); }, limit: 8000 });
  state.socket.destroy();
  assert.ok(released > 0, `${name} was asked`);
  assert.ok(first >= released, `a byte left ${released - first} ms early`);
  return state.text;
}

const BYTES = { '/buffered': BIG, '/unbuffered': BIG, '/tempfile': BIG, '/file': BIG, '/sendfile': BIG, '/copied': BIG, '/threads': BIG };

for (const [path, content] of Object.entries(BYTES)) {
  test(`held, then whole: ${path}`, async () => {
    const text = await watch(await head(path, 'Connection: close\r\n'), 'CAPTURE', (t) => t.length > content.length + 300);
    assert.equal(statusOf(text), 200);
    assert.match(text, /PAYMENT-RESPONSE: /);
    await sleep(50);
    assert.deepEqual(g.till.names().slice(0, 3), ['RESERVE', 'CAPTURE', 'STARTED']);
  });
}

test('every byte is right, buffered and not, chunked and counted', async () => {
  for (const path of Object.keys(BYTES)) {
    for (const chunked of [false, true]) {
      upstream.handler = (req, res) => {
        if (!chunked)
          res.setHeader('content-length', BIG.length);
        for (let i = 0; i < BIG.length; i += 70_001)
          res.write(BIG.slice(i, i + 70_001));
        res.end();
      };
      g.till.script.CAPTURE = () => late();
      const res = await g.http.send(path, { headers: await payment(path) });
      assert.equal(res.status, 200);
      assert.ok(res.body === BIG, `${path}: ${res.body.length} of ${BIG.length} bytes, or other ones`);
    }
  }
});

test('small, empty, and slow bodies', async () => {
  for (const path of ['/buffered', '/unbuffered']) {
    for (const text of ['', 'a', 'ab\n']) {
      upstream.handler = (req, res) => {
        res.flushHeaders();
        setTimeout(() => res.end(text), 2 * HELD); // header long before the body
      };
      g.till.script.CAPTURE = () => late();
      const res = await g.http.send(path, { headers: await payment(path) });
      assert.equal(res.status, 200);
      assert.equal(res.body, text);
    }
  }
});

test('gzip, sub_filter: what later filters made is held too', async () => {
  let text = '';
  g.till.script.CAPTURE = () => late();
  const { stdout } = await run('curl', ['-s', '-H', 'Accept-Encoding: gzip', ...curlHeaders(await payment('/gzip')), `${g.base}/gzip`],
    { encoding: 'buffer', maxBuffer: 1 << 24 });
  assert.equal(gunzipSync(stdout).toString(), BIG);
  text = (await g.http.send('/sub', { headers: await payment('/sub') })).body;
  assert.equal(text, BIG.replaceAll('paid', 'SOLD'));
});

function curlHeaders(headers) {
  return Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
}

test('HTTP/2: held, whole, HEAD, 204, 304, refused', async () => {
  const h2 = async (path, ...more) => {
    const { stdout } = await run('curl', ['-s', '-i', '--http2-prior-knowledge', ...curlHeaders(await payment(path)), ...more, `${g.h2}${path}`], { maxBuffer: 1 << 24 });
    return stdout;
  };
  g.till.script.CAPTURE = () => late();
  for (const path of Object.keys(BYTES)) {
    const text = await h2(path);
    assert.match(text, /^HTTP\/2 200/);
    assert.match(text, /payment-response: /);
    assert.ok(bodyOf(text) === BIG, path);
  }
  assert.match(await h2('/buffered', '-I'), /^HTTP\/2 200/);
  upstream.handler = (req, res) => { res.statusCode = 204; res.end(); };
  assert.match(await h2('/buffered'), /^HTTP\/2 204/);
  upstream.handler = (req, res) => { res.statusCode = 500; res.end('no'); };
  assert.match(await h2('/buffered'), /^HTTP\/2 500/);
  upstream.handler = (req, res) => res.end(BIG);
  g.till.script.CAPTURE = () => late({ err: ERR.EXPIRED });
  const refused = await h2('/buffered');
  assert.match(refused, /^HTTP\/2 402/);
  assert.ok(!refused.includes('paid content'));
});

test('HEAD, 204, 304, 206, 416 on files and upstreams', async () => {
  const status = async (path, { method = 'GET', headers = {} } = {}) => {
    g.till.reset();
    g.till.script.CAPTURE = () => late();
    const res = await g.http.send(path, { method, headers: { ...await payment(path), ...headers } });
    await sleep(30);
    return [res.status, g.till.names()[1], res.body.length, res.headers];
  };
  let [code, asked, length, headers] = await status('/file', { method: 'HEAD' });
  assert.deepEqual([code, asked, length], [200, 'CAPTURE', 0]);
  assert.equal(Number(headers['content-length']), BIG.length);
  const { etag } = headers;
  [code, asked, length] = await status('/file', { headers: { 'If-None-Match': etag } });
  assert.deepEqual([code, asked, length], [304, 'CAPTURE', 0]);
  [code, asked, length] = await status('/file', { headers: { Range: 'bytes=0-9' } });
  assert.deepEqual([code, asked, length], [206, 'CAPTURE', 10]);
  [code, asked, length] = await status('/file', { headers: { Range: 'bytes=0-1,5-6' } });
  assert.deepEqual([code, asked], [206, 'CAPTURE']);
  [code, asked] = await status('/file', { headers: { Range: 'bytes=99999999-' } });
  assert.deepEqual([code, asked], [416, 'RELEASE']);
  [code, asked] = await status('/file', { headers: { 'If-Match': '"other"' } });
  assert.deepEqual([code, asked], [412, 'RELEASE']);
  [code, asked] = await status('/file/none');
  assert.deepEqual([code, asked], [404, 'RELEASE']);
  [code, asked, length] = await status('/buffered', { method: 'HEAD' });
  assert.deepEqual([code, asked, length], [200, 'CAPTURE', 0]);
  upstream.handler = (req, res) => { res.statusCode = 204; res.end(); };
  [code, asked, length] = await status('/buffered');
  assert.deepEqual([code, asked, length], [204, 'CAPTURE', 0]);
  upstream.handler = (req, res) => { res.statusCode = 304; res.end(); };
  [code, asked, length] = await status('/buffered');
  assert.deepEqual([code, asked, length], [304, 'CAPTURE', 0]);
  upstream.handler = (req, res) => { res.statusCode = 302; res.setHeader('location', '/elsewhere'); res.end(); };
  [code, asked] = await status('/buffered');
  assert.deepEqual([code, asked], [302, 'CAPTURE']);
});

test('the connection lives on after each of them', async () => {
  const requests = [];
  for (const [path, method, more] of [['/file', 'HEAD', ''], ['/file', 'GET', 'Range: bytes=0-3\r\n'], ['/buffered', 'HEAD', ''],
    ['/buffered', 'GET', ''], ['/none', 'GET', 'Connection: close\r\n']])
    requests.push(await head(path, more, method));
  const { text } = await raw(g.port, requests.join(''), { limit: 8000 });
  assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 206', 'HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 404']);
});

test('released: the header waits for the release, so that a retry works at once', async () => {
  upstream.handler = (req, res) => { res.statusCode = 500; res.end('broken\n'); };
  const text = await watch(await head('/buffered'), 'RELEASE', (t) => t.includes('broken'));
  assert.equal(statusOf(text), 500);
  assert.doesNotMatch(text, /PAYMENT-RESPONSE/);
});

test('statuses: below 400 and x402_charge_status are charged, others not', async () => {
  for (const [path, code, asked] of [['/buffered', 400, 'RELEASE'], ['/buffered', 404, 'RELEASE'], ['/charged', 404, 'CAPTURE'],
    ['/charged', 410, 'RELEASE'], ['/buffered', 399, 'CAPTURE'], ['/buffered', 503, 'RELEASE'], ['/nobody', 502, 'RELEASE'],
    ['/buffered', 402, 'RELEASE'], ['/buffered', 301, 'CAPTURE'], ['/buffered', 201, 'CAPTURE']]) {
    g.till.reset();
    upstream.handler = (req, res) => { res.statusCode = code; res.end('x'); };
    const res = await g.http.send(path, { headers: await payment(path) });
    assert.equal(res.status, code);
    assert.equal(g.till.names()[1], asked, `${path} ${code}`);
    assert.equal(Boolean(res.headers['payment-response']), asked === 'CAPTURE');
  }
});

test('X-Accel-Redirect into a free internal location: charged once, held', async () => {
  upstream.handler = (req, res) => { res.setHeader('x-accel-redirect', '/internal/small'); res.end(); };
  const text = await watch(await head('/accel'), 'CAPTURE', (t) => t.includes('accelerated'));
  assert.equal(statusOf(text), 200);
  upstream.handler = (req, res) => { res.setHeader('x-accel-redirect', '/internal/none'); res.end(); };
  await g.till.wait('DONE');
  g.till.reset();
  const res = await g.http.send('/accel', { headers: await payment('/accel') });
  assert.equal(res.status, 404);
  assert.deepEqual(g.till.names(), ['RESERVE', 'RELEASE']);
});

test('a page with subrequests is held with them', async () => {
  upstream.handler = (req, res) => {
    if (req.url === '/ssi')
      return res.end('<!--# include virtual="/ssi-free?1" -->|<!--# include virtual="/ssi-free?2" -->|end');
    return setTimeout(() => res.end(`part ${req.url.slice(-1)}`), 30);
  };
  const text = await watch(await head('/ssi', 'Connection: close\r\n'), 'CAPTURE', (t) => t.includes('end\r\n0\r\n'));
  const parts = [...text.matchAll(/part \d|end/g)].map(String);
  assert.deepEqual(parts, ['part 1', 'part 2', 'end']);
});

test('a capture that is refused: what was held is dropped, the offer goes out', async () => {
  for (const path of [...Object.keys(BYTES), '/ssi']) {
    g.till.reset();
    let closed = false;
    let sent = 0;
    upstream.handler = (req, res) => {
      res.once('close', () => { closed = true; });
      const more = () => { for (; sent < 2000 && res.write(BIG); sent += 1); };
      res.on('drain', more);
      more();
    };
    g.till.script.CAPTURE = () => late({ err: ERR.EXPIRED });
    const res = await g.http.send(path, { headers: await payment(path) });
    assert.equal(res.status, 402, path);
    assert.equal(res.headers['x-payment-error'], 'expired');
    assert.ok(res.headers['payment-required']);
    assert.equal(JSON.parse(res.body).accepts.length, 1);
    assert.equal(res.headers['payment-response'], undefined);
    await sleep(50);
    if (upstream.hits.some((hit) => hit.url === path) && path !== '/ssi')
      assert.ok(closed, `${path}: the upstream goes on`);
    assert.ok(!g.till.names().includes('RELEASE'));
    upstream.hits.length = 0;
  }
});

test('a capture that the ledger does not know: 503 without an offer', async () => {
  g.till.script.CAPTURE = () => late({ err: ERR.UNKNOWN_RESERVATION });
  const res = await g.http.send('/buffered', { headers: await payment('/buffered') });
  assert.equal(res.status, 503);
  assert.equal(res.headers['x-payment-error'], 'settlement_pending');
  assert.equal(res.headers['payment-required'], undefined);
});

test('a daemon that is busy is asked again', async () => {
  let asked = 0;
  g.till.script.CAPTURE = () => { asked += 1; return { err: asked < 3 ? ERR.BUSY : ERR.OK }; };
  const res = await g.http.send('/buffered', { headers: await payment('/buffered') });
  assert.equal(res.status, 200);
  assert.equal(asked, 3);
});

test('the upstream breaks off while its header is held: 502, redeemable', async () => {
  for (const path of ['/buffered', '/unbuffered', '/gzip']) {
    g.till.reset();
    upstream.handler = (req, res) => {
      res.writeHead(200, { 'content-length': 100_000 });
      res.write('paid content');
      setTimeout(() => res.destroy(), 50);
    };
    g.till.script.CAPTURE = () => late();
    const res = await g.http.send(path, { headers: await payment(path) });
    assert.equal(res.status, 502, path);
    assert.ok(!res.body.includes('paid'));
    await g.till.wait('DONE');
    assert.deepEqual(g.till.names(), ['RESERVE', 'CAPTURE', 'DONE']);
    assert.equal(g.till.of('DONE')[0].end, 'server');
  }
});

test('the upstream breaks off later: started, ended by the server', async () => {
  for (const path of ['/buffered', '/unbuffered']) {
    g.till.reset();
    upstream.handler = (req, res) => {
      res.writeHead(200, { 'content-length': 100_000 });
      res.write('paid content');
      setTimeout(() => res.destroy(), 200);
    };
    await assert.rejects(g.http.send(path, { headers: await payment(path) }));
    assert.equal((await g.till.wait('DONE')).end, 'server');
    assert.deepEqual(g.till.names(), ['RESERVE', 'CAPTURE', 'STARTED', 'DONE']);
  }
});

test('the client leaves while the header is held: captured all the same', async () => {
  g.till.script.CAPTURE = () => late();
  const { socket } = await raw(g.port, await head('/buffered'), { limit: 100 });
  socket.destroy();
  assert.equal((await g.till.wait('DONE')).end, 'client');
  assert.deepEqual(g.till.names(), ['RESERVE', 'CAPTURE', 'DONE']);
});

test('the client leaves while the upstream works: captured', async () => {
  upstream.handler = () => {};
  const { socket } = await raw(g.port, await head('/buffered'), { limit: 150 });
  socket.destroy();
  assert.equal((await g.till.wait('DONE')).end, 'client');
  assert.deepEqual(g.till.names(), ['RESERVE', 'CAPTURE', 'DONE']);
  assert.equal(upstream.hits.length, 1);
});

test('the client leaves before the upstream has the request: released', async () => {
  g.till.script.RESERVE = () => late();
  const { socket } = await raw(g.port, await head('/buffered'), { limit: 50 });
  socket.destroy();
  await g.till.wait('RELEASE');
  assert.deepEqual(g.till.names(), ['RESERVE', 'RELEASE']);
  assert.equal(upstream.hits.length, 0);
});

test('the client leaves in the middle of the body', async () => {
  upstream.handler = (req, res) => { res.write('paid'); };
  const state = await raw(g.port, await head('/unbuffered'), { until: (t) => t.includes('paid') });
  state.socket.destroy();
  assert.equal((await g.till.wait('DONE')).end, 'client');
  assert.deepEqual(g.till.names(), ['RESERVE', 'CAPTURE', 'STARTED', 'DONE']);
});

test('a client that stops reading, and lets the upstream give up, is no server fault', async () => {
  upstream.handler = (req, res) => {
    res.writeHead(200, { 'content-length': 1 << 28 });
    for (let i = 0; i < 64; i += 1)
      res.write(BIG);
    setTimeout(() => res.destroy(), 6500);
  };
  const state = await raw(g.port, await head('/unbuffered'), { until: (t) => t.length > 0 });
  state.socket.pause();
  await sleep(7500);
  state.socket.resume();
  assert.equal((await g.till.wait('DONE', 20_000)).end, 'client');
});

test('waits that are too long', { timeout: 60_000 }, async (t) => {
  await Promise.all([
    t.test('CAPTURE is not answered: 503, nothing of the response, no RELEASE', async () => {
      g.till.script.CAPTURE = (f) => (f.rid === pending ? null : {});
      let pending;
      g.till.script.RESERVE = (f) => { if (f.resource.endsWith('/buffered')) { pending = `0x${'ab'.repeat(16)}`; return { rid: pending }; } return {}; };
      const begin = Date.now();
      const res = await g.http.send('/buffered', { headers: await payment('/buffered') });
      assert.equal(res.status, 503);
      assert.equal(res.headers['x-payment-error'], 'settlement_pending');
      assert.ok(res.headers['retry-after']);
      assert.ok(!res.body.includes('paid content'));
      assert.ok(Date.now() - begin > 9000 && Date.now() - begin < 13_000);
      const asked = g.till.frames.filter((f) => f.rid === pending).map((f) => f.name);
      assert.deepEqual(asked.filter((name) => name !== 'RESERVE'), ['CAPTURE']);
    }),
    t.test('the upstream answers too late for the payment: 504, closed, released', async () => {
      await sleep(100);
      upstream.handler = (req, res) => { if (req.url !== '/short') res.end(BIG); };
      const headers = await payment('/short', { change: { validBefore: String(Math.floor(Date.now() / 1000) + 8) } });
      const begin = Date.now();
      const res = await g.http.send('/short', { headers });
      assert.equal(res.status, 504);
      assert.equal(res.headers['x-payment-error'], 'upstream_timeout');
      assert.ok(Date.now() - begin > 5000 && Date.now() - begin < 9000);
      assert.ok(g.till.names().includes('RELEASE'));
    }),
  ]);
  g.till.cut(); // what was never answered is asked again, and named
  const hold = await g.till.next('HOLD');
  assert.deepEqual(hold.rids, [`0x${'ab'.repeat(16)}`]);
});
