/* SPDX-License-Identifier: Apache-2.0 */
/* The library's Lightning side on a command line, for other implementations to
 * disagree with:
 *
 *     lightning_tool bolt11 INVOICE                what it says, as JSON
 *     lightning_tool mint ROOT HASH REQUEST UNTIL  a macaroon, base64
 *     lightning_tool check ROOT REQUEST NOW HEADER an Authorization header: its
 *                                                  verdict
 *
 * ROOT, HASH and REQUEST are 64 hex digits. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/x402.h>

static void
need(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "lightning_tool: %s\n", what);
    exit(2);
}

static void
read_hex(uint8_t out[32], const char *text)
{
    need(x402_hex_decode_bare(out, 32, x402_span_of(text)) == X402_OK,
         "64 hex digits");
}

static void
print_hex(const char *name, const uint8_t *bytes, size_t len)
{
    printf(",\"%s\":\"", name);
    for (size_t i = 0; i < len; i++)
        printf("%02x", bytes[i]);
    putchar('"');
}

static void
print_description(const struct x402_bolt11 *invoice)
{
    char memory[8 * X402_BOLT11_DESCRIPTION_MAX];
    struct x402_buf buf = x402_buf_on(memory, sizeof memory);

    if (invoice->has_description_hash) {
        print_hex("description_hash", invoice->description_hash, 32);
        return;
    }
    x402_buf_json(&buf, (struct x402_span){invoice->description,
                                           invoice->description_len});
    printf(",\"description\":%.*s", (int)buf.len, buf.at);
}

static int
tell_invoice(const char *text)
{
    struct x402_bolt11 invoice;
    enum x402_err err = x402_bolt11_decode(&invoice, x402_span_of(text));

    if (err != X402_OK) {
        printf("{\"error\":\"%s\"}\n", x402_err_info(err)->name);
        return 0;
    }
    printf("{\"currency\":\"%s\"", x402_ln_currency(invoice.network));
    if (invoice.has_amount)
        printf(",\"msat\":\"%" PRIu64 "\"", invoice.amount.value);
    printf(",\"created\":%" PRIu64 ",\"expiry\":%" PRIu64 ",\"cltv\":%u",
           invoice.created_s, invoice.expiry_s, invoice.min_final_cltv);
    print_hex("payment_hash", invoice.payment_hash, 32);
    print_hex("payment_secret", invoice.payment_secret, 32);
    print_hex("payee", invoice.payee, X402_NODE_LEN);
    print_description(&invoice);
    puts("}");
    return 0;
}

static int
mint(char **args)
{
    struct x402_l402_claims claims = {.token_id = {0x42}};
    char memory[X402_MACAROON_MAX], text[X402_BASE64_LEN(X402_MACAROON_MAX)];
    struct x402_buf buf = x402_buf_on(memory, sizeof memory);
    uint8_t root[32];
    size_t len;

    read_hex(root, args[0]);
    read_hex(claims.payment_hash, args[1]);
    read_hex(claims.request_hash, args[2]);
    claims.valid_until_s = strtoull(args[3], NULL, 10);
    x402_l402_mint(&buf, &claims, root);
    len = x402_base64_encode(text, (const uint8_t *)memory, buf.len);
    printf("%.*s\n", (int)len, text);
    return 0;
}

static int
check(char **args)
{
    struct x402_l402_credential credential;
    struct x402_l402_claims claims;
    uint8_t root[32], request[32];
    enum x402_err err;

    read_hex(root, args[0]);
    read_hex(request, args[1]);
    err = x402_l402_decode(&credential, x402_span_of(args[3]));
    if (err == X402_OK)
        err = x402_l402_check(&claims, &credential, root, request,
                              strtoull(args[2], NULL, 10));
    puts(x402_err_info(err)->name);
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "bolt11") == 0)
        return tell_invoice(argv[2]);
    if (argc == 6 && strcmp(argv[1], "mint") == 0)
        return mint(argv + 2);
    if (argc == 6 && strcmp(argv[1], "check") == 0)
        return check(argv + 2);
    need(false, "see the top of lightning_tool.c");
    return 2;
}
