// SPDX-License-Identifier: Apache-2.0
// The reference stack as its users run it: the official TypeScript facilitator and an
// Express server with the official middleware, unchanged, on a chain of ours.
//   node stack.mjs facilitator PORT RPC_URL KEY_FILE
//   node stack.mjs server PORT FACILITATOR_URL PAY_TO
import { readFileSync } from 'node:fs';
import express from 'express';
import { x402Facilitator } from '@x402/core/facilitator';
import { HTTPFacilitatorClient } from '@x402/core/server';
import { toFacilitatorEvmSigner } from '@x402/evm';
import { ExactEvmScheme as FacilitatorScheme } from '@x402/evm/exact/facilitator';
import { ExactEvmScheme as ServerScheme } from '@x402/evm/exact/server';
import { paymentMiddleware, x402ResourceServer } from '@x402/express';
import { createWalletClient, http, publicActions } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { baseSepolia } from 'viem/chains';

const NETWORK = 'eip155:84532';

function facilitator([rpc, keyFile]) {
  const account = privateKeyToAccount(readFileSync(keyFile, 'utf8').trim());
  const client = createWalletClient({ account, chain: baseSepolia, transport: http(rpc), pollingInterval: 100 })
    .extend(publicActions);
  const signer = toFacilitatorEvmSigner({
    address: account.address,
    getCode: (args) => client.getCode(args),
    readContract: (args) => client.readContract({ ...args, args: args.args ?? [] }),
    verifyTypedData: (args) => client.verifyTypedData(args),
    writeContract: (args) => client.writeContract({ ...args, args: args.args ?? [] }),
    sendTransaction: (args) => client.sendTransaction(args),
    waitForTransactionReceipt: (args) => client.waitForTransactionReceipt(args),
  });
  const core = new x402Facilitator().register(NETWORK, new FacilitatorScheme(signer));
  const app = express().use(express.json());
  const answer = (work) => async (request, response) => {
    try {
      response.json(await work(request.body.paymentPayload, request.body.paymentRequirements));
    } catch (error) {
      response.status(500).json({ error: String(error.message ?? error) });
    }
  };
  app.post('/verify', answer((payload, requirements) => core.verify(payload, requirements)));
  app.post('/settle', answer((payload, requirements) => core.settle(payload, requirements)));
  app.get('/supported', (request, response) => response.json(core.getSupported()));
  return app;
}

function server([url, payTo]) {
  const resources = new x402ResourceServer(new HTTPFacilitatorClient({ url })).register(NETWORK, new ServerScheme());
  const accepts = { scheme: 'exact', price: '$0.001', network: NETWORK, payTo, maxTimeoutSeconds: 300 };
  const app = express();
  app.use(paymentMiddleware({ 'GET /paid': { accepts, description: 'reference' } }, resources));
  app.get('/paid', (request, response) => response.json({ paid: true }));
  return app;
}

const [role, port, ...rest] = process.argv.slice(2);
const app = { facilitator, server }[role](rest);
app.listen(Number(port), '127.0.0.1', () => console.log(`${role} listening`));
