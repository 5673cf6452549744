/* SPDX-License-Identifier: Apache-2.0 */
/* Does a payment buy one of our offers?  Cheap checks, then one recovery.
 * Everything is compared with OUR requirement, as numbers and bytes; what the
 * client echoed only adds reasons to refuse. */
#include <stdio.h>
#include <strings.h>

#include <x402/approval.h>
#include <x402/encode.h>
#include <x402/payment.h>

#include "../mutant.h"

/* How far an offer came, in the order of the checks: the further, the better
 * it says what is wrong. */
enum rank {
    RANK_NONE,
    RANK_NETWORK,
    RANK_ASSET,
    RANK_METHOD,
    RANK_DOMAIN,
    RANK_OFFER,
    RANK_SPENDER,
    RANK_PAYEE,
    RANK_FACILITATOR,
    RANK_AMOUNT,
    RANK_TOKEN,
    RANK_FITS,
};

static enum x402_err
rank_err(enum rank rank)
{
    switch (rank) {
    case RANK_NONE:
    case RANK_NETWORK:
        return X402_ERR_NETWORK;
    case RANK_ASSET:
        return X402_ERR_ASSET;
    case RANK_METHOD:
        return X402_ERR_PAYLOAD_TYPE;
    case RANK_DOMAIN:
        return X402_ERR_DOMAIN;
    case RANK_OFFER:
        return X402_ERR_OFFER;
    case RANK_SPENDER:
        return X402_ERR_SPENDER;
    case RANK_PAYEE:
        return X402_ERR_PAYEE;
    case RANK_FACILITATOR:
        return X402_ERR_FACILITATOR;
    case RANK_AMOUNT:
        return X402_ERR_AMOUNT;
    case RANK_TOKEN:
        return X402_ERR_TOKEN;
    case RANK_FITS:
        return X402_OK;
    }
    return X402_ERR_INTERNAL;
}

/* Version 2 names the token by address, seed 001 by symbol; the others do not
 * name it, their signature's domain must then be the offer's. */
static bool
asset_fits(const struct x402_payment *payment, const struct x402_asset *asset)
{
    if (payment->has_accepted &&
        !x402_address_eq(&payment->accepted_asset, &asset->address))
        return false;
    return payment->currency[0] == '\0' ||
           strcasecmp(payment->currency, asset->symbol) == 0;
}

static bool
accepted_fits(const struct x402_payment *payment,
              const struct x402_requirement *offer)
{
    if (!payment->has_accepted)
        return true;
    return !payment->accepted_method_wrong &&
           x402_address_eq(&payment->accepted_pay_to, &offer->pay_to) &&
           x402_amount_cmp(&payment->accepted_amount, &offer->amount) == 0 &&
           payment->accepted_timeout_s == offer->timeout_s;
}

static enum rank
offer_rank(const struct x402_payment *payment,
           const struct x402_requirement *offer)
{
    if (payment->chain_id != offer->asset->chain_id &&
        !mutant("match_any_network"))
        return RANK_NETWORK;
    if (!asset_fits(payment, offer->asset) && !mutant("match_any_asset"))
        return RANK_ASSET;
    if (payment->method != offer->method)
        return RANK_METHOD;
    if (payment->has_accepted && payment->accepted_domain_wrong &&
        !mutant("match_any_domain"))
        return RANK_DOMAIN;
    if (!accepted_fits(payment, offer) && !mutant("match_any_offer"))
        return RANK_OFFER;
    if (payment->spender_wrong)
        return RANK_SPENDER;
    if (!x402_address_eq(&payment->auth.to, &offer->pay_to) &&
        !mutant("match_any_payee"))
        return RANK_PAYEE;
    if (payment->method == X402_METHOD_PERMIT2_UPTO &&
        !x402_address_eq(&payment->facilitator, &offer->facilitator))
        return RANK_FACILITATOR;
    /* "exact": neither less nor more; "upto": the most that is asked for.
     * Nothing is sold for nothing. */
    if (x402_amount_is_zero(&offer->amount) ||
        (x402_amount_cmp(&payment->auth.value, &offer->amount) != 0 &&
         !mutant("match_any_amount")))
        return RANK_AMOUNT;
    if (payment->method != X402_METHOD_EIP3009 &&
        !x402_address_eq(&payment->token, &offer->asset->address))
        return RANK_TOKEN;
    return RANK_FITS;
}

static uint64_t
add_capped(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* EIP-3009: "now > validAfter" and "now < validBefore", both strict.  (Permit2
 * and its proxies take both ends too; a second less harms nobody.)  The
 * official facilitator takes validAfter <= now; the block that executes the
 * transfer may carry our very second, so we do not.  Clients set validAfter to
 * 0 or minutes back, which costs them nothing. */
static enum x402_err
time_check(const struct x402_authorization *auth,
           const struct x402_clock *clock)
{
    uint64_t latest = add_capped(clock->now_s, clock->max_s);
    uint64_t earliest = add_capped(clock->now_s, clock->margin_s);

    /* 2^64-1 stands for all that is later, too. */
    if (auth->valid_before_s > latest || auth->valid_before_s == UINT64_MAX)
        return X402_ERR_TOO_LONG;
    /* An empty interval is at no time valid: no look-up of an old payment. */
    if (auth->valid_after_s >= auth->valid_before_s ||
        (auth->valid_after_s >= clock->now_s && !mutant("match_too_early")))
        return X402_ERR_NOT_YET_VALID;
    if ((auth->valid_before_s < earliest ||
         auth->valid_before_s <= clock->now_s) &&
        !mutant("match_too_late"))
        return X402_ERR_EXPIRED;
    return X402_OK;
}

enum x402_err
x402_payment_match(size_t *which, const struct x402_payment *payment,
                   const struct x402_requirement *offers, size_t offers_len,
                   const struct x402_clock *clock)
{
    enum rank best = RANK_NONE;
    size_t at = 0;

    for (size_t i = 0; i < offers_len && best != RANK_FITS; i++) {
        enum rank rank = offer_rank(payment, &offers[i]);

        if (rank > best) {
            best = rank;
            at = i;
        }
    }
    if (best != RANK_FITS)
        return rank_err(best);
    *which = at;
    return time_check(&payment->auth, clock);
}

enum x402_err
x402_payment_verify(const struct x402_payment *payment,
                    const uint8_t domain32[32])
{
    struct x402_address signer;
    uint8_t digest[32];
    enum x402_err err;

    if (payment->signature_len != 65)
        return X402_ERR_SIGNATURE;
    if (payment->method == X402_METHOD_EIP3009)
        return x402_eip3009_verify(&payment->auth, domain32,
                                   payment->signature);
    if (x402_address_is_zero(&payment->auth.from))
        return X402_ERR_SIGNATURE;
    x402_permit2_digest_in(digest, payment->method, &payment->auth,
                           &payment->token, &payment->facilitator, domain32);
    err = x402_recover(&signer, payment->signature, digest);
    if (err != X402_OK)
        return err;
    return x402_address_eq(&signer, &payment->auth.from) ? X402_OK
                                                         : X402_ERR_SIGNATURE;
}

enum x402_err
x402_payment_sponsor_check(const struct x402_payment *payment,
                           const struct x402_clock *clock)
{
    if (payment->sponsor_err != X402_OK)
        return payment->sponsor_err;
    if (payment->sponsor.kind == X402_SPONSOR_EIP2612 &&
        payment->sponsor_deadline_s < add_capped(clock->now_s, clock->margin_s))
        return X402_ERR_PERMIT_DEADLINE;
    if (payment->sponsor.kind == X402_SPONSOR_APPROVAL)
        return x402_approval_check(&payment->sponsor, payment->chain_id,
                                   &payment->token, &payment->auth.from);
    return X402_OK;
}

void
x402_payment_id(char *out, uint64_t chain_id,
                const struct x402_address *contract,
                const struct x402_authorization *auth)
{
    char token[43], from[43], nonce[67];

    x402_hex_encode(token, contract->byte, sizeof(contract->byte));
    x402_hex_encode(from, auth->from.byte, sizeof(auth->from.byte));
    x402_hex_encode(nonce, auth->nonce, sizeof(auth->nonce));
    snprintf(out, X402_PAYMENT_ID_MAX, "eip155:%llu:%s:%s:%s",
             (unsigned long long)chain_id, token, from, nonce);
}
