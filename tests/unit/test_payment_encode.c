/* SPDX-License-Identifier: Apache-2.0 */
/* Payments written as a client writes them, and the one key that all texts of
 * one payment share. */
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

/* -- writing -- */

static struct x402_span
encoded(enum x402_wire wire, const struct x402_payment_echo *echo)
{
    static char memory[X402_PAYMENT_HEADER_MAX];
    struct x402_buf out = x402_buf_on(memory, sizeof(memory));

    payment.wire = wire;
    payment.accepted_timeout_s = 60;
    x402_payment_encode(&out, &payment, test_requirement().asset, echo);
    return out.full ? (struct x402_span){NULL, 0} : x402_buf_span(&out);
}

static void
test_encode(void)
{
    static const struct {
        enum x402_wire wire;
        enum x402_carrier carrier;
    } rows[] = {{X402_WIRE_V2, PS},
                {X402_WIRE_V1, XP},
                {X402_WIRE_SEED000, XP},
                {X402_WIRE_SEED001, XP}};
    const struct x402_payment_echo echo = {.resource_url =
                                               x402_span_of(RESOURCE)};
    struct x402_payment was;
    size_t which;

    for (size_t i = 0; i < 4; i++) {
        struct x402_span header;

        if (decode_text(XP, V1) != X402_OK)
            abort();
        was = payment;
        header = test_edge_span(encoded(rows[i].wire, &echo));
        test_ok(x402_payment_decode(&payment, rows[i].carrier, header) ==
                        X402_OK &&
                    payment.wire == rows[i].wire && match(&which) == X402_OK &&
                    memcmp(&payment.auth, &was.auth, sizeof(was.auth)) == 0 &&
                    memcmp(payment.signature, was.signature, 65) == 0,
                "written and read again, wire %d", (int)rows[i].wire);
    }
}

/* The published receipt of seed 001's dialect, byte for byte. */
static void
test_canonical_receipt(void)
{
    static const char canonical[] =
        "eyJjaGFpbiI6ImJhc2UiLCJjdXJyZW5jeSI6IlVTREMiLCJwYXlsb2FkIjp7ImF1dGhv"
        "cml6YXRpb24iOnsiZnJvbSI6IjB4MTlFN0UzNzZFN0MyMTNCN0U3ZTdlNDZjYzcwQTVk"
        "RDA4NkRBZmYyQSIsIm5vbmNlIjoiMHhhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFi"
        "YWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiIiwidG8iOiIweDVDYkRk"
        "ODZhMkZBOERjNGJEZGQ4YThmNjlkQmE0ODU3MkVlQzA3RkIiLCJ2YWxpZEFmdGVyIjoi"
        "MTY5OTk5OTk0MCIsInZhbGlkQmVmb3JlIjoiMTcwMDAwMDA2MCIsInZhbHVlIjoiMzAw"
        "MCJ9LCJzaWduYXR1cmUiOiIweGU0MGE3YmVlNWEyMjQ5OTQwNTlhMTYxZDM0ODBlYWE2"
        "NmM5OWY4YjRlYTEwNzc5ZDQ5ZTlhMWMyYmZiZWFlYzg0ZDNhM2QxZmZkZThkMjIwNDRh"
        "N2ZiMWIzOWYwYjkwODI1ZTFkZTRhNGIyOGRiYmEwMDU5ZmUzYzU5ZWIzN2IyMWIifSwi"
        "cmVzb3VyY2UiOiJodHRwczovL2FwaS5leGFtcGxlLmNvbS9wcmVtaXVtLWRhdGEiLCJz"
        "Y2hlbWUiOiJleGFjdCIsInZlcnNpb24iOjF9";
    const struct x402_payment_echo echo = {.resource_url =
                                               x402_span_of(RESOURCE)};
    uint8_t digest32[32];
    char hex[67];

    test_ok(x402_payment_decode(&payment, XP, test_edge_text(canonical)) ==
                X402_OK,
            "the published receipt is read");
    x402_eip3009_digest(digest32, &payment.auth, test_requirement().asset);
    x402_hex_encode(hex, digest32, 32);
    test_ok(strcmp(hex, "0x0d25bbbe85f30f0a741b46a7e93c02dc37919987b28aaf30a8d"
                        "0042a59a4b174") == 0,
            "its digest is the published one");
    test_ok(x402_span_eq(encoded(X402_WIRE_SEED001, &echo),
                         x402_span_of(canonical)),
            "and written again it is the same text");
    test_ok(strncmp(canonical, "eyJjaGFpbiI6ImJhc2Ui", 20) == 0,
            "which begins as the seed's example does");
}

/* Version 2's echo goes out as it came in. */
static void
test_echo(void)
{
    const struct x402_payment_echo echo = {
        .accepted_json = x402_span_of("{\"x\":1}"),
        .resource_json = x402_span_of("{\"url\":\"https://a.example/\"}"),
        .extensions_json = x402_span_of("{\"e\":{}}")};
    uint8_t text[4096];
    size_t len;
    struct x402_span header;
    json_t *root;

    if (decode_text(XP, V1) != X402_OK)
        abort();
    header = encoded(X402_WIRE_V2, &echo);
    if (x402_base64_decode(text, &len, sizeof(text), header) != X402_OK)
        abort();
    root = json_loadb((char *)text, len, 0, NULL);
    test_ok(
        json_integer_value(
            json_object_get(json_object_get(root, "accepted"), "x")) == 1 &&
            json_object_get(json_object_get(root, "resource"), "url") != NULL &&
            json_object_get(json_object_get(root, "extensions"), "e") != NULL &&
            json_object_size(root) == 5,
        "accepted, resource and extensions are echoed");
    json_decref(root);
}

static void
test_encode_full(void)
{
    static char big[X402_PAYMENT_HEADER_MAX];
    char memory[64];
    struct x402_payment_echo echo = {0};
    struct x402_buf out = x402_buf_on(memory, sizeof(memory));

    if (decode_text(XP, V1) != X402_OK)
        abort();
    x402_payment_encode(&out, &payment, test_requirement().asset, &echo);
    test_ok(out.full && out.len == 0, "a buffer that is too small stays empty");
    memset(big, ' ', sizeof(big));
    echo.extensions_json = (struct x402_span){big, sizeof(big)};
    test_ok(encoded(X402_WIRE_V2, &echo).at == NULL,
            "extensions that fill the header are not sent");
    payment.chain_id = 42161;
    test_ok(encoded(X402_WIRE_V1, &echo).at == NULL,
            "a chain without a version 1 name cannot be paid in version 1");
    payment.chain_id = 424242;
    test_ok(encoded(X402_WIRE_SEED000, &echo).at == NULL, "an unknown chain");
}

/* -- one authorization, many texts, one key -- */

static void
test_payment_id(void)
{
    static const char expected[] =
        "eip155:8453:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913:"
        "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a:" NONCE;
    static const char *bases[] = {V2, V1, SEED000, SEED001};
    const struct x402_asset *asset = test_requirement().asset;
    char id[X402_PAYMENT_ID_MAX];
    unsigned same = 0, total = 0;

    for (unsigned n = 0; n < 4 * 32; n++) {
        json_t *root = test_json(bases[n % 4]);
        const char *last;
        json_t *payload = test_parent(root, "payload.x", &last);
        json_t *auth = test_parent(root, "payload.authorization.x", &last);
        size_t flags = n & 4 ? JSON_SORT_KEYS : 0;
        struct x402_span header;
        char *text;

        if (n & 8)
            json_object_set_new(
                auth, "from",
                json_string("0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a"));
        if (n & 16) {
            char v0[133] = SIGNATURE;
            v0[130] = v0[131] = '0';
            json_object_set_new(payload, "signature", json_string(v0));
        }
        flags |= n & 32 ? JSON_INDENT(3) : JSON_COMPACT;
        text = json_dumps(root, flags);
        header = test_base64(x402_span_of(text));
        while (n & 64 && header.len > 0 && header.at[header.len - 1] == '=')
            header.len--;
        total++;
        if (x402_payment_decode(&payment, n % 4 == 0 ? PS : XP, header) ==
            X402_OK) {
            x402_payment_id(id, payment.chain_id, &asset->address,
                            &payment.auth);
            same += strcmp(id, expected) == 0 && payment.signature[64] == 27;
        }
        free(text);
        json_decref(root);
    }
    test_ok(same == total, "%u of %u texts of one payment have its one key",
            same, total);
}

int
main(void)
{
    test_encode();
    test_canonical_receipt();
    test_echo();
    test_encode_full();
    test_payment_id();
    return test_done();
}
