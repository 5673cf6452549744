/* SPDX-License-Identifier: Apache-2.0 */
/* The buyers of the benches: payer i has the private key
 * keccak256("x402 bench payer" || i). */
#ifndef BENCH_PAYERS_H
#define BENCH_PAYERS_H

#include <x402/x402.h>

#define PAYERS_MAX 1024

struct payers {
    const struct x402_asset *asset; /* Base Sepolia's USDC */
    struct x402_signer signer[PAYERS_MAX];
    unsigned len;
};

/** Ends the program when it cannot. */
void payers_make(struct payers *payers, unsigned len);
/** Payment i: of payer i modulo len, with a random nonce, signed. */
void payers_sign(struct x402_payment *out, struct payers *payers, unsigned i,
                 const struct x402_address *pay_to,
                 const struct x402_amount *amount, uint32_t timeout_s);
/** Print what is wrong, and leave. */
_Noreturn void payers_die(const char *text);

#endif
