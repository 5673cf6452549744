/* SPDX-License-Identifier: Apache-2.0 */
/* L402: a macaroon that is read is written the same, its signature covers all
 * but the location, and a header is one credential. */
#include "fuzz.h"

#include <x402/l402.h>

static void
check_macaroon(const uint8_t *data, size_t size)
{
    static const uint8_t root[32] = {1};
    struct x402_macaroon macaroon;
    char memory[X402_MACAROON_MAX];
    struct x402_buf buf = x402_buf_on(memory, sizeof memory);

    if (x402_macaroon_decode(&macaroon, data, size) != X402_OK)
        return;
    x402_macaroon_encode(&buf, &macaroon);
    HOLDS(!buf.full && buf.len == size && memcmp(memory, data, size) == 0);
    HOLDS(!x402_macaroon_verify(&macaroon, root));
    x402_macaroon_sign(macaroon.signature, &macaroon, root);
    HOLDS(x402_macaroon_verify(&macaroon, root));
}

static void
check_header(struct x402_span header)
{
    struct x402_l402_credential credential;
    struct x402_l402_claims claims;
    static const uint8_t root[32] = {1}, request[32] = {2};

    if (x402_l402_decode(&credential, header) != X402_OK)
        return;
    HOLDS(x402_l402_is(header));
    HOLDS(credential.macaroon_len <= X402_MACAROON_MAX);
    HOLDS(x402_l402_check(&claims, &credential, root, request, 0) != X402_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_macaroon(data, size);
    check_header(fuzz_span(data, size));
    return 0;
}
