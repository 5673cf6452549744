// SPDX-License-Identifier: Apache-2.0
// The catalogue's answers, held against all that the official packages say of
// them: the schema of what is accepted (@x402/core), the rules of the extension
// and of names, tags and icons (@x402/extensions), and the members that its
// types DiscoveryResource, DiscoveryResourcesResponse and
// SearchDiscoveryResourcesResponse name.
import assert from 'node:assert/strict';
import { PaymentRequirementsV2Schema } from '@x402/core/schemas';
import { isValidIconUrl, isValidServiceName, sanitizeTags, validateDiscoveryExtension, validateDiscoveryExtensionSpec } from '@x402/extensions/bazaar';

const maybe = (value, type, what) => assert.ok(value === undefined || typeof value === type, `${what}: ${JSON.stringify(value)}`);

function fitsExtension(bazaar, what) {
  for (const check of [validateDiscoveryExtension, validateDiscoveryExtensionSpec]) {
    const { valid, errors } = check(bazaar);
    assert.equal(valid, true, `${what}: ${JSON.stringify(errors)}`);
  }
}

export function fitsResource(item) {
  const what = item.resource;
  assert.ok(URL.canParse(item.resource), what);
  assert.ok(['http', 'mcp'].includes(item.type), what);
  assert.ok([1, 2].includes(item.x402Version), what);
  assert.ok(Array.isArray(item.accepts) && item.accepts.length > 0, what);
  for (const accept of item.accepts) {
    const { success, error } = PaymentRequirementsV2Schema.safeParse(accept);
    assert.equal(success, true, `${what}: ${error}`);
  }
  assert.equal(new Date(item.lastUpdated).toISOString().slice(0, 19), item.lastUpdated.slice(0, 19), 'ISO 8601, UTC');
  for (const name of ['description', 'mimeType', 'serviceName', 'iconUrl'])
    maybe(item[name], 'string', `${what} ${name}`);
  if (item.serviceName !== undefined)
    assert.equal(isValidServiceName(item.serviceName), true, item.serviceName);
  if (item.iconUrl !== undefined)
    assert.equal(isValidIconUrl(item.iconUrl), true, item.iconUrl);
  if (item.tags !== undefined)
    assert.deepEqual(sanitizeTags(item.tags), item.tags);
  maybe(item.extensions, 'object', what);
  if (item.extensions?.bazaar)
    fitsExtension(item.extensions.bazaar, what);
}

const whole = (value, what) => assert.ok(Number.isInteger(value) && value >= 0, `${what}: ${value}`);

/** GET /discovery/resources */
export function fitsList({ x402Version, items, pagination }) {
  assert.equal(x402Version, 2);
  items.forEach(fitsResource);
  for (const name of ['limit', 'offset', 'total'])
    whole(pagination[name], name);
  return items.length;
}

/** GET /discovery/search */
export function fitsSearch({ x402Version, resources, partialResults, pagination }) {
  assert.equal(x402Version, 2);
  resources.forEach(fitsResource);
  maybe(partialResults, 'boolean', 'partialResults');
  if (pagination) {
    whole(pagination.limit, 'limit');
    assert.ok(pagination.cursor === null || typeof pagination.cursor === 'string', JSON.stringify(pagination));
  }
  return resources.length;
}
