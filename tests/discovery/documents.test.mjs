// SPDX-License-Identifier: Apache-2.0
// What machines read before they pay, read by programs that others wrote, and
// compared with the 402 that the same routes answer.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { checkEndpointSchema, discoverOriginSchema, getWarningsForOpenAPI, getOpenAPI, validatePaymentRequiredDetailed } from '@agentcash/discovery';
import { PaymentRequiredV2Schema } from '@x402/core/schemas';
import { validateDiscoveryExtension } from '@x402/extensions/bazaar';
import { ExactEvmScheme } from '@x402/evm';
import { wrapFetchWithPaymentFromConfig } from '@x402/fetch';
import { ROUTES } from '../../devnet/gateway.mjs';
import { account } from '../../devnet/accounts.mjs';
import { NETWORK } from '../../devnet/chain.mjs';
import { PROJECT } from '../../devnet/paths.mjs';
import { unbase64 } from '../harness/payment.mjs';
import { useStack } from '../harness/stack.mjs';

const world = useStack();
const run = promisify(execFile);
const url = (path) => `${world.stack.url('gateway')}${path}`;
const DOCUMENTS = ['/openapi.json', '/api/openapi.json', '/.well-known/x402-manifest.json', '/.well-known/x402.json',
  '/.well-known/x402', '/.well-known/mcp.json', '/.well-known/ai-plugin.json'];

async function document(path) {
  const response = await fetch(url(path));
  assert.equal(response.status, 200, path);
  assert.equal(response.headers.get('content-type'), 'application/json', path);
  assert.equal(response.headers.get('access-control-allow-origin'), '*', path);
  return response.json();
}

const challenge = async (path, method = 'GET') =>
  unbase64((await fetch(url(path), { method })).headers.get('payment-required'));

test('every document is there, free, for GET and HEAD only', async () => {
  for (const path of DOCUMENTS) {
    await document(path);
    assert.equal((await fetch(url(path), { method: 'HEAD' })).status, 200, path);
    assert.equal((await fetch(url(path), { method: 'POST', body: 'x' })).status, 405, path);
  }
  assert.equal((await fetch(url('/.well-known/openid-configuration'))).status, 404);
});

test('all of them list the priced routes, and nothing else', async () => {
  const priced = ROUTES.map((route) => route.path).sort();
  const openapi = await document('/openapi.json');
  const manifest = await document('/.well-known/x402-manifest.json');
  const list = await document('/.well-known/x402');
  assert.deepEqual(Object.keys(openapi.paths).sort(), priced);
  for (const name of ['resources', 'endpoints'])
    assert.deepEqual(manifest[name].map((entry) => entry.path).sort(), priced, name);
  assert.deepEqual(manifest.items.map((entry) => new URL(entry.resource.url).pathname).sort(), priced);
  assert.deepEqual(list.resources.map((entry) => new URL(entry).pathname).sort(), priced);
});

test('prices are those of the 402', async () => {
  const openapi = await document('/openapi.json');
  const { resources } = await document('/.well-known/x402.json');
  for (const { path, price } of ROUTES) {
    const entry = resources.find((resource) => resource.path === path);
    const required = await challenge(path, entry.method);
    assert.deepEqual(entry.accepts, required.accepts, path);
    assert.equal(entry.url, required.resource.url);
    const operation = openapi.paths[path][entry.method.toLowerCase()];
    assert.equal(Number(operation['x-payment-info'].price.amount), Number(price), path);
  }
});

test('@redocly/cli lint: both OpenAPI files without an error or a warning of ours', async () => {
  for (const [i, path] of ['/openapi.json', '/api/openapi.json'].entries()) {
    const file = join(world.stack.dir, `openapi-${i}.json`);
    writeFileSync(file, await (await fetch(url(path))).text());
    const { stdout } = await run(join(PROJECT, 'tests', 'node_modules', '.bin', 'redocly'), ['lint', '--format=json', file],
      { env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' } });
    const { totals, problems } = JSON.parse(stdout.slice(stdout.indexOf('{')));
    assert.equal(totals.errors, 0);
    assert.deepEqual(problems.map((problem) => problem.ruleId), ['info-license']); // the API's licence is not ours to say
  }
});

test('@agentcash/discovery finds every route and its price, without an error', async () => {
  const found = await discoverOriginSchema({ target: url(''), guidance: 'auto' });
  assert.equal(found.found, true);
  assert.equal(found.endpoints.length, ROUTES.length);
  const errors = getWarningsForOpenAPI((await getOpenAPI(url('')))._unsafeUnwrap()).filter((warning) => warning.severity === 'error');
  assert.deepEqual(errors, []);
  for (const { path } of ROUTES) {
    const { method } = (await document('/.well-known/x402.json')).resources.find((resource) => resource.path === path);
    const audit = validatePaymentRequiredDetailed(await challenge(path, method));
    assert.equal(audit.valid, true, path);
    assert.deepEqual(audit.issues.filter((issue) => issue.severity === 'error'), [], path);
    const endpoint = await checkEndpointSchema({ url: url(path), probe: true });
    assert.equal(endpoint.found, true, path);
    assert.equal(endpoint.advisories[0].authMode, 'paid', path);
  }
});

test('@x402/core accepts the 402, @x402/extensions its bazaar extension', async () => {
  for (const { path } of ROUTES) {
    const required = await challenge(path);
    assert.equal(PaymentRequiredV2Schema.safeParse(required).success, true, path);
    assert.deepEqual(validateDiscoveryExtension(required.extensions.bazaar), { valid: true }, path);
  }
});

test('an official client echoes the extension, and its payment is taken', async () => {
  let echoed;
  const spy = async (input, init) => {
    const request = new Request(input, init);
    const header = request.headers.get('payment-signature');
    if (header)
      echoed = unbase64(header).extensions;
    return fetch(request);
  };
  const pay = wrapFetchWithPaymentFromConfig(spy, { schemes: [{ network: NETWORK, client: new ExactEvmScheme(account(4)) }] });
  const response = await pay(url('/v1/chat/completions'), { method: 'POST', body: '{"messages":[]}' });
  assert.equal(response.status, 200);
  assert.deepEqual(echoed, (await challenge('/v1/chat/completions', 'POST')).extensions);
});

test('mcp.json points to the endpoint; ai-plugin.json has its ten members', async () => {
  const mcp = await document('/.well-known/mcp.json');
  assert.match(mcp.name, /^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/);
  assert.deepEqual(mcp.remotes, [{ type: 'streamable-http', url: url('/mcp') }]);
  assert.equal(mcp.mcp_endpoint, url('/mcp'));
  const plugin = await document('/.well-known/ai-plugin.json');
  assert.deepEqual(Object.keys(plugin).sort(), ['api', 'auth', 'contact_email', 'description_for_human', 'description_for_model',
    'legal_info_url', 'logo_url', 'name_for_human', 'name_for_model', 'schema_version']);
  assert.match(plugin.name_for_model, /^\w{1,50}$/);
  assert.equal((await fetch(plugin.api.url)).status, 200);
});
