/* SPDX-License-Identifier: Apache-2.0 */
/* L402: what our macaroons say, and whether one and a preimage are good. */
#include <x402/l402.h>

#include <x402/encode.h>

#include "hash.h"

#define ID_LEN 66 /* u16 version, payment hash, token id */
#define REQUEST "x402_request="
#define VALID_UNTIL "x402_valid_until="

static void
write_id(uint8_t out[ID_LEN], const struct x402_l402_claims *claims)
{
    out[0] = out[1] = 0;
    memcpy(out + 2, claims->payment_hash, 32);
    memcpy(out + 34, claims->token_id, 32);
}

void
x402_l402_mint(struct x402_buf *buf, const struct x402_l402_claims *claims,
               const uint8_t root32[32])
{
    char request_text[80], valid_text[40];
    struct x402_buf request = x402_buf_on(request_text, sizeof request_text);
    struct x402_buf valid = x402_buf_on(valid_text, sizeof valid_text);
    struct x402_macaroon macaroon = {.location = x402_span_of("x402"),
                                     .caveats_len = 2};
    uint8_t id[ID_LEN];

    write_id(id, claims);
    macaroon.id = hash_bytes(id, sizeof id);
    x402_buf_text(&request, REQUEST);
    x402_buf_hex_bare(&request, claims->request_hash, 32);
    x402_buf_text(&valid, VALID_UNTIL);
    x402_buf_u64(&valid, claims->valid_until_s);
    macaroon.caveat[0] = x402_buf_span(&request);
    macaroon.caveat[1] = x402_buf_span(&valid);
    x402_macaroon_sign(macaroon.signature, &macaroon, root32);
    x402_macaroon_encode(buf, &macaroon);
}

/* What comes after the name, if the caveat is of that name. */
static bool
value_of(struct x402_span *out, struct x402_span caveat, const char *name)
{
    size_t len = strlen(name);

    if (caveat.len < len || memcmp(caveat.at, name, len) != 0)
        return false;
    *out = (struct x402_span){caveat.at + len, caveat.len - len};
    return true;
}

static bool
read_seconds(uint64_t *out, struct x402_span text)
{
    struct x402_amount amount;

    return x402_amount_parse(&amount, text) == X402_OK &&
           x402_amount_u64(out, &amount);
}

/* Both caveats, each once, and nothing else.  A holder may add caveats of his
 * own to a macaroon; one that we do not know could have meant a limit, and of
 * two with one name the second could widen the first. */
static bool
read_caveats(struct x402_l402_claims *out, const struct x402_macaroon *macaroon)
{
    unsigned requests = 0, limits = 0;

    for (size_t i = 0; i < macaroon->caveats_len; i++) {
        struct x402_span caveat = macaroon->caveat[i], value;

        if (value_of(&value, caveat, REQUEST) && requests++ == 0) {
            if (x402_hex_decode_bare(out->request_hash, 32, value) != X402_OK)
                return false;
        } else if (value_of(&value, caveat, VALID_UNTIL) && limits++ == 0) {
            if (!read_seconds(&out->valid_until_s, value))
                return false;
        } else {
            return false;
        }
    }
    return requests == 1 && limits == 1;
}

/* aperture's identifier, l402/identifier.go: version 0, payment hash, id. */
static bool
read_id(struct x402_l402_claims *out, struct x402_span id)
{
    if (id.len != ID_LEN || id.at[0] != 0 || id.at[1] != 0)
        return false;
    memcpy(out->payment_hash, id.at + 2, 32);
    memcpy(out->token_id, id.at + 34, 32);
    return true;
}

enum x402_err
x402_l402_check(struct x402_l402_claims *out,
                const struct x402_l402_credential *credential,
                const uint8_t root32[32], const uint8_t request_hash[32],
                uint64_t now_s)
{
    struct x402_macaroon macaroon;
    uint8_t hash[32];

    /* Nothing in it is believed before its signature. */
    if (x402_macaroon_decode(&macaroon, credential->macaroon,
                             credential->macaroon_len) != X402_OK ||
        !x402_macaroon_verify(&macaroon, root32))
        return X402_ERR_LN_CHALLENGE;
    if (!read_id(out, macaroon.id) || !read_caveats(out, &macaroon))
        return X402_ERR_LN_CHALLENGE;
    hash_sha256(hash, hash_bytes(credential->preimage, 32));
    if (memcmp(hash, out->payment_hash, sizeof hash) != 0)
        return X402_ERR_LN_PREIMAGE;
    if (memcmp(out->request_hash, request_hash, 32) != 0)
        return X402_ERR_LN_REQUEST;
    return now_s >= out->valid_until_s ? X402_ERR_LN_INVOICE_EXPIRED : X402_OK;
}
