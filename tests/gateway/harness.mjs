// SPDX-License-Identifier: Apache-2.0
// One gateway for a test file: nginx with the module in a folder of its own, a
// scripted till, an upstream that counts, payments signed by viem.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { privateKeyToAccount } from 'viem/accounts';
import { client } from '../harness/http.mjs';
import { authorize, wires } from '../harness/payment.mjs';
import { FakeTill } from './fake-till.mjs';

const PROJECT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const BUILD = join(PROJECT, process.env.X402_BUILD_DIR ?? 'build');
export const MODULE = join(BUILD, 'gateway', 'ngx_http_x402_module.so');
export const NGINX = process.env.X402_NGINX ?? 'nginx';
export const PAY_TO = '0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB';
export const NETWORK = 'eip155:84532';
export const USDC = '0x036CbD53842c5426634e7929541eC2318f3dCF7e';
export const payer = privateKeyToAccount(`0x${'11'.repeat(32)}`);
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const BASE = Number(process.env.X402_GATEWAY_PORTS ?? 15000);
let nextPort = BASE;

function portFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** Files run one after another, but also beside other runs: take what is free. */
async function freePort() {
  for (; nextPort < BASE + 200; nextPort += 1)
    if (await portFree(nextPort))
      return nextPort++;
  throw new Error(`no free port from ${BASE} to ${BASE + 199}`);
}

/** An upstream that counts; handler(req, res, body) answers. */
export async function startUpstream(handler = (req, res) => res.end('content\n')) {
  const upstream = { hits: [], handler };
  upstream.server = createServer((req, res) => {
    const chunks = [];
    req.on('error', () => {});
    req.on('data', (chunk) => chunks.push(chunk));
    req.on('end', () => upstream.handler(req, res, Buffer.concat(chunks)));
    upstream.hits.push({ method: req.method, url: req.url, headers: req.headers, rawHeaders: req.rawHeaders });
  });
  upstream.server.keepAliveTimeout = 60_000;
  upstream.port = await freePort();
  await new Promise((resolve) => upstream.server.listen(upstream.port, '127.0.0.1', resolve));
  upstream.close = () => new Promise((resolve) => {
    upstream.server.closeAllConnections();
    upstream.server.close(resolve);
  });
  return upstream;
}

const COMMON = (g) => `
    x402_daemon unix:${g.socket};
    x402_base_url http://127.0.0.1:${g.port};
    x402_pay_to ${NETWORK} ${PAY_TO};
    x402_timeout 300;`;

function conf(g, { http = '', server = '', servers = '', main = '', workers = 1 }) {
  return `load_module ${MODULE};
${process.getuid() === 0 ? 'user root;' : ''}
daemon off;
pid ${g.dir}/nginx.pid;
error_log ${g.dir}/error.log ${process.env.X402_NGINX_LOG ?? 'info'};
worker_processes ${workers};
env X402_MUTANT;
${main}
events { worker_connections 2048; }
http {
  log_format x402 '$request_method $request_uri $status x402=$x402_status reason=$x402_reason '
                  'payer=$x402_payer amount=$x402_amount asset=$x402_asset network=$x402_network id=$x402_payment_id';
  access_log ${g.dir}/access.log x402;
  client_body_temp_path ${g.dir}/tmp-body;
  proxy_temp_path ${g.dir}/tmp-proxy;
  fastcgi_temp_path ${g.dir}/tmp-fastcgi;
  uwsgi_temp_path ${g.dir}/tmp-uwsgi;
  scgi_temp_path ${g.dir}/tmp-scgi;
  default_type text/plain;
  large_client_header_buffers 4 32k;
  ${http}
  server {
    listen 127.0.0.1:${g.port} backlog=1024;
    listen 127.0.0.1:${g.h2port} http2;
    server_name _;
    root ${g.dir}/html;
    ${COMMON(g)}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    ${server}
  }
  ${servers}
}
`;
}

/** A location that costs 0.001 USDC and is proxied. */
export const priced = (path, upstream, more = '', price = '0.001') => `
    location ${path} {
      x402 on;
      x402_price ${price} USDC;
      ${more}
      proxy_pass http://127.0.0.1:${upstream.port};
    }`;

export async function newFolder() {
  const g = { dir: mkdtempSync(join(tmpdir(), 'x402-gateway-')), port: await freePort(), h2port: await freePort() };
  g.socket = join(g.dir, 'till.sock');
  mkdirSync(join(g.dir, 'html'));
  return g;
}

/** nginx -t: what it says, and whether it accepts. */
export async function testConf(options) {
  const g = await newFolder();
  writeFileSync(join(g.dir, 'nginx.conf'), conf(g, typeof options === 'function' ? options(g) : options));
  const run = spawnSync(NGINX, ['-t', '-e', `${g.dir}/error.log`, '-p', g.dir, '-c', join(g.dir, 'nginx.conf')], { encoding: 'utf8' });
  rmSync(g.dir, { recursive: true, force: true });
  return { ok: run.status === 0, text: run.stderr };
}

async function reachable(port) {
  for (let i = 0; i < 200; i += 1) {
    const up = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => { socket.destroy(); resolve(true); });
      socket.once('error', () => resolve(false));
    });
    if (up)
      return;
    await sleep(20);
  }
  throw new Error(`nothing listens on ${port}`);
}

/** options: { server, http, … } or a function of g; till: false for no daemon. */
export async function startGateway(options, { till = true, files = {}, env = {} } = {}) {
  const g = await newFolder();
  const write = (o) => writeFileSync(join(g.dir, 'nginx.conf'), conf(g, typeof o === 'function' ? o(g) : o));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(g.dir, 'html', name)), { recursive: true });
    writeFileSync(join(g.dir, 'html', name), text);
  }
  g.log = () => (existsSync(`${g.dir}/error.log`) ? readFileSync(`${g.dir}/error.log`, 'utf8') : '');
  write(options);
  if (till)
    g.till = await new FakeTill(g.socket).listen();
  const preload = process.env.X402_NGINX_PRELOAD ? { LD_PRELOAD: process.env.X402_NGINX_PRELOAD } : {};
  g.nginx = spawn(NGINX, ['-e', `${g.dir}/error.log`, '-p', g.dir, '-c', join(g.dir, 'nginx.conf')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...preload, ...env },
  });
  g.output = '';
  for (const stream of [g.nginx.stdout, g.nginx.stderr])
    stream.on('data', (data) => { g.output += data; });
  g.exited = new Promise((resolve) => g.nginx.once('exit', (code, signal) => resolve(signal ?? code)));
  await Promise.race([reachable(g.port), g.exited.then(() => {
    throw new Error(`nginx ended: ${g.output}\n${g.log()}`);
  })]);
  g.base = `http://127.0.0.1:${g.port}`;
  g.h2 = `http://127.0.0.1:${g.h2port}`;
  g.http = client(g.base);
  g.access = () => readFileSync(`${g.dir}/access.log`, 'utf8').trim().split('\n');
  g.reload = async (o) => {
    write(o);
    g.nginx.kill('SIGHUP');
    await sleep(300);
  };
  if (till)
    await g.till.wait('READY');
  g.stop = async () => {
    g.http.close();
    g.nginx.kill('SIGTERM');
    await g.exited;
    await g.till?.close();
    const log = g.log();
    if (!process.env.X402_KEEP)
      rmSync(g.dir, { recursive: true, force: true });
    /* INV-9: nothing that nginx itself calls a bug */
    const bad = log.split('\n').filter((line) => /\[(alert|emerg)\]|exited on signal|http request count is zero|Sanitizer/.test(line));
    if (bad.length && !g.tolerate?.(bad))
      throw new Error(`nginx complains:\n${bad.slice(0, 10).join('\n')}\n(${bad.length} lines)`);
    if (/Sanitizer|runtime error:/.test(g.output))
      throw new Error(g.output);
  };
  return g;
}

/** What a 402's offer says, for signing without asking for it first. */
export const requirement = (change = {}) => ({
  scheme: 'exact', network: NETWORK, amount: '1000', asset: USDC, payTo: PAY_TO, maxTimeoutSeconds: 300,
  extra: { name: 'USDC', version: '2' }, ...change,
});

/** A fresh payment as a header of one wire. */
export async function payment(path, { wire = 'v2', offer = {}, change = {}, base = 'http://127.0.0.1', domain } = {}) {
  const wanted = requirement(offer);
  const payload = await authorize(payer, wanted, change, domain);
  return wires[wire](payload, wanted, { url: `${base}${path}` });
}

/** Bytes over a socket, as they come. */
export function raw(port, bytes, { until = () => false, limit = 5000, end = false } = {}) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const state = { text: '', socket, closed: false };
    const timer = setTimeout(() => { socket.destroy(); resolve(state); }, limit);
    const finish = () => { clearTimeout(timer); resolve(state); };
    socket.on('data', (data) => {
      state.text += data.toString('latin1');
      if (until(state.text)) {
        finish();
      }
    });
    socket.on('error', (error) => { state.error = error; finish(); });
    socket.on('close', () => { state.closed = true; finish(); });
    socket.on('connect', () => { if (end) socket.end(bytes); else socket.write(bytes); });
    socket.on('timeout', () => reject(new Error('timeout')));
  });
}
