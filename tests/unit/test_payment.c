/* SPDX-License-Identifier: Apache-2.0 */
/* A payment's header: which texts are payments, and what is read from them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/eip712.h>
#include <x402/encode.h>
#include <x402/payment.h>

#include "wire_test.h"

#define PS X402_CARRIER_PAYMENT_SIGNATURE
#define XP X402_CARRIER_X_PAYMENT

static struct x402_payment payment;

static enum x402_err
decode(enum x402_carrier carrier, struct x402_span json)
{
    return x402_payment_decode(&payment, carrier, test_base64(json));
}

static enum x402_err
decode_text(enum x402_carrier carrier, const char *quoted)
{
    return decode(carrier, x402_span_of(test_quote(quoted)));
}

static enum x402_err
match(size_t *which)
{
    struct x402_requirement offer = test_requirement();
    struct x402_clock clock = test_clock();

    return x402_payment_match(which, &payment, &offer, 1, &clock);
}

static void
domain_of(uint8_t out32[32], const struct x402_asset *asset)
{
    x402_eip712_domain(out32, x402_span_of(asset->eip712_name),
                       x402_span_of(asset->eip712_version), asset->chain_id,
                       &asset->address);
}

/* -- the wires -- */

static void
test_wires(void)
{
    static const struct {
        const char *why;
        const char *text;
        enum x402_carrier carrier;
        enum x402_wire wire;
    } rows[] = {
        {"version 2", V2, PS, X402_WIRE_V2},
        {"version 2 in X-PAYMENT", V2, XP, X402_WIRE_V2},
        {"version 1", V1, XP, X402_WIRE_V1},
        {"the deployed client of seed 000", SEED000, XP, X402_WIRE_SEED000},
        {"seed 001", SEED001, XP, X402_WIRE_SEED001},
    };
    struct x402_requirement offer = test_requirement();
    uint8_t domain32[32];
    size_t which;

    domain_of(domain32, offer.asset);
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        which = 9;
        test_ok(decode_text(rows[i].carrier, rows[i].text) == X402_OK &&
                    payment.wire == rows[i].wire && payment.chain_id == 8453 &&
                    match(&which) == X402_OK && which == 0 &&
                    x402_payment_verify(&payment, domain32) == X402_OK,
                "%s: decoded, matched, its signature verified", rows[i].why);
    }
}

static void
test_fields(void)
{
    struct x402_address payer, payee, usdc;
    uint8_t nonce[32];

    memset(nonce, 0xab, sizeof(nonce));
    test_ok(x402_address_parse(&payer, x402_span_of(PAYER)) == X402_OK &&
                x402_address_parse(&payee, x402_span_of(PAYEE)) == X402_OK &&
                x402_address_parse(&usdc, x402_span_of(USDC)) == X402_OK &&
                decode_text(PS, V2) == X402_OK,
            "version 2 with its parties");
    test_ok(x402_address_eq(&payment.auth.from, &payer) &&
                x402_address_eq(&payment.auth.to, &payee) &&
                payment.auth.valid_after_s == 1699999940 &&
                payment.auth.valid_before_s == 1700000060 &&
                memcmp(payment.auth.nonce, nonce, 32) == 0 &&
                payment.signature_len == 65 && payment.signature[0] == 0xe4 &&
                payment.signature[64] == 0x1b,
            "the authorization and its signature");
    test_ok(payment.has_accepted &&
                x402_address_eq(&payment.accepted_asset, &usdc) &&
                x402_address_eq(&payment.accepted_pay_to, &payee) &&
                payment.accepted_timeout_s == 60 &&
                !payment.accepted_domain_wrong &&
                !payment.accepted_method_wrong && payment.currency[0] == 0,
            "what the client accepted");
    test_ok(decode_text(XP, SEED001) == X402_OK && !payment.has_accepted &&
                strcmp(payment.currency, "USDC") == 0,
            "seed 001's currency");
}

/* v: 0 and 1 are 27 and 28; all else is left as it came, for the recovery to
 * refuse. */
static void
test_recovery_byte(void)
{
    json_t *root = test_json(V1);
    const char *last;
    json_t *payload = test_parent(root, "payload.signature", &last);
    unsigned wrong = 0;

    for (unsigned v = 0; v < 256; v++) {
        char hex[] = SIGNATURE;

        snprintf(hex + 130, 3, "%02x", v);
        json_object_set_new(payload, last, json_string(hex));
        wrong += decode(XP, test_dump(root)) != X402_OK ||
                 payment.signature[64] != (v < 2 ? v + 27 : v);
    }
    test_ok(wrong == 0, "256 values of v, %u wrong", wrong);
    json_decref(root);
}

/* -- base64 and size -- */

/* A payment whose base64 ends in "==". */
static struct x402_span
padded_example(void)
{
    static const char *text[] = {V1, V1 " ", V1 "  "};
    size_t i = 0;

    while (strlen(text[i]) % 3 != 1)
        i++;
    return test_base64(x402_span_of(test_quote(text[i])));
}

static void
test_headers(void)
{
    static char big[X402_PAYMENT_HEADER_MAX + 5];
    struct x402_span header = padded_example();
    char copy[2048];
    size_t len = header.len;
    char *pad;
    static const struct {
        const char *why;
        const char *text;
    } rows[] = {
        {"empty", ""},
        {"one character", "e"},
        {"only padding", "===="},
        {"a bare transaction hash", NONCE},
        {"plain JSON", "{\"x402Version\":1}"},
        {"URL-safe alphabet", "eyJ4-_=="},
        {"a NUL in place of text", "AAAA"},
    };

    memcpy(copy, header.at, len);
    copy[len] = '\0';
    pad = strchr(copy, '=');
    for (size_t i = 0; i < TEST_LEN(rows); i++)
        test_ok(
            x402_payment_decode(&payment, XP, test_edge_text(rows[i].text)) ==
                X402_ERR_SYNTAX,
            "header: %s", rows[i].why);

    test_ok(x402_payment_decode(
                &payment, XP, test_edge(copy, (size_t)(pad - copy))) == X402_OK,
            "header: padding left out");
    test_ok(x402_payment_decode(&payment, XP, test_edge(copy, len - 1)) ==
                X402_ERR_SYNTAX,
            "header: half of the padding left out");
    copy[len] = '=';
    test_ok(x402_payment_decode(&payment, XP, test_edge(copy, len + 1)) ==
                X402_ERR_SYNTAX,
            "header: one = too many");
    copy[len] = ' ';
    test_ok(x402_payment_decode(&payment, XP, test_edge(copy, len + 1)) ==
                X402_ERR_SYNTAX,
            "header: a space behind");
    copy[0] = '\n';
    test_ok(x402_payment_decode(&payment, XP, test_edge(copy, len)) ==
                X402_ERR_SYNTAX,
            "header: a line break inside");

    memset(big, 'A', sizeof(big));
    test_ok(x402_payment_decode(&payment, XP,
                                test_edge(big, X402_PAYMENT_HEADER_MAX)) ==
                X402_ERR_SYNTAX,
            "header: as long as it may be is read");
    test_ok(x402_payment_decode(&payment, XP,
                                test_edge(big, X402_PAYMENT_HEADER_MAX + 1)) ==
                X402_ERR_TOO_LARGE,
            "header: one more is not");
}

/* Changing the last base64 digit before the padding changes only bits that are
 * thrown away: another text of the same bytes. */
static void
test_trailing_bits(void)
{
    char copy[2048];
    struct x402_span header = padded_example();
    char *pad;

    memcpy(copy, header.at, header.len);
    copy[header.len] = '\0';
    pad = strchr(copy, '=');
    pad[-1]++;
    test_ok(x402_payment_decode(&payment, XP, test_edge(copy, header.len)) ==
                X402_ERR_SYNTAX,
            "header: trailing bits that are not zero");
}

/* -- strict JSON -- */

#define NEST22 "[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]"

static void
test_json_forms(void)
{
    static const struct {
        const char *why;
        const char *text;
        enum x402_carrier carrier;
        enum x402_err err;
    } rows[] = {
        {"array", "[]", XP, X402_ERR_SYNTAX},
        {"empty object", "{}", XP, X402_ERR_SYNTAX},
        {"string", "'base'", XP, X402_ERR_SYNTAX},
        {"null", "null", XP, X402_ERR_SYNTAX},
        {"trailing object", V1 "{}", XP, X402_ERR_SYNTAX},
        {"trailing comma", V1 ",", XP, X402_ERR_SYNTAX},
        {"trailing white space", V1 " \n\t", XP, X402_OK},
        {"leading white space", "\n " V1, XP, X402_OK},
        {"byte order mark", "\xef\xbb\xbf" V1, XP, X402_ERR_SYNTAX},
        {"comment", "/* */" V1, XP, X402_ERR_SYNTAX},
        {"unterminated", "{'x402Version':1", XP, X402_ERR_SYNTAX},
        {"twice the version",
         "{'x402Version':1,'x402Version':1,'scheme':'exact','network':'base',"
         "'payload':" PAYLOAD "}",
         XP, X402_ERR_SYNTAX},
        {"twice the signature",
         "{'x402Version':1,'scheme':'exact','network':'base','payload':{"
         "'signature':'0x00','signature':'" SIGNATURE
         "','authorization':" AUTHORIZATION "}}",
         XP, X402_ERR_SYNTAX},
        {"twice a name inside an extension",
         "{'x402Version':2,'accepted':" ACCEPTED ",'payload':" PAYLOAD
         ",'extensions':{'a':{'b':1,'b':1}}}",
         PS, X402_ERR_SYNTAX},
        {"twice by an escape",
         "{'x402Version':1,'x402\\u0056ersion':2,'scheme':'exact',"
         "'network':'base','payload':" PAYLOAD "}",
         XP, X402_ERR_SYNTAX},
        {"NUL in a string",
         "{'x402Version':1,'scheme':'exact\\u0000','network':'base',"
         "'payload':" PAYLOAD "}",
         XP, X402_ERR_SYNTAX},
        {"lone surrogate",
         "{'x402Version':1,'a':'\\ud800','scheme':'exact','network':'base',"
         "'payload':" PAYLOAD "}",
         XP, X402_ERR_SYNTAX},
        {"overlong UTF-8",
         "{'x402Version':1,'a':'\xc0\xaf','scheme':'exact','network':'base',"
         "'payload':" PAYLOAD "}",
         XP, X402_ERR_SYNTAX},
        {"NaN",
         "{'x402Version':1,'a':NaN,'scheme':'exact','network':'base',"
         "'payload':" PAYLOAD "}",
         XP, X402_ERR_SYNTAX},
        {"unknown members are ignored",
         "{'x402Version':1,'a':[1,-0,1e5,null],'scheme':'exact',"
         "'network':'base','payload':" PAYLOAD "}",
         XP, X402_OK},
        {"extensions are ignored",
         "{'x402Version':2,'accepted':" ACCEPTED ",'payload':" PAYLOAD
         ",'extensions':{'bazaar':{'info':{'input':{'a':{'b':1}}}}},"
         "'resource':{'url':'https://x.example/'}}",
         PS, X402_OK},
        {"depth 24",
         "{'x402Version':2,'accepted':" ACCEPTED ",'payload':" PAYLOAD
         ",'extensions':{'a':" NEST22 "}}",
         PS, X402_OK},
        {"depth 25",
         "{'x402Version':2,'accepted':" ACCEPTED ",'payload':" PAYLOAD
         ",'extensions':{'a':[" NEST22 "]}}",
         PS, X402_ERR_SYNTAX},
        {"seed 001, depth 4",
         "{'chain':'base','currency':'USDC','payload':" PAYLOAD
         ",'resource':'r','scheme':'exact','version':1,'x':{'a':{'b':[]}}}",
         XP, X402_OK},
        {"seed 001, depth 5",
         "{'chain':'base','currency':'USDC','payload':" PAYLOAD
         ",'resource':'r','scheme':'exact','version':1,'x':{'a':{'b':[[]]}}}",
         XP, X402_ERR_SYNTAX},
    };

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        enum x402_err err = decode_text(rows[i].carrier, rows[i].text);

        test_ok(err == rows[i].err, "JSON: %s: %s", rows[i].why,
                x402_err_info(err)->name);
    }
}

static void
test_deep_bomb(void)
{
    enum { DEPTH = 6000 };
    static char text[DEPTH];

    memset(text, '[', sizeof(text));
    test_ok(decode(XP, (struct x402_span){text, sizeof(text)}) ==
                X402_ERR_SYNTAX,
            "JSON: 6000 open brackets");
}

static void
test_seed001_size(void)
{
    json_t *root = test_json(SEED001);
    static char filler[X402_PAYMENT_HEADER_MAX];
    size_t room = 8192 - test_dump(root).len - strlen(",\"x\":\"\"");

    memset(filler, 'x', sizeof(filler));
    json_object_set_new(root, "x", json_stringn(filler, room));
    test_ok(decode(XP, test_dump(root)) == X402_OK, "seed 001 of 8192 bytes");
    json_object_set_new(root, "x", json_stringn(filler, room + 1));
    test_ok(decode(XP, test_dump(root)) == X402_ERR_TOO_LARGE,
            "seed 001 of 8193 bytes");
    json_decref(root);
}

/* -- versions, schemes and networks in all combinations -- */

static void
test_product(void)
{
    static const char *version[] = {"0",   "1",   "2",    "3",   "'2'",
                                    "2.0", "1.0", "null", "[2]", "true"};
    static const char *scheme[] = {"exact", "upto", "Exact", "exact "};
    static const char *network[] = {"base", "eip155:8453", "EIP155:8453",
                                    "eip155:08453"};
    unsigned wrong = 0, good = 0;
    char text[4096];

    for (size_t n = 0; n < 10 * 4 * 4; n++) {
        const char *v = version[n / 16];
        const char *s = scheme[n / 4 % 4];
        const char *w = network[n % 4];
        bool exact = n / 4 % 4 == 0;
        bool as_v1 = exact && n / 16 == 1 && n % 4 == 0;
        bool as_v2 = exact && n / 16 == 2 && n % 4 == 1;

        for (unsigned shape = 0; shape < 3; shape++) {
            bool with_accepted = shape > 0;
            enum x402_carrier carrier = shape == 2 ? PS : XP;
            enum x402_err err;
            int status;

            if (with_accepted)
                snprintf(text, sizeof(text),
                         "{'x402Version':%s,'accepted':{'scheme':'%s',"
                         "'network':'%s','amount':'3000','asset':'" USDC
                         "','payTo':'" PAYEE "','maxTimeoutSeconds':60,"
                         "'extra':{'name':'USD Coin','version':'2'}},"
                         "'payload':" PAYLOAD "}",
                         v, s, w);
            else
                snprintf(text, sizeof(text),
                         "{'x402Version':%s,'scheme':'%s','network':'%s',"
                         "'payload':" PAYLOAD "}",
                         v, s, w);
            err = decode_text(carrier, text);
            status = x402_err_info(err)->http_status;
            good += err == X402_OK;
            if ((err == X402_OK) != (as_v2 || (as_v1 && !with_accepted)) ||
                (err != X402_OK && status != 400 && status != 402)) {
                printf("# %s: %s\n", text, x402_err_info(err)->name);
                wrong++;
            }
        }
    }
    test_ok(wrong == 0 && good == 4,
            "480 combinations of version, scheme, network: %u wrong", wrong);
    test_ok(decode_text(XP, "{'x402Version':1e400,'scheme':'exact',"
                            "'network':'base','payload':" PAYLOAD
                            "}") == X402_ERR_SYNTAX,
            "version 1e400");
    test_ok(decode_text(XP, "{'x402Version':18446744073709551618,'scheme':"
                            "'exact','network':'base','payload':" PAYLOAD
                            "}") == X402_ERR_SYNTAX,
            "version 2^64 + 2");
}

/* PAYMENT-SIGNATURE is version 2's alone. */
static void
test_carriers(void)
{
    test_ok(decode_text(PS, V1) == X402_ERR_VERSION,
            "version 1 in PAYMENT-SIGNATURE");
    test_ok(decode_text(PS, SEED000) == X402_ERR_SYNTAX,
            "seed 000 in PAYMENT-SIGNATURE");
    test_ok(decode_text(PS, SEED001) == X402_ERR_SYNTAX,
            "seed 001 in PAYMENT-SIGNATURE");
}

int
main(void)
{
    test_wires();
    test_fields();
    test_recovery_byte();
    test_headers();
    test_trailing_bits();
    test_json_forms();
    test_deep_bomb();
    test_seed001_size();
    test_product();
    test_carriers();
    return test_done();
}
