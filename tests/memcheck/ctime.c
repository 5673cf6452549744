/* SPDX-License-Identifier: Apache-2.0 */
/* Does anything that we do with a private key take another way, or look at
 * another place, for another key?  The key's bytes are marked as undefined, and
 * memcheck complains of every branch and address that depends on them, as in
 * libsecp256k1's own ctime_tests: "The idea is to mark the secret inputs as
 * uninitialized". */
#include <stdio.h>
#include <string.h>

#include <valgrind/memcheck.h>

#include <x402/x402.h>

static enum x402_err
sign_authorization(const struct x402_signer *signer)
{
    const struct x402_asset *usdc =
        x402_asset_by_symbol(84532, x402_span_of("USDC"));
    struct x402_authorization auth = {.from = signer->address,
                                      .to = usdc->address,
                                      .value = x402_amount_of(1000),
                                      .valid_before_s = 2000000000};
    uint8_t signature[65];

    memset(auth.nonce, 7, sizeof auth.nonce);
    return x402_eip3009_sign(signature, &auth, usdc, signer);
}

static enum x402_err
sign_transaction(const struct x402_signer *signer)
{
    static const uint8_t data[] = {0xe3, 0xee, 0x16, 0x0e};
    struct x402_transaction tx = {.chain_id = 84532,
                                  .nonce = 1,
                                  .max_fee = x402_amount_of(2000000000),
                                  .gas_limit = 100000,
                                  .to = signer->address,
                                  .data = data,
                                  .data_len = sizeof data};
    uint8_t raw[X402_TRANSACTION_OVERHEAD + sizeof data], hash[32];
    size_t len;

    return x402_transaction_sign(raw, &len, sizeof raw, hash, &tx, signer);
}

/* Exit codes: 0 good, 1 a step failed, 2 not under valgrind. */
int
main(void)
{
    struct x402_signer signer;
    uint8_t key[32], seed[32], public[64];
    bool good;

    if (!RUNNING_ON_VALGRIND) {
        fprintf(stderr, "ctime: run it under valgrind\n");
        return 2;
    }
    memset(key, 0x11, sizeof key);
    memset(seed, 0x22, sizeof seed);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(key, sizeof key);
    if (x402_signer_open(&signer, key, seed) != X402_OK)
        return 1;
    x402_signer_public(public, &signer);
    good = sign_authorization(&signer) == X402_OK &&
           sign_transaction(&signer) == X402_OK;
    x402_signer_close(&signer);
    return good ? 0 : 1;
}
