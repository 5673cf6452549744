// SPDX-License-Identifier: Apache-2.0
// One site to measure: x402d and nginx with the module in front of a small upstream,
// on a chain that is given.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { privateKey, account, PAYEE } from '../devnet/accounts.mjs';
import { PROGRAMS } from '../devnet/paths.mjs';
import { Process, listening } from '../devnet/process.mjs';

export const PAY_TO = account(PAYEE).address;

const nginxHead = (dir, workers) => `
${process.getuid() === 0 ? 'user root;' : ''}
daemon off;
worker_processes ${workers};
pid ${dir}/nginx.pid;
error_log ${dir}/error.log warn;
worker_rlimit_nofile 8192;
events { worker_connections 2048; }
`;
const nginxHttp = (dir, servers) => `
http {
  access_log off;
  keepalive_requests 1000000;
  client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy; fastcgi_temp_path ${dir}/f;
  uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
${servers}
}
`;

export async function startNginx(name, dir, port, text) {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'nginx.conf');
  writeFileSync(file, text);
  const nginx = new Process({ name, command: 'nginx', args: ['-c', file, '-e', join(dir, 'error.log')], log: join(dir, 'out.log') });
  nginx.start();
  await listening(nginx, { host: '127.0.0.1', port });
  return nginx;
}

/** An upstream that answers at once, on a port and on the socket that upstreamSocket names. */
export const upstreamSocket = (dir) => `unix:${dir}/upstream.sock`;
export function startUpstream(dir, port) {
  return startNginx('upstream', dir, port, nginxHead(dir, 1) + nginxHttp(dir, `
  server { listen 127.0.0.1:${port} backlog=4096; listen ${upstreamSocket(dir)} backlog=4096; default_type application/json; return 200 '{"paid":true}'; }`));
}

/** nginx that says the same 402, byte for byte, without any of our code. */
export async function startPlain402(dir, port, url) {
  const response = await fetch(url);
  const body = await response.text();
  const skip = ['connection', 'content-length', 'date', 'server', 'content-type', 'transfer-encoding', 'keep-alive'];
  const headers = [...response.headers].filter(([name]) => !skip.includes(name))
    .map(([name, value]) => `add_header ${name} '${value.replace(/'/g, "\\'")}' always;`).join('\n    ');
  writeFileSync(join(dir, '402.json'), body);
  return startNginx('plain nginx', dir, port, nginxHead(dir, 1) + nginxHttp(dir, `
  server { listen 127.0.0.1:${port} backlog=4096;
    default_type ${response.headers.get('content-type')};
    ${headers}
    return 402 '${body.replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\$/g, '')}'; }`));
}

export async function startSite({ dir, port, daemonPort, upstreamPort, upstream = `127.0.0.1:${upstreamPort}`, rpc, workers, credit, batch = '{max: 100, wait: 1000}',
  yaml = '', locations = '' }) {
  mkdirSync(dir, { recursive: true });
  const socket = join(dir, 'till.sock');
  writeFileSync(join(dir, 'signer.key'), privateKey(0), { mode: 0o600 });
  writeFileSync(join(dir, 'x402d.yaml'), `
ledger: ${dir}/ledger.db
till: {socket: ${socket}, mode: "0660"}
http: {listen: "127.0.0.1:${daemonPort}", any_payee: true}
log: ${process.env.X402_BENCH_LOG || "warn"}
payees: [{network: eip155:84532, address: "${PAY_TO}"}]
networks:
  - network: eip155:84532
    rpc: ["${rpc}"]
    signers: [{key_file: signer.key}]
    credit: {payer: "${credit}", total: "${credit}"}
    batch: ${batch}
    confirmations: 1
${yaml}
`);
  const daemon = new Process({ name: 'x402d', command: PROGRAMS.x402d, args: ['--config', join(dir, 'x402d.yaml')], log: join(dir, 'x402d.log') });
  daemon.start();
  await listening(daemon, { host: '127.0.0.1', port: daemonPort });
  const nginx = await startNginx('gateway', join(dir, 'nginx'), port,
    `load_module ${PROGRAMS.module};` + nginxHead(join(dir, 'nginx'), workers) + nginxHttp(join(dir, 'nginx'), `
  upstream api { server ${upstream}; keepalive 128; }
  server { listen 127.0.0.1:${port} backlog=4096;
    x402_daemon unix:${socket};
    x402_base_url http://127.0.0.1:${port};
    x402_pay_to eip155:84532 ${PAY_TO};
    x402_timeout 300;
    location = /paid {
      x402 on; x402_price 0.001 USDC;
      proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_pass http://api;
    }
    location = /open { proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://api; }${locations}
  }`));
  return { url: `http://127.0.0.1:${port}`, facilitator: `http://127.0.0.1:${daemonPort}`, processes: { gateway: nginx, x402d: daemon },
    stop: async () => { await nginx.stop(); await daemon.stop(); } };
}

/** CPU time so far of a program and its children, in seconds. */
export function cpuSeconds({ pid }) {
  const hertz = 100;
  const pids = [pid, ...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)];
  const ticks = (p) => {
    const field = readFileSync(`/proc/${p}/stat`, 'utf8').split(') ')[1].split(' ');
    return Number(field[11]) + Number(field[12]);
  };
  return pids.reduce((sum, p) => sum + ticks(p), 0) / hertz;
}

/** wrk, one thread; {requests, seconds, non_2xx, socket_errors, p50_ms, p99_ms, rate} */
export function wrk({ url, connections, seconds, script, args = [] }) {
  const out = execFileSync('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '-s', script, url, '--', ...args],
    { encoding: 'utf8', maxBuffer: 1 << 24 });
  const result = JSON.parse(out.trim().split('\n').pop());
  return { ...result, rate: result.requests / result.seconds };
}
