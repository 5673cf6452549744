/* SPDX-License-Identifier: Apache-2.0 */
/* extensions.eip2612GasSponsoring of a Permit2 payment: the payer's signed
 * permit that gives Permit2 its allowance,
 * info{from, asset, spender, amount, nonce, deadline, signature, version}.
 *
 * A well-formed payment whose extension is wrong is a refusal with its own
 * reason, not a malformed request; and it is judged after the signature. */
#include <string.h>

#include <x402/encode.h>

#include "wire.h"

enum { WORD = 32, SIGNATURE = 65 };

/* 2.27 takes an extension without all of these for none. */
static const char *const members[] = {
    "from",  "asset",    "spender",   "amount",
    "nonce", "deadline", "signature", "version",
};

static const json_t *
find_info(const json_t *object)
{
    const json_t *extensions = json_object_get(object, "extensions");
    const json_t *info = json_object_get(
        json_object_get(extensions, "eip2612GasSponsoring"), "info");

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const json_t *member = json_object_get(info, members[i]);

        if (!json_is_string(member) || json_string_length(member) == 0)
            return NULL;
    }
    return info;
}

/* The words value, deadline, r, s, v. */
static void
put_words(struct x402_sponsor *out, const struct x402_amount *value,
          const struct x402_amount *deadline, const uint8_t signature[65])
{
    struct x402_amount v = x402_amount_of(
        signature[64] <= 1 ? signature[64] + 27u : signature[64]);

    out->kind = X402_SPONSOR_EIP2612;
    out->len = 5 * WORD;
    x402_amount_to_be32(out->data, value);
    x402_amount_to_be32(out->data + WORD, deadline);
    memcpy(out->data + 2 * WORD, signature, 2 * WORD);
    x402_amount_to_be32(out->data + 4 * WORD, &v);
}

struct permit {
    struct x402_address from, asset, spender;
    struct x402_amount amount, nonce, deadline;
    uint8_t signature[SIGNATURE];
};

static enum x402_err
permit_read(struct permit *out, const json_t *info)
{
    enum x402_err err = x402_json_address(&out->from, info, "from");

    if (err == X402_OK)
        err = x402_json_address(&out->asset, info, "asset");
    if (err == X402_OK)
        err = x402_json_address(&out->spender, info, "spender");
    if (err == X402_OK)
        err = x402_json_amount(&out->amount, info, "amount");
    if (err == X402_OK)
        err = x402_json_amount(&out->nonce, info, "nonce");
    if (err == X402_OK)
        err = x402_json_amount(&out->deadline, info, "deadline");
    if (err == X402_OK)
        err = x402_json_hex(out->signature, SIGNATURE, info, "signature");
    return err == X402_OK ? X402_OK : X402_ERR_PERMIT_FORMAT;
}

/* The order of 2.27's validateEip2612PermitForPayment; the amount is the
 * proxy's own rule (Permit2612AmountMismatch). */
static enum x402_err
permit_check(const struct permit *permit, const struct x402_payment *payment)
{
    if (!x402_address_eq(&permit->from, &payment->auth.from))
        return X402_ERR_PERMIT_FROM;
    if (!x402_address_eq(&permit->asset, &payment->token))
        return X402_ERR_PERMIT_ASSET;
    if (!x402_address_eq(&permit->spender, &x402_permit2_contract))
        return X402_ERR_PERMIT_SPENDER;
    if (x402_amount_cmp(&permit->amount, &payment->auth.value) != 0)
        return X402_ERR_PERMIT_AMOUNT;
    return X402_OK;
}

void
sponsor_read(struct x402_payment *out, const json_t *object)
{
    const json_t *info = find_info(object);
    struct permit permit;

    if (info == NULL)
        return;
    out->sponsor_err = permit_read(&permit, info);
    if (out->sponsor_err == X402_OK)
        out->sponsor_err = permit_check(&permit, out);
    if (out->sponsor_err != X402_OK)
        return;
    if (!x402_amount_u64(&out->sponsor_deadline_s, &permit.deadline))
        out->sponsor_deadline_s = UINT64_MAX;
    put_words(&out->sponsor, &permit.amount, &permit.deadline,
              permit.signature);
}
