// SPDX-License-Identifier: Apache-2.0
// 402s in a location that takes Lightning too: with a fresh invoice of a real LND each, and over the peer's
// bucket, where the worker answers by itself.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Lightning, lightningYaml } from '../devnet/lightning.mjs';
import { PROJECT } from '../devnet/paths.mjs';
import { startSite, wrk } from './site.mjs';

const CONNECTIONS = 32; // fewer than the 64 invoices that may be in the making
const script = (name) => join(PROJECT, 'bench', name);

const LOCATION = `
    location = /paid-ln {
      x402 on; x402_price 0.001 USDC;
      x402_lightning on; x402_lightning_price 21 sat;
      proxy_pass http://api;
    }`;

const made = async (lnd) => Number((await lnd.call('/v1/invoices?num_max_invoices=1&reversed=true')).last_index_offset);

/** What LND does by itself: AddInvoice over the same REST. */
function alone(lnd, seconds) {
  return wrk({ url: `${lnd.url}/v1/invoices`, connections: CONNECTIONS, seconds, script: script('invoice.lua'),
    args: [readFileSync(lnd.macaroonFile).toString('hex')] });
}

async function withSite(options, peer, measure) {
  const site = await startSite({ ...options, locations: LOCATION, yaml: `${lightningYaml(options.lnd)}
  outstanding: 100000
  peer: ${peer}` });
  try {
    return await measure(site);
  } finally {
    await site.stop();
  }
}

/** {lnd, fresh, over, without}; fresh.invoices: how many LND says it made. */
export async function measureLightning({ dir, from, seconds, ...site }) {
  const network = await new Lightning({ dir, say: () => {} }).start(from);
  const lnd = network.seller;
  const rate = (url, connections) => wrk({ url, connections, seconds, script: script('plain.lua') });
  try {
    const own = alone(lnd, seconds);
    const fresh = await withSite({ ...site, dir: join(dir, 'fresh'), lnd }, '{per_minute: 60000, burst: 100000}', async ({ url }) => {
      const before = await made(lnd);
      const run = rate(`${url}/paid-ln`, CONNECTIONS);
      const invoices = await made(lnd) - before;
      return { ...run, invoices, rate: invoices / run.seconds };
    });
    const [over, without] = await withSite({ ...site, dir: join(dir, 'over'), lnd }, '{per_minute: 1, burst: 1}', ({ url }) =>
      [rate(`${url}/paid-ln`, 64), rate(`${url}/paid`, 64)]);
    return { lnd: own, fresh, over, without };
  } finally {
    await network.stop();
  }
}
