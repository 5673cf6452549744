// SPDX-License-Identifier: Apache-2.0
// Which ports the parts listen on, and whether they are free.
import { createServer } from 'node:net';

const OFFSET = { gateway: 20, upstream: 21, facilitator: 22, status: 23, rpc: 545 };

export function portsFrom(base) {
  return Object.fromEntries(Object.entries(OFFSET).map(([name, offset]) => [name, base + offset]));
}

/** The demo's base port; complains in words when it cannot be used. */
export function basePort(text = process.env.X402_DEMO_PORT_BASE || '14000') {
  const base = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(base >= 1024 && base + OFFSET.rpc <= 65535))
    throw new Error(`X402_DEMO_PORT_BASE is "${text}"; use a number from 1024 to ${65535 - OFFSET.rpc}`);
  return base;
}

export function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** Refuses a start whose ports are taken, and says what to do. */
export async function requireFree(ports) {
  for (const [name, port] of Object.entries(ports)) {
    if (!await isFree(port))
      throw new Error(`port ${port} (${name}) is in use. Stop what listens there ` +
        `(ss -ltnp 'sport = :${port}' shows it), or choose other ports: X402_DEMO_PORT_BASE=24000 ./demo`);
  }
}

/** Free ports for these names, looked for from a given one upwards. */
export async function freePorts(from, names) {
  const ports = {};
  let port = from;
  for (const name of names) {
    while (!await isFree(port))
      port += 1;
    ports[name] = port;
    port += 1;
  }
  return ports;
}

/** Free ports for the parts of a stack. */
export function findFree(from) {
  return freePorts(from, Object.keys(OFFSET));
}
