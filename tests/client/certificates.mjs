// SPDX-License-Identifier: Apache-2.0
// Certificates for servers of this machine, made by openssl when needed.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { PROJECT } from '../../devnet/paths.mjs';

mkdirSync(join(PROJECT, 'tests', '.run'), { recursive: true });
const dir = mkdtempSync(join(PROJECT, 'tests', '.run', 'tls-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const openssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
let count = 0;

let authority;
function ca() {
  if (!authority) {
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
      '-subj', '/CN=x402 test authority', '-keyout', 'ca.key', '-out', 'ca.pem');
    authority = join(dir, 'ca.pem');
  }
  return authority;
}

/** {key, cert, file}: for a server, and the authority's file for --cacert.
 *  `days` below 0: expired; `self`: signed by itself; `digest`: of the
 *  signature. */
export function certificate(name, { days = 10, self = false, digest = 'sha256' } = {}) {
  const id = `leaf${count++}`;
  const path = (end) => join(dir, `${id}.${end}`);
  ca();
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`,
    '-keyout', path('key'), '-out', path('csr'));
  const kind = /^[0-9.]+$/.test(name) ? 'IP' : 'DNS';
  writeFileSync(path('ext'), `subjectAltName=${kind}:${name}\n`);
  const signed = self ? ['-signkey', path('key')] : ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
  openssl('x509', '-req', '-in', path('csr'), ...signed, '-days', String(days), `-${digest}`,
    '-extfile', path('ext'), '-out', path('pem'));
  // level 0, so that the server shows even what no client should take
  return { key: readFileSync(path('key')), cert: readFileSync(path('pem')), file: authority, ciphers: 'DEFAULT@SECLEVEL=0' };
}
