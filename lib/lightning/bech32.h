/* SPDX-License-Identifier: Apache-2.0 */
/* Bech32 (BIP 173) without its limit of 90 characters, and groups of five bits
 * as bytes and numbers. */
#ifndef X402_LIGHTNING_BECH32_H
#define X402_LIGHTNING_BECH32_H

#include <stdbool.h>
#include <stdint.h>

#include <x402/bolt11.h>

#define BECH32_CHECKSUM 6

struct bech32 {
    char hrp[X402_BOLT11_MAX]; /* lower case */
    size_t hrp_len;
    uint8_t five[X402_BOLT11_MAX]; /* the data part without its checksum */
    size_t len;
};

/** X402_ERR_TOO_LARGE past X402_BOLT11_MAX; X402_ERR_SYNTAX. */
X402_MUST_CHECK enum x402_err bech32_decode(struct bech32 *out,
                                            struct x402_span text);
/** Append "hrp1data" and the checksum, in lower case. */
void bech32_encode(struct x402_buf *buf, const struct bech32 *in);

/** Groups as bytes.  false unless what is left over is fewer than five zero
 *  bits, as padding is. */
X402_MUST_CHECK bool five_to_bytes(uint8_t *out, const uint8_t *five,
                                   size_t len);
/** The same for hashing: zero bits fill the last byte.  Returns the bytes. */
size_t five_to_bytes_padded(uint8_t *out, const uint8_t *five, size_t len);
/** Bytes as groups, zero bits fill the last one.  Returns the groups. */
size_t five_from_bytes(uint8_t *five, const uint8_t *bytes, size_t len);
/** At most 12 groups as a number, highest first. */
uint64_t five_number(const uint8_t *five, size_t len);

#endif
