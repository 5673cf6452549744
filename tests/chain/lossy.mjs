// SPDX-License-Identifier: Apache-2.0
// A node that loses things: a proxy in front of a real one.  `on` decides for
// each HTTP request, by the methods in it:
//     'pass'  forward       'drop'  never reaches the node, no answer
//     'mute'  reaches the node, its answer is lost
// `edit` may change each answer: (call, answer) => answer; `hold` makes each
// take so many milliseconds more.
import { createServer } from 'node:http';

export async function lossy(port, target) {
  const state = { on: () => 'pass', edit: (call, answer) => answer, seen: [] };
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => handle(Buffer.concat(chunks), response).catch(() => response.destroy()));
  });

  async function handle(body, response) {
    const parsed = JSON.parse(body);
    const calls = [parsed].flat();
    const methods = calls.map((call) => call.method);
    state.seen.push(...methods);
    const what = state.on(methods, calls);
    if (what === 'drop')
      return response.destroy();
    const answer = await (await fetch(target, {
      method: 'POST', body, headers: { 'content-type': 'application/json' },
    })).json();
    if (what === 'mute')
      return response.destroy();
    if (state.hold)
      await new Promise((done) => { setTimeout(done, state.hold); });
    const edited = [answer].flat().map((one) => state.edit(calls.find((call) => call.id === one.id), one));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(Array.isArray(parsed) ? edited : edited[0]));
  }

  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  state.url = `http://127.0.0.1:${port}`;
  state.close = () => { server.closeAllConnections(); server.close(); };
  return state;
}
