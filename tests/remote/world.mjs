// SPDX-License-Identifier: Apache-2.0
// A stack whose x402d has no key: a scripted facilitator stands in front of a
// real one, another x402d or the official TypeScript one.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { privateKey } from '../../devnet/accounts.mjs';
import { PROJECT } from '../../devnet/paths.mjs';
import { isFree } from '../../devnet/ports.mjs';
import { Process, listening, sleep } from '../../devnet/process.mjs';
import { Daemon, freshDir, yaml } from '../facilitator/daemon.mjs';
import { useStack } from '../harness/stack.mjs';
import { until } from '../harness/witness.mjs';
import { Scripted } from './scripted.mjs';

const THEIRS = 8; // signs for the facilitator
const FIRST_PORT = Number(process.env.X402_FACILITATOR_PORT_BASE ?? 15950) + 30;

async function freePort(from) {
  let port = from;
  while (!await isFree(port))
    port += 1;
  return port;
}

export const settleBy = (url, more = '', { verify = 1500, settle = 2500 } = {}) =>
  `    facilitator: {url: ${JSON.stringify(url)}, verify_timeout: ${verify}, settle_timeout: ${settle}${more}}`;

/** Another x402d, with the key that this one does not have. */
export async function ourFacilitator(rpc, more = {}, prepare = () => {}) {
  const port = await freePort(FIRST_PORT);
  const daemon = new Daemon({ port, text: yaml({ port, rpc, network: '    poll: 200', ...more }) });
  writeFileSync(join(daemon.dir, 'signer.key'), `${privateKey(THEIRS).slice(2)}\n`, { mode: 0o600 });
  prepare(daemon.dir);
  return daemon.start();
}

/** The official one. */
export async function theirFacilitator(rpc) {
  const port = await freePort(FIRST_PORT + 5);
  const dir = freshDir();
  const key = join(dir, 'signer.key');
  writeFileSync(key, privateKey(THEIRS), { mode: 0o600 });
  const process_ = new Process({
    name: 'reference', command: process.execPath, log: join(dir, 'reference.log'),
    args: [join(PROJECT, 'tests', 'reference', 'stack.mjs'), 'facilitator', String(port), rpc, key],
  }).start();
  await listening(process_, { host: '127.0.0.1', port });
  return { url: `http://127.0.0.1:${port}`, stop: () => process_.stop() };
}

const health = async (world) => (await fetch(`${world.stack.url('facilitator')}/health`)).json();

/** The network of this page can settle, or cannot. */
export function canSettle(world, wanted = true, limit = 20_000) {
  return until(`canSettle ${wanted}`, limit, async () => (await health(world)).networks[0],
    (network) => network.canSettle === wanted);
}

/** Declares a keyless stack for a file.  node: false leaves the chain node
 *  out; facilitator: what stands behind the scripted one; more: for its
 *  configuration; url(scripted): what stands in front of that one; timeouts, in
 *  milliseconds: {verify, settle}; between: other proxies of the stack. */
export async function useRemote({ node = true, facilitator = ourFacilitator, more = '', tls, url, timeouts, between, allowed, conf, ground } = {}) {
  const scripted = await Scripted.start({ tls });
  let real;
  const world = useStack({
    yaml: { settle: settleBy(url?.(scripted) ?? scripted.url, more, timeouts), network: node ? '    poll: 200' : '', ...node ? {} : { rpcUrl: null } },
    between, ...conf && { conf }, ...ground && { ground },
  }, {
    connections: 128, allowed,
    ready: async (w) => {
      real = await facilitator(w.stack.url('rpc'));
      scripted.to = real.url;
      if (!tls)
        await canSettle(w);
    },
    done: async () => {
      await scripted.close();
      await real?.stop();
    },
  });
  world.scripted = scripted;
  return world;
}

/** How often a payment's nonce was used on the chain. */
export async function uses(world, payment) {
  return (await world.witness.usedCounts()).get(payment.nonce) ?? 0;
}

/* Reading the ledger holds this process up, and with it the scripted
 * facilitator: all payments in one read, and not too often. */
export async function mined(world, payments, limit = 20_000) {
  const nonces = payments.map(({ nonce }) => `x'${nonce.slice(2)}'`).join(', ');
  await until(`${payments.length} mined`, limit, async () => {
    await sleep(250);
    return world.witness.ledger(`select count(*) as n from payment where state in (5, 6) and nonce in (${nonces})`)[0].n;
  }, (n) => n === payments.length);
}

/** The ledger's row of a payment. */
export function row(world, payment) {
  return world.witness.ledger(`select state, run, tx, mode, reason from payment where nonce = x'${payment.nonce.slice(2)}'`)[0];
}
