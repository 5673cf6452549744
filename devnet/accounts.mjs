// SPDX-License-Identifier: Apache-2.0
// The ten accounts of the usual test mnemonic.  Everybody knows these keys:
// they are worth nothing anywhere but on a local chain.
import { mnemonicToAccount } from 'viem/accounts';

const MNEMONIC = 'test test test test test test test test test test test junk';

export const SETTLER = 0; // signs settlements, holds no tokens
export const PAYER = 2; // pays in ./demo
export const PAYEE = 9; // starts at 0

export function account(index) {
  return mnemonicToAccount(MNEMONIC, { addressIndex: index });
}

export function privateKey(index) {
  return `0x${Buffer.from(account(index).getHdKey().privateKey).toString('hex')}`;
}

export const accounts = Array.from({ length: 10 }, (_, index) => account(index));
export const HOLDERS = accounts.slice(1, 9).map(({ address }) => address);
