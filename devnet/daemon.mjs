// SPDX-License-Identifier: Apache-2.0
// x402d's configuration for the demo and the tests: the defaults wherever
// there is one.  JSON's strings are YAML's, so paths are written as JSON.
import { NETWORK } from './chain.mjs';

const BAZAAR = `bazaar:
  file: catalogue.db
  allow: [127.0.0.1]          # what is sold here listens there
`;

const SIGNERS = `    signers:
      - key_file: signer.key`;

/** bazaar: with a catalogue, and with these lines of its section; http: more of that; settle: what stands in place of the signers; rpcUrl null: no node. */
export function x402dYaml({ ports, payTo, tillSocket, rpcUrl, more = '', network = '', settle = SIGNERS, bazaar = false, http = '' }) {
  return `# Written by the demo at each start; see devnet/daemon.mjs.
ledger: ledger.db

till:
  socket: ${tillSocket}

http:
  listen: 127.0.0.1:${ports.facilitator}
  any_payee: true             # other sellers on this machine may settle here
${http}

${bazaar ? BAZAAR : ''}${typeof bazaar === 'string' ? bazaar : ''}
${ports.status ? `status: 127.0.0.1:${ports.status}` : ''}

payees:
  - {network: ${NETWORK}, address: ${JSON.stringify(payTo)}}

networks:
  - network: ${NETWORK}
${rpcUrl === null ? '' : `    rpc: [${JSON.stringify(rpcUrl)}]`}
${settle}
${network}
${more}
`;
}
