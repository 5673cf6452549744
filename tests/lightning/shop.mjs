// SPDX-License-Identifier: Apache-2.0
// A shop for a test: upstream, x402d and nginx with the module, before a node
// that the test drives.  The chain's node is not needed and not there.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { PAYEE, SETTLER, account, privateKey } from '../../devnet/accounts.mjs';
import { NETWORK } from '../../devnet/chain.mjs';
import { PROGRAMS } from '../../devnet/paths.mjs';
import { freePorts } from '../../devnet/ports.mjs';
import { Process, listening, sleep } from '../../devnet/process.mjs';
import { client } from '../harness/http.mjs';
import { FakeLnd } from './fake-lnd.mjs';

const NEVER = /\[(alert|emerg|crit)\]|Sanitizer|runtime error:|Assertion|exited on signal/;

export { sleep };
export const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

const nginx = ['/usr/sbin/nginx', '/usr/local/sbin/nginx'].find(existsSync) ?? 'nginx';

/** What x402d is configured with; `lightning` are further keys. */
const yaml = (shop, lightning) => `ledger: ledger.db
till: {socket: till.sock}
http: {listen: "127.0.0.1:${shop.ports.facilitator}"}
status: 127.0.0.1:${shop.ports.status}
payees:
  - {network: ${NETWORK}, address: ${JSON.stringify(account(PAYEE).address)}}
networks:
  - network: ${NETWORK}
    rpc: ["http://127.0.0.1:1"]
    signers: [{key_file: signer.key}]
lightning:
  lnd: ${shop.lnd.url}
  cert: ${shop.lnd.cert}
  macaroon: ${shop.lnd.macaroonFile}
  network: regtest
  timeout: 3000
  peer: {per_minute: 60000, burst: 100000}
${lightning}
`;

const LOCATIONS = {
  '/ln': 'x402_lightning_price 21 sat;',
  '/post': 'x402_lightning_price 1500 millisat;',
  '/usd': '',
  '/exact': 'x402_lightning_price 1500 millisat; x402_lightning_dialects lnbtc;',
  '/by-size': 'x402_lightning_price 21 sat; if ($arg_size = l) { x402_price 5 USDC; }',
  '/ask': 'x402_lightning_price 21 sat; x402_lightning_offer ask;',
  '/bound': 'x402_lightning_price 21 sat; x402_lightning_bind X-Tenant Accept-Language;',
  '/small': 'x402_lightning_price 21 sat; x402_lightning_body 16;',
  '/hold': 'x402_lightning_price 21 sat; x402_lightning_dialects hold; x402_paywall on;',
  '/page': 'x402_lightning_price 21 sat; x402_paywall on;',
  '/no-l402': 'x402_lightning_price 21 sat; x402_lightning_dialects lnbtc mpp;',
};

const conf = (shop, server) => `load_module ${PROGRAMS.module};
${process.getuid() === 0 ? 'user root;' : ''}
env X402_MUTANT;
daemon off;
pid ${shop.dir}/nginx.pid;
error_log ${shop.dir}/nginx-error.log info;
worker_processes 1;
events { worker_connections 2048; }
http {
  log_format x402 '$request_method $request_uri $status x402=$x402_status reason=$x402_reason '
                  'amount=$x402_amount asset=$x402_asset network=$x402_network id=$x402_payment_id';
  access_log ${shop.dir}/access.log x402;
  client_body_temp_path ${shop.dir}/t1; proxy_temp_path ${shop.dir}/t2;
  fastcgi_temp_path ${shop.dir}/t3; uwsgi_temp_path ${shop.dir}/t4; scgi_temp_path ${shop.dir}/t5;
  large_client_header_buffers 4 32k;
  server {
    listen 127.0.0.1:${shop.ports.gateway} backlog=1024;
    listen 127.0.0.1:${shop.ports.h2} http2;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Peer;
    x402_daemon unix:${shop.dir}/till.sock;
    x402_base_url http://127.0.0.1:${shop.ports.gateway};
    x402_pay_to ${NETWORK} ${account(PAYEE).address};
    x402_timeout ${shop.timeout};
    x402_lightning on;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    ${Object.entries(LOCATIONS).map(([path, more]) => `location = ${path} {
      x402 on; x402_price 0.001 USDC; ${more}
      proxy_pass http://127.0.0.1:${shop.ports.upstream};
    }`).join('\n    ')}
    ${server}
  }
}
`;

/* A module built with a sanitizer needs its library first, in nginx alone. */
function preload() {
  const { X402_NGINX_PRELOAD: library } = process.env;
  return library ? { LD_PRELOAD: library, ASAN_OPTIONS: 'detect_leaks=0' } : {};
}

export class Shop {
  constructor({ lightning = '', server = '', timeout = 300, env = {} } = {}) {
    Object.assign(this, { lightning, server, timeout, env });
  }

  async start() {
    this.dir = mkdtempSync(join(tmpdir(), 'x402-ln-'));
    this.ports = await freePorts(15900, ['gateway', 'h2', 'upstream', 'facilitator', 'lnd', 'status']);
    this.lnd = new FakeLnd({ dir: join(this.dir, 'lnd'), port: this.ports.lnd });
    await this.lnd.start();
    writeFileSync(join(this.dir, 'signer.key'), `${privateKey(SETTLER).slice(2)}\n`, { mode: 0o600 });
    writeFileSync(join(this.dir, 'x402d.yaml'), yaml(this, this.lightning));
    writeFileSync(join(this.dir, 'nginx.conf'), conf(this, this.server));
    this.hits = [];
    this.answer = (req, res) => res.end('content\n');
    this.upstream = createServer((req, res) => {
      const chunks = [];
      req.on('data', (chunk) => chunks.push(chunk));
      req.on('end', () => {
        this.hits.push({ method: req.method, url: req.url, headers: req.headers, body: Buffer.concat(chunks) });
        this.answer(req, res);
      });
    });
    await new Promise((resolve) => this.upstream.listen(this.ports.upstream, '127.0.0.1', resolve));
    await this.startDaemon();
    this.nginx = new Process({ name: 'nginx', command: nginx, log: join(this.dir, 'nginx-error.log'), env: { ...this.env, ...preload() },
      args: ['-p', this.dir, '-e', join(this.dir, 'nginx-error.log'), '-c', join(this.dir, 'nginx.conf')] }).start();
    await listening(this.nginx, { host: '127.0.0.1', port: this.ports.gateway });
    this.http = client(`http://127.0.0.1:${this.ports.gateway}`, { connections: 64 });
    await this.offered();
    return this;
  }

  async startDaemon() {
    this.x402d = new Process({ name: 'x402d', command: PROGRAMS.x402d, log: join(this.dir, 'x402d.log'),
      args: ['--config', join(this.dir, 'x402d.yaml')], cwd: this.dir, env: this.env }).start();
    await listening(this.x402d, { host: '127.0.0.1', port: this.ports.facilitator });
  }

  async restartDaemon() {
    await this.x402d.stop({ patience: 9000 });
    await this.startDaemon();
  }

  async stop({ allowed } = {}) {
    this.http?.close();
    await this.nginx?.stop({ patience: 2000 });
    await this.x402d?.stop({ patience: 9000 });
    await this.lnd?.stop();
    this.upstream?.closeAllConnections();
    await new Promise((resolve) => (this.upstream ? this.upstream.close(resolve) : resolve()));
    const lines = ['nginx-error.log', 'x402d.log'].map((name) => join(this.dir, name)).filter(existsSync)
      .flatMap((file) => readFileSync(file, 'utf8').split('\n')).filter((line) => NEVER.test(line) && !allowed?.test(line));
    assert.deepEqual(lines, []);
    if (!process.env.X402_KEEP)
      rmSync(this.dir, { recursive: true, force: true });
  }

  get(path, headers = {}, more = {}) {
    return this.http.send(path, { headers, ...more });
  }

  /** A 402 and the entry in it; undefined when it goes without. */
  async ask(path, headers = {}, more = {}) {
    const response = await this.get(path, headers, more);
    const required = response.headers['payment-required'];
    const offer = required && JSON.parse(Buffer.from(required, 'base64').toString());
    const entry = offer?.accepts.find(({ network }) => network.startsWith('lnbtc:'));
    return { response, offer, entry, ...challenges(response) };
  }

  /** Waits until there is an invoice in the 402 again. */
  async offered(path = '/ln', ms = 8000) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(100)) {
      const asked = await this.ask(path);
      if (asked.entry)
        return asked;
    }
    throw new Error('no Lightning entry in the 402');
  }

  async metric(name) {
    const response = await fetch(`http://127.0.0.1:${this.ports.facilitator}/metrics`);
    return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(await response.text())[1]);
  }

  log(name) {
    return readFileSync(join(this.dir, name), 'utf8');
  }
}

/** The challenges of a 402, taken apart. */
export function challenges(response) {
  const lines = [response.headers['www-authenticate'] ?? []].flat().flatMap((line) => line.split(/, (?=(?:L402|Payment) )/));
  const l402 = lines.find((line) => line.startsWith('L402 '));
  const mpp = lines.find((line) => line.startsWith('Payment '));
  const parameters = (line) => Object.fromEntries([...line.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]));
  return { l402: l402 && parameters(l402), mpp: mpp && parameters(mpp), lines };
}

/** A hold invoice is shown by itself: nobody has its preimage. */
export const invoiceOnly = ({ offer, entry }, payload = { invoice: entry.extra.invoice }) => ({
  'PAYMENT-SIGNATURE': Buffer.from(JSON.stringify({ x402Version: 2, resource: offer.resource, accepted: entry, payload })).toString('base64'),
});

/** The three ways to show a preimage. */
export const proofs = {
  lnbtc: ({ offer, entry }, preimage, change = {}) => ({
    'PAYMENT-SIGNATURE': Buffer.from(JSON.stringify({
      x402Version: 2, resource: offer.resource, accepted: { ...entry, ...change }, payload: { preimage: preimage.toString('hex') },
    })).toString('base64'),
  }),
  l402: ({ l402 }, preimage, scheme = 'L402') => ({ Authorization: `${scheme} ${l402.macaroon}:${preimage.toString('hex')}` }),
  mpp: ({ mpp }, preimage, change = {}) => ({
    Authorization: `Payment ${Buffer.from(JSON.stringify({
      challenge: { ...mpp, ...change }, payload: { preimage: preimage.toString('hex') },
    })).toString('base64url')}`,
  }),
};

export function useShop(options, { allowed } = {}) {
  const shop = new Shop(options);
  after(() => shop.stop({ allowed }));
  return shop;
}
