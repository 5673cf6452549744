// SPDX-License-Identifier: Apache-2.0
// What `nginx -t` refuses: everything that would let a request pass unpaid, or
// that nobody could pay; and what it must not refuse.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NETWORK, PAY_TO, testConf } from './harness.mjs';

const PROXY = 'proxy_pass http://127.0.0.1:1;';
const ON = 'x402 on; x402_price 0.003 USDC;';
const at = (more, on = ON) => ({ server: `location /paid { ${on} ${PROXY} ${more} }` });
const bare = (more) => ({ servers: `server { listen 127.0.0.1:15199; location /paid { ${more} } }` });
const ALL = { price: 'x402_price 1 USDC;', pay_to: `x402_pay_to base ${PAY_TO};`, daemon: 'x402_daemon unix:/nowhere/till;', base_url: 'x402_base_url https://a.example;' };
const without = (name) => bare(`x402 on; ${Object.entries(ALL).filter(([key]) => key !== name).map(([, text]) => text).join(' ')}`);

const REFUSED = [
  ['satisfy any', at('satisfy any;'), /"satisfy any"/],
  ['satisfy any, inherited', { http: 'satisfy any;', ...at('') }, /"satisfy any"/],
  ['return', at('return 200 "secret";'), /"return"/],
  ['return of a status', at('return 404;'), /"return"/],
  ['return in an if', at('if ($arg_x) { return 200 "secret"; }'), /"return"/],
  ['return in an if that is priced itself', { server: `location /paid { if ($arg_x) { ${ON} return 200 "secret"; } ${PROXY} }` }, /"return"/],
  ['return in a nested location', at('location /paid/x { return 200 "secret"; }'), /"return"/],
  ['redirecting rewrite', at('rewrite ^ /elsewhere redirect;'), /"rewrite"/],
  ['permanent rewrite', at('rewrite ^ /elsewhere permanent;'), /"rewrite"/],
  ['rewrite to another host', at('rewrite ^ https://other.example/ ;'), /"rewrite"/],
  ['unbuffered request', at('proxy_request_buffering off;'), /request buffering off/],
  ['unbuffered request, inherited', { http: 'proxy_request_buffering off;', ...at('') }, /request buffering off/],
  ['unbuffered FastCGI request', { server: `location /paid { ${ON} fastcgi_pass 127.0.0.1:1; fastcgi_request_buffering off; }` }, /request buffering off/],
  ['zero', at('', 'x402 on; x402_price 0 USDC;'), /not a price above zero/],
  ['zero, written long', at('', 'x402 on; x402_price 0.000000 USDC;'), /not a price above zero/],
  ['empty price', at('', 'x402 on; x402_price "" USDC;'), /not a price above zero/],
  ['negative price', at('', 'x402 on; x402_price -1 USDC;'), /not a price above zero/],
  ['price with an exponent', at('', 'x402 on; x402_price 1e3 USDC;'), /not a price above zero/],
  ['finer than the token', at('', 'x402 on; x402_price 0.0000001 USDC;'), /not a price above zero/],
  ['larger than 2^256', at('', `x402 on; x402_price ${'9'.repeat(80)} USDC;`), /not a price above zero/],
  ['price of an observed location', at('', 'x402 observe; x402_price nothing USDC;'), /not a price above zero/],
  ['unknown asset', at('', 'x402 on; x402_price 1 DOGE;'), /unknown asset "DOGE"/],
  ['asset name of the EIP-712 domain', at('', 'x402 on; x402_price 1 "USD Coin";'), /unknown asset/],
  ['no price', without('price'), /no x402_price/],
  ['no payee', without('pay_to'), /no x402_pay_to/],
  ['no daemon', without('daemon'), /no x402_daemon/],
  ['no base URL', without('base_url'), /no x402_base_url/],
  ['on at the server without a price', { servers: `server { listen 127.0.0.1:15199; x402 on; ${ALL.pay_to} ${ALL.daemon} ${ALL.base_url} location / { x402_price 1 USDC; } }` }, /no x402_price/],
  ['unknown network', at(`x402_pay_to atlantis ${PAY_TO};`), /unknown network "atlantis"/],
  ['duplicate network', at(`x402_pay_to ${NETWORK} ${PAY_TO}; x402_pay_to base-sepolia ${PAY_TO};`), /duplicate network/],
  ['bad checksum', at(`x402_pay_to base ${PAY_TO.replace('5C', '5c')};`), /checksum/],
  ['zero address', at(`x402_pay_to base 0x${'0'.repeat(40)};`), /checksum/],
  ['short address', at('x402_pay_to base 0x1234;'), /checksum/],
  ['daemon over TCP', at('x402_daemon 127.0.0.1:80;'), /"unix:" and a path/],
  ['relative socket', at('x402_daemon unix:till.sock;'), /"unix:" and a path/],
  ['socket with a long name', at(`x402_daemon unix:/${'x'.repeat(120)};`), /"unix:" and a path/],
  ['base URL with a path', at('x402_base_url https://a.example/b;'), /scheme, host and port only/],
  ['base URL of another kind', at('x402_base_url ftp://a.example;'), /must begin with/],
  ['base URL with a user', at('x402_base_url https://u:p@a.example;'), /scheme, host and port only/],
  ['base URL without a host', at('x402_base_url https://;'), /no host/],
  ['short timeout', at('x402_timeout 25;'), /x402_timeout/],
  ['long timeout', at('x402_timeout 100000;'), /x402_timeout/],
  ['charged 402', at('x402_charge_status 402;'), /400 to 599/],
  ['charged 200', at('x402_charge_status 200;'), /400 to 599/],
  ['twice', at('', 'x402 on; x402_price 1 USDC; x402_price 2 USDC;'), /duplicate/],
  ['auth_basic beside L402', at('x402_lightning on; x402_lightning_dialects l402; auth_basic x; auth_basic_user_file /dev/null;'), /"auth_basic"/],
  ['auth_basic of the server beside MPP', { http: 'auth_basic x; auth_basic_user_file /dev/null;', ...at('x402_lightning on; x402_lightning_dialects mpp;') }, /"auth_basic"/],
  ['a Lightning price without a unit of ours', at('x402_lightning on; x402_lightning_price 1 btc;'), /not a price in sat or millisat/],
  ['a Lightning price of nothing', at('x402_lightning on; x402_lightning_price 0 sat;'), /not a price in sat or millisat/],
  ['finer than a millisatoshi', at('x402_lightning on; x402_lightning_price 0.0001 sat;'), /not a price in sat or millisat/],
  ['the payment header bound', at('x402_lightning on; x402_lightning_bind payment-signature;'), /not a header that can be bound/],
  ['a header bound twice', at('x402_lightning on; x402_lightning_bind x-a X-A;'), /named twice/],
  ['an unknown dialect', at('x402_lightning on; x402_lightning_dialects bolt12;'), /bolt12/],
  ['unknown value', at('', 'x402 maybe;'), /invalid value "maybe"/],
];

for (const [why, options, expected] of REFUSED) {
  test(`refused: ${why}`, async () => {
    const { ok, text } = await testConf(options);
    assert.ok(!ok, 'nginx accepted it');
    assert.match(text, expected);
    assert.doesNotMatch(text, /Sanitizer|core dumped/);
  });
}

const ACCEPTED = [
  ['the plain case', at('')],
  ['auth, limits and deny', { http: 'limit_req_zone $remote_addr zone=a:1m rate=1r/s;', ...at('auth_basic a; auth_basic_user_file /x; deny 10.0.0.0/8; limit_req zone=a; auth_request /auth;') }],
  ['auth_basic beside lnbtc alone', at('x402_lightning on; x402_lightning_dialects lnbtc; auth_basic a; auth_basic_user_file /x;')],
  ['auth_basic that is off, beside L402', { http: 'auth_basic a; auth_basic_user_file /x;', ...at('x402_lightning on; auth_basic off;') }],
  ['satisfy any where it is off', at('satisfy any; return 200 "free";', 'x402 off;')],
  ['satisfy any and return where it is observed', at('satisfy any;', 'x402 observe; x402_price 1 USDC;')],
  ['rewrites that stay inside', at('rewrite ^/paid/(.*) /paid/x/$1 break; rewrite ^/a /b last; set $x 1; if ($arg_y) { set $x 2; }')],
  ['unbuffered where money comes first', at('proxy_request_buffering off; x402_settle before;')],
  ['free inside priced', at('location /paid/free { x402 off; return 200 "free"; }')],
  ['priced inside free', { server: `location / { return 200 "free"; location /paid { ${ON} ${PROXY} } }` }],
  ['a price from a variable', at('', 'x402 on; x402_price $arg_price USDC;')],
  ['many networks', at(`x402_pay_to base ${PAY_TO}; x402_pay_to ${NETWORK} ${PAY_TO}; x402_pay_to polygon ${PAY_TO.toLowerCase()};`)],
  ['every directive', at('x402_facilitator_url https://f.example; x402_description "a \\"b\\" <c>"; x402_mime_type text/plain; x402_timeout 5m; x402_settle_margin 30s; x402_settle before; x402_body v1; x402_charge_status 404 410; x402_smart_wallets on; x402_upgrade on; x402_gas_sponsoring eip2612 erc20_approval;')],
  ['observe without a daemon', bare(`x402 observe; ${ALL.price} ${ALL.pay_to} ${ALL.base_url}`)],
  ['nothing priced at all', {}],
  ['mirror and try_files', at('mirror /m; try_files $uri /paid;')],
];

for (const [why, options] of ACCEPTED) {
  test(`accepted: ${why}`, async () => {
    const { ok, text } = await testConf(options);
    assert.ok(ok, text);
  });
}
