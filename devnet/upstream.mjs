// SPDX-License-Identifier: Apache-2.0
// The API behind the gateway: a handful of routes, and a counter of every
// request that reached it.  It reads paths loosely, as Express does (letter
// case, a trailing slash, percent-encoding and ";..." make no difference):
// whatever spelling slips past the gateway's prices shows up in the counter
// under the plain path.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const BIG = 67_108_864;
const CHUNK = Buffer.alloc(65_536, 'x402 ');
const STREAM_EVENTS = 10; // one each 500 ms: 5 s
const BODY_MAX = 1_048_576;
const PATHS_MAX = 100_000;
const OPEN = /^\/(free|item)(\/|$)/; // answers below these are made up

/** The plain path: what Express would match. */
export function plainPath(target) {
  const path = target.replace(/^https?:\/\/[^/]*/i, '').replace(/[?#].*$/s, '');
  const segments = path.split('/').map((segment) => {
    let text = segment;
    try {
      text = decodeURIComponent(segment);
    } catch { /* not UTF-8 after decoding: keep it as it came */ }
    return text.replace(/;.*$/s, '').toLowerCase();
  });
  return segments.join('/').replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1') || '/';
}

function json(res, status, value) {
  const body = `${JSON.stringify(value)}\n`;
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
}

async function readBody(req) {
  const chunks = [];
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    if (size > BODY_MAX)
      return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function chat(req, res) {
  if (req.method !== 'POST')
    return json(res, 405, { error: 'POST a chat' });
  let question;
  try {
    question = JSON.parse(await readBody(req));
  } catch {
    return json(res, 400, { error: 'the body is not JSON' });
  }
  const last = question?.messages?.at?.(-1)?.content ?? '';
  return json(res, 200, {
    id: 'chatcmpl-devnet',
    object: 'chat.completion',
    model: question?.model ?? 'parrot',
    choices: [{
      index: 0,
      message: { role: 'assistant', content: `You said: ${last}` },
      finish_reason: 'stop',
    }],
  });
}

function stream(req, res) {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  let sent = 0;
  const send = () => {
    res.write(`data: {"event":${sent}}\n\n`);
    sent += 1;
  };
  send();
  const timer = setInterval(() => {
    if (sent < STREAM_EVENTS)
      return send();
    clearInterval(timer);
    return res.end();
  }, 500);
  res.once('close', () => clearInterval(timer));
}

function big(req, res) {
  res.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': BIG });
  if (req.method === 'HEAD')
    return res.end();
  let left = BIG;
  const pump = () => {
    while (left > 0) {
      const piece = left >= CHUNK.length ? CHUNK : CHUNK.subarray(0, left);
      left -= piece.length;
      if (!res.write(piece))
        return res.once('drain', pump);
    }
    return res.end();
  };
  return pump();
}

/* upto: ?say= is the value of Settlement-Overrides, as it stands */
function metered(req, res) {
  const { searchParams } = new URL(req.url, 'http://upstream');
  for (const value of searchParams.getAll('say'))
    res.appendHeader('Settlement-Overrides', value);
  return json(res, Number(searchParams.get('status') ?? 200), { path: '/metered', answer: 42 });
}

export function createUpstream() {
  const hits = new Map();
  const flaky = new Set();

  function count(path) {
    const key = hits.has(path) || hits.size < PATHS_MAX ? path : '(other)';
    hits.set(key, (hits.get(key) ?? 0) + 1);
  }

  function flakyRoute(req, res) {
    const query = req.url.split('?')[1] ?? '';
    if (flaky.has(query))
      return json(res, 200, { path: '/flaky', answer: 'this time it works' });
    flaky.add(query);
    return json(res, 500, { error: 'the first request with this query string fails' });
  }

  const answer = (path) => (req, res) => json(res, 200, { path, answer: 42 });
  /* below /free and /item: ?wait=MS answers later, up to 20 s */
  const open = (path) => (req, res) => {
    const wait = Math.min(Number(/[?&]wait=(\d+)/.exec(req.url)?.[1] ?? 0), 20_000);
    setTimeout(() => json(res, 200, { path, answer: 42 }), wait);
  };
  const routes = {
    '/paid': answer('/paid'),
    '/paid-v1': answer('/paid-v1'),
    '/dear': answer('/dear'),
    '/strict': answer('/strict'),
    '/v1/chat/completions': chat,
    '/metered': metered,
    '/fail': (req, res) => json(res, 500, { error: 'this route always fails' }),
    '/flaky': flakyRoute,
    '/stream': stream,
    '/big': big,
  };

  return createServer((req, res) => {
    const path = plainPath(req.url);
    if (path === '/__hits')
      return json(res, 200, Object.fromEntries(hits));
    count(path);
    const route = routes[path] ?? (OPEN.test(path) ? open(path) : undefined);
    res.once('error', () => {}); // the client went away
    return route ? route(req, res) : json(res, 404, { error: 'no such route' });
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const server = createUpstream();
  server.keepAliveTimeout = 75_000; // longer than nginx keeps its side
  server.listen(Number(process.argv[2]), '127.0.0.1');
}
