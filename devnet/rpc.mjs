// SPDX-License-Identifier: Apache-2.0
// JSON-RPC to the node, and the few questions that demo and tests ask of it.
// The node is the outside witness: nothing here asks our own programs.
import { sleep } from './process.mjs';

const word = (hex) => hex.replace(/^0x/, '').toLowerCase().padStart(64, '0');

export const TOPIC = {
  Transfer: '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef',
  AuthorizationUsed: '0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5',
};

export class Rpc {
  #id = 0;

  constructor(url) {
    this.url = url;
  }

  async call(method, ...params) {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: ++this.#id, method, params }),
    });
    const { result, error } = await response.json();
    if (error)
      throw new Error(`${method}: ${error.message}`);
    return result;
  }

  async balance(token, account, block = 'latest') {
    const data = `0x70a08231${word(account)}`;
    return BigInt(await this.call('eth_call', { to: token, data }, block));
  }

  /** Has this payer's nonce been used (or cancelled)? */
  async used(token, payer, nonce) {
    const data = `0xe94a0102${word(payer)}${word(nonce)}`;
    return BigInt(await this.call('eth_call', { to: token, data }, 'latest')) === 1n;
  }

  async logs(token, ...topics) {
    return this.call('eth_getLogs', { address: token, fromBlock: '0x0', toBlock: 'latest', topics });
  }

  /** AuthorizationUsed logs as {payer, nonce, transaction}. */
  async authorizationsUsed(token, payer) {
    const logs = await this.logs(token, TOPIC.AuthorizationUsed, payer ? `0x${word(payer)}` : null);
    return logs.map((log) => ({
      payer: `0x${log.topics[1].slice(26)}`,
      nonce: log.topics[2],
      transaction: log.transactionHash,
    }));
  }

  /** Transfers to an account as {from, to, value, transaction}. */
  async transfersTo(token, payee) {
    const logs = await this.logs(token, TOPIC.Transfer, null, `0x${word(payee)}`);
    return logs.map((log) => ({
      from: `0x${log.topics[1].slice(26)}`,
      to: `0x${log.topics[2].slice(26)}`,
      value: BigInt(log.data),
      transaction: log.transactionHash,
    }));
  }

  /** The receipt, as soon as the transaction is mined. */
  async receipt(hash, limit = 10000) {
    for (const end = Date.now() + limit; Date.now() < end; await sleep(10)) {
      const receipt = await this.call('eth_getTransactionReceipt', hash);
      if (receipt)
        return receipt;
    }
    throw new Error(`transaction ${hash} was not mined within ${limit / 1000} s`);
  }

  mine(blocks) {
    return this.call('anvil_mine', `0x${blocks.toString(16)}`);
  }
}
