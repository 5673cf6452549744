// SPDX-License-Identifier: Apache-2.0
// A daemon's end of the till, scripted: it answers what a test tells it to, or
// late, or not at all, or wrongly, and remembers every frame it got.  It is
// written from include/x402/till.h, not from the codec.
import { randomBytes } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';

export const TYPE = {
  HELLO: 1, HOLD: 2, READY: 3, RESERVE: 4, RESERVED: 5, CAPTURE: 6,
  RELEASE: 7, STARTED: 8, DONE: 9, ACK: 10, PING: 11, PONG: 12,
};
const NAME = Object.fromEntries(Object.entries(TYPE).map(([name, value]) => [value, name]));

/** The errors of include/x402/error.h that tests use. */
export const ERR = {
  OK: 0, SIGNATURE: 12, EXPIRED: 13, FUNDS: 17, REPLAYED: 20, RESOURCE: 21, RELEASE_LIMIT: 22,
  IN_PROGRESS: 23, PENDING: 24, UNAVAILABLE: 25, BUSY: 26, RATE: 27, FEES: 28, UNKNOWN_RESERVATION: 30,
};

export const RESERVED_BYTES = 62; // of its body

export const END = { 1: 'complete', 2: 'client', 3: 'server' };

export function frame(type, id, body = Buffer.alloc(0)) {
  const head = Buffer.alloc(16);
  head.writeUInt32BE(12 + body.length, 0);
  head.writeUInt8(3, 4);
  head.writeUInt8(type, 5);
  head.writeBigUInt64BE(id, 8);
  return Buffer.concat([head, body]);
}

const hex = (bytes) => `0x${bytes.toString('hex')}`;

function readReserve(body) {
  let at = 0;
  const take = (n) => body.subarray(at, at += n);
  const uint = (n) => take(n).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const string = () => take(Number(uint(2)));
  const reserve = {
    flags: Number(uint(4)), wire: Number(uint(1)), method: Number(uint(1)), chainId: Number(uint(8)),
    asset: hex(take(20)), facilitator: hex(take(20)),
    from: hex(take(20)), to: hex(take(20)), value: uint(32), validAfter: uint(8), validBefore: uint(8),
    nonce: hex(take(32)), sponsor: { kind: Number(uint(1)), data: hex(string()) }, fingerprint: hex(take(32)), signature: hex(string()), resource: string().toString(),
  };
  if (at !== body.length)
    throw new Error('RESERVE has another length than its fields');
  return reserve;
}

function read(type, body) {
  switch (type) {
  case TYPE.HELLO: return { worker: hex(body) };
  case TYPE.HOLD: return { rids: Array.from({ length: body.readUInt16BE(0) }, (_, i) => hex(body.subarray(2 + 16 * i, 18 + 16 * i))) };
  case TYPE.RESERVE: return readReserve(body);
  case TYPE.DONE: return { rid: hex(body.subarray(0, 16)), end: END[body[16]] };
  case TYPE.CAPTURE:
    return { rid: hex(body.subarray(0, 16)), charge: body[16] ? BigInt(hex(body.subarray(17))) : undefined };
  case TYPE.RELEASE: return { rid: hex(body.subarray(0, 16)), status: body.readUInt16BE(16) };
  case TYPE.STARTED: return { rid: hex(body) };
  default: return {};
  }
}

const reserved = (a) => {
  const body = Buffer.alloc(RESERVED_BYTES);
  body.writeUInt16BE(a.err ?? ERR.OK, 0);
  if (!a.err)
    Buffer.from((a.rid ?? hex(randomBytes(16))).slice(2), 'hex').copy(body, 2);
  body.writeUInt8(a.redeemed ? 1 : 0, 18);
  body.writeUInt8(a.settled ? 1 : 0, 19);
  body.writeUInt8(a.transaction ? 1 : 0, 20);
  if (a.transaction)
    Buffer.from(a.transaction.slice(2), 'hex').copy(body, 21);
  return body;
};

const ack = (err) => {
  const body = Buffer.alloc(2);
  body.writeUInt16BE(err, 0);
  return body;
};

/** script: { RESERVE, CAPTURE, RELEASE, STARTED, DONE }(frame, till) gives the
 *  answer ({ err, redeemed, … } or nothing: OK), null: never; may be async. */
export class FakeTill {
  constructor(path) {
    this.path = path;
    this.reset();
  }

  /** Forgets; what still comes of reservations from before is not recorded. */
  reset() {
    this.past ??= new Set();
    for (const f of this.frames ?? [])
      if (f.rid)
        this.past.add(f.rid);
    this.script = {};
    this.frames = [];
    this.waiting = [];
  }

  async listen() {
    rmSync(this.path, { force: true });
    this.sockets = new Set();
    this.server = createServer((socket) => this.#serve(socket));
    await new Promise((resolve) => this.server.listen(this.path, resolve));
    chmodSync(this.path, 0o666);
    return this;
  }

  #serve(socket) {
    let buffer = Buffer.alloc(0);
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (data) => {
      buffer = Buffer.concat([buffer, data]);
      while (buffer.length >= 4 && buffer.length >= 4 + buffer.readUInt32BE(0)) {
        const end = 4 + buffer.readUInt32BE(0);
        this.#got(socket, buffer.subarray(0, end));
        buffer = buffer.subarray(end);
      }
    });
  }

  #got(socket, bytes) {
    const type = bytes[5];
    const f = { name: NAME[type], id: bytes.readBigUInt64BE(8), at: Date.now(), socket, ...read(type, bytes.subarray(16)) };
    if (!this.past.has(f.rid))
      this.frames.push(f);
    this.waiting = this.waiting.filter((wait) => !wait(f));
    if (type === TYPE.PING && !this.script.mute)
      return socket.write(frame(TYPE.PONG, f.id));
    if (type < TYPE.RESERVE || type === TYPE.PING)
      return undefined;
    return this.#answer(socket, type, f);
  }

  async #answer(socket, type, f) {
    const answer = await this.script[f.name]?.(f, this);
    if (answer === null || socket.destroyed)
      return;
    if (Buffer.isBuffer(answer)) {
      socket.write(answer);
    } else if (type === TYPE.RESERVE) {
      f.rid = answer?.rid ?? hex(randomBytes(16));
      socket.write(frame(TYPE.RESERVED, f.id, reserved({ ...answer, rid: f.rid })));
    } else {
      socket.write(frame(TYPE.ACK, f.id, ack(answer?.err ?? ERR.OK)));
    }
  }

  of(name) {
    return this.frames.filter((f) => f.name === name);
  }

  /** What a test compares: the questions, in order.  A DONE that says
   *  COMPLETE stands for its STARTED too, so one is put in where it is not. */
  names(rid) {
    const names = [];
    const started = new Set();
    for (const f of this.frames) {
      if (TYPE[f.name] < TYPE.RESERVE || TYPE[f.name] >= TYPE.ACK || (rid && f.rid !== rid))
        continue;
      if (f.name === 'STARTED')
        started.add(f.rid);
      if (f.end === 'complete' && !started.has(f.rid))
        names.push('STARTED');
      names.push(f.name);
    }
    return names;
  }

  /** Waits for a frame (one that is already there counts). */
  wait(name, limit = 5000) {
    const seen = this.of(name)[0];
    if (seen)
      return Promise.resolve(seen);
    return this.next(name, limit);
  }

  next(name, limit = 5000) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${name} within ${limit} ms; seen: ${this.names()}`)), limit);
      this.waiting.push((f) => {
        if (f.name !== name)
          return false;
        clearTimeout(timer);
        resolve(f);
        return true;
      });
    });
  }

  cut() {
    for (const socket of this.sockets)
      socket.destroy();
  }

  async close() {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
    rmSync(this.path, { force: true });
  }
}
