// SPDX-License-Identifier: Apache-2.0
// A facilitator's name that leads inside: the address is looked at when it is
// connected to, and nothing is said to it unless the configuration lists it.
// libcurl takes every *.localhost for loopback (RFC 6761), so this name needs
// no resolver.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Daemon, freshDir, ports } from '../facilitator/daemon.mjs';
import { until } from '../harness/witness.mjs';
import { Scripted } from './scripted.mjs';

const NAME = 'facilitator.localhost';
const dir = freshDir();
const at = (name) => join(dir, name);
execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
  '-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME},IP:127.0.0.1`, '-keyout', at('key.pem'), '-out', at('cert.pem')],
{ stdio: ['ignore', 'ignore', 'pipe'] });

const scripted = await Scripted.start({ tls: { key: readFileSync(at('key.pem')), cert: readFileSync(at('cert.pem')) } });
let connections = 0;
scripted.server.on('connection', () => { connections += 1; });
after(() => scripted.close());
const { facilitator: PORT } = await ports(28);

/** A daemon in front of `host`; what it says of it, until `enough`. */
async function says(host, more, enough) {
  connections = 0;
  const daemon = new Daemon({
    port: PORT,
    text: `ledger: ledger.db\nhttp: {listen: "127.0.0.1:${PORT}", any_payee: true}\nnetworks:\n  - network: eip155:84532\n`
      + `    facilitator: {url: "https://${host}:${scripted.port}", ca_file: ${at('cert.pem')}${more}}\n`,
  });
  try {
    await daemon.start();
    return await until('the daemon says so', 8000, () => readFileSync(daemon.log, 'utf8'), (log) => enough.test(log));
  } finally {
    await daemon.stop();
  }
}

test('a name that leads inside: not one connection, and the log says where to', async () => {
  const log = await says(NAME, '', /facilitator_unknown/);
  assert.match(log, /"address_refused","of":"facilitator","address":"(127\.0\.0\.1|::1)"/);
  assert.equal(connections, 0);
});

test('where the configuration lists the addresses, it is connected to', async () => {
  const log = await says(NAME, ', private_addresses: ["127.0.0.0/8", "::1"]', /"address","of"/);
  await until('a connection', 5000, () => connections, (n) => n > 0);
  assert.match(log, /"address","of":"facilitator","address":"/);
});

test('a list of other addresses is no list', async () => {
  await says(NAME, ', private_addresses: [10.0.0.0/8, 127.0.0.2]', /facilitator_unknown/);
  assert.equal(connections, 0);
});

test('an address in the URL itself is meant', async () => {
  await says('127.0.0.1', '', /"address","of"/);
  await until('a connection', 5000, () => connections, (n) => n > 0);
});
