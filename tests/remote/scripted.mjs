// SPDX-License-Identifier: Apache-2.0
// A facilitator that does what a test tells it: passes on to a real one, lies,
// breaks off, hangs.  It writes down what it was asked.
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

const JSON_TYPE = { 'content-type': 'application/json' };

export class Scripted {
  static async start({ tls } = {}) {
    const self = new Scripted();
    const answer = (request, response) => self.#answer(request, response).catch(() => response.destroy());
    self.server = tls ? createTlsServer(tls, answer) : createServer(answer);
    self.scheme = tls ? 'https' : 'http';
    await self.listen(0);
    return self;
  }

  constructor() {
    this.calls = [];
    this.honest();
  }

  async listen(port) {
    await new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, '127.0.0.1', resolve);
    });
    this.port = this.server.address().port;
    this.url = `${this.scheme}://127.0.0.1:${this.port}`;
  }

  /** Gone, and back on the same port with listen(port). */
  async away() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async close() {
    if (this.server.listening)
      await this.away();
  }

  /** Everything goes to the real facilitator and back. */
  honest() {
    this.script = { verify: undefined, settle: undefined, supported: undefined };
  }

  asked(path, nonce) {
    return this.calls.filter((call) => call.path === path && (nonce === undefined || call.nonce === nonce));
  }

  async forward({ method, url, body }) {
    const response = await fetch(this.to + url, { method, headers: JSON_TYPE, body: method === 'POST' ? body : undefined });
    return { status: response.status, body: await response.text() };
  }

  async #answer(request, response) {
    const chunks = [];
    for await (const chunk of request)
      chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const call = { method: request.method, url: request.url, path: request.url.split('?')[0], headers: request.headers, body };
    if (request.method === 'POST') {
      call.json = JSON.parse(body);
      const { authorization, permit2Authorization } = call.json.paymentPayload.payload;
      call.nonce = (authorization ?? permit2Authorization).nonce;
    }
    this.calls.push(call);
    const script = this.script[call.path.slice(1)];
    if (script)
      return script(response, call);
    const answer = await this.forward(call);
    response.writeHead(answer.status, { ...JSON_TYPE, 'content-length': Buffer.byteLength(answer.body) }).end(answer.body);
  }
}

/** Says this. */
export const says = (value, { status = 200, headers = JSON_TYPE } = {}) => (response) =>
  response.writeHead(status, headers).end(typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value));
