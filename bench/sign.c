/* SPDX-License-Identifier: Apache-2.0 */
/* Make many distinct, valid payments, one PAYMENT-SIGNATURE value (or /verify
 * body) a line: ammunition for the load generator, made before the clock
 * starts. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <x402/x402.h>

#define PAYERS_MAX 1024

struct plan {
    const struct x402_asset *asset;
    struct x402_requirement requirement;
    struct x402_signer payer[PAYERS_MAX];
    unsigned payers;
    char accepted[1024];
};

static void
die(const char *text)
{
    fprintf(stderr, "sign: %s\n", text);
    exit(2);
}

/* Payer i has the private key keccak256("x402 bench payer" || i). */
static void
make_payers(struct plan *plan)
{
    for (unsigned i = 0; i < plan->payers; i++) {
        uint8_t key[32], seed[32] = {0};
        char name[64];
        int len = snprintf(name, sizeof name, "x402 bench payer%u", i);

        x402_keccak256(key, name, (size_t)len);
        if (x402_signer_open(&plan->payer[i], key, seed) != X402_OK)
            die("a payer's key is out of range");
    }
}

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
    struct x402_signer *payer = &plan->payer[i % plan->payers];
    struct x402_payment payment = {.wire = X402_WIRE_V2, .signature_len = 65};
    struct x402_payment_echo echo = {.accepted_json =
                                         x402_span_of(plan->accepted)};
    char text[8192];
    struct x402_buf b = x402_buf_on(text, sizeof text);

    payment.chain_id = plan->asset->chain_id;
    payment.auth.from = payer->address;
    payment.auth.to = plan->requirement.pay_to;
    payment.auth.value = plan->requirement.amount;
    payment.auth.valid_before_s =
        (uint64_t)time(NULL) + plan->requirement.timeout_s;
    if (getrandom(payment.auth.nonce, 32, 0) != 32)
        die("no random bytes");
    if (x402_eip3009_sign(payment.signature, &payment.auth, plan->asset,
                          payer) != X402_OK)
        die("cannot sign");

    x402_payment_encode(&b, &payment, plan->asset, &echo);
    if (b.full)
        die("a payment is larger than expected");
    if (!as_verify_body) {
        printf("%.*s\n", (int)b.len, b.at);
        return;
    }

    uint8_t json[8192];
    size_t json_len;

    if (x402_base64_decode(json, &json_len, sizeof json, x402_buf_span(&b)) !=
        X402_OK)
        die("cannot read back");
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
    plan.payers = (unsigned)strtoul(argv[argc > 3 ? 3 : 2], NULL, 10);
    if (plan.payers == 0 || plan.payers > PAYERS_MAX)
        die("between 1 and 1024 payers");
    make_payers(&plan);

    if (strcmp(argv[1], "payers") == 0) {
        for (unsigned i = 0; i < plan.payers; i++) {
            char text[X402_ADDRESS_TEXT_LEN + 1];

            x402_address_format(text, &plan.payer[i].address);
            puts(text);
        }
        return 0;
    }
    if (argc != 7)
        usage();

    plan.asset = x402_asset_by_symbol(84532, x402_span_of("USDC"));
    plan.requirement.asset = plan.asset;
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
