/* SPDX-License-Identifier: Apache-2.0 */
/* The request of a Lightning charge (draft-lightning-charge, section 7). */
#include <x402/mpp.h>

#include "hash.h"

/* "Must be one of "mainnet", "regtest", or "signet"." */
static bool
is_named(enum x402_ln_network network)
{
    return network == X402_LN_MAINNET || network == X402_LN_REGTEST ||
           network == X402_LN_SIGNET;
}

/* Canonical as it is written: names in order, nothing to escape. */
enum x402_err
x402_mpp_write_charge(struct x402_buf *buf,
                      const struct x402_mpp_charge *charge)
{
    char memory[X402_MPP_REQUEST_MAX / 4 * 3];
    struct x402_buf json = x402_buf_on(memory, sizeof memory);
    uint64_t sats;

    if (!x402_msat_sats(&sats, charge->amount) || !is_named(charge->network))
        return X402_ERR_RANGE;
    x402_buf_text(&json, "{\"amount\":\"");
    x402_buf_u64(&json, sats);
    x402_buf_text(&json, "\",\"currency\":\"sat\",\"methodDetails\":{"
                         "\"invoice\":\"");
    x402_buf_add(&json, charge->invoice);
    x402_buf_text(&json, "\",\"network\":\"");
    x402_buf_text(&json, x402_ln_name(charge->network));
    x402_buf_text(&json, "\",\"paymentHash\":\"");
    x402_buf_hex_bare(&json, charge->payment_hash, 32);
    x402_buf_text(&json, "\"}}");
    if (json.full)
        return X402_ERR_TOO_LARGE;
    x402_buf_base64url(buf, (const uint8_t *)json.at, json.len);
    return buf->full ? X402_ERR_TOO_LARGE : X402_OK;
}
