/* SPDX-License-Identifier: Apache-2.0 */
/* See payers.h. */
#include "payers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

void
payers_die(const char *text)
{
    fprintf(stderr, "bench: %s\n", text);
    exit(2);
}

void
payers_make(struct payers *payers, unsigned len)
{
    if (len == 0 || len > PAYERS_MAX)
        payers_die("between 1 and 1024 payers");
    payers->len = len;
    payers->asset = x402_asset_by_symbol(84532, x402_span_of("USDC"));
    for (unsigned i = 0; i < len; i++) {
        uint8_t key[32], seed[32] = {0};
        char name[64];
        int name_len = snprintf(name, sizeof name, "x402 bench payer%u", i);

        x402_keccak256(key, name, (size_t)name_len);
        if (x402_signer_open(&payers->signer[i], key, seed) != X402_OK)
            payers_die("a payer's key is out of range");
    }
}

void
payers_sign(struct x402_payment *out, struct payers *payers, unsigned i,
            const struct x402_address *pay_to, const struct x402_amount *amount,
            uint32_t timeout_s)
{
    struct x402_signer *signer = &payers->signer[i % payers->len];

    memset(out, 0, sizeof *out);
    out->wire = X402_WIRE_V2;
    out->signature_len = 65;
    out->chain_id = payers->asset->chain_id;
    out->auth.from = signer->address;
    out->auth.to = *pay_to;
    out->auth.value = *amount;
    out->auth.valid_before_s = (uint64_t)time(NULL) + timeout_s;
    if (getrandom(out->auth.nonce, 32, 0) != 32)
        payers_die("no random bytes");
    if (x402_eip3009_sign(out->signature, &out->auth, payers->asset, signer) !=
        X402_OK)
        payers_die("cannot sign");
}
