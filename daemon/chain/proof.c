/* SPDX-License-Identifier: Apache-2.0 */
/* See proof.h. */
#include "proof.h"

#include <stdlib.h>
#include <string.h>

#include <x402/abi.h>

#include "inside.h"
#include "look.h"
#include "quantity.h"

/* How often did the proxy move this payer's token here, and was one of them our
 * amount to our payee? */
static size_t
count_uses(const struct pay_row *row, const struct receipt *receipt, bool *ours)
{
    size_t n = 0;

    *ours = false;
    for (size_t i = 0; receipt->success && i < receipt->uses_len; i++) {
        const struct receipt_use *use = &receipt->uses[i];

        if (use->method != row->method || !use->moved ||
            !x402_address_eq(&use->token, &row->asset) ||
            !x402_address_eq(&use->payer, &row->auth.from))
            continue;
        n++;
        *ours = *ours || (x402_address_eq(&use->payee, &row->auth.to) &&
                          x402_amount_cmp(&use->value, &row->charge) == 0);
    }
    return n;
}

struct calls {
    size_t of_payer; /* calls of the proxy for this payer and token */
    bool ours;       /* one of them with our nonce, payee and amount */
};

static bool
is_proxy_call(const struct x402_abi_seen *seen)
{
    return seen->method != X402_METHOD_EIP3009 &&
           x402_address_eq(&seen->target,
                           x402_method_target(seen->method, &seen->token));
}

bool
proof_read_calls(struct x402_abi_seen *seen, size_t *n,
                 const uint8_t tx_hash[32], const json_t *tx)
{
    struct x402_address to;
    uint8_t hash[32], *data = NULL;
    size_t len = 0, all = 0;
    bool good = quantity_bytes(hash, 32, json_object_get(tx, "hash")) &&
                memcmp(hash, tx_hash, 32) == 0 &&
                quantity_address(&to, json_object_get(tx, "to")) &&
                quantity_data(&data, &len, json_object_get(tx, "input")) &&
                x402_abi_inspect(seen, &all, LOOK_MAX, data, len) == X402_OK;

    *n = 0;
    for (size_t i = 0; good && i < all; i++) {
        if (!x402_address_eq(&to, chain_multicall3()))
            seen[i].target = to;
        if (is_proxy_call(&seen[i]))
            seen[(*n)++] = seen[i];
    }
    free(data);
    return good;
}

static bool
read_calls(struct calls *out, const struct pay_row *row,
           const struct receipt *receipt, const json_t *tx)
{
    struct x402_abi_seen *seen = chain_alloc(LOOK_MAX * sizeof *seen);
    size_t n;
    bool good = proof_read_calls(seen, &n, receipt->tx_hash, tx);

    memset(out, 0, sizeof *out);
    for (size_t i = 0; good && i < n; i++) {
        if (seen[i].method != row->method ||
            !x402_address_eq(&seen[i].token, &row->asset) ||
            !x402_address_eq(&seen[i].auth.from, &row->auth.from))
            continue;
        out->of_payer++;
        if (memcmp(seen[i].auth.nonce, row->auth.nonce, 32) == 0)
            out->ours = x402_address_eq(&seen[i].auth.to, &row->auth.to) &&
                        x402_amount_cmp(&seen[i].charge, &row->charge) == 0;
    }
    free(seen);
    return good;
}

enum proof
proof_permit2(const struct pay_row *row, const struct receipt *receipt,
              const json_t *tx)
{
    struct calls calls;
    bool ours;
    size_t uses = count_uses(row, receipt, &ours);

    if (uses == 0 || !ours)
        return PROOF_OTHER;
    if (!read_calls(&calls, row, receipt, tx))
        return PROOF_DOUBT;
    if (!calls.ours)
        return PROOF_OTHER;
    /* some of several may have failed: which? */
    return calls.of_payer == uses ? PROOF_PAID : PROOF_DOUBT;
}
