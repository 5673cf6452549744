// SPDX-License-Identifier: Apache-2.0
// ./demo: one paid request from the 402 to the moved tokens, each step said
// and shown.  ./demo --serve: the same stack, kept up until SIGTERM.
// ./demo --lightning: the same, paid with satoshis through real LND nodes.
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAYEE, PAYER, accounts } from './accounts.mjs';
import { USDC } from './chain.mjs';
import { LIGHTNING_ROUTES, Lightning, clientConfig, eventually, lightningYaml } from './lightning.mjs';
import { ROUTES } from './gateway.mjs';
import { PROGRAMS, PROJECT } from './paths.mjs';
import { basePort, portsFrom, requireFree } from './ports.mjs';
import { sleep } from './process.mjs';
import { Stack, freshDir } from './stack.mjs';

const RUNS_KEPT = 3; // folders of earlier runs, for whoever wants to read logs
const SETTLED_WITHIN = 15_000;

const serve = process.argv.includes('--serve');
const withLightning = process.argv.includes('--lightning');
const log = (text = '') => (serve ? process.stderr : process.stdout).write(`${text}\n`);
const step = (text) => log(`==> ${text}`);
const usdc = (atomic) => `${atomic / 1_000_000n}.${String(atomic % 1_000_000n).padStart(6, '0')} USDC`;
const indent = (text) => text.trimEnd().split('\n').map((line) => `    ${line}`).join('\n');

/* Nobody may be reading any more; that is no reason to fall over. */
for (const stream of [process.stdout, process.stderr])
  stream.on('error', () => {});

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function tidy(parent) {
  const old = readdirSync(parent)
    .filter((name) => name.startsWith('run-'))
    .map((name) => join(parent, name))
    .map((dir) => ({ dir, at: statSync(dir).mtimeMs }))
    .sort((a, b) => b.at - a.at)
    .filter(({ dir }) => !alive(ownerOf(dir)));
  for (const { dir } of old.slice(RUNS_KEPT))
    rmSync(dir, { recursive: true, force: true });
}

function ownerOf(dir) {
  try {
    return Number(readFileSync(join(dir, 'owner.pid'), 'utf8')) || NaN;
  } catch {
    return NaN;
  }
}

async function startStack() {
  const ports = portsFrom(basePort());
  await requireFree(ports);
  const parent = join(PROJECT, '.demo');
  const dir = freshDir(parent);
  writeFileSync(join(dir, 'owner.pid'), `${process.pid}\n`);
  tidy(parent);
  if (withLightning)
    await startLightning(dir);
  const stack = new Stack({ ports, dir, say: step, ...stackOptions() });
  stack.on('fatal', (error) => fail(stack, error));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'])
    process.on(signal, () => leave(stack, signal));
  await stack.start();
  return stack;
}

let lightning;

async function startLightning(dir) {
  lightning = new Lightning({ dir, say: step });
  await lightning.start(basePort() + 100);
}

const stackOptions = () => ({
  yaml: { bazaar: true, ...(lightning && { more: lightningYaml(lightning.seller) }) },
  ...(lightning && { conf: { routes: [...ROUTES, ...LIGHTNING_ROUTES] } }),
});

let leaving = false;

async function leave(stack, signal) {
  if (leaving)
    return;
  leaving = true;
  step(`${signal}: stopping everything`);
  await stack.stop();
  await lightning?.stop();
  process.exit(serve ? 0 : 130);
}

async function fail(stack, error) {
  if (leaving)
    return;
  leaving = true;
  process.stderr.write(`\ndemo: ${error.message}\n`);
  await stack?.stop();
  await lightning?.stop();
  if (stack)
    process.stderr.write(`demo: the logs are in ${stack.dir}\n`);
  process.exit(1);
}

async function showOffer(stack) {
  const url = `${stack.url('gateway')}/paid`;
  step(`asking without a payment: GET ${url}`);
  const response = await fetch(url);
  log(`    HTTP/1.1 ${response.status} ${response.statusText}`);
  for (const name of ['x-payment-required', 'x-payment-currency', 'x-payment-chain', 'x-pay-to'])
    log(`    ${name}: ${response.headers.get(name)}`);
  const header = response.headers.get('payment-required');
  log(`    payment-required: ${header.slice(0, 48)}... (base64, ${header.length} bytes)`);
  log(indent(JSON.stringify(JSON.parse(await response.text()), null, 2)));
}

async function balances(stack) {
  const [payer, payee] = await Promise.all(
    [PAYER, PAYEE].map((index) => stack.rpc.balance(USDC, accounts[index].address)));
  return { payer, payee };
}

function showBalances(when, { payer, payee }) {
  step(`balances on the chain, ${when}`);
  log(`    payer ${accounts[PAYER].address}  ${usdc(payer)}`);
  log(`    payee ${accounts[PAYEE].address}  ${usdc(payee)}`);
}

function run(command, args, env) {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 60_000, env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code ?? 1 : 0, stdout, stderr }));
  });
}

async function pay(stack) {
  const args = ['get', '-i', '--key-file', join(stack.dir, 'payer.key'), '--max-amount', '0.01',
    `${stack.url('gateway')}/paid`];
  step('paying: the client reads the 402, signs an EIP-3009 authorization, asks again');
  log(`    $ x402 ${args.join(' ')}`);
  // its journal goes to this run's folder, not to the user's
  const own = join(stack.dir, 'client');
  const { code, stdout, stderr } = await run(PROGRAMS.x402, args,
    { XDG_CONFIG_HOME: own, XDG_DATA_HOME: own, XDG_STATE_HOME: own });
  log(indent(stdout));
  if (stderr.trim())
    log(indent(stderr));
  if (code !== 0)
    throw new Error(`x402 get ended with code ${code}`);
  const receipt = /^payment-response: (\S+)/im.exec(stdout)?.[1];
  if (!receipt)
    throw new Error('the answer came without a receipt (PAYMENT-RESPONSE)');
  step('the receipt (PAYMENT-RESPONSE), decoded');
  log(indent(JSON.stringify(JSON.parse(Buffer.from(receipt, 'base64')), null, 2)));
}

/* The answer never waited for the chain; the tokens follow. */
async function awaitSettlement(stack, before) {
  step('waiting for the settlement');
  const payee = accounts[PAYEE].address;
  for (const end = Date.now() + SETTLED_WITHIN; Date.now() < end; await sleep(100)) {
    const transfers = await stack.rpc.transfersTo(USDC, payee);
    if (transfers.length > 0 && await stack.rpc.balance(USDC, payee) > before.payee)
      return log(`    mined in transaction ${transfers.at(-1).transaction}`);
  }
  throw new Error(`the payment was not settled within ${SETTLED_WITHIN / 1000} s; see ${stack.dir}/x402d.log`);
}

async function walk(stack) {
  await showOffer(stack);
  const before = await balances(stack);
  showBalances('before', before);
  await pay(stack);
  await awaitSettlement(stack, before);
  showBalances('after', await balances(stack));
  step('done: stopping everything (./demo --serve keeps it running)');
}

/* ---- ./demo --lightning ---- */

async function lightningBalances(when) {
  const { payer, seller } = lightning;
  step(`balances in the channel, ${when}`);
  for (const node of [payer, seller])
    log(`    ${node.name.padEnd(6)} ${node.node}  ${(await node.balance()) / 1000n} sat`);
}

async function lightningOffer(stack) {
  const url = `${stack.url('gateway')}/paid-ln`;
  step(`asking without a payment: GET ${url}`);
  const response = await eventually('Lightning is offered', async () => {
    const answer = await fetch(url);
    await answer.arrayBuffer();
    if (!answer.headers.has('www-authenticate'))
      throw new Error('the 402 goes without it');
    return answer;
  }, 15_000);
  log(`    HTTP/1.1 ${response.status} ${response.statusText}`);
  for (const line of response.headers.get('www-authenticate').split(/, (?=Payment )/))
    log(`    www-authenticate: ${line.slice(0, 60)}... (${line.length} bytes)`);
  const offer = JSON.parse(Buffer.from(response.headers.get('payment-required'), 'base64'));
  step('PAYMENT-REQUIRED, decoded: USDC first, then Lightning');
  log(indent(JSON.stringify(offer, null, 2)));
}

async function lightningPay(stack) {
  const own = join(stack.dir, 'client');
  mkdirSync(join(own, 'x402'), { recursive: true, mode: 0o700 });
  writeFileSync(join(own, 'x402', 'config'), clientConfig(lightning.payer), { mode: 0o600 });
  const args = ['get', '-i', '--rail', 'lightning', '--max-sats', '30 sat', `${stack.url('gateway')}/paid-ln`];
  step('paying: the client checks the invoice against its request, its LND pays, it asks again with the preimage');
  log(`    $ x402 ${args.join(' ')}`);
  const { code, stdout, stderr } = await run(PROGRAMS.x402, args,
    { XDG_CONFIG_HOME: own, XDG_DATA_HOME: own, XDG_STATE_HOME: own });
  log(indent(stderr));
  log(indent(stdout));
  if (code !== 0)
    throw new Error(`x402 get ended with code ${code}`);
  const receipt = JSON.parse(Buffer.from(/^payment-response: (\S+)/im.exec(stdout)[1], 'base64'));
  step("the receipt (PAYMENT-RESPONSE), decoded, and the seller's node on it");
  log(indent(JSON.stringify(receipt, null, 2)));
  const invoice = await lightning.seller.invoice(receipt.transaction.replace('0x', ''));
  log(`    invoice ${invoice.state}, ${invoice.amt_paid_msat} msat`);
  if (invoice.state !== 'SETTLED')
    throw new Error('the invoice is not settled');
}

async function walkLightning(stack) {
  await lightningOffer(stack);
  await lightningBalances('before');
  await lightningPay(stack);
  await lightningBalances('after');
  step('done: stopping everything');
}

let stack;
try {
  stack = await startStack();
  if (serve) {
    process.stdout.write(`ready ${stack.readyFile}\n`);
  } else {
    await (withLightning ? walkLightning : walk)(stack);
    leaving = true;
    await stack.stop();
    await lightning?.stop();
    process.exit(0);
  }
} catch (error) {
  if (!leaving)
    await fail(stack, error);
}
