/* SPDX-License-Identifier: Apache-2.0 */
/* Do the wires of one 402 offer the same? */
#include <string.h>

#include "audit.h"

static bool
same(const struct x402_choice *a, const struct x402_choice *b)
{
    const struct x402_requirement *x = &a->requirement, *y = &b->requirement;

    return x->asset == y->asset && x402_address_eq(&x->pay_to, &y->pay_to) &&
           x402_amount_cmp(&x->amount, &y->amount) == 0;
}

/* Is every offer of `other` among ours? */
static bool
agrees(const struct audit *audit, const struct x402_challenge *other)
{
    const struct x402_choice *theirs;
    size_t len = x402_challenge_choices(other, &theirs);

    for (size_t i = 0; i < len; i++) {
        size_t j = 0;

        while (j < audit->choices_len && !same(&theirs[i], &audit->choices[j]))
            j++;
        if (j == audit->choices_len)
            return false;
    }
    return true;
}

static void
check_wire(struct audit *audit, const char *what, const char *missing,
           const struct x402_challenge *challenge)
{
    const struct x402_choice *choices;

    if (challenge == NULL)
        audit_note(audit, AUDIT_WARNING, what, "%s", missing);
    else if (x402_challenge_choices(challenge, &choices) == 0)
        audit_note(audit, AUDIT_WARNING, what,
                   "offers nothing of a known network and token");
    else if (!agrees(audit, challenge))
        audit_note(audit, AUDIT_BAD, what,
                   "offers something else than the other wires");
    else
        audit_note(audit, AUDIT_GOOD, what, "can be read and paid");
}

/* A 402 that sells another site's resource is refused by careful clients. */
static void
check_origin(struct audit *audit)
{
    struct x402_span text = {NULL, 0};
    char copy[X402_URL_MAX];
    struct url url;

    if (audit->v2 != NULL)
        text = x402_challenge_resource(audit->v2);
    if (text.len == 0 || text.len >= sizeof(copy))
        return;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    if (url_parse(&url, copy) != URL_OK)
        audit_note(audit, AUDIT_BAD, "resource.url", "is not a URL");
    else if (!url_same_origin(&url, &audit->options->url))
        audit_note(audit, AUDIT_BAD, "resource.url",
                   "names another origin than this one: %s", url.origin);
    else
        audit_note(audit, AUDIT_GOOD, "resource.url", "has this origin");
}

void
audit_wires(struct audit *audit)
{
    if (audit->v2 == NULL && audit->body == NULL && audit->plain == NULL) {
        audit_note(audit, AUDIT_BAD, "402", "says in no wire what to pay");
        return;
    }
    check_wire(
        audit, "PAYMENT-REQUIRED",
        "is not there or cannot be read: clients of x402 v2 see no offer",
        audit->v2);
    check_wire(audit, "body",
               "has no offer: clients of x402 v1 and of true402 see none",
               audit->body);
    check_wire(audit, "X-Payment headers",
               "are not there or cannot be read: plain clients see no offer",
               audit->plain);
    if (audit->skipped > 0)
        audit_note(audit, AUDIT_WARNING, "402",
                   "%zu more of its offers are of an unknown scheme, network "
                   "or token",
                   audit->skipped);
    check_origin(audit);
}
