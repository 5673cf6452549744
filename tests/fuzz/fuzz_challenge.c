/* SPDX-License-Identifier: Apache-2.0 */
/* Any 402: nothing is read, or a bounded list of choices, each of a known
 * token, each with an echo that is JSON. */
#include <x402/json.h>
#include <x402/offer.h>

#include "fuzz_wire.h"

/* Up to the next line break; the rest stays in *from. */
static struct x402_span
line(struct x402_span *from)
{
    const char *end = memchr(from->at, '\n', from->len);
    struct x402_span out = *from;

    if (end == NULL) {
        from->len = 0;
        return out;
    }
    out.len = (size_t)(end - from->at);
    from->at += out.len + 1;
    from->len -= out.len + 1;
    return out;
}

static void
check(const struct x402_challenge *challenge)
{
    const struct x402_choice *choice;
    size_t len = x402_challenge_choices(challenge, &choice);

    HOLDS(len <= 2 * X402_ACCEPTS_MAX + 1);
    HOLDS(len + x402_challenge_skipped(challenge) > 0);
    for (size_t i = 0; i < len; i++) {
        struct x402_payment_echo echo =
            x402_challenge_echo(challenge, &choice[i]);
        json_t *entry;

        HOLDS(choice[i].requirement.asset != NULL);
        HOLDS(!x402_amount_is_zero(&choice[i].requirement.amount));
        HOLDS(!x402_address_is_zero(&choice[i].requirement.pay_to));
        HOLDS(choice[i].requirement.timeout_s > 0);
        HOLDS((choice[i].wire == X402_WIRE_V2) ==
              (echo.accepted_json.at != NULL));
        if (echo.accepted_json.at == NULL)
            continue;
        HOLDS(x402_json_load(&entry, echo.accepted_json, 1 << 20,
                             X402_JSON_DEPTH_MAX) == X402_OK);
        json_decref(entry);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct x402_challenge *challenge;
    struct x402_challenge_input in = {0};
    struct x402_span header, copy, rest;
    uint8_t what = size > 0 ? data[0] : 0;

    if (size == 0)
        return 0;
    header = header_of(data + 1, size - 1, what & 1);
    copy = rest = header_of(data + 1, size - 1, 1);
    if (what & 2)
        in.payment_required = header;
    if (what & 4)
        in.body = copy;
    if (what & 8) {
        in.seed001_required = line(&rest);
        in.seed001_currency = line(&rest);
        in.seed001_chain = line(&rest);
        in.seed001_pay_to = line(&rest);
    }
    if (x402_challenge_read(&challenge, &in) == X402_OK) {
        check(challenge);
        x402_challenge_free(challenge);
    }
    free((char *)header.at);
    free((char *)copy.at);
    return 0;
}
