// SPDX-License-Identifier: Apache-2.0
// A seller that is not ours: an HTTP server in front of a real LND, by the
// words of scheme_exact_lnbtc.md, and one that lies when a test says so.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { LN_NETWORK } from '../../devnet/lightning.mjs';

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
const base64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64');

/** The request hash of http:1; the members stand in JCS order. */
export function requestHash({ method, url, body = Buffer.alloc(0), names = [], headers = {} }) {
  const value = (name) => name in headers
    ? Buffer.concat([Buffer.from([1]), Buffer.from(headers[name], 'latin1')]) : Buffer.from([0]);
  return sha256(JSON.stringify({
    bodyHash: sha256(body).toString('hex'),
    domain: 'x402:exact:lnbtc:bolt11:http:1',
    headers: names.map((name) => ({ name, valueHash: sha256(value(name)).toString('hex') })),
    method,
    url,
  }));
}

async function read(req) {
  const chunks = [];
  for await (const chunk of req)
    chunks.push(chunk);
  return Buffer.concat(chunks);
}

export class Seller {
  /** lnd: the node.  msat, names: the price and the bound headers.
   *  lie(offer): changes the 402.  invoice(fields): makes the invoice;
   *  answer(n): the status of the n-th paid request. */
  constructor({ lnd, msat = 21_000, names = [], lie = () => {}, invoice, answer = () => 200 }) {
    Object.assign(this, { lnd, msat, names, lie, answer, used: new Set(), seen: [], offers: 0 });
    if (invoice)
      this.invoice = invoice;
  }

  async start() {
    this.server = createServer((req, res) => this.#serve(req, res).catch((error) => {
      res.writeHead(599).end(String(error.stack));
    }));
    await new Promise((done) => { this.server.listen(0, '127.0.0.1', done); });
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((done) => { this.server.close(done); });
  }

  async invoice({ msat, hash, expiry }) {
    const made = await this.lnd.call('/v1/invoices', {
      body: { value_msat: String(msat), description_hash: hash.toString('base64'), expiry: String(expiry) } });
    return made.payment_request;
  }

  async #offer(url, hash) {
    const offer = {
      x402Version: 2,
      error: 'PAYMENT-SIGNATURE header is required',
      resource: { url, mimeType: 'text/plain' },
      accepts: [
        { scheme: 'exact', network: 'eip155:84532', amount: '1', asset: '0x036CbD53842c5426634e7929541eC2318f3dCF7e',
          payTo: '0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB', maxTimeoutSeconds: 60, extra: { name: 'USDC', version: '2' } },
        { scheme: 'exact', network: LN_NETWORK, amount: String(this.msat), asset: 'BTC', payTo: this.lnd.node,
          maxTimeoutSeconds: 300,
          extra: { assetTransferMethod: 'bolt11', paymentFlow: 'upfront', paymentMethod: 'lightning',
            requestHash: hash.toString('hex'), requestBindingProfile: 'http:1',
            requestBindingParams: { headers: this.names },
            invoice: await this.invoice({ msat: this.msat, hash, expiry: 300 }) } },
      ],
    };
    this.offers += 1;
    await this.lie(offer, offer.accepts[1]);
    return offer;
  }

  /* "the paid entry", its invoice, and the preimage that only the payer has */
  async #isPaid(header, hash) {
    const { accepted, payload } = JSON.parse(Buffer.from(header, 'base64'));
    const { payment_hash, description_hash } = await this.lnd.call(`/v1/payreq/${accepted.extra.invoice}`);
    const settled = await this.lnd.invoice(payment_hash);
    this.seen.push(payment_hash);
    return sha256(Buffer.from(payload.preimage, 'hex')).toString('hex') === payment_hash &&
      description_hash === hash.toString('hex') && settled.state === 'SETTLED' && !this.used.has(payment_hash) &&
      payment_hash;
  }

  async #serve(req, res) {
    const body = await read(req);
    const url = `${this.url}${req.url}`;
    const hash = requestHash({ method: req.method, url, body, names: this.names, headers: req.headers });
    const header = req.headers['payment-signature'];
    const paid = header && await this.#isPaid(header, hash);
    if (!paid) {
      if (header)
        res.setHeader('x-payment-error', 'duplicate_settlement');
      res.writeHead(402, { 'payment-required': base64(await this.#offer(url, hash)) }).end('pay\n');
      return;
    }
    const status = this.answer(this.seen.length);
    if (status < 400)
      this.used.add(paid);
    res.writeHead(status).end(status < 400 ? 'bought\n' : 'broken\n');
  }
}
