/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: what we say, and what we understand of what others say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/receipt.h>

#include "wire_test.h"

#define TX "0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"

static char memory[4096];

static struct x402_receipt
receipt(enum x402_wire wire)
{
    struct x402_receipt out = {.success = true, .wire = wire, .chain_id = 8453};

    if (x402_address_parse(&out.payer, x402_span_of(PAYER)) != X402_OK)
        abort();
    out.amount = x402_amount_of(3000);
    return out;
}

static void
with_transaction(struct x402_receipt *out)
{
    out->has_transaction = true;
    for (unsigned i = 0; i < 32; i++)
        out->transaction[i] = (uint8_t)(i + 1);
}

static void
written(const char *why, const struct x402_receipt *in, const char *expected)
{
    struct x402_buf out = x402_buf_on(memory, sizeof(memory));
    struct x402_span text = x402_span_of(test_quote(expected));
    bool ok;

    x402_receipt_json(&out, in);
    ok = !out.full && x402_span_eq(x402_buf_span(&out), text);
    if (!ok)
        printf("# %.*s\n", (int)out.len, out.at);
    test_ok(ok, "%s", why);
}

static void
test_texts(void)
{
    struct x402_receipt in = receipt(X402_WIRE_V2);

    written("paid, to be settled later", &in,
            "{'success':true,'transaction':'','network':'eip155:8453',"
            "'payer':'" PAYER "','amount':'3000'}");
    with_transaction(&in);
    written("settled", &in,
            "{'success':true,'transaction':'" TX
            "','network':'eip155:8453','payer':'" PAYER "','amount':'3000'}");
    in.wire = X402_WIRE_V1;
    written("version 1 names the network", &in,
            "{'success':true,'transaction':'" TX
            "','network':'base','payer':'" PAYER "','amount':'3000'}");
    in.wire = X402_WIRE_SEED001;
    written("seed 001 gets version 2's", &in,
            "{'success':true,'transaction':'" TX
            "','network':'eip155:8453','payer':'" PAYER "','amount':'3000'}");

    in = receipt(X402_WIRE_V2);
    in.success = false;
    in.reason = X402_ERR_PENDING;
    with_transaction(&in);
    written("pending, with its transaction", &in,
            "{'success':false,'errorReason':'settlement_pending',"
            "'transaction':'" TX "','network':'eip155:8453','payer':'" PAYER
            "'}");
    in.has_transaction = false;
    in.reason = X402_ERR_SIGNATURE;
    in.wire = X402_WIRE_V1;
    memset(&in.payer, 0, sizeof(in.payer));
    written("refused in version 1, payer unknown", &in,
            "{'success':false,'errorReason':"
            "'invalid_exact_evm_payload_signature','transaction':'',"
            "'network':'base'}");
    in.reason = X402_OK;
    in.wire = X402_WIRE_V2;
    written("a failure without a reason is ours", &in,
            "{'success':false,'errorReason':'unexpected_verify_error',"
            "'transaction':'','network':'eip155:8453'}");
}

/* There and back: all wires, both outcomes, every reason. */
static void
test_round_trips(void)
{
    static const enum x402_wire wire[] = {X402_WIRE_V2, X402_WIRE_V1};

    for (unsigned n = 0; n < 2 * X402_ERR_COUNT; n++) {
        struct x402_receipt in = receipt(wire[n % 2]), back;
        struct x402_buf out = x402_buf_on(memory, sizeof(memory));
        const char *said, *heard;

        in.reason = (enum x402_err)(n / 2);
        in.success = in.reason == X402_OK;
        if (n % 3 == 0)
            with_transaction(&in);
        x402_receipt_header(&out, &in);
        if (out.full ||
            x402_receipt_decode(&back, test_edge_span(x402_buf_span(&out))) !=
                X402_OK) {
            test_ok(false, "receipt %u is read again", n);
            continue;
        }
        said = n % 2 == 0 ? x402_err_info(in.reason)->v2
                          : x402_err_info(in.reason)->v1;
        heard = n % 2 == 0 ? x402_err_info(back.reason)->v2
                           : x402_err_info(back.reason)->v1;
        /* Several errors share a text. */
        test_ok(back.success == in.success && back.wire == in.wire &&
                    back.chain_id == 8453 &&
                    x402_address_eq(&back.payer, &in.payer) &&
                    back.has_transaction == in.has_transaction &&
                    memcmp(back.transaction, in.transaction, 32) == 0 &&
                    (back.reason == X402_OK) == in.success &&
                    strcmp(said, heard) == 0,
                "receipt %u: %s", n, said);
    }
}

static void
test_reading(void)
{
    static const struct {
        const char *why;
        const char *text;
        enum x402_err err;
        enum x402_err reason;
    } rows[] = {
        {"smallest",
         "{'success':true,'transaction':'','network':'eip155:8453'}", X402_OK,
         X402_OK},
        {"nulls",
         "{'success':true,'transaction':'','network':'base','payer':null,"
         "'amount':null,'errorReason':null,'extensions':{}}",
         X402_OK, X402_OK},
        {"empty payer",
         "{'success':false,'errorReason':'nobody_knows','transaction':'',"
         "'network':'base','payer':''}",
         X402_OK, X402_ERR_INTERNAL},
        {"failure without a reason",
         "{'success':false,'transaction':'','network':'base'}", X402_OK,
         X402_ERR_INTERNAL},
        {"a reason beside a success is not believed",
         "{'success':true,'errorReason':'settlement_pending','transaction':'',"
         "'network':'base'}",
         X402_OK, X402_OK},
        {"success as text",
         "{'success':'true','transaction':'','network':'base'}",
         X402_ERR_SYNTAX, X402_OK},
        {"no success", "{'transaction':'','network':'base'}", X402_ERR_SYNTAX,
         X402_OK},
        {"no transaction", "{'success':true,'network':'base'}", X402_ERR_SYNTAX,
         X402_OK},
        {"a transaction of 31 bytes",
         "{'success':true,'network':'base','transaction':'0x0102030405060708"
         "090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'}",
         X402_ERR_SYNTAX, X402_OK},
        {"a network we do not know",
         "{'success':true,'transaction':'','network':'eip155:424242'}",
         X402_ERR_NETWORK, X402_OK},
        {"a payer that is none",
         "{'success':true,'transaction':'','network':'base','payer':'0x1'}",
         X402_ERR_SYNTAX, X402_OK},
        {"an amount as number",
         "{'success':true,'transaction':'','network':'base','amount':3000}",
         X402_ERR_SYNTAX, X402_OK},
        {"array", "[]", X402_ERR_SYNTAX, X402_OK},
        {"not JSON", "success", X402_ERR_SYNTAX, X402_OK},
    };
    struct x402_receipt out;

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        enum x402_err err = x402_receipt_decode(
            &out, test_base64(x402_span_of(test_quote(rows[i].text))));

        test_ok(err == rows[i].err &&
                    (err != X402_OK || out.reason == rows[i].reason),
                "read: %s", rows[i].why);
    }
}

static void
test_bounds(void)
{
    static char big[16384 + 1];
    struct x402_receipt in = receipt(X402_WIRE_V2), out;
    struct x402_buf small = x402_buf_on(memory, 40);

    memset(big, 'A', sizeof(big));
    test_ok(x402_receipt_decode(&out, test_edge(big, sizeof(big))) ==
                X402_ERR_TOO_LARGE,
            "a header of more than 16 KiB");
    test_ok(x402_receipt_decode(&out, (struct x402_span){NULL, 0}) ==
                X402_ERR_SYNTAX,
            "an empty header");
    x402_receipt_header(&small, &in);
    test_ok(small.full, "a buffer that is too small is full");

    /* The longest receipt there is fits the function's own memory. */
    in.success = true;
    with_transaction(&in);
    memset(&in.amount, 0xff, sizeof(in.amount));
    in.chain_id = 324705682;
    small = x402_buf_on(memory, sizeof(memory));
    x402_receipt_header(&small, &in);
    test_ok(!small.full, "the longest receipt");
}

int
main(void)
{
    test_texts();
    test_round_trips();
    test_reading();
    test_bounds();
    return test_done();
}
