/* SPDX-License-Identifier: Apache-2.0 */
/* Macaroons, version 2 binary:
 *
 *     macaroon  = 2, section, caveats, EOS, field 6 (signature)
 *     section   = [field 1 (location)], field 2 (identifier), EOS
 *     caveats   = section ...
 *     field     = type, length (varint), bytes
 *     EOS       = 0
 *
 * Field 4, a verification id, would make a caveat a third party's: refused. */
#include <x402/l402.h>

#include <openssl/crypto.h>

#include "hash.h"

enum { EOS = 0, LOCATION = 1, IDENTIFIER = 2, SIGNATURE = 6, VERSION = 2 };

struct reader {
    struct x402_span rest;
};

static bool
peek(const struct reader *in, char type)
{
    return in->rest.len > 0 && in->rest.at[0] == type;
}

static bool
skip(struct reader *in, char type)
{
    if (!peek(in, type))
        return false;
    in->rest.at++;
    in->rest.len--;
    return true;
}

/* One or two bytes, the shortest: nothing here is longer than
 * X402_MACAROON_MAX. */
static bool
take_length(size_t *out, struct reader *in)
{
    const unsigned char *at = (const unsigned char *)in->rest.at;

    if (in->rest.len == 0)
        return false;
    if (at[0] < 0x80) {
        *out = at[0];
        in->rest.at += 1;
        in->rest.len -= 1;
        return true;
    }
    if (in->rest.len < 2 || at[1] == 0 || at[1] >= 0x80)
        return false;
    *out = (at[0] & 0x7fu) | (size_t)at[1] << 7;
    in->rest.at += 2;
    in->rest.len -= 2;
    return true;
}

static bool
take_field(struct x402_span *out, struct reader *in, char type)
{
    size_t len;

    if (!skip(in, type) || !take_length(&len, in) || len > in->rest.len)
        return false;
    *out = (struct x402_span){in->rest.at, len};
    in->rest.at += len;
    in->rest.len -= len;
    return true;
}

static bool
take_section(struct x402_span *location, struct x402_span *id,
             struct reader *in)
{
    *location = (struct x402_span){NULL, 0};
    if (peek(in, LOCATION) && !take_field(location, in, LOCATION))
        return false;
    return take_field(id, in, IDENTIFIER) && skip(in, EOS);
}

static enum x402_err
take_caveats(struct x402_macaroon *out, struct reader *in)
{
    struct x402_span location;

    out->caveats_len = 0;
    while (!peek(in, EOS)) {
        if (out->caveats_len == X402_MACAROON_CAVEATS_MAX)
            return X402_ERR_TOO_LARGE;
        /* The chain does not cover a caveat's location. */
        if (!take_section(&location, &out->caveat[out->caveats_len], in) ||
            location.at != NULL)
            return X402_ERR_SYNTAX;
        out->caveats_len++;
    }
    return X402_OK;
}

enum x402_err
x402_macaroon_decode(struct x402_macaroon *out, const uint8_t *bytes,
                     size_t len)
{
    struct reader in = {hash_bytes(bytes, len)};
    struct x402_span signature;
    enum x402_err err;

    if (len > X402_MACAROON_MAX)
        return X402_ERR_TOO_LARGE;
    if (!skip(&in, VERSION) || !take_section(&out->location, &out->id, &in))
        return X402_ERR_SYNTAX;
    err = take_caveats(out, &in);
    if (err != X402_OK)
        return err;
    if (!skip(&in, EOS) || !take_field(&signature, &in, SIGNATURE) ||
        signature.len != sizeof out->signature || in.rest.len != 0)
        return X402_ERR_SYNTAX;
    memcpy(out->signature, signature.at, sizeof out->signature);
    return X402_OK;
}

static void
add_field(struct x402_buf *buf, char type, struct x402_span bytes)
{
    x402_buf_char(buf, type);
    if (bytes.len >= 0x80) {
        x402_buf_char(buf, (char)(unsigned char)(bytes.len | 0x80));
        x402_buf_char(buf, (char)(bytes.len >> 7));
    } else {
        x402_buf_char(buf, (char)bytes.len);
    }
    x402_buf_add(buf, bytes);
}

void
x402_macaroon_encode(struct x402_buf *buf, const struct x402_macaroon *macaroon)
{
    x402_buf_char(buf, VERSION);
    if (macaroon->location.at != NULL)
        add_field(buf, LOCATION, macaroon->location);
    add_field(buf, IDENTIFIER, macaroon->id);
    x402_buf_char(buf, EOS);
    for (size_t i = 0; i < macaroon->caveats_len; i++) {
        add_field(buf, IDENTIFIER, macaroon->caveat[i]);
        x402_buf_char(buf, EOS);
    }
    x402_buf_char(buf, EOS);
    add_field(buf, SIGNATURE,
              hash_bytes(macaroon->signature, sizeof macaroon->signature));
}

void
x402_macaroon_sign(uint8_t out32[32], const struct x402_macaroon *macaroon,
                   const uint8_t root32[32])
{
    /* The common libraries (libmacaroons, gopkg.in/macaroon, npm macaroon)
     * derive a key first. */
    static const uint8_t generator[] = "macaroons-key-generator";
    uint8_t chain[32];

    hash_hmac(chain, generator, sizeof generator - 1, hash_bytes(root32, 32));
    hash_hmac(chain, chain, sizeof chain, macaroon->id);
    for (size_t i = 0; i < macaroon->caveats_len; i++)
        hash_hmac(chain, chain, sizeof chain, macaroon->caveat[i]);
    memcpy(out32, chain, sizeof chain);
    OPENSSL_cleanse(chain, sizeof chain);
}

bool
x402_macaroon_verify(const struct x402_macaroon *macaroon,
                     const uint8_t root32[32])
{
    uint8_t want[32];

    x402_macaroon_sign(want, macaroon, root32);
    return CRYPTO_memcmp(want, macaroon->signature, sizeof want) == 0;
}
