/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing an offer. */
#include <string.h>

#include "money.h"
#include "mutant.h"
#include "policy.h"

const char *
policy_text(enum policy_verdict verdict)
{
    switch (verdict) {
    case POLICY_PAY:
        return "acceptable";
    case POLICY_INSECURE:
        return "payments go over https only (plain http: this machine only)";
    case POLICY_FOREIGN:
        return "the 402 is about a resource of another origin";
    case POLICY_NOTHING_KNOWN:
        return "the 402 offers no scheme and token that this client knows";
    case POLICY_NOT_ALLOWED:
        return "the 402 offers nothing on an allowed network and wire";
    case POLICY_UPTO:
        return "the 402 offers upto only, where the server says afterwards "
               "what it takes of the price; --upto agrees to that";
    case POLICY_OTHER_PAYEE:
        return "the 402 asks to pay somebody else than --pay-to";
    case POLICY_TOO_DEAR:
        return "the price is above --max-amount";
    }
    return "not acceptable";
}

uint64_t
policy_lifetime_s(const struct x402_requirement *requirement)
{
    return requirement->timeout_s < POLICY_LIFETIME_MAX_S ||
                   client_mutant("lifetime_any")
               ? requirement->timeout_s
               : POLICY_LIFETIME_MAX_S;
}

static bool
transport_is_safe(const struct policy_case *the_case)
{
    if (the_case->url->https || client_mutant("plain_http"))
        return true;
    return the_case->url->loopback && the_case->peer_loopback;
}

/* A 402 that names another site's resource may be somebody else's 402, relayed
 * to us so that we pay for him. */
static bool
resource_is_ours(const struct policy *policy,
                 const struct policy_case *the_case)
{
    char text[X402_URL_MAX];
    struct url resource, allowed;

    if (the_case->resource.at == NULL || client_mutant("resource_any"))
        return true;
    if (the_case->resource.len >= sizeof(text))
        return false;
    memcpy(text, the_case->resource.at, the_case->resource.len);
    text[the_case->resource.len] = '\0';
    if (strlen(text) != the_case->resource.len ||
        url_parse(&resource, text) != URL_OK)
        return false;
    if (url_same_origin(&resource, the_case->url))
        return true;
    return policy->resource_origin != NULL &&
           url_parse(&allowed, policy->resource_origin) == URL_OK &&
           url_same_origin(&resource, &allowed);
}

static bool
network_is_allowed(const struct policy *policy, uint64_t chain_id)
{
    for (size_t i = 0; i < policy->networks_len; i++) {
        if (policy->networks[i]->chain_id == chain_id)
            return true;
    }
    return false;
}

static bool
is_payable(const struct x402_requirement *requirement)
{
    return requirement->timeout_s > 0 &&
           !x402_amount_is_zero(&requirement->amount) &&
           !x402_address_is_zero(&requirement->pay_to);
}

/* The verdict on one offer, apart from its price. */
static enum policy_verdict
judge(const struct policy *policy, const struct x402_choice *choice)
{
    if (!is_payable(&choice->requirement))
        return POLICY_NOTHING_KNOWN;
    if (!network_is_allowed(policy, choice->requirement.asset->chain_id) ||
        (policy->wire != 0 && policy->wire != choice->wire))
        return POLICY_NOT_ALLOWED;
    if (choice->requirement.method == X402_METHOD_PERMIT2_UPTO && !policy->upto)
        return POLICY_UPTO;
    if (policy->pin_payee &&
        !x402_address_eq(&policy->payee, &choice->requirement.pay_to))
        return POLICY_OTHER_PAYEE;
    return POLICY_PAY;
}

/* A price that does not even fit the scale is the highest there is. */
static struct x402_amount
price_of(const struct x402_requirement *requirement)
{
    struct x402_amount price;

    if (!money_scale(&price, &requirement->amount, requirement->asset))
        memset(&price, 0xff, sizeof(price));
    return price;
}

enum policy_verdict
policy_place(const struct policy *policy, const struct policy_case *the_case)
{
    if (!transport_is_safe(the_case))
        return POLICY_INSECURE;
    if (!resource_is_ours(policy, the_case))
        return POLICY_FOREIGN;
    return POLICY_PAY;
}

enum policy_verdict
policy_choose(size_t *which, const struct policy *policy,
              const struct policy_case *the_case)
{
    enum policy_verdict best = POLICY_NOTHING_KNOWN;
    struct x402_amount cheapest = {{0}}, price;

    if (policy_place(policy, the_case) != POLICY_PAY)
        return policy_place(policy, the_case);
    for (size_t i = 0; i < the_case->choices_len; i++) {
        const struct x402_choice *choice = &the_case->choices[i];
        enum policy_verdict verdict = judge(policy, choice);

        if (verdict != POLICY_PAY) {
            /* the later the check, the more it says */
            if (best != POLICY_PAY && verdict > best)
                best = verdict;
            continue;
        }
        price = price_of(&choice->requirement);
        if (best == POLICY_PAY && x402_amount_cmp(&price, &cheapest) >= 0)
            continue;
        best = POLICY_PAY;
        cheapest = price;
        *which = i;
    }
    if (best == POLICY_PAY && x402_amount_cmp(&cheapest, &policy->max) > 0 &&
        !client_mutant("price_any"))
        return POLICY_TOO_DEAR;
    return best;
}
