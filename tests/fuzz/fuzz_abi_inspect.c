/* SPDX-License-Identifier: Apache-2.0 */
/* The last look: calldata that passes is, byte for byte, what the writer makes
 * of the authorizations that were seen. */
#include "fuzz.h"

#include <x402/abi.h>

#define CALLS_MAX 16
#define BYTES_MAX 65536
#define WORD 32

/* The end of a number that is known to be small. */
static size_t
small(const uint8_t *word)
{
    return (size_t)word[WORD - 2] << 8 | word[WORD - 1];
}

/* A proxy's call, with the permit's words as they are. */
static size_t
rewrite_settle(uint8_t *out, const struct x402_abi_seen *seen,
               const uint8_t *data)
{
    size_t head = (seen->method == X402_METHOD_PERMIT2_UPTO ? 10 : 8) +
                  (seen->with_permit ? 5 : 0);
    struct x402_sponsor sponsor = {.len = X402_SPONSOR_MAX};
    struct x402_abi_permit2 call = {
        .method = seen->method,
        .token = &seen->token,
        .auth = &seen->auth,
        .charge = &seen->charge,
        .facilitator = &seen->facilitator,
        .sponsor = seen->with_permit ? &sponsor : NULL,
        .signature = data + 4 + (head + 1) * WORD,
        .signature_len = small(data + 4 + head * WORD),
    };

    if (seen->with_permit)
        memcpy(sponsor.data, data + 4, X402_SPONSOR_MAX);
    return x402_abi_settle(out, &call);
}

/* Write a transfer again; its signature is where it has to be. */
static size_t
rewrite_transfer(uint8_t *out, const struct x402_abi_seen *seen,
                 const uint8_t *data, size_t len)
{
    const struct x402_authorization *auth = &seen->auth;
    const uint8_t *after = data + 4 + 6 * WORD;
    uint8_t signature[65];

    if (seen->method != X402_METHOD_EIP3009)
        return rewrite_settle(out, seen, data);
    if (len == X402_ABI_TRANSFER_VRS_LEN) {
        memcpy(signature, after + WORD, 64);
        signature[64] = after[WORD - 1];
        return x402_abi_transfer(out, auth, signature, 65);
    }
    return x402_abi_transfer(out, auth, after + 2 * WORD, small(after + WORD));
}

static bool
is_vrs(const uint8_t *data)
{
    return memcmp(data, "\xe3\xee\x16\x0e", 4) == 0;
}

static void
check_single(const struct x402_abi_seen *seen, const uint8_t *data, size_t size)
{
    static uint8_t out[X402_ABI_SETTLE_MAX];

    HOLDS(is_vrs(data) == (seen->method == X402_METHOD_EIP3009 &&
                           size == X402_ABI_TRANSFER_VRS_LEN));
    HOLDS(rewrite_transfer(out, seen, data, size) == size);
    HOLDS(memcmp(out, data, size) == 0);
}

static void
check_batch(const struct x402_abi_seen *seen, size_t count, const uint8_t *data,
            size_t size)
{
    static uint8_t inner[CALLS_MAX][X402_ABI_SETTLE_MAX], out[BYTES_MAX];
    struct x402_abi_call calls[CALLS_MAX];
    const uint8_t *at = data + 4 + 2 * WORD + count * WORD;

    for (size_t i = 0; i < count; i++) {
        size_t len = small(at + 3 * WORD);

        calls[i].target = seen[i].target;
        calls[i].allow_failure = at[2 * WORD - 1] == 1;
        calls[i].data = inner[i];
        calls[i].data_len =
            rewrite_transfer(inner[i], &seen[i], at + 4 * WORD, len);
        HOLDS(calls[i].data_len == len);
        at += 4 * WORD + (len + WORD - 1) / WORD * WORD;
    }
    HOLDS(at == data + size);
    HOLDS(x402_abi_aggregate3_len(calls, count) == size);
    HOLDS(x402_abi_aggregate3(out, calls, count) == size);
    HOLDS(memcmp(out, data, size) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct x402_abi_seen seen[CALLS_MAX];
    size_t count = 0;

    if (size > BYTES_MAX ||
        x402_abi_inspect(seen, &count, CALLS_MAX, data, size) != X402_OK)
        return 0;
    HOLDS(count <= CALLS_MAX);
    if (memcmp(data, "\x82\xad\x56\xcb", 4) == 0)
        check_batch(seen, count, data, size);
    else
        check_single(&seen[0], data, size);
    return 0;
}
