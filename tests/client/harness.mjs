// SPDX-License-Identifier: Apache-2.0
// The client under test: a home of its own, servers that do as a test says,
// and what they saw.  The servers keep every payment header as it came, since
// the count of distinct nonces is the number of payments that were given away.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { join } from 'node:path';
import { after, afterEach } from 'node:test';
import { recoverTypedDataAddress } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { PROGRAMS, PROJECT } from '../../devnet/paths.mjs';

export const KEY = `0x${'11'.repeat(32)}`;
export const PAYER = privateKeyToAccount(KEY).address;
export const PAYEE = '0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB';
export const THIEF = '0x1563915e194D8CfBA1943570603F7606A3115508';
export const USDC = '0x036CbD53842c5426634e7929541eC2318f3dCF7e'; // Base Sepolia
export const USDC_BASE = '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913';

export const base64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64');
export const unbase64 = (text) => JSON.parse(Buffer.from(text, 'base64').toString());
export const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
export const now = () => Math.floor(Date.now() / 1000);

const cleanups = [];
const servers = [];
after(async () => {
  for (const cleanup of cleanups.reverse())
    await cleanup();
});

/** A user: a home folder, a key file, and a way to run the command. */
export function newUser({ key = KEY, config } = {}) {
  mkdirSync(join(PROJECT, 'tests', '.run'), { recursive: true });
  const home = mkdtempSync(join(PROJECT, 'tests', '.run', 'client-'));
  const keyFile = join(home, 'key');
  writeFileSync(keyFile, `${key}\n`, { mode: 0o600 });
  if (config !== undefined) {
    mkdirSync(join(home, '.config', 'x402'), { recursive: true });
    writeFileSync(join(home, '.config', 'x402', 'config'), config, { mode: 0o600 });
  }
  if (!process.env.X402_KEEP)
    cleanups.push(() => rmSync(home, { recursive: true, force: true }));

  const env = { PATH: process.env.PATH, HOME: home };
  if (process.env.X402_MUTANT)
    env.X402_MUTANT = process.env.X402_MUTANT;
  const user = {
    home,
    keyFile,
    env,
    journal: join(home, '.local', 'state', 'x402', 'payments'),
    /** Starts `x402 ARGS`; .end is {code, out, err, bytes}. */
    start(args, more = {}) {
      const child = spawn(more.program ?? PROGRAMS.x402, args, {
        env: { ...env, ...more.env },
        cwd: home,
        stdio: ['pipe', 'pipe', 'pipe'],
        timeout: more.timeout ?? 60_000,
      });
      const out = [];
      let err = '';
      child.stdout.on('data', (data) => out.push(data));
      child.stderr.on('data', (data) => { err += data; });
      child.stdin.on('error', () => {});
      child.stdin.end(more.input ?? '');
      child.end = new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, signal) => {
          const bytes = Buffer.concat(out);
          resolve({ code: code ?? signal, bytes, out: bytes.toString(), err });
        });
      });
      return child;
    },
    run: (args, more) => user.start(args, more).end,
    /** `x402 get` with the key file and fast retries. */
    get: (args, more) => user.run(['get', '--key-file', keyFile, '--retry-delay', '0.05', ...args], more),
    /** The same with --json: the report is parsed. */
    async report(args, more) {
      const end = await user.get(['--json', ...args], more);
      return { ...end, ...JSON.parse(end.out) };
    },
    /** Every payment in the journal, as `x402 payments --json` shows it. */
    async payments() {
      const end = await user.run(['payments', '--all', '--json']);
      assert.equal(end.code, 0, end.err);
      return end.out.split('\n').filter(Boolean).map((line) => JSON.parse(line));
    },
    files() {
      if (!existsSync(user.journal))
        return [];
      return readdirSync(user.journal).flatMap((day) =>
        readdirSync(join(user.journal, day)).map((name) => join(user.journal, day, name)));
    },
    read: (file) => readFileSync(file, 'utf8'),
  };
  return user;
}

// a test's servers end with it: there are a hundred ports for all files
afterEach(async () => {
  for (const server of servers.splice(0))
    await server.close();
});

let nextPort = 15400 + (process.pid % 90);
async function listen(server, host) {
  for (let tries = 0; tries < 200; tries++) {
    const port = 15400 + (nextPort++ - 15400) % 100;
    const free = await new Promise((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, host, () => resolve(true));
    });
    server.removeAllListeners('error');
    if (free)
      return port;
  }
  throw new Error('no free port from 15400 to 15499');
}

const PAYMENT_HEADERS = ['payment-signature', 'x-payment'];
const paymentOf = (headers) => {
  const names = PAYMENT_HEADERS.filter((name) => headers[name] !== undefined);
  return names.length === 0 ? undefined : { name: names[0], count: names.length, text: headers[names[0]] };
};

/** A server that answers as `handler(request, response, seen)` says; `seen`
 *  has method, url, headers, body, payment (decoded) and index. */
export async function serve(handler, { host = '127.0.0.1', tls } = {}) {
  const world = { requests: [] };
  const answer = (request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const header = paymentOf(request.headers);
      const seen = {
        index: world.requests.length,
        method: request.method,
        url: request.url,
        headers: request.headers,
        raw: request.rawHeaders,
        body: Buffer.concat(chunks),
        header,
        payment: header && unbase64(header.text),
      };
      world.requests.push(seen);
      handler(request, response, seen);
    });
    request.on('error', () => {});
  };
  const server = tls ? createSecureServer(tls, answer) : createServer({ maxHeaderSize: 65536 }, answer);
  server.on('clientError', (error, socket) => socket.destroy());
  server.on('tlsClientError', () => {});
  const port = await listen(server, host);
  const scheme = tls ? 'https' : 'http';
  Object.assign(world, {
    port,
    url: `${scheme}://${host}:${port}`,
    close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
    paid: () => world.requests.filter(({ header }) => header),
    /** How many different payments this server holds in its hands. */
    nonces: () => new Set(world.paid().map(({ payment }) => payment.payload.authorization.nonce)),
    texts: () => new Set(world.paid().map(({ header }) => header.text)),
  });
  servers.push(world);
  return world;
}

/** One entry of version 2's `accepts`. */
export const entry = (change = {}) => ({
  scheme: 'exact',
  network: 'eip155:84532',
  amount: '1000',
  asset: USDC,
  payTo: PAYEE,
  maxTimeoutSeconds: 60,
  extra: { name: 'USDC', version: '2' },
  ...change,
});

/** 402s, one per wire: {headers, body}. */
export const offers = {
  v2: (accepts, url, more = {}) => ({
    headers: { 'payment-required': base64({ x402Version: 2, error: 'Payment required', resource: { url }, accepts, ...more }) },
    body: '{}',
  }),
  seed000: (accepts, url) => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      x402Version: 2,
      error: 'Payment required to access this resource',
      accepts: accepts.map(({ amount, ...rest }) => ({
        ...rest, maxAmountRequired: amount, facilitatorUrl: 'https://open.x402.host', resource: { url, method: 'GET' },
      })),
    }),
  }),
  v1: (accepts, url) => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      x402Version: 1,
      error: 'X-PAYMENT header is required',
      accepts: accepts.map(({ amount, network, ...rest }) => ({
        ...rest,
        network: { 'eip155:84532': 'base-sepolia', 'eip155:8453': 'base' }[network] ?? network,
        maxAmountRequired: amount,
        resource: url,
        description: 'a thing',
        mimeType: 'application/json',
      })),
    }),
  }),
  seed001: ([first]) => ({
    headers: {
      'X-Payment-Required': (Number(first.amount) / 1e6).toFixed(6),
      'X-Payment-Currency': 'USDC',
      'X-Payment-Chain': { 'eip155:84532': 'base-sepolia', 'eip155:8453': 'base' }[first.network],
      'X-Pay-To': first.payTo,
    },
    body: 'pay first',
  }),
};

export function send402(response, offer) {
  response.writeHead(402, { 'cache-control': 'no-store', ...offer.headers });
  response.end(offer.body);
}

export const receipt = (payment, change = {}) => base64({
  success: true,
  transaction: '',
  network: 'eip155:84532',
  payer: payment.payload.authorization.from,
  ...change,
});

export function deliver(response, seen, body = '{"answer":42}') {
  response.writeHead(200, { 'content-type': 'application/json', 'payment-response': receipt(seen.payment) });
  response.end(body);
}

/** A shop: 402 without a payment, then `afterwards` (deliver by default). */
export const shop = ({ wire = 'v2', accepts = [entry()], afterwards = (response, seen) => deliver(response, seen), more, options, resource } = {}) => {
  const server = serve((request, response, seen) => {
    if (seen.header === undefined)
      return server.then(({ url }) =>
        send402(response, offers[wire](accepts, resource ?? `${url}${seen.url}`, more)));
    return afterwards(response, seen, request);
  }, options);
  return server;
};

const TYPES = {
  TransferWithAuthorization: [
    { name: 'from', type: 'address' },
    { name: 'to', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'validAfter', type: 'uint256' },
    { name: 'validBefore', type: 'uint256' },
    { name: 'nonce', type: 'bytes32' },
  ],
};
const DOMAINS = {
  84532: { name: 'USDC', version: '2', chainId: 84532, verifyingContract: USDC },
  8453: { name: 'USD Coin', version: '2', chainId: 8453, verifyingContract: USDC_BASE },
};

/** Who signed it, by viem, in the domain of the chain's real token. */
export const signerOf = (payment, chain = 84532) => recoverTypedDataAddress({
  domain: DOMAINS[chain],
  types: TYPES,
  primaryType: 'TransferWithAuthorization',
  message: payment.payload.authorization,
  signature: payment.payload.signature,
});

/** Waits until it is true. */
export async function until(what, ask, limit = 10_000) {
  for (const end = Date.now() + limit; Date.now() < end; await sleep(20)) {
    const answer = await ask();
    if (answer)
      return answer;
  }
  throw new Error(`${what}: not within ${limit} ms`);
}
