// SPDX-License-Identifier: Apache-2.0
// All measurements in one run: each figure stands beside something real from the same
// minute on the same machine, since machines are noisy and ratios are less so.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, closeSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChain, USDC, CHAIN_ID } from '../devnet/chain.mjs';
import { privateKey } from '../devnet/accounts.mjs';
import { BUILD, PROJECT } from '../devnet/paths.mjs';
import { Process, listening, sleep } from '../devnet/process.mjs';
import { measureLightning } from './lightning.mjs';
import { fund, keepUp, settleCaptured } from './settler.mjs';
import { PAY_TO, startPlain402, startSite, startUpstream, upstreamSocket, wrk } from './site.mjs';

const SECONDS = Number(process.env.X402_BENCH_SECONDS || 6);
const PORT = Number(process.env.X402_BENCH_PORT_BASE || 16900);
const JSON_ONLY = process.argv.includes('--json');
const say = (line) => { if (!JSON_ONLY) console.log(line); };
const tool = (name) => join(BUILD, 'bench', name);
const here = (name) => join(PROJECT, 'bench', name);
const root = mkdtempSync(join(tmpdir(), 'x402-bench-'));
const result = {};
const started = [];
const track = (thing) => { started.push(thing); return thing; };
const per = (n) => `${Math.round(n).toLocaleString('en')}/s`;
const x = (ratio) => `${ratio.toFixed(2)} x`;

/* Distinct payments, made before the clock starts. */
function ammunition(kind, count, payers) {
  const file = join(root, `${kind}.txt`);
  const out = openSync(file, 'w');
  execFileSync(tool('sign'), [kind, String(count), String(payers), PAY_TO, '1000', '300'], { stdio: ['ignore', out, 'inherit'] });
  closeSync(out);
  return file;
}

function paid(site, connections, ceiling, payers, seconds = SECONDS) {
  const file = ammunition('payments', Math.ceil(ceiling * (seconds + 1)), payers);
  return wrk({ url: `${site}/paid`, connections, seconds, script: here('load.lua'), args: ['payments', file] });
}

function yardsticks() {
  const m = JSON.parse(execFileSync(tool('measure'), [root], { encoding: 'utf8' }));
  say(`signature recoveries on one core     ${per(m.recoveries_per_s)}`);
  say(`one fdatasync                        ${m.fdatasync_ms.toFixed(2)} ms`);
  return (result.yardsticks = m);
}

async function unpaid(site) {
  track(await startPlain402(root, PORT + 4, `${site}/paid`));
  const rate = (url) => wrk({ url, connections: 64, seconds: SECONDS, script: here('plain.lua') }).rate;
  const pairs = [0, 1, 2].map(() => [rate(`${site}/paid`), rate(`http://127.0.0.1:${PORT + 4}/paid`)]);
  const [ours, nginx] = pairs.sort((a, b) => a[0] / a[1] - b[0] / b[1])[1]; // the median ratio
  result.offer = { ours, nginx, ratio: ours / nginx };
  say(`402, no payment                      ${per(ours)}; nginx \`return 402\` of the same bytes ${per(nginx)}: ${x(ours / nginx)}`);
}

async function onStubChain(yard) {
  track(new Process({ name: 'stub chain', command: tool('stub_chain'), args: [String(PORT)], log: join(root, 'stub.log') }).start());
  const site = track(await startSite({ dir: join(root, 'stub'), port: PORT + 2, daemonPort: PORT + 3, upstream: upstreamSocket(join(root, 'upstream')),
    rpc: `http://127.0.0.1:${PORT}`, workers: 2, credit: '1000000000 USDC' }));
  await unpaid(site.url);
  result.paid = {};
  for (const connections of [1, 16, 64]) {
    const r = paid(site.url, connections, connections === 1 ? 1000 : yard.recoveries_per_s, 256);
    result.paid[connections] = { ...r, recoveries: r.rate / yard.recoveries_per_s };
    say(`paid requests, ${String(connections).padStart(2)} connections        ${per(r.rate)}, p50 ${r.p50_ms.toFixed(2)} ms, p99 ${r.p99_ms.toFixed(2)} ms, `
      + `${x(r.rate / yard.recoveries_per_s)} one core's recoveries, not 200: ${r.non_2xx + r.socket_errors}`);
    await sleep(2000); // let the settler finish
  }
  const floor = 2 * yard.fdatasync_ms;
  say(`  at 1 connection: p50 is two fdatasyncs (${floor.toFixed(2)} ms) and ${(result.paid[1].p50_ms - floor).toFixed(2)} ms`);
  const file = ammunition('bodies', Math.ceil(yard.recoveries_per_s * (SECONDS + 1)), 256);
  const verify = wrk({ url: `${site.facilitator}/verify`, connections: 64, seconds: SECONDS, script: here('load.lua'), args: ['bodies', file] });
  result.verify_stub = verify;
  say(`/verify, 64 connections              ${per(verify.rate)}, not 200: ${verify.non_2xx}`);
}

async function startReference(rpc) {
  writeFileSync(join(root, 'reference.key'), privateKey(0), { mode: 0o600 });
  const stack = join(PROJECT, 'tests', 'reference', 'stack.mjs');
  const start = async (port, ...args) => {
    const process_ = track(new Process({ name: `reference ${args[0]}`, command: process.execPath, args: [stack, ...args], log: join(root, `${args[0]}.log`) }).start());
    await listening(process_, { host: '127.0.0.1', port });
  };
  await start(PORT + 13, 'facilitator', String(PORT + 13), rpc, join(root, 'reference.key'));
  await start(PORT + 14, 'server', String(PORT + 14), `http://127.0.0.1:${PORT + 13}`, PAY_TO);
  await fetch(`http://127.0.0.1:${PORT + 14}/paid`); // it asks its facilitator what it supports
  return { url: `http://127.0.0.1:${PORT + 14}`, facilitator: `http://127.0.0.1:${PORT + 13}` };
}

const accepted = (r) => (r.requests - r.non_2xx) / r.seconds;

async function againstReference() {
  const chain = await startChain({ port: PORT + 10, dir: root });
  track(chain.process);
  await fund(chain.rpc, 64);
  const reference = await startReference(chain.url);
  const theirs = paid(reference.url, 16, 200, 64, SECONDS * 2);
  const theirVerify = wrk({ url: `${reference.facilitator}/verify`, connections: 64, seconds: SECONDS, script: here('load.lua'),
    args: ['bodies', ammunition('bodies', 1000 * SECONDS, 64)] });
  const site = track(await startSite({ dir: join(root, 'anvil'), port: PORT + 12, daemonPort: PORT + 15, upstream: upstreamSocket(join(root, 'upstream')),
    rpc: chain.url, workers: 2, credit: '1000000 USDC' }));
  const before = await chain.rpc.balance(USDC, PAY_TO);
  const ours = paid(site.url, 16, 6000, 64, SECONDS * 2);
  result.reference = { ours, theirs, ratio: accepted(ours) / accepted(theirs) };
  say(`paid on anvil, 16 connections        ours ${per(accepted(ours))} (refused ${ours.non_2xx} of ${ours.requests}); `
    + `@x402/express ${per(accepted(theirs))} (refused ${theirs.non_2xx} of ${theirs.requests}): ${x(result.reference.ratio)}`);
  await settled(chain.rpc, before, ours.requests - ours.non_2xx);
  const ourVerify = wrk({ url: `${site.facilitator}/verify`, connections: 64, seconds: SECONDS, script: here('load.lua'),
    args: ['bodies', ammunition('bodies', 24000 * SECONDS, 64)] });
  result.verify_anvil = { ours: ourVerify, theirs: theirVerify, ratio: accepted(ourVerify) / accepted(theirVerify) };
  say(`/verify on anvil, 64 connections     ours ${per(accepted(ourVerify))}; TypeScript facilitator ${per(accepted(theirVerify))}: ${x(result.verify_anvil.ratio)}`);
}

/* Wait until every accepted payment has moved its tokens: the run is not over before. */
async function settled(rpc, before, count) {
  const begin = Date.now();
  const target = before + BigInt(count) * 1000n;
  while (await rpc.balance(USDC, PAY_TO) < target && Date.now() - begin < 120_000)
    await sleep(200);
  const got = Number((await rpc.balance(USDC, PAY_TO) - before) / 1000n);
  result.settled = { accepted: count, moved: got, seconds: (Date.now() - begin) / 1000 };
  say(`  settled on the chain: ${got} of ${count} accepted, ${(result.settled.seconds).toFixed(1)} s after the last request`);
}

/* 10,000 captured payments of 200 payers; the same one by one; and payments that keep coming. */
async function settler() {
  const COUNT = Number(process.env.X402_BENCH_CAPTURED || 10_000);
  const chain = await startChain({ port: PORT + 20, dir: join(root, 'settler') });
  track(chain.process);
  await fund(chain.rpc, 200);
  const ports = { port: PORT + 21, daemonPort: PORT + 22, upstream: upstreamSocket(join(root, 'upstream')) };
  const of = (name, options) => settleCaptured({ chain, dir: join(root, name), ports, payers: 200, ...options });
  const alone = await of('alone', { count: 50, batch: '{max: 1, wait: 1}' });
  const many = await of('many', { count: COUNT });
  result.settler = { alone, many, gas: many.gas / alone.gas };
  say(`${COUNT} captured payments              settled in ${many.seconds.toFixed(1)} s (${per(many.rate)}), ${many.moved} moved, ${many.each.toFixed(1)} a transaction`);
  say(`gas per payment                      ${Math.round(many.gas)} in batches, ${Math.round(alone.gas)} alone: ${x(many.gas / alone.gas)}`);
  const seconds = SECONDS * 10;
  const steady = await keepUp({ chain, dir: join(root, 'steady'), ports, rate: 500, seconds, payers: 200 });
  result.settler.steady = steady;
  say(`500 payments/s for ${seconds} s              ${steady.moved} of ${steady.sent} settled (refused ${steady.refused}), never more than ${steady.most} waiting, the last ${steady.after.toFixed(1)} s after its answer`);
}

/* On a chain that answers at once: here the node that counts is LND. */
async function lightning() {
  track(new Process({ name: 'stub chain', command: tool('stub_chain'), args: [String(PORT + 30)], log: join(root, 'stub2.log') }).start());
  const { lnd, fresh, over, without } = result.lightning = await measureLightning({ dir: join(root, 'lightning'), from: PORT + 40,
    seconds: SECONDS, port: PORT + 31, daemonPort: PORT + 32, upstream: upstreamSocket(join(root, 'upstream')),
    rpc: `http://127.0.0.1:${PORT + 30}`, workers: 2, credit: '1000000 USDC' });
  say(`402 with a fresh invoice each        ${per(fresh.rate)}, p50 ${fresh.p50_ms.toFixed(0)} ms (${fresh.invoices} invoices in ${fresh.requests} answers); `
    + `AddInvoice on LND alone ${per(lnd.rate)}: ${x(fresh.rate / lnd.rate)}`);
  say(`402, Lightning over the bucket       ${per(over.rate)}; a location without Lightning ${per(without.rate)}: ${x(over.rate / without.rate)}`);
}

const NAMES = ['stub', 'reference', 'settler', 'lightning'];
const asked = process.argv.slice(2).filter((name) => NAMES.includes(name));
const PARTS = asked.length > 0 ? asked : (process.env.X402_BENCH_PARTS || 'stub,reference,settler').split(',');

try {
  say(`x402 bench: ${SECONDS} s each, chain ${CHAIN_ID}, load generator and upstream on this machine too`);
  const yard = yardsticks();
  track(await startUpstream(join(root, 'upstream'), PORT + 1));
  if (PARTS.includes('stub'))
    await onStubChain(yard);
  if (PARTS.includes('reference'))
    await againstReference();
  if (PARTS.includes('settler'))
    await settler();
  if (PARTS.includes('lightning'))
    await lightning();
  if (JSON_ONLY)
    console.log(JSON.stringify(result, null, 2));
} finally {
  for (const thing of started.reverse())
    await thing.stop();
  if (process.env.X402_BENCH_KEEP)
    console.error(`kept ${root}`);
  else
    rmSync(root, { recursive: true, force: true });
}
