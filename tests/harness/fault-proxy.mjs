// SPDX-License-Identifier: Apache-2.0
// A proxy that goes wrong on purpose, message by message, between any two
// parts that talk over TCP or a Unix socket.  The bytes are cut into messages
// (frames.mjs: HTTP, or the till's frames); a script says for each what
// happens to it:
//
//     'drop'                the message is swallowed, the connection stays
//     { delay: ms }         it comes later, and what follows it too
//     { truncate: bytes }   so much of it, then the end of the connection
//     'duplicate'           it comes twice
//     { again: ms }         and the second time so much later
//     'reset'               instead of it, the connection is reset
//     { lie: change }       change(bytes, message) comes in its place
//     undefined             it passes
//
// A message is {connection, way: 'ask' | 'answer', n, kind, bytes}: connection
// and n count from 1, n within its connection and way.  An 'ask' that is reset
// never reached the other side; an 'answer' that is reset was acted upon.
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** mulberry32: one seed, one sequence of numbers in [0, 1). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Rules in order; each is {fault, and what a message must have: way, kind (a
 *  string or RegExp), connection, n, where(message)}, and holds `times` (1)
 *  times. */
export function rules(...list) {
  const left = list.map(({ times = 1 }) => times);
  return (message) => {
    const index = list.findIndex((rule, i) => left[i] > 0 && matches(rule, message));
    if (index < 0)
      return undefined;
    left[index] -= 1;
    return list[index].fault;
  };
}

function matches({ way, kind, connection, n, where }, message) {
  return (way === undefined || way === message.way)
    && (connection === undefined || connection === message.connection)
    && (n === undefined || n === message.n)
    && (kind === undefined || (kind instanceof RegExp ? kind.test(message.kind) : kind === message.kind))
    && (where === undefined || where(message));
}

/** Faults by chance: the choice depends on seed, connection, way and n alone,
 *  not on when a message comes. */
export function chaos(seed, rate, faults) {
  return ({ connection, way, n }) => {
    const dice = random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(connection, 0x85ebca6b)
      ^ Math.imul(n, 0xc2b2ae35) ^ (way === 'ask' ? 0 : 0x27d4eb2f));
    dice();
    return dice() < rate ? faults[Math.floor(dice() * faults.length)] : undefined;
  };
}

export class FaultProxy {
  /** listen: a port (0: any) or a socket's path; target: {port} or {path}, may
   *  be set later; frames: makes the cutter of one connection. */
  constructor({ listen = 0, target, frames }) {
    Object.assign(this, { listen, target, frames });
    this.pass();
    this.seen = []; // every message, and what became of it
    this.connections = 0;
    this.sockets = new Set();
  }

  script(script) {
    this.decide = script;
  }

  /** From now on nothing is touched. */
  pass() {
    this.decide = () => undefined;
  }

  async start() {
    if (typeof this.listen === 'string')
      rmSync(this.listen, { force: true });
    this.server = createServer({ allowHalfOpen: true }, (client) => this.#serve(client));
    await new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(typeof this.listen === 'string' ? this.listen : { port: this.listen, host: '127.0.0.1' }, resolve);
    });
    this.port = this.server.address().port;
    this.url = `http://127.0.0.1:${this.port}`;
    return this;
  }

  #serve(client) {
    this.connections += 1;
    const pair = { connection: this.connections, client, server: connect({ host: '127.0.0.1', ...this.target, allowHalfOpen: true }) };
    const cutter = this.frames();
    for (const socket of [pair.client, pair.server]) {
      this.sockets.add(socket);
      socket.on('error', () => this.#end(pair));
      socket.on('close', () => { this.sockets.delete(socket); this.#end(pair); });
    }
    this.#carry(pair, 'ask', pair.client, pair.server, cutter.ask);
    this.#carry(pair, 'answer', pair.server, pair.client, cutter.answer);
  }

  /* One way of one connection: messages leave in the order in which they came,
   * each when the one before it is through. */
  #carry(pair, way, from, to, cut) {
    let rest = Buffer.alloc(0);
    let last = Promise.resolve();
    let n = 0;
    const then = (job) => { last = last.then(job).catch((error) => { this.broken ??= error; this.#end(pair); }); };
    from.on('data', (data) => {
      rest = Buffer.concat([rest, data]);
      for (;;) {
        const message = cut(rest);
        if (message === undefined)
          return;
        rest = rest.subarray(message.bytes.length);
        n += 1;
        Object.assign(message, { connection: pair.connection, way, n });
        then(() => this.#pass(pair, to, message));
      }
    });
    from.on('end', () => then(() => to.end(rest)));
  }

  async #pass(pair, to, message) {
    const fault = this.decide(message);
    this.seen.push({ ...message, fault });
    if (to.destroyed)
      return;
    if (fault === 'drop')
      return;
    if (fault === 'reset') {
      this.#end(pair, true);
      return;
    }
    if (fault?.truncate !== undefined) {
      await new Promise((resolve) => to.write(message.bytes.subarray(0, fault.truncate), resolve));
      this.#end(pair);
      return;
    }
    if (fault?.delay)
      await sleep(fault.delay);
    to.write(fault?.lie ? fault.lie(message.bytes, message) : message.bytes);
    if (fault?.again)
      await sleep(fault.again);
    if (fault === 'duplicate' || fault?.again)
      to.write(message.bytes);
  }

  #end({ client, server }, reset = false) {
    for (const socket of [client, server]) {
      if (reset && socket.resetAndDestroy && socket.remoteFamily)
        socket.resetAndDestroy();
      else if (reset)
        socket.destroy();
      else
        socket.destroySoon();
    }
  }

  /** The faults that happened, in a line each: for a failed test's message. */
  story() {
    return this.seen.filter(({ fault }) => fault !== undefined)
      .map(({ connection, way, n, kind, fault }) => `${connection}/${way} ${n} ${kind}: ${name(fault)}`);
  }

  count(kind) {
    return this.seen.filter((message) => matches({ kind }, message)).length;
  }

  /** Every connection is cut. */
  cut() {
    for (const socket of this.sockets)
      socket.destroy();
  }

  async close() {
    if (!this.server)
      return;
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
    if (typeof this.listen === 'string')
      rmSync(this.listen, { force: true });
    if (this.broken)
      throw this.broken;
  }
}

const name = (fault) => (typeof fault === 'string' ? fault : Object.keys(fault)[0]);
