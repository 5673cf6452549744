/* SPDX-License-Identifier: Apache-2.0 */
/* ERC-6492: signatures of wallets that are not deployed yet.
 *
 *     abi.encode((address factory, bytes calldata, bytes signature)) || magic
 *
 * Whoever checks one calls `factory` with `calldata`: a payer chooses both, so
 * nobody may do that but for factories he trusts. */
#ifndef X402_ERC6492_H
#define X402_ERC6492_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/address.h>
#include <x402/error.h>

/** Borrows from the signature it was read from. */
struct x402_erc6492 {
    struct x402_address factory;
    const uint8_t *calldata;
    size_t calldata_len;
    const uint8_t *signature; /* for the wallet, once it is there */
    size_t signature_len;
};

/** Does it end with the magic bytes?  "0x6492..." (32 bytes, ERC-6492) */
bool x402_erc6492_is_wrapped(const uint8_t *signature, size_t len);
/** Unwrap.  Only the one canonical encoding is read: words in order, zeros in
 *  every gap, nothing after.
 *  Returns: X402_ERR_SIGNATURE for anything else, for an empty signature
 *  inside, and for a wrapper in a wrapper.  Threads: any. */
X402_MUST_CHECK enum x402_err x402_erc6492_decode(struct x402_erc6492 *out,
                                                  const uint8_t *signature,
                                                  size_t len);

#endif
