/* SPDX-License-Identifier: Apache-2.0 */
/* The headers of L402: Authorization, read whole or not at all, and
 * WWW-Authenticate. */
#include <x402/l402.h>

#include <strings.h>

#include <x402/encode.h>

#define PREIMAGE_LEN 64

bool
x402_l402_is(struct x402_span authorization)
{
    /* RFC 9110, section 11.1: the scheme's name has no case. */
    return authorization.len >= 5 && authorization.at[4] == ' ' &&
           (strncasecmp(authorization.at, "L402", 4) == 0 ||
            strncasecmp(authorization.at, "LSAT", 4) == 0);
}

enum x402_err
x402_l402_decode(struct x402_l402_credential *out,
                 struct x402_span authorization)
{
    struct x402_span token, preimage;

    if (!x402_l402_is(authorization) ||
        authorization.len < 5 + 2 + PREIMAGE_LEN)
        return X402_ERR_SYNTAX;
    token = (struct x402_span){authorization.at + 5,
                               authorization.len - 5 - 1 - PREIMAGE_LEN};
    preimage = (struct x402_span){token.at + token.len + 1, PREIMAGE_LEN};
    /* A second macaroon after a comma, or another colon, is no base64. */
    if (token.at[token.len] != ':' ||
        x402_hex_decode_bare(out->preimage, 32, preimage) != X402_OK)
        return X402_ERR_SYNTAX;
    return x402_base64_decode(out->macaroon, &out->macaroon_len,
                              sizeof out->macaroon, token);
}

void
x402_l402_challenge(struct x402_buf *buf, const uint8_t *macaroon,
                    size_t macaroon_len, struct x402_span invoice)
{
    /* Clients of the first generation look for macaroon and invoice in this
     * order, those of the second for version and token. */
    x402_buf_text(buf, "L402 macaroon=\"");
    x402_buf_base64(buf, macaroon, macaroon_len);
    x402_buf_text(buf, "\", invoice=\"");
    x402_buf_add(buf, invoice);
    x402_buf_text(buf, "\", version=\"0\", token=\"");
    x402_buf_base64(buf, macaroon, macaroon_len);
    x402_buf_char(buf, '"');
}
