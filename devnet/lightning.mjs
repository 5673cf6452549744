// SPDX-License-Identifier: Apache-2.0
// A Lightning network on this machine: btcd in regtest and two real LND nodes,
// a payer and a seller, with one channel between them.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { PROJECT } from './paths.mjs';
import { freePorts } from './ports.mjs';
import { Process, listening, sleep } from './process.mjs';

export const LN_NETWORK = 'lnbtc:0f9188f13cb7b2c71f2a335e3a4fc328';
const PORTS = ['btcd', 'btcdRpc', 'payer', 'payerRpc', 'payerRest', 'seller', 'sellerRpc', 'sellerRest'];
const CAPACITY = 1_000_000; // sat
const RPC_USER = 'x402';
const RPC_PASSWORD = 'regtest'; // of a node that only this machine can reach
const MATURE = 450; // blocks: past coinbase maturity and segwit, active from 432
/* Somebody's key hash: the first blocks are nobody's. */
const NOBODY = 'mfWxJ45yp2SFn7UciZyNpvDKrzbhyfKrY8';

/** What a seller's daemon and a payer's client may do, and nothing else. */
const RIGHTS = {
  seller: ['/lnrpc.Lightning/AddInvoice', '/lnrpc.Lightning/LookupInvoice', '/lnrpc.Lightning/SubscribeInvoices',
    '/lnrpc.Lightning/GetInfo', '/invoicesrpc.Invoices/AddHoldInvoice', '/invoicesrpc.Invoices/SettleInvoice',
    '/invoicesrpc.Invoices/CancelInvoice'],
  payer: ['/lnrpc.Lightning/GetInfo', '/routerrpc.Router/SendPaymentV2', '/routerrpc.Router/TrackPaymentV2'],
};

/** The folder of lnd and btcd, built when it has to be; undefined when they
 *  cannot be had here. */
export function lightningPrograms() {
  try {
    return execFileSync(join(PROJECT, 'scripts', 'build-lightning'),
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
  } catch (error) {
    if (error.status === 3)
      return undefined;
    throw error;
  }
}

/** One JSON request over TLS, with `ca` as the only trust anchor. */
function ask({ host = '127.0.0.1', port, path, method = 'GET', ca, headers = {}, auth, body, timeout = 30_000 }) {
  return new Promise((resolve, reject) => {
    const req = request({ host, port, path, method, ca, headers, auth, timeout, agent: false }, (res) => {
      const chunks = [];
      res.on('data', (chunk) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () => resolve({ status: res.statusCode, text: Buffer.concat(chunks).toString('utf8') }));
    });
    req.on('timeout', () => req.destroy(new Error(`no answer from port ${port} within ${timeout} ms`)));
    req.on('error', reject);
    req.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Tries until it does not throw; the last reason when the time is over. */
export async function eventually(what, attempt, limit = 60_000) {
  const end = Date.now() + limit;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end)
        throw new Error(`${what}: not within ${limit / 1000} s: ${error.message}`);
      await sleep(150);
    }
  }
}

const demand = (truth, what) => {
  if (!truth)
    throw new Error(what);
};

/** One LND. */
export class Lnd {
  constructor({ name, programs, dir, ports, btcd }) {
    this.dir = join(dir, name);
    Object.assign(this, { name, programs, btcd });
    this.ports = { peer: ports[name], rpc: ports[`${name}Rpc`], rest: ports[`${name}Rest`] };
    this.certFile = join(this.dir, 'tls.cert');
    this.macaroonFile = join(this.dir, `${name}.macaroon`);
    this.url = `https://127.0.0.1:${this.ports.rest}`;
  }

  get adminFile() {
    return join(this.dir, 'data', 'chain', 'bitcoin', 'regtest', 'admin.macaroon');
  }

  /** Starts it and waits until it answers for its wallet; the rest comes with
   *  the first blocks: serves(). */
  async start() {
    mkdirSync(this.dir, { recursive: true });
    this.process = new Process({
      name: `lnd (${this.name})`,
      command: join(this.programs, 'lnd'),
      args: ['--bitcoin.regtest', '--bitcoin.node=btcd', `--btcd.rpchost=127.0.0.1:${this.btcd.rpcPort}`,
        `--btcd.rpcuser=${RPC_USER}`, `--btcd.rpcpass=${RPC_PASSWORD}`, `--btcd.rpccert=${this.btcd.certFile}`,
        '--noseedbackup', '--nobootstrap', `--lnddir=${this.dir}`, `--alias=${this.name}`,
        `--listen=127.0.0.1:${this.ports.peer}`, `--rpclisten=127.0.0.1:${this.ports.rpc}`,
        `--restlisten=127.0.0.1:${this.ports.rest}`, '--tlsextradomain=localhost',
        '--bitcoin.defaultchanconfs=1', '--trickledelay=50', '--accept-keysend', '--debuglevel=info'],
      log: join(this.dir, 'lnd.log'),
    }).start();
    await listening(this.process, { host: '127.0.0.1', port: this.ports.rest }, 60_000);
    await this.#reaches('RPC_ACTIVE', 'SERVER_ACTIVE');
    return this;
  }

  #reaches(...states) {
    return eventually(`${this.name} is up`, async () => {
      const { state } = await this.call('/v1/state', { macaroon: null });
      demand(states.includes(state), `it says ${state}`);
    });
  }

  /** Waits until it follows the chain and serves everything. */
  async serves() {
    await this.#reaches('SERVER_ACTIVE');
    await eventually(`${this.name} follows the chain`, async () => {
      const info = await this.call('/v1/getinfo');
      this.node = info.identity_pubkey;
      demand(info.synced_to_chain, 'it is not synced');
    });
  }

  stop(options) {
    return this.process?.stop({ patience: 20_000, ...options });
  }

  /** kill -9. */
  async kill() {
    this.process.signalGroup('SIGKILL');
    await this.process.exited;
  }

  /** A REST call, as the node's administrator unless another macaroon is
   *  named (null: none); throws unless it answers 200. */
  async call(path, { body, method = body === undefined ? 'GET' : 'POST', macaroon = this.adminFile, timeout } = {}) {
    const headers = macaroon === null ? {} : { 'Grpc-Metadata-macaroon': readFileSync(macaroon).toString('hex') };
    const ca = readFileSync(this.certFile);
    const { status, text } = await ask({ port: this.ports.rest, path, method, ca, headers, body, timeout });
    if (status !== 200)
      throw new Error(`${this.name} answers ${path} with ${status}: ${text.slice(0, 300)}`);
    return JSON.parse(text);
  }

  /** A macaroon with few rights, in a file that only we can read. */
  async bake() {
    const permissions = RIGHTS[this.name].map((action) => ({ entity: 'uri', action }));
    const { macaroon } = await this.call('/v1/macaroon', { body: { permissions } });
    writeFileSync(this.macaroonFile, Buffer.from(macaroon, 'hex'), { mode: 0o600 });
  }

  /** One invoice as LND knows it; its hash in hex. */
  invoice(hash) {
    return this.call(`/v1/invoice/${hash}`);
  }

  async invoices() {
    return (await this.call('/v1/invoices?num_max_invoices=1000')).invoices;
  }

  async payments() {
    return (await this.call('/v1/payments?include_incomplete=true')).payments;
  }

  /** What it can spend in channels, in millisatoshis. */
  async balance() {
    return BigInt((await this.call('/v1/balance/channels')).local_balance.msat);
  }

  /** Pays an invoice, or by other fields of routerrpc.SendPaymentRequest:
   *  {status, payment_preimage, ...}, the payment's end. */
  async pay(invoice) {
    const what = typeof invoice === 'string' ? { payment_request: invoice } : invoice;
    const { status, text } = await ask({
      port: this.ports.rest, path: '/v2/router/send', method: 'POST', ca: readFileSync(this.certFile),
      headers: { 'Grpc-Metadata-macaroon': readFileSync(this.adminFile).toString('hex') },
      body: { ...what, timeout_seconds: 20, fee_limit_sat: '10', no_inflight_updates: true },
    });
    const last = text.trim().split('\n').at(-1);
    if (status !== 200)
      throw new Error(`${this.name} does not pay: ${last}`);
    const { result, error } = JSON.parse(last);
    if (error)
      throw new Error(`${this.name} does not pay: ${error.message}`);
    return result;
  }
}

/** The chain under it. */
class Btcd {
  constructor({ programs, dir, ports }) {
    this.dir = join(dir, 'btcd');
    Object.assign(this, { programs, port: ports.btcd, rpcPort: ports.btcdRpc });
    this.certFile = join(this.dir, 'rpc.cert');
  }

  /** Its blocks pay `address`; another address is another start. */
  async start(address) {
    mkdirSync(this.dir, { recursive: true });
    await this.stop();
    this.process = new Process({
      name: 'btcd',
      command: join(this.programs, 'btcd'),
      args: ['--configfile=/dev/null', '--regtest', '--txindex', `--datadir=${this.dir}`, `--logdir=${this.dir}`,
        `--listen=127.0.0.1:${this.port}`, `--rpclisten=127.0.0.1:${this.rpcPort}`, `--rpcuser=${RPC_USER}`,
        `--rpcpass=${RPC_PASSWORD}`, `--rpccert=${this.certFile}`, `--rpckey=${join(this.dir, 'rpc.key')}`,
        `--miningaddr=${address}`, '--nobanning', '--nostalldetect', '--nodnsseed'],
      log: join(this.dir, 'btcd.log'),
    }).start();
    await listening(this.process, { host: '127.0.0.1', port: this.rpcPort }, 30_000);
  }

  async mine(blocks) {
    const { status, text } = await ask({
      port: this.rpcPort, path: '/', method: 'POST', ca: readFileSync(this.certFile),
      auth: `${RPC_USER}:${RPC_PASSWORD}`, headers: { 'content-type': 'application/json' },
      body: { jsonrpc: '1.0', id: 1, method: 'generate', params: [blocks] },
    });
    if (status !== 200 || JSON.parse(text).error)
      throw new Error(`btcd does not mine: ${status} ${text.slice(0, 300)}`);
  }

  stop() {
    return this.process?.stop({ signal: 'SIGINT', patience: 8000 });
  }
}

/** btcd, two nodes and their channel. */
export class Lightning {
  constructor({ dir, programs = lightningPrograms(), say = () => {} }) {
    Object.assign(this, { dir, programs, say });
  }

  async start(from = 16200) {
    if (!this.programs)
      throw new Error('there is no lnd here, and no recent Go to build it (scripts/build-lightning)');
    const ports = await freePorts(from, PORTS);
    const common = { programs: this.programs, dir: this.dir, ports };
    this.btcd = new Btcd(common);
    this.payer = new Lnd({ ...common, name: 'payer', btcd: this.btcd });
    this.seller = new Lnd({ ...common, name: 'seller', btcd: this.btcd });
    try {
      await this.#start();
      return this;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async #start() {
    this.say('starting btcd (regtest) and two LND nodes');
    await this.btcd.start(NOBODY);
    await Promise.all([this.payer.start(), this.seller.start()]);
    this.say('mining coins for the payer, opening a channel');
    const { address } = await this.payer.call('/v1/newaddress?type=TAPROOT_PUBKEY');
    await this.btcd.start(address); // a start without blocks loses none
    await this.btcd.mine(MATURE);
    await Promise.all([this.payer.serves(), this.seller.serves()]);
    await this.#open();
    await Promise.all([this.payer.bake(), this.seller.bake()]);
  }

  async #open() {
    const { payer, seller, btcd } = this;
    await eventually('the payer has coins', async () => {
      const { confirmed_balance } = await payer.call('/v1/balance/blockchain');
      demand(BigInt(confirmed_balance) > BigInt(CAPACITY), `it has ${confirmed_balance} sat`);
    });
    await this.connect();
    await eventually('the channel opens', () => payer.call('/v1/channels', {
      body: { node_pubkey: Buffer.from(seller.node, 'hex').toString('base64'), local_funding_amount: String(CAPACITY) },
    }));
    await btcd.mine(6);
    await this.active();
  }

  connect() {
    const { payer, seller } = this;
    return eventually('the nodes connect', async () => {
      const { peers } = await payer.call('/v1/peers');
      if (!peers.some(({ pub_key }) => pub_key === seller.node))
        await payer.call('/v1/peers', {
          body: { addr: { pubkey: seller.node, host: `127.0.0.1:${seller.ports.peer}` }, timeout: '5' } });
    });
  }

  /** Waits until both ends of the channel are there and a way leads through. */
  active() {
    return eventually('the channel is active', async () => {
      for (const node of [this.payer, this.seller]) {
        const { channels } = await node.call('/v1/channels?active_only=true');
        demand(channels.length === 1, `${node.name} has ${channels.length} active channels`);
      }
      await this.payer.call(`/v1/graph/routes/${this.seller.node}/1000`);
    });
  }

  async stop() {
    await Promise.all([this.payer?.stop(), this.seller?.stop()]);
    await this.btcd?.stop();
  }
}

/** The priced routes beside the demo's, for nginxConf: the same answers for
 *  satoshis too. */
export const LIGHTNING_ROUTES = [
  { path: '/paid-ln', to: '/paid', price: '0.001', more: ['x402_mime_type application/json;',
    'x402_description "An answer in JSON, for satoshis too";', 'x402_lightning on;', 'x402_lightning_price 21 sat;'] },
  { path: '/flaky-ln', to: '/flaky', price: '0.001', more: ['x402_mime_type application/json;',
    'x402_description "Fails once per query string";', 'x402_lightning on;', 'x402_lightning_price 21 sat;'] },
];

/** The seller's node in x402d's configuration. */
export const lightningYaml = (seller) => `lightning:
  lnd: ${seller.url}
  cert: ${JSON.stringify(seller.certFile)}
  macaroon: ${JSON.stringify(seller.macaroonFile)}
  network: regtest`;

/** The payer's node in the client's configuration. */
export const clientConfig = (payer) => `lnd.url = ${payer.url}
lnd.cert = ${payer.certFile}
lnd.macaroon = ${payer.macaroonFile}
lnd.network = regtest
`;
