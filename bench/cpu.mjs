// SPDX-License-Identifier: Apache-2.0
// CPU time per paid request, or with X402_BENCH_KIND=bodies per /verify, by program: on a machine that does other things too, a steadier
// figure than a rate.  node bench/cpu.mjs [CONNECTIONS [REQUESTS A SECOND AT MOST]]
// X402_BENCH_CHAIN=anvil asks anvil in place of a chain that answers at once.
// X402_BENCH_PERF=FILE records x402d with perf(1) while it runs.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChain } from '../devnet/chain.mjs';
import { BUILD, PROJECT } from '../devnet/paths.mjs';
import { Process, sleep } from '../devnet/process.mjs';
import { fund } from './settler.mjs';
import { PAY_TO, cpuSeconds, startSite, startUpstream, upstreamSocket, wrk } from './site.mjs';

const SECONDS = Number(process.env.X402_BENCH_SECONDS || 4);
const PORT = Number(process.env.X402_BENCH_PORT_BASE || 16950);
const KIND = process.env.X402_BENCH_KIND || 'payments';
const PAYERS = 64;
const connections = Number(process.argv[2] || 64);
const ceiling = Number(process.argv[3] || 12000);
const root = mkdtempSync(join(tmpdir(), 'x402-cpu-'));
const started = [];
const track = (thing) => { started.push(thing); return thing; };

function threads(pid) {
  const out = {};
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    const text = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'utf8');
    const f = text.split(') ')[1].split(' ');
    out[`${text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'))}/${tid - pid}`] = (Number(f[11]) + Number(f[12])) / 100;
  }
  return out;
}

const stubChain = () => track(new Process({ name: 'stub chain', command: join(BUILD, 'bench', 'stub_chain'), args: [String(PORT)], log: join(root, 'stub.log') }).start());

async function realChain() {
  const { rpc, process: anvil } = await startChain({ port: PORT, dir: root });
  track(anvil);
  await fund(rpc, PAYERS);
  return anvil;
}

/* Of children that ended: wrk. */
const childrenSeconds = () => {
  const field = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ');
  return (Number(field[13]) + Number(field[14])) / 100;
};

try {
  const chain = process.env.X402_BENCH_CHAIN === 'anvil' ? await realChain() : stubChain();
  const upstream = track(await startUpstream(join(root, 'upstream'), PORT + 1));
  const site = track(await startSite({ dir: join(root, 'stub'), port: PORT + 2, daemonPort: PORT + 3, upstream: upstreamSocket(join(root, 'upstream')),
    rpc: `http://127.0.0.1:${PORT}`, workers: 2, credit: '1000000000 USDC' }));
  const file = join(root, 'payments');
  const out = openSync(file, 'w');
  execFileSync(join(BUILD, 'bench', 'sign'), [KIND, String(ceiling * (SECONDS + 1)), String(PAYERS), PAY_TO, '1000', '300'], { stdio: ['ignore', out, 'inherit'] });
  closeSync(out);
  const programs = { ...site.processes, chain, upstream };
  const before = Object.fromEntries(Object.entries(programs).map(([name, p]) => [name, cpuSeconds(p)]));
  const wrkBefore = childrenSeconds();
  const threadsBefore = threads(site.processes.x402d.pid);
  const perf = process.env.X402_BENCH_PERF && spawn('perf', ['record', '-q', '-g', '-F', '1500', '-e', 'cpu-clock', '-o', process.env.X402_BENCH_PERF, '-p', String((process.env.X402_BENCH_PERF_OF === 'gateway' ? readFileSync(`/proc/${site.processes.gateway.pid}/task/${site.processes.gateway.pid}/children`, 'utf8').trim().split(' ').join(',') : site.processes.x402d.pid))], { stdio: 'inherit' });
  await sleep(perf ? 500 : 0);
  const r = wrk({ url: KIND === 'bodies' ? `${site.facilitator}/verify` : `${site.url}/paid`, connections, seconds: SECONDS, script: join(PROJECT, 'bench', 'load.lua'), args: [KIND, file] });
  const wrkSeconds = childrenSeconds() - wrkBefore;
  await sleep(1500); // the settler finishes
  if (perf) {
    perf.kill('SIGINT');
    await new Promise((done) => perf.on('exit', done));
  }
  console.log(JSON.stringify(r));
  let total = 0;
  for (const [name, p] of Object.entries(programs)) {
    const us = (cpuSeconds(p) - before[name]) / r.requests * 1e6;
    total += us;
    console.log(`${name.padEnd(12)} ${us.toFixed(1)} us`);
  }
  console.log(`wrk          ${(wrkSeconds / r.requests * 1e6).toFixed(1)} us`);
  const after = threads(site.processes.x402d.pid);
  for (const [name, s] of Object.entries(after))
    console.log(`   ${name.padEnd(20)} ${((s - (threadsBefore[name] ?? 0)) / r.requests * 1e6).toFixed(1)} us`);
  const metrics = await (await fetch(`${site.facilitator}/metrics`)).text();
  const metric = (name) => Number(metrics.match(new RegExp(`^${name}\\S* (\\d+)$`, 'm'))?.[1]);
  console.log(`commands a commit ${(metric('x402_ledger_commands_total') / metric('x402_ledger_commits_total')).toFixed(1)}, RPC calls a payment ${(metric('x402_rpc_calls_total') / r.requests).toFixed(2)}`);
  console.log(`without wrk  ${total.toFixed(1)} us; ${r.rate.toFixed(0)}/s`);
  console.log(execFileSync('sh', ['-c', `uptime`], { encoding: 'utf8' }).trim());
} finally {
  for (const thing of started.reverse())
    await thing.stop();
  rmSync(root, { recursive: true, force: true });
}
