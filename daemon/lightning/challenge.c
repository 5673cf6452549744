/* SPDX-License-Identifier: Apache-2.0 */
/* See challenge.h. */
#include "challenge.h"

#include <string.h>

#include <x402/l402.h>
#include <x402/mpp.h>

static enum x402_err
end(struct x402_buf *buf)
{
    x402_buf_char(buf, '\0');
    return buf->full ? X402_ERR_TOO_LARGE : X402_OK;
}

static enum x402_err
write_l402(struct x402_till_issued *out, const struct challenge *in)
{
    struct x402_buf line = x402_buf_on(out->l402, sizeof out->l402);
    char bytes[X402_MACAROON_MAX];
    struct x402_buf macaroon = x402_buf_on(bytes, sizeof bytes);
    struct x402_l402_claims claims = {.valid_until_s = in->good_until_s};

    memcpy(claims.payment_hash, in->payment_hash, 32);
    memcpy(claims.token_id, in->token_id, 32);
    memcpy(claims.request_hash, in->issue->request_hash, 32);
    x402_l402_mint(&macaroon, &claims, in->secret->l402);
    if (macaroon.full)
        return X402_ERR_TOO_LARGE;
    x402_l402_challenge(&line, (const uint8_t *)bytes, macaroon.len,
                        in->bolt11);
    return end(&line);
}

static enum x402_err
write_mpp(struct x402_till_issued *out, const struct challenge *in)
{
    struct x402_buf line = x402_buf_on(out->mpp, sizeof out->mpp);
    char text[X402_TILL_LINE_MAX], expires[X402_RFC3339_LEN + 1];
    char id[X402_MPP_ID_LEN + 1];
    struct x402_buf request = x402_buf_on(text, sizeof text);
    struct x402_mpp_charge charge = {
        .amount = out->amount, .network = out->network, .invoice = in->bolt11};
    struct x402_mpp_challenge challenge = {
        .realm = x402_span_of(in->issue->realm),
        .method = x402_span_of("lightning"),
        .intent = x402_span_of("charge"),
    };
    enum x402_err err;

    memcpy(charge.payment_hash, in->payment_hash, 32);
    err = x402_mpp_write_charge(&request, &charge);
    if (err != X402_OK)
        return err;
    x402_mpp_time(expires, in->expires_s);
    challenge.request = x402_buf_span(&request);
    challenge.expires = x402_span_of(expires);
    err = x402_mpp_id(id, &challenge, in->secret->mpp, sizeof in->secret->mpp);
    if (err != X402_OK)
        return err;
    challenge.id = x402_span_of(id);
    x402_mpp_write_challenge(&line, &challenge);
    return end(&line);
}

enum x402_err
challenge_write(struct x402_till_issued *out, const struct challenge *in)
{
    enum x402_err err = X402_OK;

    if ((in->issue->dialects & X402_TILL_L402) != 0)
        err = write_l402(out, in);
    if (err == X402_OK && (in->issue->dialects & X402_TILL_MPP) != 0)
        err = write_mpp(out, in);
    return err;
}
