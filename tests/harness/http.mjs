// SPDX-License-Identifier: Apache-2.0
// A plain HTTP client: the path goes out as it is written, every header can
// be seen, and the number of connections is exactly what a test says.
import { Agent, request } from 'node:http';

export function client(base, { connections = 16 } = {}) {
  const { hostname, port } = new URL(base);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });

  function send(path, { method = 'GET', headers = {}, body, timeout = 60_000, signal } = {}) {
    return new Promise((resolve, reject) => {
      const req = request({ hostname, port, path, method, agent, timeout, signal,
        headers: body === undefined ? headers : { 'content-length': Buffer.byteLength(body), ...headers } });
      req.once('error', reject);
      req.once('timeout', () => req.destroy(new Error(`no answer from ${path} within ${timeout} ms`)));
      req.once('response', (res) => {
        const chunks = [];
        res.on('data', (chunk) => chunks.push(chunk));
        res.once('error', reject);
        res.once('end', () => resolve({
          status: res.statusCode,
          headers: res.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }));
      });
      req.end(body);
    });
  }

  return { send, close: () => agent.destroy() };
}

/** Runs jobs, at most `width` at once; results in the order of the jobs. */
export async function inParallel(jobs, width) {
  const results = new Array(jobs.length);
  let next = 0;
  const worker = async () => {
    while (next < jobs.length) {
      const index = next;
      next += 1;
      results[index] = await jobs[index]();
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, jobs.length) }, worker));
  return results;
}

/** How often each status came: {"200": 3, "402": 1}. */
export function tally(responses) {
  const counts = {};
  for (const { status } of responses)
    counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
