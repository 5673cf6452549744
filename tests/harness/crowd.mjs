// SPDX-License-Identifier: Apache-2.0
// Buyers who do not give up: each has one payment and one item, and asks with
// the same bytes until the answer is there or refused for good.  What happened
// to each is written down, to be compared with the node and the upstream.
import { sleep } from '../../devnet/process.mjs';

const PATIENCE = 120_000;

/* 503 and 409 say: the same payment again, later.  A broken connection says
 * nothing at all. */
const again = (status) => status === 503 || status === 409 || status === 502 || status === 504;

export class Buyer {
  constructor({ http, payment, path, wire = 'v2' }) {
    Object.assign(this, { http, payment, path, wire });
    this.answers = 0; // complete 200s
    this.breaks = 0; // asked, and no final answer came
    this.seen = [];
  }

  async once() {
    try {
      const response = await this.http.send(this.path, { headers: this.payment.header(this.wire), timeout: 90_000 });
      this.seen.push(`${response.status}${response.headers['x-payment-error'] ? `:${response.headers['x-payment-error']}` : ''}`);
      if (response.status === 200) {
        JSON.parse(response.body); // whole, or it would not parse
        this.answers += 1;
      } else if (response.status !== 409 && again(response.status)) {
        this.breaks += 1;
      }
      return response.status;
    } catch (error) {
      this.seen.push(error.code ?? error.message);
      this.breaks += 1;
      return undefined;
    }
  }

  /** Until a final answer. */
  async insist() {
    const end = Date.now() + PATIENCE;
    for (let wait = 50; Date.now() < end; wait = Math.min(wait * 2, 1000)) {
      const status = await this.once();
      if (status !== undefined && !again(status)) {
        this.final = status;
        return this;
      }
      await sleep(wait * (0.5 + Math.random()));
    }
    return this;
  }

  /** What happened, for a message. */
  story() {
    const runs = [];
    for (const what of this.seen) {
      if (runs.at(-1)?.what === what)
        runs.at(-1).n += 1;
      else
        runs.push({ what, n: 1 });
    }
    return `${this.path}: ${runs.map(({ what, n }) => (n > 1 ? `${what} x${n}` : what)).join(', ')}`;
  }
}
