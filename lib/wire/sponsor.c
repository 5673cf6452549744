/* SPDX-License-Identifier: Apache-2.0 */
/* The extensions of a Permit2 payment that give Permit2 its allowance:
 *
 *     eip2612GasSponsoring        the payer's signed permit, info{from, asset,
 *         spender, amount, nonce, deadline, signature, version}
 *     erc20ApprovalGasSponsoring  his signed transaction, info{from, asset,
 *         spender, amount, signedTransaction, version}
 *
 * Where both came, 2.27 takes the first.
 * A well-formed payment whose extension is wrong is a refusal with its own
 * reason, not a malformed request; and it is judged after the signature. */
#include <string.h>

#include <x402/approval.h>
#include <x402/encode.h>

#include "wire.h"

enum { WORD = 32, SIGNATURE = 65 };

/* 2.27 takes an extension without all of these for none. */
static const char *const permit_members[] = {
    "from",     "asset",     "spender", "amount", "nonce",
    "deadline", "signature", "version", NULL,
};
static const char *const approval_members[] = {
    "from", "asset", "spender", "amount", "signedTransaction", "version", NULL,
};

static const json_t *
find_info(const json_t *object, const char *name, const char *const *members)
{
    const json_t *extensions = json_object_get(object, "extensions");
    const json_t *info =
        json_object_get(json_object_get(extensions, name), "info");

    for (size_t i = 0; members[i] != NULL; i++) {
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

/* What both say in plain. */
struct claim {
    struct x402_address from, asset, spender;
    struct x402_amount amount;
};

static enum x402_err
claim_read(struct claim *out, const json_t *info)
{
    enum x402_err err = x402_json_address(&out->from, info, "from");

    if (err == X402_OK)
        err = x402_json_address(&out->asset, info, "asset");
    if (err == X402_OK)
        err = x402_json_address(&out->spender, info, "spender");
    if (err == X402_OK)
        err = x402_json_amount(&out->amount, info, "amount");
    return err;
}

struct permit {
    struct claim claim;
    struct x402_amount nonce, deadline;
    uint8_t signature[SIGNATURE];
};

static enum x402_err
permit_read(struct permit *out, const json_t *info)
{
    enum x402_err err = claim_read(&out->claim, info);

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
    if (!x402_address_eq(&permit->claim.from, &payment->auth.from))
        return X402_ERR_PERMIT_FROM;
    if (!x402_address_eq(&permit->claim.asset, &payment->token))
        return X402_ERR_PERMIT_ASSET;
    if (!x402_address_eq(&permit->claim.spender, &x402_permit2_contract))
        return X402_ERR_PERMIT_SPENDER;
    if (x402_amount_cmp(&permit->claim.amount, &payment->auth.value) != 0)
        return X402_ERR_PERMIT_AMOUNT;
    return X402_OK;
}

/* -- ERC-20 approval -- */

static enum x402_err
claim_check(const struct claim *claim, const struct x402_payment *payment)
{
    if (!x402_address_eq(&claim->from, &payment->auth.from))
        return X402_ERR_APPROVAL_FROM;
    if (!x402_address_eq(&claim->asset, &payment->token))
        return X402_ERR_APPROVAL_ASSET;
    if (!x402_address_eq(&claim->spender, &x402_permit2_contract))
        return X402_ERR_APPROVAL_SPENDER;
    return X402_OK;
}

static enum x402_err
transaction_read(struct x402_payment *out, const struct claim *claim,
                 const json_t *info)
{
    uint8_t raw[X402_APPROVAL_RAW_MAX];
    struct x402_sponsor sponsor;
    struct x402_approval approval;
    struct x402_span text;
    size_t len;
    enum x402_err err = x402_json_string(&text, info, "signedTransaction");

    if (err == X402_OK)
        err = x402_hex_decode_any(raw, &len, sizeof raw, text);
    if (err != X402_OK)
        return X402_ERR_APPROVAL_FORMAT;
    err = x402_approval_read(&sponsor, raw, len, out->chain_id, &out->token,
                             &out->auth.value);
    if (err != X402_OK)
        return err;
    x402_approval_of(&approval, &sponsor);
    if (x402_amount_cmp(&approval.amount, &claim->amount) != 0)
        return X402_ERR_APPROVAL_CALLDATA;
    out->sponsor = sponsor;
    return X402_OK;
}

static void
read_approval(struct x402_payment *out, const json_t *info)
{
    struct claim claim;

    out->sponsor_err = claim_read(&claim, info) == X402_OK
                           ? X402_OK
                           : X402_ERR_APPROVAL_FORMAT;
    if (out->sponsor_err == X402_OK)
        out->sponsor_err = claim_check(&claim, out);
    if (out->sponsor_err == X402_OK)
        out->sponsor_err = transaction_read(out, &claim, info);
}

static void
read_permit(struct x402_payment *out, const json_t *info)
{
    struct permit permit;

    out->sponsor_err = permit_read(&permit, info);
    if (out->sponsor_err == X402_OK)
        out->sponsor_err = permit_check(&permit, out);
    if (out->sponsor_err != X402_OK)
        return;
    if (!x402_amount_u64(&out->sponsor_deadline_s, &permit.deadline))
        out->sponsor_deadline_s = UINT64_MAX;
    put_words(&out->sponsor, &permit.claim.amount, &permit.deadline,
              permit.signature);
}

void
sponsor_read(struct x402_payment *out, const json_t *object)
{
    const json_t *info =
        find_info(object, "eip2612GasSponsoring", permit_members);

    if (info != NULL) {
        read_permit(out, info);
        return;
    }
    info = find_info(object, "erc20ApprovalGasSponsoring", approval_members);
    if (info != NULL)
        read_approval(out, info);
}
