// SPDX-License-Identifier: Apache-2.0
// Everything at once: every kind of content, clients that leave, upstreams
// that fail, a daemon that refuses, lags and loses its connections.  Nothing
// crashes, no response leaves unpaid, and in the end nothing is held.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { connect as connect2 } from 'node:http2';
import { after, before, test } from 'node:test';
import { ERR } from './fake-till.mjs';
import { payment, priced, sleep, startGateway, startUpstream } from './harness.mjs';

const SECONDS = Number(process.env.X402_CHAOS_SECONDS ?? 6);
const SECRET = 'SECRET-CONTENT-';
const FILE = SECRET.repeat(20_000);

let g;
let upstream;

before(async () => {
  upstream = await startUpstream();
  const on = 'x402 on; x402_price 0.001 USDC;';
  const to = `proxy_pass http://127.0.0.1:${upstream.port};`;
  g = await startGateway({
    workers: 2,
    server: `${priced('/buffered', upstream)} ${priced('/unbuffered', upstream, 'proxy_buffering off;')} ${priced('/charged', upstream, 'x402_charge_status 500;')}
      ${priced('/gzip', upstream, 'gzip on; gzip_types *; gzip_min_length 1;')} ${priced('/page', upstream, 'proxy_intercept_errors on; error_page 500 =200 /free/sorry;')}
      location /file { ${on} sendfile on; } location /copied { ${on} sendfile off; } location /threads { ${on} aio threads; sendfile off; }
      location /ssi { ${on} ssi on; ssi_types *; ${to} } location /free/ { ${to} }
      location /internal/ { internal; } location /accel { ${on} ${to} }
      location = /stub { stub_status; } location /slice { ${on} slice 5000; proxy_set_header Range $slice_range; ${to} }`,
  }, { files: { file: FILE, copied: FILE, threads: FILE, 'internal/file': FILE } });
});
after(async () => {
  await g.stop();
  await upstream.close();
});

const PATHS = ['/buffered', '/unbuffered', '/charged', '/gzip', '/page', '/file', '/copied', '/threads', '/ssi', '/accel', '/slice'];
const pick = (list) => list[Math.floor(Math.random() * list.length)];
const chance = (p) => Math.random() < p;

async function answer(req, res) {
  const path = req.url.split('?')[0];
  await sleep(Math.random() * 15);
  if (res.destroyed)
    return;
  if (path === '/accel') {
    res.setHeader('X-Accel-Redirect', chance(0.9) ? '/internal/file' : '/internal/none');
    res.end();
    return;
  }
  if (path === '/slice' && req.headers.range) {
    const [, from, to] = req.headers.range.match(/(\d+)-(\d+)/).map(Number);
    const part = FILE.slice(from, Math.min(to + 1, 30_000));
    res.writeHead(206, { 'content-range': `bytes ${from}-${from + part.length - 1}/30000`, etag: '"e"' });
    res.end(part);
    return;
  }
  res.statusCode = chance(0.15) ? 500 : 200;
  if (path === '/ssi') {
    res.end(`${SECRET}<!--# include virtual="/free/1" --><!--# include virtual="/free/2" -->`);
    return;
  }
  if (path.startsWith('/free/')) {
    res.end('part');
    return;
  }
  if (chance(0.5))
    res.setHeader('content-length', SECRET.length * 3000);
  for (let i = 0; i < 3 && !res.destroyed; i += 1) {
    res.write(SECRET.repeat(1000));
    if (chance(0.3))
      await sleep(Math.random() * 10);
    if (chance(0.05))
      res.destroy();
  }
  res.end();
}

test('all at once', { timeout: 60_000 + SECONDS * 3000 }, async () => {
  const pool = await Promise.all(Array.from({ length: 40 }, () => payment('/x')));
  const refused = () => (chance(0.1) ? { err: pick([ERR.EXPIRED, ERR.UNKNOWN_RESERVATION, ERR.BUSY]) } : {});
  const slowly = (f) => async (...args) => { if (chance(0.7)) await sleep(Math.random() * 25); return f(...args); };
  g.till.script = {
    RESERVE: slowly(() => (chance(0.1) ? { err: pick([ERR.FUNDS, ERR.IN_PROGRESS, ERR.PENDING, ERR.BUSY]) } : { redeemed: chance(0.1) })),
    CAPTURE: slowly(refused), RELEASE: slowly(refused), STARTED: slowly(() => ({})), DONE: slowly(() => ({})),
  };
  upstream.handler = answer;
  const statuses = {};
  const end = Date.now() + SECONDS * 1000;

  const h1 = () => new Promise((resolve) => {
    const socket = connect(g.port, '127.0.0.1');
    let text = '';
    const [name, value] = Object.entries(pick(pool))[0];
    const path = pick(PATHS);
    const hung = setTimeout(() => { statuses.hung = `${path}: ${text.slice(0, 300)}`; socket.destroy(); }, 20_000);
    const body = chance(0.3) ? 'b'.repeat(Math.floor(Math.random() * 40_000)) : '';
    socket.on('error', () => {});
    socket.on('data', (data) => { text += data.toString('latin1'); });
    socket.once('close', () => {
      clearTimeout(hung);
      const status = text.slice(9, 12) || 'none';
      statuses[status] = (statuses[status] ?? 0) + 1;
      /* no content with a refusal, and no refusal with content */
      const head = text.slice(0, text.indexOf('\r\n\r\n'));
      if (text.includes(SECRET) && !/^HTTP\/1\.1 500/.test(text) && !/payment-response/i.test(head))
        statuses.leaked = head;
      resolve();
    });
    socket.write(`${body ? 'POST' : pick(['GET', 'GET', 'GET', 'HEAD'])} ${path}?${Math.random()} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${name}: ${value}\r\n${
      body ? `Content-Length: ${body.length}\r\n` : ''}${chance(0.2) ? 'Range: bytes=5-900\r\n' : ''}\r\n${body}`);
    if (chance(0.4))
      setTimeout(() => pick([() => socket.destroy(), () => socket.resetAndDestroy(), () => socket.end()])(), Math.random() * 80);
  });

  const h2 = () => new Promise((resolve) => {
    const session = connect2(g.h2);
    let open = 4;
    const hung = setTimeout(() => { statuses.hung = 'HTTP/2'; session.destroy(); resolve(); }, 20_000);
    const done = () => { open -= 1; if (open === 0) { clearTimeout(hung); session.destroy(); resolve(); } };
    session.on('error', () => {});
    for (let i = 0; i < 4; i += 1) {
      const stream = session.request({ ':path': `${pick(PATHS)}?${Math.random()}`, ...pick(pool) });
      stream.on('error', () => {});
      stream.on('data', () => {});
      stream.once('response', (headers) => { statuses[headers[':status']] = (statuses[headers[':status']] ?? 0) + 1; });
      stream.once('close', done);
      if (chance(0.4))
        setTimeout(() => stream.close(8), Math.random() * 80);
    }
  });

  const lanes = Array.from({ length: 24 }, async (_, i) => {
    while (Date.now() < end)
      await (i % 4 ? h1() : h2());
  });
  const cuts = (async () => {
    while (Date.now() < end) {
      await sleep(100 + Math.random() * 300);
      g.till.cut();
    }
  })();
  await Promise.all([...lanes, cuts]);
  assert.equal(statuses.hung, undefined);
  assert.equal(statuses.leaked, undefined);
  for (const status of ['200', '402', '409', '500', '502', '503'])
    assert.ok(statuses[status] > 0, JSON.stringify(statuses));

  await sleep(300);
  const { body } = await g.http.send('/stub');
  assert.ok(Number(body.match(/Active connections: (\d+)/)[1]) <= 3, `connections are left: ${body}`);

  g.till.script = {};
  for (let i = 0; i < 100; i += 1) {
    const ready = g.till.next('READY');
    const before = g.till.frames.length;
    g.till.cut();
    await ready;
    await sleep(200);
    if (!g.till.frames.slice(before).some((f) => f.name === 'HOLD'))
      break;
    assert.ok(i < 99, 'something is held for ever');
  }
  const seen = new Map();
  for (const f of g.till.frames)
    if (f.rid && f.name !== 'RESERVE')
      seen.set(f.rid, `${seen.get(f.rid) ?? ''} ${f.name}`);
  for (const story of seen.values())
    assert.ok(!(story.includes('CAPTURE') && story.includes('RELEASE')), `both: ${story}`);
});
