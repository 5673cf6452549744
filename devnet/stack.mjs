// SPDX-License-Identifier: Apache-2.0
// Everything a paid request needs, on one machine: chain, upstream, x402d and
// nginx with the module.  An x402d or nginx that dies is started again; the
// chain and the upstream are the ground the tests stand on, and their death is
// an error.
import { EventEmitter } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PAYEE, PAYER, SETTLER, accounts, privateKey } from './accounts.mjs';
import { NETWORK, USDC, startChain } from './chain.mjs';
import { x402dYaml } from './daemon.mjs';
import { nginxConf } from './gateway.mjs';
import { DEVNET, PROGRAMS } from './paths.mjs';
import { Process, listening, sleep } from './process.mjs';

const RESTART_AFTER = 50; // ms; the promise is 1 s
const SOCKET_PATH_MAX = 100; // sockaddr_un holds 107

/** A fresh folder for one run, short enough for a socket's path. */
export function freshDir(parent) {
  mkdirSync(parent, { recursive: true });
  const dir = mkdtempSync(join(parent, 'run-'));
  if (Buffer.byteLength(join(dir, 'till.sock')) <= SOCKET_PATH_MAX)
    return dir;
  rmSync(dir, { recursive: true });
  return mkdtempSync(join(tmpdir(), 'x402-'));
}

function nginxProgram() {
  const paths = ['/usr/sbin', '/usr/local/sbin', ...(process.env.PATH ?? '').split(':')];
  const found = paths.map((path) => join(path, 'nginx')).find(existsSync);
  if (!found)
    throw new Error('nginx is not installed; scripts/setup demo installs it');
  return found;
}

/* A module built with a sanitizer needs its library before anything else, in
 * nginx alone.  nginx frees its pools, not every byte, at its end. */
function preload() {
  const { X402_NGINX_PRELOAD: library } = process.env;
  return library ? { LD_PRELOAD: library, ASAN_OPTIONS: 'detect_leaks=0' } : {};
}

export class Stack extends EventEmitter {
  /** say(text): progress.  yaml, conf: what a test adds to the two
   *  configurations.  firstEnv: for x402d's first life alone.  between: proxies
   *  {rpc, till, gateway} that a test puts in front of a part: each has target
   *  and listen, start() and close(), and then a url.  wrapper: the command that
   *  x402d runs under.  ground(rpc): what shall stand on the chain before anybody
   *  looks. */
  constructor({
    ports, dir, say = () => {}, yaml = {}, conf = {}, firstEnv = {}, between = {}, wrapper = [], ground = () => {},
  }) {
    super();
    Object.assign(this, { ports, dir, say, yaml, conf, firstEnv, between, wrapper, ground });
    this.payTo = accounts[PAYEE].address;
    this.readyFile = join(dir, 'ready.json');
    this.stopping = false;
    this.revive = undefined; // a test's: before a part starts again; gives its environment
  }

  url(name) {
    return `http://127.0.0.1:${this.ports[name]}`;
  }

  async start() {
    try {
      this.#step('starting the chain: anvil as Base Sepolia, with test USDC and Multicall3');
      this.chain = await startChain({ port: this.ports.rpc, dir: this.dir });
      this.rpc = this.chain.rpc;
      this.#mourn(this.chain.process);
      await this.ground(this.rpc);
      this.#step('starting the upstream: the API that is sold');
      this.upstream = await this.#startUpstream();
      this.#mourn(this.upstream);
      await this.#startBetween();
      this.#writeConfiguration();
      this.#step('starting x402d: ledger, facilitator, settlement');
      this.x402d = this.#x402d(this.firstEnv).start();
      await listening(this.x402d, { host: '127.0.0.1', port: this.ports.facilitator });
      await listening(this.x402d, { path: join(this.dir, 'till.sock') });
      this.#keep('x402d', (env) => this.#x402d(env));
      this.#step('starting nginx with the gateway module');
      this.nginx = this.#nginx().start();
      await listening(this.nginx, { host: '127.0.0.1', port: this.ports.gateway });
      this.#keep('nginx', () => this.#nginx());
      await this.#requireOffer();
      this.#writeReady();
      return this;
    } catch (error) {
      this.stopping = false;
      await this.stop();
      throw error;
    }
  }

  async #startBetween() {
    const { rpc, till, gateway } = this.between;
    if (rpc)
      rpc.target = { port: this.ports.rpc };
    if (gateway)
      gateway.target = { port: this.ports.gateway };
    if (till)
      Object.assign(till, { target: { path: join(this.dir, 'till.sock') }, listen: join(this.dir, 'tap.sock') });
    await Promise.all([rpc, till, gateway].map((proxy) => proxy?.start()));
  }

  async #startUpstream() {
    const upstream = new Process({
      name: 'upstream',
      command: process.execPath,
      args: [join(DEVNET, 'upstream.mjs'), String(this.ports.upstream)],
      log: join(this.dir, 'upstream.log'),
    }).start();
    await listening(upstream, { host: '127.0.0.1', port: this.ports.upstream });
    return upstream;
  }

  #x402d(env) {
    return new Process({
      name: 'x402d',
      command: this.wrapper[0] ?? PROGRAMS.x402d,
      args: [...this.wrapper.slice(1), ...(this.wrapper.length ? [PROGRAMS.x402d] : []), '--config', join(this.dir, 'x402d.yaml')],
      log: join(this.dir, 'x402d.log'),
      env,
      cwd: this.dir,
    });
  }

  #nginx() {
    return new Process({
      name: 'nginx',
      command: nginxProgram(),
      args: ['-p', this.dir, '-e', join(this.dir, 'nginx-error.log'), '-c', join(this.dir, 'nginx.conf')],
      log: join(this.dir, 'nginx-error.log'),
      env: preload(),
    });
  }

  #step(text) {
    if (this.stopping)
      throw new Error('stopped while starting');
    this.say(text);
  }

  /** Where x402d finds the chain. */
  get rpcUrl() {
    if (this.yaml.rpcUrl === null)
      return null;
    return this.between.rpc?.url ?? this.url('rpc');
  }

  #writeConfiguration() {
    const common = { dir: this.dir, ports: this.ports, payTo: this.payTo, tillSocket: 'till.sock' };
    const secret = { mode: 0o600 };
    const write = (name, text, mode) => writeFileSync(join(this.dir, name), text, mode);
    write('signer.key', `${privateKey(SETTLER).slice(2)}\n`, secret);
    write('payer.key', `${privateKey(PAYER).slice(2)}\n`, secret);
    write('x402d.yaml', x402dYaml({ ...common, ...this.yaml, rpcUrl: this.rpcUrl }));
    write('nginx.conf', nginxConf({
      ...common,
      ...(this.between.till && { tillSocket: 'tap.sock' }),
      ...(this.between.gateway && { baseUrl: this.between.gateway.url }),
      ...this.conf,
    }));
  }

  /* "ready" means that a priced route really asks for its price. */
  async #requireOffer() {
    const response = await fetch(`${this.url('gateway')}/paid`);
    await response.arrayBuffer();
    if (response.status !== 402)
      throw new Error(`the gateway answers /paid with ${response.status} instead of 402; see ${this.nginx.log}`);
  }

  #writeReady() {
    const state = {
      gateway: this.url('gateway'),
      facilitator: this.url('facilitator'),
      rpc: this.url('rpc'),
      upstream: this.url('upstream'),
      status: this.url('status'),
      pay_to: this.payTo,
      asset: USDC,
      network: NETWORK,
      payer_key_file: join(this.dir, 'payer.key'),
      daemon_socket: join(this.dir, 'till.sock'),
      config_dir: this.dir,
      pids: { nginx: this.nginx.pid, x402d: this.x402d.pid },
    };
    const temporary = `${this.readyFile}.new`;
    writeFileSync(temporary, `${JSON.stringify(state, null, 2)}\n`);
    renameSync(temporary, this.readyFile);
  }

  /* Whatever happens to it, it comes back, and FILE names its new pid. */
  async #keep(name, make) {
    while (!this.stopping) {
      const how = await this[name].exited;
      if (this.stopping)
        return;
      await sleep(RESTART_AFTER);
      if (this.stopping)
        return;
      const env = await this.revive?.(name);
      this[name] = make(env).start();
      this.#writeReady();
      this.emit('restart', name);
      this.say(`${name} died (${how}); started again as ${this[name].pid}`);
    }
  }

  async #mourn(proc) {
    const how = await proc.exited;
    if (!this.stopping)
      this.emit('fatal', new Error(`${proc.name} died (${how}); its log is ${proc.log}`));
  }

  /** Resolves when the part answers again after a death. */
  async backAgain(name) {
    const port = name === 'nginx' ? this.ports.gateway : this.ports.facilitator;
    await listening(this[name], { host: '127.0.0.1', port });
  }

  async stop() {
    if (this.stopping)
      return;
    this.stopping = true;
    await this.nginx?.stop({ patience: 2000 });
    await this.x402d?.stop({ patience: 5000 });
    await Promise.all(Object.values(this.between).map((proxy) => proxy.close()));
    await Promise.all([this.upstream?.stop({ patience: 1500 }), this.chain?.process.stop({ patience: 1500 })]);
  }
}
