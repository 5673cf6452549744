/* SPDX-License-Identifier: Apache-2.0 */
/* The filter of known keys: what was put in is found, what was not mostly is
 * not. */
#include <string.h>

#include "core.h"
#include "ledger/seen.h"
#include "test.h"

#define KEYS 200000

struct key {
    struct x402_address payer;
    uint8_t nonce[32];
};

/* One payer has many nonces, and counts them; another takes them at random. */
static struct key
key_of(uint32_t i)
{
    struct key key = {.payer = {{(uint8_t)(i % 3)}}};

    memcpy(key.nonce + (i % 2 == 0 ? 0 : 28), &i, sizeof i);
    return key;
}

int
main(void)
{
    struct seen seen = {0};
    unsigned missing = 0, wrong = 0;

    seen_init(&seen, KEYS);
    for (uint32_t i = 0; i < KEYS; i++) {
        struct key key = key_of(i);

        seen_add(&seen, &key.payer, key.nonce);
    }
    for (uint32_t i = 0; i < KEYS; i++) {
        struct key in = key_of(i), out = key_of(i + KEYS);

        missing += !seen_perhaps(&seen, &in.payer, in.nonce);
        wrong += seen_perhaps(&seen, &out.payer, out.nonce);
    }
    test_ok(missing == 0, "what was put in is found (%u are not)", missing);
    test_ok(wrong < KEYS / 20, "what was not is mostly not: %u of %u are",
            wrong, KEYS);
    seen_free(&seen);
    return test_done();
}
