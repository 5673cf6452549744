// SPDX-License-Identifier: Apache-2.0
// Cuts the bytes of a connection into messages, for the fault proxy.  A cutter
// gets what is there and gives {kind, bytes} of its first whole message, or
// undefined when more must come.
import { TYPE } from '../gateway/fake-till.mjs';

const NAME = Object.fromEntries(Object.entries(TYPE).map(([name, type]) => [type, name]));

/** The till: kind is the frame's name.  See include/x402/till.h. */
export function till() {
  const cut = (bytes) => {
    if (bytes.length < 16)
      return undefined;
    const end = 4 + bytes.readUInt32BE(0);
    return bytes.length < end ? undefined : { kind: NAME[bytes[5]], id: bytes.readBigUInt64BE(8), bytes: bytes.subarray(0, end) };
  };
  return { ask: cut, answer: cut };
}

const END = Buffer.from('\r\n\r\n');

/* Where the body ends that begins at `from`; undefined: not there yet. */
function endOfBody(bytes, head, from) {
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (length !== undefined)
    return bytes.length >= from + Number(length) ? from + Number(length) : undefined;
  if (!/^transfer-encoding: *chunked/im.test(head))
    return from;
  for (let at = from; ;) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0)
      return undefined;
    const size = parseInt(bytes.toString('latin1', at, line), 16);
    at = line + 2 + size + 2;
    if (at > bytes.length)
      return undefined;
    if (size === 0)
      return at;
  }
}

function cutHttp(bytes, kindOf, bodyless) {
  const end = bytes.indexOf(END);
  if (end < 0)
    return undefined;
  const head = bytes.toString('latin1', 0, end + 2);
  const from = end + END.length;
  const until = bodyless(head) ? from : endOfBody(bytes, head, from);
  if (until === undefined)
    return undefined;
  const message = bytes.subarray(0, until);
  return { kind: kindOf(head, message.subarray(from)), bytes: message };
}

const methods = (body) => {
  try {
    return [JSON.parse(body)].flat().map(({ method }) => method).filter(Boolean).join(' ');
  } catch {
    return '';
  }
};

/** HTTP/1.1: an ask's kind is "GET /path", or for JSON-RPC its methods; an
 *  answer's is its status and the kind of the ask that it belongs to. */
export function http() {
  const asked = [];
  const ask = (bytes) => {
    const message = cutHttp(bytes, (head, body) => methods(body) || head.split(' HTTP')[0], () => false);
    if (message)
      asked.push(message.kind);
    return message;
  };
  const answer = (bytes) => {
    const bodyless = (head) => /^HTTP\/1.1 (1\d\d|204|304)/.test(head) || asked[0]?.startsWith('HEAD ');
    return cutHttp(bytes, (head) => {
      const status = head.slice(9, 12);
      return `${status} ${status[0] === '1' ? '' : asked.shift() ?? ''}`.trim();
    }, bodyless);
  };
  return { ask, answer };
}

/** An HTTP message with another body, its length put right. */
export function withBody(bytes, change) {
  const end = bytes.indexOf(END);
  const head = bytes.toString('latin1', 0, end);
  const body = Buffer.from(change(bytes.toString('utf8', end + END.length)));
  return Buffer.concat([Buffer.from(head.replace(/^content-length: *\d+/im, `content-length: ${body.length}`), 'latin1'), END, body]);
}
