// SPDX-License-Identifier: Apache-2.0
// Second opinions: invoices as two npm packages read them, macaroons as the
// npm package "macaroon" makes and reads them.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import bolt11 from 'bolt11';
import { decode as lightDecode } from 'light-bolt11-decoder';
import macaroons from 'macaroon';
import { decode, tool } from './tool.mjs';

const examples = JSON.parse(readFileSync(new URL('../vectors/bolt11/bolt11.json', import.meta.url)));

/* Both packages do not know every feature and field of the examples; what they
 * say is compared, what they leave out is not. */
function bolt11Says(invoice) {
  const { tagsObject: tags, ...top } = bolt11.decode(invoice);
  return {
    msat: top.millisatoshis ?? undefined,
    created: top.timestamp,
    expiry: tags.expire_time,
    payment_hash: tags.payment_hash,
    payment_secret: tags.payment_secret,
    description: tags.description,
    description_hash: tags.purpose_commit_hash,
    cltv: tags.min_final_cltv_expiry,
    payee: top.payeeNodeKey,
  };
}

function lightSays(invoice) {
  const { sections } = lightDecode(invoice);
  const of = (name) => sections.find((section) => section.name === name)?.value;
  return {
    msat: of('amount'),
    created: of('timestamp'),
    expiry: of('expiry'),
    payment_hash: of('payment_hash'),
    payment_secret: of('payment_secret'),
    description: of('description'),
    description_hash: of('description_hash'),
    cltv: of('min_final_cltv_expiry'),
  };
}

const said = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

for (const [name, says, fewest] of [['bolt11', bolt11Says, 13], ['light-bolt11-decoder', lightSays, 13]]) {
  test(`the examples of BOLT 11 mean the same to ${name}`, () => {
    let compared = 0;
    for (const { case: why, invoice } of examples.valid) {
      let theirs;
      try {
        theirs = said(says(invoice));
      } catch {
        continue; // it does not read this one
      }
      const ours = decode(invoice);
      assert.equal(ours.error, undefined, why);
      for (const [key, value] of Object.entries(theirs))
        assert.equal(String(ours[key]), String(value), `${key}: ${why}`);
      compared += 1;
    }
    assert.ok(compared >= fewest, `only ${compared} of ${examples.valid.length} were compared`);
  });
}

const ROOT = '11'.repeat(32);
const REQUEST = '22'.repeat(32);
const PREIMAGE = '33'.repeat(32);
const HASH = createHash('sha256').update(Buffer.from(PREIMAGE, 'hex')).digest('hex');
const NOW = 1_700_000_000;
const UNTIL = NOW + 300;

const root = Buffer.from(ROOT, 'hex');
const header = (bytes, scheme = 'L402') => `${scheme} ${Buffer.from(bytes).toString('base64')}:${PREIMAGE}`;
const verdict = (value, now = NOW, request = REQUEST) => tool('check', ROOT, request, now, value);

/* As an L402 library would make one: its identifier, the caveats given. */
function made(caveats, { key = root, location = 'lsat', hash = HASH } = {}) {
  const identifier = Buffer.concat([Buffer.from([0, 0]), Buffer.from(hash, 'hex'), Buffer.alloc(32, 7)]);
  const macaroon = macaroons.newMacaroon({ identifier, location, rootKey: key, version: 2 });
  caveats.forEach((caveat) => macaroon.addFirstPartyCaveat(caveat));
  return macaroon.exportBinary();
}

const OURS = [`x402_request=${REQUEST}`, `x402_valid_until=${UNTIL}`];

test("what the npm package makes is accepted", () => {
  assert.equal(verdict(header(made(OURS))), 'X402_OK');
  assert.equal(verdict(header(made(OURS), 'LSAT')), 'X402_OK');
  assert.equal(verdict(header(made(OURS.toReversed()))), 'X402_OK');
});

test('what we make the npm package verifies', () => {
  const macaroon = macaroons.importMacaroon(Buffer.from(tool('mint', ROOT, HASH, REQUEST, UNTIL), 'base64'));
  const seen = [];
  macaroon.verify(root, (caveat) => { seen.push(caveat); return null; });
  assert.deepEqual(seen, OURS);
  assert.throws(() => macaroon.verify(Buffer.alloc(32, 9), () => null));
});

test('what a holder widens, narrows or adds is refused', () => {
  const minted = Buffer.from(tool('mint', ROOT, HASH, REQUEST, UNTIL), 'base64');
  assert.equal(verdict(header(minted)), 'X402_OK');
  for (const caveat of [`x402_valid_until=${UNTIL + 1e6}`, `x402_valid_until=${UNTIL - 1}`,
    `x402_request=${REQUEST}`, `x402_request=${'44'.repeat(32)}`, 'services=api:0', 'unknown', '']) {
    const macaroon = macaroons.importMacaroon(minted);
    macaroon.addFirstPartyCaveat(caveat);
    assert.equal(verdict(header(macaroon.exportBinary())), 'X402_ERR_LN_CHALLENGE', caveat);
  }
});

test('another key, request, time, hash or form is refused', () => {
  assert.equal(verdict(header(made(OURS, { key: Buffer.alloc(32, 9) }))), 'X402_ERR_LN_CHALLENGE');
  assert.equal(verdict(header(made(OURS)), NOW, '55'.repeat(32)), 'X402_ERR_LN_REQUEST');
  assert.equal(verdict(header(made(OURS)), UNTIL), 'X402_ERR_LN_INVOICE_EXPIRED');
  assert.equal(verdict(header(made(OURS, { hash: '66'.repeat(32) }))), 'X402_ERR_LN_PREIMAGE');
  assert.equal(verdict(header(made(OURS.slice(0, 1)))), 'X402_ERR_LN_CHALLENGE');
  assert.equal(verdict(header(Buffer.from('0012location lsat\n'))), 'X402_ERR_LN_CHALLENGE');
});
