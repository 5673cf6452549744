// SPDX-License-Identifier: Apache-2.0
// nginx's configuration for the demo and the tests: what each route costs, and
// nothing reaches the upstream that is not in the table.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { NETWORK } from './chain.mjs';
import { PROGRAMS, PROJECT } from './paths.mjs';

const quote = (text) => `"${text.replace(/[\\"]/g, '\\$&').replace(/\$/g, '')}"`;
const JSON_TYPE = 'x402_mime_type application/json;';

const schema = (name) => `x402_schema ${quote(join(PROJECT, 'devnet', 'schemas', `${name}.json`))};`;

/** The priced routes; `more` are further directives of the location, `to` is
 *  the upstream's path where it is another one. */
export const ROUTES = [
  { path: '/paid', price: '0.001', more: [JSON_TYPE, 'x402_description "An answer in JSON";', schema('paid')] },
  { path: '/paid-v1', price: '0.001', more: [JSON_TYPE, 'x402_description "An answer in JSON";', 'x402_body v1;'] },
  { path: '/v1/chat/completions', price: '0.000495', more: [JSON_TYPE, 'x402_description "A chat completion";', schema('chat-completions')] },
  { path: '/fail', price: '0.001', more: [JSON_TYPE, 'x402_description "Always fails, never charged";'] },
  { path: '/flaky', price: '0.001', more: [JSON_TYPE, 'x402_description "Fails once per query string";'] },
  { path: '/stream', price: '0.001', more: ['x402_mime_type text/event-stream;', 'x402_description "Events for five seconds";', 'proxy_buffering off;'] },
  { path: '/big', price: '0.001', more: ['x402_mime_type application/octet-stream;', 'x402_description "64 MB";', 'proxy_max_temp_file_size 0;'] },
  { path: '/dear', price: '5', more: [JSON_TYPE, 'x402_description "More than the credit of one payer";'] },
  { path: '/strict', price: '0.001', more: [JSON_TYPE, 'x402_description "Settled before it is answered";', 'x402_settle before;'] },
];

/* proxy_pass with a URI: the upstream sees the path that was matched and
 * priced, not the client's spelling of it. */
function location({ path, price, more = [], to = path }) {
  return `
    location = ${path} {
      x402 on;
      x402_price ${price} USDC;
      ${more.join('\n      ')}
      proxy_pass http://upstream${to};
    }`;
}

function openFiles() {
  const hard = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  return hard === 'unlimited' ? 8192 : Math.min(Number(hard), 8192);
}

export function nginxConf({ dir, ports, payTo, tillSocket, routes = ROUTES, server = '', baseUrl = `http://127.0.0.1:${ports.gateway}` }) {
  const files = openFiles();
  return `# Written by the demo at each start; see devnet/gateway.mjs.
load_module ${quote(PROGRAMS.module)};
${process.getuid() === 0 ? 'user root;' : ''}
${process.env.X402_MUTANT ? 'env X402_MUTANT;' : ''}
daemon off;
pid ${quote(join(dir, 'nginx.pid'))};
error_log ${quote(join(dir, 'nginx-error.log'))} notice;
worker_processes 2;
worker_rlimit_nofile ${files};
worker_shutdown_timeout 5s;
events { worker_connections ${Math.floor(files / 2)}; }

http {
  log_format x402 '$msec $request_method "$request_uri" $status $body_bytes_sent $request_time '
                  'x402=$x402_status reason=$x402_reason payer=$x402_payer amount=$x402_amount '
                  'network=$x402_network id=$x402_payment_id';
  access_log ${quote(join(dir, 'nginx-access.log'))} x402 buffer=32k flush=1s;
  client_body_temp_path ${quote(join(dir, 'tmp-body'))};
  proxy_temp_path ${quote(join(dir, 'tmp-proxy'))};
  fastcgi_temp_path ${quote(join(dir, 'tmp-fastcgi'))};
  uwsgi_temp_path ${quote(join(dir, 'tmp-uwsgi'))};
  scgi_temp_path ${quote(join(dir, 'tmp-scgi'))};
  large_client_header_buffers 4 32k;
  server_tokens off;

  upstream upstream {
    server 127.0.0.1:${ports.upstream};
    keepalive 64;
  }

  server {
    listen 127.0.0.1:${ports.gateway} backlog=1024;
    server_name _;

    x402_daemon unix:${join(dir, tillSocket)};
    x402_base_url ${baseUrl};
    x402_facilitator_url http://127.0.0.1:${ports.facilitator};
    x402_pay_to ${NETWORK} ${payTo};
    x402_timeout 300;

    x402_discovery on;
    x402_paywall on;
    x402_service name "x402 demo";
    x402_service description "A small API on a local chain: every route is paid per request";
    x402_service contact demo@example.com;
    x402_service logo http://127.0.0.1:${ports.gateway}/free/logo.svg;
    x402_service legal http://127.0.0.1:${ports.gateway}/free/terms;

    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    ${server}
    ${routes.map(location).join('\n    ')}

    location = /mcp {
      x402_mcp on;
    }

    location /free/ {
      proxy_pass http://upstream/free/;
    }

    # nginx would redirect /free to /free/ by itself
    location = /free {
      return 404;
    }

    location / {
      return 404;
    }
  }
}
`;
}
