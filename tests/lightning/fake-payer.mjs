// SPDX-License-Identifier: Apache-2.0
// A payer's node and a seller that do what a test says: LND's router as far as
// `x402 get --rail lightning` uses it, with broken streams and payments that
// stay on their way.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { join } from 'node:path';
import { LN_NETWORK } from '../../devnet/lightning.mjs';
import { selfSigned } from './fake-lnd.mjs';
import { encodeInvoice, nodeKey } from './invoice.mjs';
import { requestHash } from './seller.mjs';

const sha256 = (data) => createHash('sha256').update(data).digest();
const base64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64');
const listen = (server) => new Promise((done) => { server.listen(0, '127.0.0.1', () => done(server.address().port)); });
const close = (server) => new Promise((done) => { server.closeAllConnections(); server.close(done); });

export class FakePayer {
  /** send(payment, res): what a payment does that LND was asked for; true: the
   *  answer was given (or broken off) there. */
  constructor(dir) {
    mkdirSync(dir, { recursive: true });
    selfSigned(dir, 'IP:127.0.0.1');
    Object.assign(this, { dir, certFile: join(dir, 'tls.cert'), macaroonFile: join(dir, 'pay.macaroon'), invoices: new Map() });
    writeFileSync(this.macaroonFile, randomBytes(64), { mode: 0o600 });
    this.reset();
  }

  reset() {
    this.sends = []; // payment hashes that LND was asked to pay
    this.payments = new Map(); // hash: {status, preimage}
    this.send = (payment) => { payment.status = 'IN_FLIGHT'; };
    this.watchers = new Set();
  }

  async start() {
    const tls = { key: readFileSync(join(this.dir, 'tls.key')), cert: readFileSync(this.certFile) };
    this.server = createSecureServer(tls, (req, res) => {
      const chunks = [];
      req.on('data', (chunk) => chunks.push(chunk));
      req.on('end', () => this.#serve(req, res, Buffer.concat(chunks)));
    });
    this.server.on('tlsClientError', () => {});
    this.url = `https://127.0.0.1:${await listen(this.server)}`;
    return this;
  }

  stop() {
    return close(this.server);
  }

  /** The payment comes to its end: SUCCEEDED or FAILED. */
  end(hash, status, failure_reason = 'FAILURE_REASON_INCORRECT_PAYMENT_DETAILS') {
    Object.assign(this.payments.get(hash), { status, failure_reason });
    for (const watcher of [...this.watchers])
      watcher();
  }

  #line({ hash, status, failure_reason }) {
    const { preimage } = [...this.invoices.values()].find((invoice) => invoice.hash === hash);
    return `${JSON.stringify({ result: { status, payment_hash: hash, fee_msat: '0',
      ...status === 'SUCCEEDED' && { payment_preimage: preimage.toString('hex') },
      ...status === 'FAILED' && { failure_reason } } })}\n`;
  }

  /* now, and at its end */
  #stream(res, payment) {
    const tell = () => {
      if (res.destroyed)
        return this.watchers.delete(tell);
      res.write(this.#line(payment));
      if (payment.status !== 'IN_FLIGHT')
        return this.watchers.delete(tell) && res.end();
      return undefined;
    };
    this.watchers.add(tell);
    tell();
  }

  #serve(req, res, body) {
    const track = /^\/v2\/router\/track\/([\w-]+)=$/.exec(req.url);
    if (track) {
      const payment = this.payments.get(Buffer.from(track[1], 'base64url').toString('hex'));
      if (payment?.status)
        return this.#stream(res, payment);
      return res.writeHead(404).end(JSON.stringify({ error: { code: 5, message: "payment isn't initiated" } }));
    }
    const { payment_request } = JSON.parse(body);
    const { hash } = this.invoices.get(payment_request);
    this.sends.push(hash);
    if (this.payments.get(hash)?.status)
      return res.writeHead(409).end(JSON.stringify({ error: { code: 6, message: 'payment is in transition' } }));
    const payment = { hash };
    this.payments.set(hash, payment);
    if (!this.send(payment, res))
      this.#stream(res, payment);
    return undefined;
  }
}

/** Sells at 21 sat.  held: by hold invoices.  paid(payment, res): what is done
 *  with a request that shows a proof; payment: {hash, status, shown}; lie(entry): changes the offer. */
export class FakeSeller {
  constructor(payer, { held = false, expiry = 300, paid = (payment, res) => res.end('bought\n'), lie = () => {} } = {}) {
    Object.assign(this, { payer, held, expiry, paid, lie, key: randomBytes(32), seen: [] });
  }

  async start() {
    this.server = createServer(async (req, res) => {
      const chunks = [];
      for await (const chunk of req)
        chunks.push(chunk);
      const header = req.headers['payment-signature'];
      if (header)
        this.#paid(req, res, JSON.parse(Buffer.from(header, 'base64')));
      else
        this.pay402(res, req);
    });
    this.url = `http://127.0.0.1:${await listen(this.server)}`;
    return this;
  }

  stop() {
    return close(this.server);
  }

  #paid(req, res, { accepted, payload }) {
    const { hash } = this.payer.invoices.get(accepted.extra.invoice);
    const { status } = this.payer.payments.get(hash) ?? {};
    const proof = this.held ? payload.invoice === accepted.extra.invoice && ['IN_FLIGHT', 'SUCCEEDED'].includes(status)
      : sha256(Buffer.from(payload.preimage, 'hex')).toString('hex') === hash;
    this.seen.push({ hash, headers: req.headers });
    if (!proof)
      return this.pay402(res, req, 'not_paid');
    return this.paid({ hash, status, shown: this.seen.length, refuse: (why) => this.pay402(res, req, why) }, res);
  }

  #invoice(descriptionHash) {
    const preimage = randomBytes(32);
    const invoice = encodeInvoice({ key: this.key, msat: 21_000, created: Math.floor(Date.now() / 1000), expiry: this.expiry,
      paymentHash: sha256(preimage), descriptionHash });
    this.payer.invoices.set(invoice, { hash: sha256(preimage).toString('hex'), preimage });
    return invoice;
  }

  pay402(res, req, why) {
    const url = `${this.url}${req.url}`;
    const hash = requestHash({ method: req.method, url });
    const entry = { scheme: 'exact', network: LN_NETWORK, amount: '21000', asset: 'BTC', payTo: nodeKey(this.key), maxTimeoutSeconds: this.expiry,
      extra: { assetTransferMethod: 'bolt11', paymentFlow: this.held ? 'authorization' : 'upfront', paymentMethod: 'lightning',
        requestHash: hash.toString('hex'), requestBindingProfile: 'http:1', requestBindingParams: { headers: [] },
        invoice: this.#invoice(hash) } };
    this.lie(entry);
    if (why)
      res.setHeader('x-payment-error', why);
    res.writeHead(402, { 'payment-required': base64({ x402Version: 2, error: 'pay', resource: { url }, accepts: [entry] }) }).end('pay\n');
  }
}
