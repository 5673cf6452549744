/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of the till: the bytes on the wire, every frame there and back, and
 * everything that must close the connection. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/till.h>

#include "wire_test.h"

static struct x402_till_frame frame, back;
static uint8_t bytes[X402_TILL_FRAME_MAX];

static size_t
encode(void)
{
    return x402_till_encode(bytes, sizeof(bytes), &frame);
}

static enum x402_err
decode_edge(size_t *used, size_t len)
{
    struct x402_span in = test_edge((char *)bytes, len);

    return x402_till_decode(&back, used, (const uint8_t *)in.at, in.len);
}

static void
begin(enum x402_till_type type)
{
    memset(&frame, 0, sizeof(frame));
    frame.type = type;
    frame.id = 0x0102030405060708;
}

static void
fill(void *at, size_t len, unsigned seed)
{
    uint8_t *byte = at;

    for (size_t i = 0; i < len; i++)
        byte[i] = (uint8_t)(seed + i * 7 + 1);
}

static void
make_reserve(size_t signature_len, size_t resource_len)
{
    struct x402_till_reserve *reserve = &frame.u.reserve;

    begin(X402_TILL_RESERVE);
    reserve->flags = X402_TILL_SETTLE_FIRST | X402_TILL_SMART_WALLET;
    reserve->wire = X402_WIRE_SEED001;
    reserve->chain_id = 84532;
    fill(reserve->asset.byte, 20, 1);
    fill(reserve->auth.from.byte, 20, 2);
    fill(reserve->auth.to.byte, 20, 3);
    fill(&reserve->auth.value, 32, 4);
    reserve->auth.valid_after_s = 1699999940;
    reserve->auth.valid_before_s = UINT64_MAX;
    fill(reserve->auth.nonce, 32, 5);
    fill(reserve->fingerprint, 32, 6);
    fill(reserve->signature, signature_len, 7);
    reserve->signature_len = signature_len;
    memset(reserve->resource, 'r', resource_len);
}

static void
make_reserved(enum x402_err err, bool transaction)
{
    begin(X402_TILL_RESERVED);
    frame.u.reserved.err = err;
    if (err == X402_OK)
        fill(frame.u.reserved.rid.byte, 16, 9);
    frame.u.reserved.settled = transaction;
    frame.u.reserved.has_transaction = transaction;
    if (transaction)
        fill(frame.u.reserved.transaction, 32, 10);
}

static void
make_issue(size_t realm_len, size_t resource_len)
{
    struct x402_till_issue *issue = &frame.u.issue;

    begin(X402_TILL_ISSUE);
    fill(issue->peer, sizeof(issue->peer), 14);
    issue->dialects = X402_TILL_LNBTC | X402_TILL_MPP;
    issue->unit = X402_TILL_TOKEN;
    fill(&issue->price, 32, 15);
    issue->decimals = 6;
    issue->expiry_s = 300;
    fill(issue->request_hash, 32, 16);
    memset(issue->realm, 'a', realm_len);
    memset(issue->resource, 'r', resource_len);
}

static void
make_issued(size_t bolt11_len, size_t line_len)
{
    struct x402_till_issued *issued = &frame.u.issued;

    begin(X402_TILL_ISSUED);
    issued->network = X402_LN_REGTEST;
    issued->amount.value = 21000;
    issued->expiry_s = 300;
    fill(issued->payee, sizeof(issued->payee), 17);
    memset(issued->bolt11, 'b', bolt11_len);
    memset(issued->l402, 'l', line_len);
    memset(issued->mpp, 'm', line_len);
}

static void
make_issue_refused(void)
{
    begin(X402_TILL_ISSUED);
    frame.u.issued.err = X402_ERR_LN_ISSUANCE;
    frame.u.issued.wait_ms = 1000;
    frame.u.issued.scope = X402_TILL_SCOPE_ALL;
}

static void
make_proof(enum x402_till_dialect dialect, size_t token_len)
{
    struct x402_till_proof *proof = &frame.u.proof;

    begin(X402_TILL_PROOF);
    proof->dialect = dialect;
    proof->has_preimage = true;
    fill(proof->preimage, 32, 18);
    fill(proof->payment_hash, 32, 19);
    fill(proof->request_hash, 32, 20);
    proof->amount.value = 21000;
    proof->token_len = token_len;
    fill(proof->token, token_len, 21);
    memset(proof->realm, 'a', 11);
}

static void
make_hold(size_t len)
{
    begin(X402_TILL_HOLD);
    frame.u.hold.len = len;
    fill(frame.u.hold.rid, len * 16, 11);
}

/* Decoding gives the frame again (seen by its bytes), any shorter input asks
 * for more, and a second frame behind it is left alone. */
static void
round_trip(const char *why)
{
    static uint8_t again[X402_TILL_FRAME_MAX];
    size_t len = encode();
    size_t used = 1;
    bool ok = len >= 16;

    for (size_t part = 0; part < len && ok; part++)
        ok = decode_edge(&used, part) == X402_OK && used == 0;
    ok = ok && decode_edge(&used, len) == X402_OK && used == len;
    ok = ok && back.type == frame.type && back.id == frame.id;
    ok = ok && x402_till_encode(again, len, &back) == len &&
         memcmp(again, bytes, len) == 0;
    ok = ok && x402_till_encode(again, len - 1, &back) == 0;
    if (ok && len < sizeof(bytes)) {
        bytes[len] = 0xff;
        ok = decode_edge(&used, len + 1) == X402_OK && used == len;
    }
    test_ok(ok, "there and back: %s", why);
}

static void
test_round_trips(void)
{
    static const enum x402_till_type plain[] = {X402_TILL_READY, X402_TILL_PING,
                                                X402_TILL_PONG};
    static const enum x402_till_type named[] = {X402_TILL_CAPTURE,
                                                X402_TILL_STARTED};

    for (size_t i = 0; i < 3; i++) {
        begin(plain[i]);
        round_trip("no body");
        begin(named[i % 2]);
        fill(frame.u.rid.byte, 16, 12);
        round_trip("names a reservation");
    }
    begin(X402_TILL_RELEASE);
    fill(frame.u.release.rid.byte, 16, 12);
    for (unsigned status = 0; status <= X402_TILL_STATUS_MAX; status += 333) {
        frame.u.release.status = (uint16_t)status;
        round_trip("RELEASE");
    }
    begin(X402_TILL_HELLO);
    fill(frame.u.hello.worker, 16, 13);
    round_trip("HELLO");
    for (size_t len = 0; len <= X402_TILL_HOLD_MAX; len += 256) {
        make_hold(len);
        round_trip("HOLD of 0, 256, 512");
    }
    make_reserve(65, 40);
    round_trip("RESERVE");
    frame.u.reserve.method = X402_METHOD_PERMIT2_UPTO;
    fill(frame.u.reserve.facilitator.byte, 20, 14);
    frame.u.reserve.sponsor.kind = X402_SPONSOR_EIP2612;
    frame.u.reserve.sponsor.len = X402_SPONSOR_MAX;
    fill(frame.u.reserve.sponsor.data, X402_SPONSOR_MAX, 15);
    round_trip("RESERVE of upto with a permit");
    make_reserve(1, 0);
    round_trip("RESERVE, smallest");
    make_reserve(X402_SIGNATURE_MAX, X402_URL_MAX - 1);
    round_trip("RESERVE, largest");
    make_reserved(X402_OK, false);
    round_trip("RESERVED");
    make_reserved(X402_OK, true);
    round_trip("RESERVED and settled");
    make_reserved(X402_ERR_PENDING, true);
    round_trip("RESERVED: pending with its transaction");
    make_reserved(X402_ERR_INTERNAL, false);
    round_trip("RESERVED: the last error");
    for (int end = X402_TILL_END_COMPLETE; end <= X402_TILL_END_SERVER; end++) {
        begin(X402_TILL_DONE);
        frame.u.done.end = (enum x402_till_end)end;
        round_trip("DONE");
    }
    begin(X402_TILL_CAPTURE);
    frame.u.capture.has_charge = true;
    round_trip("CAPTURE of nothing");
    frame.u.capture.charge = x402_amount_of(2999);
    round_trip("CAPTURE of a part");
    begin(X402_TILL_ACK);
    frame.u.ack.err = X402_ERR_UNKNOWN_RESERVATION;
    round_trip("ACK");
}

static void
test_lightning_round_trips(void)
{
    make_reserved(X402_OK, true);
    frame.u.reserved.network = X402_LN_REGTEST;
    frame.u.reserved.amount.value = 21000;
    round_trip("RESERVED, by Lightning");
    make_issue(11, 40);
    round_trip("ISSUE");
    make_issue(X402_TILL_REALM_MAX - 1, X402_URL_MAX - 1);
    round_trip("ISSUE, largest");
    make_issued(300, 700);
    round_trip("ISSUED");
    make_issued(X402_TILL_BOLT11_MAX - 1, X402_TILL_LINE_MAX - 1);
    round_trip("ISSUED, largest");
    make_issue_refused();
    round_trip("ISSUED: not now");
    make_proof(X402_TILL_LNBTC, 0);
    round_trip("PROOF of lnbtc");
    make_proof(X402_TILL_MPP, X402_TILL_TOKEN_MAX);
    round_trip("PROOF, largest");
}

static void
test_fields(void)
{
    size_t used;
    const struct x402_till_reserve *in = &frame.u.reserve;
    const struct x402_till_reserve *out = &back.u.reserve;

    make_reserve(65, 40);
    test_ok(decode_edge(&used, encode()) == X402_OK &&
                out->flags == in->flags && out->wire == in->wire &&
                out->chain_id == in->chain_id &&
                out->auth.valid_after_s == in->auth.valid_after_s &&
                out->auth.valid_before_s == in->auth.valid_before_s &&
                x402_amount_cmp(&out->auth.value, &in->auth.value) == 0 &&
                x402_address_eq(&out->auth.from, &in->auth.from) &&
                x402_address_eq(&out->auth.to, &in->auth.to) &&
                x402_address_eq(&out->asset, &in->asset) &&
                memcmp(out->auth.nonce, in->auth.nonce, 32) == 0 &&
                memcmp(out->fingerprint, in->fingerprint, 32) == 0 &&
                out->signature_len == 65 &&
                memcmp(out->signature, in->signature, 65) == 0 &&
                strcmp(out->resource, in->resource) == 0,
            "every field of RESERVE arrives");
}

static void
test_bytes_on_the_wire(void)
{
    static const uint8_t ack[] = {0, 0, 0, 14, 3, 10, 0, 0, 1,
                                  2, 3, 4, 5,  6, 7,  8, 0, 13};

    begin(X402_TILL_ACK);
    frame.u.ack.err = X402_ERR_EXPIRED;
    test_ok(encode() == sizeof(ack) && memcmp(bytes, ack, sizeof(ack)) == 0,
            "ACK is these 18 bytes");
}

/* What means nothing is written as zeros, whatever the caller left there. */
static void
test_canonical(void)
{
    size_t used;

    make_reserved(X402_OK, true);
    frame.u.reserved.err = X402_ERR_FUNDS;
    frame.u.reserved.has_transaction = false;
    test_ok(decode_edge(&used, encode()) == X402_OK && used > 0 &&
                back.u.reserved.rid.byte[0] == 0 &&
                back.u.reserved.transaction[0] == 0,
            "a refusal carries no reservation id");
}

/* Offsets into an encoded frame. */
enum {
    AT_LENGTH = 0,
    AT_VERSION = 4,
    AT_TYPE = 5,
    AT_ZERO = 6,
    AT_BODY = 16,
    RESERVE_FLAGS = AT_BODY,
    RESERVE_WIRE = AT_BODY + 4,
    RESERVE_METHOD = AT_BODY + 5,
    RESERVE_SPONSOR =
        AT_BODY + 4 + 1 + 1 + 8 + 20 + 20 + 20 + 20 + 32 + 16 + 32,
    RESERVE_SIGNATURE_LEN = RESERVE_SPONSOR + 3 + 32,
    RESERVED_RID = AT_BODY + 2,
    RESERVED_REDEEMED = AT_BODY + 18,
    RESERVED_SETTLED = AT_BODY + 19,
    RESERVED_HAS = AT_BODY + 20,
    RESERVED_TX = AT_BODY + 21,
};

static void
refused_with(const char *why, size_t len, size_t at, uint8_t value)
{
    size_t used;
    uint8_t was = bytes[at];
    bool fine = decode_edge(&used, len) == X402_OK && used == len;

    bytes[at] = value;
    test_ok(fine && decode_edge(&used, len) == X402_ERR_SYNTAX && used == 0,
            "closes: %s", why);
    bytes[at] = was;
}

static bool
refused(size_t len)
{
    size_t used;

    return len > 0 && decode_edge(&used, len) == X402_ERR_SYNTAX && used == 0;
}

static void
test_refusals(void)
{
    size_t len;

    make_reserve(65, 40);
    len = encode();
    refused_with("version 0", len, AT_VERSION, 0);
    refused_with("version 1", len, AT_VERSION, 1);
    refused_with("version 2", len, AT_VERSION, 2);
    refused_with("version 4", len, AT_VERSION, 4);
    refused_with("type 0", len, AT_TYPE, 0);
    refused_with("type 16", len, AT_TYPE, 16);
    refused_with("another frame's type", len, AT_TYPE, X402_TILL_CAPTURE);
    refused_with("zero is not zero", len, AT_ZERO, 1);
    refused_with("zero is not zero", len, AT_ZERO + 1, 1);
    refused_with("length of 16 MiB", len, AT_LENGTH, 1);
    refused_with("length one short", len, AT_LENGTH + 3,
                 (uint8_t)(bytes[AT_LENGTH + 3] - 1));
    refused_with("unknown flag", len, RESERVE_FLAGS + 3, 8);
    refused_with("unknown flag, high", len, RESERVE_FLAGS, 0x80);
    refused_with("wire 0", len, RESERVE_WIRE, 0);
    refused_with("wire 5", len, RESERVE_WIRE, 5);
    refused_with("method 3", len, RESERVE_METHOD, 3);
    refused_with("sponsor 3", len, RESERVE_SPONSOR, 3);
    refused_with("a sponsor without its data", len, RESERVE_SPONSOR, 1);
    refused_with("signature longer than the frame", len,
                 RESERVE_SIGNATURE_LEN + 1, 255);
    refused_with("signature shorter than written", len,
                 RESERVE_SIGNATURE_LEN + 1, 64);
    refused_with("signature of more than 2048", len, RESERVE_SIGNATURE_LEN,
                 0x80);
    refused_with("NUL inside the resource", len, len - 1, 0);

    make_reserved(X402_OK, true);
    len = encode();
    refused_with("a refusal with a reservation id", len, AT_BODY + 1,
                 X402_ERR_FUNDS);
    refused_with("an error past the table", len, AT_BODY + 1, X402_ERR_COUNT);
    refused_with("redeemed 2", len, RESERVED_REDEEMED, 2);
    refused_with("settled 2", len, RESERVED_SETTLED, 2);
    refused_with("has 2", len, RESERVED_HAS, 2);
    refused_with("a transaction that is said to be absent", len, RESERVED_HAS,
                 0);
    make_reserved(X402_ERR_FUNDS, false);
    len = encode();
    refused_with("one bit of a reservation id", len, RESERVED_RID + 15, 1);
    refused_with("one bit of a transaction", len, RESERVED_TX + 31, 1);

    make_hold(2);
    len = encode();
    refused_with("HOLD of more than it has", len, AT_BODY + 1, 3);
    refused_with("HOLD of less than it has", len, AT_BODY + 1, 1);
    begin(X402_TILL_DONE);
    frame.u.done.end = X402_TILL_END_CLIENT;
    len = encode();
    refused_with("end 0", len, len - 1, 0);
    refused_with("end 4", len, len - 1, 4);
    begin(X402_TILL_CAPTURE);
    len = encode();
    refused_with("a charge that is said to be absent", len, len - 1, 1);
    refused_with("has a charge 2", len, AT_BODY + 16, 2);
    begin(X402_TILL_ACK);
    len = encode();
    refused_with("ACK with an error past the table", len, len - 1,
                 X402_ERR_COUNT);
}

static void
test_lightning_refusals(void)
{
    size_t len;

    make_issue(0, 0);
    len = encode();
    refused_with("ISSUE for no dialect", len, AT_BODY + 16, 0);
    refused_with("ISSUE for an unknown dialect", len, AT_BODY + 16, 16);
    refused_with("ISSUE in an unknown unit", len, AT_BODY + 17, 3);
    make_issued(1, 0);
    frame.u.issued.err = X402_ERR_LN_ISSUANCE;
    test_ok(refused(encode()), "closes: refused, and an invoice all the same");
    make_issued(0, 0);
    test_ok(refused(encode()), "closes: ISSUED without an invoice");
    make_proof(X402_TILL_LNBTC, 0);
    len = encode();
    refused_with("PROOF in two dialects", len, AT_BODY, 3);
    refused_with("PROOF in none", len, AT_BODY, 0);
    make_reserved(X402_OK, true);
    frame.u.reserved.network = X402_LN_REGTEST;
    test_ok(refused(encode()), "closes: by Lightning, for nothing");
    make_issue(X402_TILL_REALM_MAX, 0);
    test_ok(encode() == 0, "a realm without its NUL is not written");
}

/* A signature of length 0 and a HOLD of 513, which encode cannot write. */
static void
test_refusals_by_hand(void)
{
    size_t len, used;

    make_reserve(1, 0);
    len = encode();
    bytes[RESERVE_SIGNATURE_LEN + 1] = 0;
    memmove(bytes + len - 3, bytes + len - 2, 2);
    bytes[AT_LENGTH + 3] = (uint8_t)(bytes[AT_LENGTH + 3] - 1);
    test_ok(decode_edge(&used, len - 1) == X402_ERR_SYNTAX,
            "closes: a signature of no bytes");

    make_hold(512);
    len = encode();
    bytes[AT_BODY + 1] = 1; /* 513 */
    bytes[AT_LENGTH + 3] = (uint8_t)(bytes[AT_LENGTH + 3] + 16);
    test_ok(decode_edge(&used, len + 16) == X402_ERR_SYNTAX,
            "closes: HOLD of 513");
}

static void
test_lengths(void)
{
    static const struct {
        const char *why;
        uint32_t length;
        enum x402_err err;
    } rows[] = {
        {"0", 0, X402_ERR_SYNTAX},
        {"11", 11, X402_ERR_SYNTAX},
        {"12", 12, X402_OK},
        {"the largest", X402_TILL_FRAME_MAX - 4, X402_OK},
        {"one more", X402_TILL_FRAME_MAX - 3, X402_ERR_SYNTAX},
        {"2^32-1", UINT32_MAX, X402_ERR_SYNTAX},
    };
    size_t used;

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        for (unsigned b = 0; b < 4; b++)
            bytes[b] = (uint8_t)(rows[i].length >> (24 - 8 * b));
        test_ok(decode_edge(&used, 4) == rows[i].err && used == 0,
                "length alone: %s", rows[i].why);
    }
}

static void
test_encode_refuses(void)
{
    make_reserve(65, X402_URL_MAX);
    test_ok(encode() == 0, "a resource without its NUL is not written");
    make_reserve(65, 0);
    frame.u.reserve.signature_len = X402_SIGNATURE_MAX + 1;
    test_ok(encode() == 0, "a signature that is too long is not written");
    make_hold(0);
    frame.u.hold.len = X402_TILL_HOLD_MAX + 1;
    test_ok(encode() == 0, "a HOLD that is too long is not written");
    begin((enum x402_till_type)99);
    test_ok(encode() == 0, "an unknown type is not written");
}

/* What fuzzing begins with must be frames of today: those of a version before
 * are all refused at their fifth byte. */
static void
test_corpus(void)
{
    DIR *dir = opendir(X402_TEST_CORPUS "/till");
    unsigned types = 0;
    struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char path[512];
        size_t len, used = 0;
        FILE *file;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), X402_TEST_CORPUS "/till/%s",
                 entry->d_name);
        file = fopen(path, "rb");
        len = file != NULL ? fread(bytes, 1, sizeof(bytes), file) : 0;
        if (file != NULL)
            fclose(file);
        test_ok(x402_till_decode(&back, &used, bytes, len) == X402_OK &&
                    used == len,
                "the corpus has a frame: %s", entry->d_name);
        types |= 1u << back.type;
    }
    if (dir != NULL)
        closedir(dir);
    test_ok(types == 0xfffe, "and one of every type");
}

int
main(void)
{
    test_corpus();
    test_round_trips();
    test_lightning_round_trips();
    test_fields();
    test_bytes_on_the_wire();
    test_canonical();
    test_refusals();
    test_lightning_refusals();
    test_refusals_by_hand();
    test_lengths();
    test_encode_refuses();
    return test_done();
}
