/* SPDX-License-Identifier: Apache-2.0 */
/* Make many distinct, valid payments, one PAYMENT-SIGNATURE value (or /verify
 * body) a line: ammunition for the load generator, made before the clock
 * starts. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "payers.h"

struct plan {
    struct x402_requirement requirement;
    struct payers payers;
    char accepted[1024];
};

static void
accepted_json(struct plan *plan)
{
    const struct x402_requirement *r = &plan->requirement;
    struct x402_buf b = x402_buf_on(plan->accepted, sizeof plan->accepted - 1);
    char pay_to[X402_ADDRESS_TEXT_LEN + 1];

    x402_address_format(pay_to, &r->pay_to);
    x402_buf_text(&b, "{\"scheme\":\"exact\",\"network\":\"eip155:");
    x402_buf_u64(&b, r->asset->chain_id);
    x402_buf_text(&b, "\",\"amount\":\"");
    x402_buf_amount(&b, &r->amount);
    x402_buf_text(&b, "\",\"asset\":\"");
    x402_buf_text(&b, r->asset->address_text);
    x402_buf_text(&b, "\",\"payTo\":\"");
    x402_buf_text(&b, pay_to);
    x402_buf_text(&b, "\",\"maxTimeoutSeconds\":");
    x402_buf_u64(&b, r->timeout_s);
    x402_buf_text(&b, ",\"extra\":{\"name\":\"");
    x402_buf_text(&b, r->asset->eip712_name);
    x402_buf_text(&b, "\",\"version\":\"");
    x402_buf_text(&b, r->asset->eip712_version);
    x402_buf_text(&b, "\"}}");
    b.at[b.len] = '\0';
}

static void
write_payment(struct plan *plan, unsigned i, bool as_verify_body)
{
    const struct x402_requirement *r = &plan->requirement;
    struct x402_payment payment;
    struct x402_payment_echo echo = {.accepted_json =
                                         x402_span_of(plan->accepted)};
    char text[8192];
    struct x402_buf b = x402_buf_on(text, sizeof text);

    payers_sign(&payment, &plan->payers, i, &r->pay_to, &r->amount,
                r->timeout_s);
    x402_payment_encode(&b, &payment, plan->payers.asset, &echo);
    if (b.full)
        payers_die("a payment is larger than expected");
    if (!as_verify_body) {
        printf("%.*s\n", (int)b.len, b.at);
        return;
    }

    uint8_t json[8192];
    size_t json_len;

    if (x402_base64_decode(json, &json_len, sizeof json, x402_buf_span(&b)) !=
        X402_OK)
        payers_die("cannot read back");
    printf("{\"x402Version\":2,\"paymentPayload\":%.*s,"
           "\"paymentRequirements\":%s}\n",
           (int)json_len, (const char *)json, plan->accepted);
}

static void
usage(void)
{
    fputs("usage: sign payers N              (their addresses)\n"
          "       sign payments COUNT PAYERS PAY_TO ATOMIC_AMOUNT TIMEOUT_S\n"
          "       sign bodies COUNT PAYERS PAY_TO ATOMIC_AMOUNT TIMEOUT_S\n",
          stderr);
    exit(2);
}

int
main(int argc, char **argv)
{
    static struct plan plan;

    if (argc < 3)
        usage();
    payers_make(&plan.payers,
                (unsigned)strtoul(argv[argc > 3 ? 3 : 2], NULL, 10));
    if (strcmp(argv[1], "payers") == 0) {
        for (unsigned i = 0; i < plan.payers.len; i++) {
            char text[X402_ADDRESS_TEXT_LEN + 1];

            x402_address_format(text, &plan.payers.signer[i].address);
            puts(text);
        }
        return 0;
    }
    if (argc != 7)
        usage();

    plan.requirement.asset = plan.payers.asset;
    plan.requirement.timeout_s = (uint32_t)strtoul(argv[6], NULL, 10);
    if (x402_address_parse(&plan.requirement.pay_to, x402_span_of(argv[4])) !=
            X402_OK ||
        x402_amount_parse(&plan.requirement.amount, x402_span_of(argv[5])) !=
            X402_OK)
        usage();
    accepted_json(&plan);
    for (unsigned i = 0, n = (unsigned)strtoul(argv[2], NULL, 10); i < n; i++)
        write_payment(&plan, i, strcmp(argv[1], "bodies") == 0);
    return 0;
}
