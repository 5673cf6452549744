/* SPDX-License-Identifier: Apache-2.0 */
/* What a node says, what its macaroon allows, what a bitcoin costs, and how
 * often somebody may ask. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lightning/allowance.h"
#include "lightning/lnd_read.h"
#include "lightning/macaroon.h"
#include "lightning/rate.h"
#include "lightning/secret.h"
#include "test.h"

#define HASH "AAECAwQFBgcICQABAgMEBQYHCAkAAQIDBAUGBwgJAQI="

static json_t *
parse(const char *text)
{
    return json_loads(text, JSON_DECODE_ANY, NULL);
}

/* -- invoices -- */

static void
test_states(void)
{
    static const struct {
        const char *why, *state, *paid, *index;
        enum lnd_state is;
    } rows[] = {
        {"open", "\"OPEN\"", "\"0\"", "\"0\"", LND_OPEN},
        {"settled", "\"SETTLED\"", "\"21000\"", "\"7\"", LND_SETTLED},
        {"canceled", "\"CANCELED\"", "\"0\"", "\"0\"", LND_CANCELED},
        {"accepted is not settled", "\"ACCEPTED\"", "\"0\"", "\"0\"",
         LND_ACCEPTED},
        {"a new state", "\"SETTLED_SOON\"", "\"0\"", "\"0\"", LND_UNKNOWN},
        {"lower case", "\"settled\"", "\"21000\"", "\"7\"", LND_UNKNOWN},
        {"a number", "1", "\"21000\"", "\"7\"", LND_UNKNOWN},
        {"null", "null", "\"21000\"", "\"7\"", LND_UNKNOWN},
        {"amount as a number", "\"SETTLED\"", "21000", "\"7\"", LND_UNKNOWN},
        {"amount below zero", "\"SETTLED\"", "\"-1\"", "\"7\"", LND_UNKNOWN},
        {"amount past all money", "\"SETTLED\"", "\"2100000000000000001\"",
         "\"7\"", LND_UNKNOWN},
        {"index as a number", "\"SETTLED\"", "\"21000\"", "7", LND_UNKNOWN},
        {"index past 63 bits", "\"SETTLED\"", "\"1\"",
         "\"9223372036854775808\"", LND_UNKNOWN},
    };
    struct lnd_invoice out;
    char text[512];

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        json_t *json;

        snprintf(text, sizeof text,
                 "{\"r_hash\":\"" HASH "\",\"state\":%s,\"amt_paid_msat\":%s,"
                 "\"add_index\":\"3\",\"settle_index\":%s,\"settled\":true}",
                 rows[i].state, rows[i].paid, rows[i].index);
        json = parse(text);
        test_ok(lnd_read_invoice(&out, json) == (rows[i].is != LND_UNKNOWN) &&
                    out.state == rows[i].is,
                "state: %s", rows[i].why);
        json_decref(json);
    }
}

static void
test_missing(void)
{
    static const char *const members[] = {"r_hash", "state", "amt_paid_msat",
                                          "add_index", "settle_index"};
    struct lnd_invoice out;

    for (size_t i = 0; i < TEST_LEN(members); i++) {
        json_t *json = parse("{\"r_hash\":\"" HASH "\",\"state\":\"SETTLED\","
                             "\"amt_paid_msat\":\"1\",\"add_index\":\"3\","
                             "\"settle_index\":\"1\"}");

        test_ok(lnd_read_invoice(&out, json), "whole");
        json_object_del(json, members[i]);
        test_ok(!lnd_read_invoice(&out, json) && out.state == LND_UNKNOWN,
                "without %s: unknown", members[i]);
        json_decref(json);
    }
    test_ok(!lnd_read_invoice(&out, NULL), "nothing: unknown");
}

static void
test_held(void)
{
    static const struct {
        const char *htlcs;
        uint64_t until;
    } rows[] = {
        {"", 0},
        {",\"htlcs\":7", 0},
        {",\"htlcs\":[]", 0},
        {",\"htlcs\":[{\"state\":\"ACCEPTED\",\"expiry_height\":90},"
         "{\"state\":\"ACCEPTED\",\"expiry_height\":80},"
         "{\"state\":\"CANCELED\",\"expiry_height\":1}]",
         80},
        {",\"htlcs\":[{\"state\":\"ACCEPTED\",\"expiry_height\":90},"
         "{\"state\":\"ACCEPTED\"}]",
         0},
        {",\"htlcs\":[{\"state\":\"ACCEPTED\",\"expiry_height\":\"90\"}]", 0},
        {",\"htlcs\":[{\"state\":\"ACCEPTED\",\"expiry_height\":-5}]", 0},
    };
    struct lnd_invoice out;
    char text[512];

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        json_t *json;

        snprintf(text, sizeof text,
                 "{\"r_hash\":\"" HASH "\",\"state\":\"ACCEPTED\","
                 "\"amt_paid_msat\":\"0\",\"add_index\":\"3\","
                 "\"settle_index\":\"0\"%s}",
                 rows[i].htlcs);
        json = parse(text);
        test_ok(lnd_read_invoice(&out, json) && out.state == LND_ACCEPTED &&
                    out.held_until == rows[i].until,
                "held: %s", rows[i].htlcs);
        json_decref(json);
    }
}

static void
test_info(void)
{
    static const char key[] = "\"identity_pubkey\":\"0279be667ef9dcbbac55a06295"
                              "ce870b07029bfcdb2dce28d959f2815b16f81798\"";
    static const struct {
        const char *why, *rest;
        bool good, synced;
    } rows[] = {
        {"regtest",
         "\"synced_to_chain\":true,\"chains\":[{\"network\":\"regtest\"}]",
         true, true},
        {"behind",
         "\"synced_to_chain\":false,\"chains\":[{\"network\":\"regtest\"}]",
         true, false},
        {"synced as text",
         "\"synced_to_chain\":\"true\",\"chains\":[{\"network\":\"regtest\"}]",
         false, false},
        {"no chain", "\"synced_to_chain\":true,\"chains\":[]", false, false},
        {"a foreign chain",
         "\"synced_to_chain\":true,\"chains\":[{\"network\":\"litecoin\"}]",
         false, false},
    };
    struct lnd_info out;
    char text[512];

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        json_t *json;

        snprintf(text, sizeof text, "{%s,%s}", key, rows[i].rest);
        json = parse(text);
        test_ok(lnd_read_info(&out, json) == rows[i].good &&
                    (!rows[i].good ||
                     (out.synced == rows[i].synced &&
                      out.network == X402_LN_REGTEST && out.node[0] == 2)),
                "info: %s", rows[i].why);
        json_decref(json);
    }
}

static void
test_active(void)
{
    static const struct {
        const char *text;
        bool active;
    } rows[] = {
        {"{\"state\":\"SERVER_ACTIVE\"}", true},
        {"{\"state\":\"RPC_ACTIVE\"}", false},
        {"{\"state\":\"LOCKED\"}", false},
        {"{\"state\":3}", false},
        {"[]", false},
    };

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        json_t *json = parse(rows[i].text);

        test_ok(lnd_read_active(json) == rows[i].active, "state %s",
                rows[i].text);
        json_decref(json);
    }
}

/* -- macaroons -- */

struct bytes {
    uint8_t at[512];
    size_t len;
};

static void
put(struct bytes *out, uint8_t type, const void *data, size_t len)
{
    out->at[out->len++] = type;
    out->at[out->len++] = (uint8_t)len; /* below 128 */
    memcpy(out->at + out->len, data, len);
    out->len += len;
}

/* "entity action entity action .." */
static struct bytes
macaroon_for(const char *operations)
{
    struct bytes out = {.at = {2}, .len = 1}, id = {.at = {3}, .len = 1};
    char copy[256], *at = copy;
    const uint8_t signature[32] = {0};

    snprintf(copy, sizeof copy, "%s", operations);
    put(&id, 1 << 3 | 2, "nonce", 5);
    put(&id, 2 << 3 | 2, "0", 1);
    for (char *entity; (entity = strsep(&at, " ")) != NULL;) {
        struct bytes op = {.len = 0};
        char *action = strsep(&at, " ");

        put(&op, 1 << 3 | 2, entity, strlen(entity));
        put(&op, 2 << 3 | 2, action, strlen(action));
        put(&id, 3 << 3 | 2, op.at, op.len);
    }
    put(&out, 2, id.at, id.len);
    out.at[out.len++] = 0;
    out.at[out.len++] = 0;
    put(&out, 6, signature, sizeof signature);
    return out;
}

static void
test_operations(void)
{
    static const struct {
        const char *operations;
        bool modest;
    } rows[] = {
        {"invoices read invoices write", true},
        {"address read invoices write onchain read", true},
        {"uri /lnrpc.Lightning/AddInvoice info read", true},
        {"uri /lnrpc.Lightning/SendPaymentSync", false},
        {"invoices write offchain read", false},
        {"invoices write offchain write", false},
        {"onchain write", false},
        {"info write", false},
        {"macaroon generate", false},
        {"signer generate", false},
        {"invoices generate", false},
        {"something new", false},
    };
    char what[128];

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct bytes in = macaroon_for(rows[i].operations);

        test_ok(macaroon_is_modest(in.at, in.len, what, sizeof what) ==
                    rows[i].modest,
                "%s: %s", rows[i].modest ? "modest" : "too much",
                rows[i].operations);
    }
}

static void
test_unreadable(void)
{
    struct bytes in = macaroon_for("invoices write");
    char what[128];

    for (size_t len = 0; len < in.len; len++)
        if (macaroon_is_modest(in.at, len, what, sizeof what))
            test_ok(false, "cut at %zu", len);
    in.at[3] = 2; /* the identifier's version */
    test_ok(!macaroon_is_modest(in.at, in.len, what, sizeof what),
            "another version is not read");
    test_ok(!macaroon_is_modest((const uint8_t *)"text", 4, what, sizeof what),
            "text is no macaroon");
}

/* -- the rate -- */

static void
test_conversion(void)
{
    static const struct {
        uint64_t price;
        unsigned decimals;
        uint64_t dollars;
        uint64_t msat;
    } rows[] = {
        {1000000, 6, 100000, 1000000}, /* 1 USD at 100000: 1000 sat */
        {1, 6, 100000, 1},             /* exactly */
        {1, 6, 99999, 2},              /* rounded up */
        {1000, 6, 60000, 1667},        /* 0.001 USD: 1666.67 */
        {1, 0, 1, 100000000000},       /* a bitcoin for a dollar */
        {1000000000000000000u, 18, 50000, 2000000},
        {UINT64_MAX, 0, 1, 0}, /* more than there is */
        {0, 6, 60000, 0},
        {1, 19, 60000, 0},
    };
    struct x402_msat out;

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct x402_amount price = x402_amount_of(rows[i].price);
        enum x402_err err = rate_convert(&out, &price, rows[i].decimals,
                                         rows[i].dollars * RATE_UNIT);

        test_ok(rows[i].msat == 0 ? err == X402_ERR_RANGE
                                  : err == X402_OK && out.value == rows[i].msat,
                "conversion %zu", i);
    }
    test_ok(rate_convert(&out, &(struct x402_amount){{1}}, 6, 0) ==
                X402_ERR_RANGE,
            "no rate, no price");
}

static void
test_rate_read(void)
{
    static const struct {
        const char *json, *field;
        uint64_t rate; /* 0: none */
    } rows[] = {
        {"{\"data\":{\"amount\":\"61234.56\"}}", "data.amount", 6123456000000},
        {"{\"USD\":61234}", "USD", 6123400000000},
        {"{\"bitcoin\":{\"usd\":61234.5}}", "bitcoin.usd", 6123450000000},
        {"{\"result\":[{\"c\":[\"60000.10000\"]}]}", "result.0.c.0",
         6000010000000},
        {"{\"a\":\"1.123456789999\"}", "a", 112345678},
        {"\"60000\"", "", 6000000000000},
        {"{\"a\":\"0\"}", "a", 0},
        {"{\"a\":\"-5\"}", "a", 0},
        {"{\"a\":\"NaN\"}", "a", 0},
        {"{\"a\":\"1e5\"}", "a", 0},
        {"{\"a\":null}", "a", 0},
        {"{\"a\":{}}", "a", 0},
        {"{\"a\":\"60000\"}", "b", 0},
        {"{\"a\":\"60000\"}", "a.b", 0},
        {"{\"a\":\"60000\"}", "..", 0},
    };

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        json_t *json = parse(rows[i].json);
        uint64_t rate = 0;
        bool good = rate_read(&rate, json, rows[i].field);

        test_ok(good == (rows[i].rate != 0) && (!good || rate == rows[i].rate),
                "rate %s in %s", rows[i].field, rows[i].json);
        json_decref(json);
    }
}

/* -- the allowance -- */

static void
test_allowance(void)
{
    static struct allowance a;
    const uint8_t one[16] = {1}, other[16] = {2};
    uint64_t now = 1700000000000, wait;
    int taken = 0;

    allowance_init(&a, 60, 5);
    while (allowance_take(&a, one, now) == 0)
        taken++;
    test_ok(taken == 5, "a full bucket");
    test_ok(allowance_take(&a, other, now) == 0, "another peer has its own");
    wait = allowance_take(&a, one, now);
    test_ok(wait == 1000, "one comes back in a second");
    test_ok(allowance_take(&a, one, now + 999) == 1 &&
                allowance_take(&a, one, now + 1000) == 0 &&
                allowance_take(&a, one, now + 1000) > 0,
            "then there is one");
    test_ok(allowance_take(&a, one, now - 3600000) <= 1000,
            "a clock set back locks nobody out");
}

/* -- the secret -- */

static void
test_secret(void)
{
    char dir[] = "/tmp/x402-secret-XXXXXX", path[64], error[256];
    struct secret a, b;
    int fd;

    test_ok(mkdtemp(dir) != NULL, "a folder");
    snprintf(path, sizeof path, "%s/secret", dir);
    test_ok(secret_open(&a, path, error, sizeof error) &&
                secret_open(&b, path, error, sizeof error) &&
                memcmp(&a, &b, sizeof a) == 0 && memcmp(a.l402, a.mpp, 32) != 0,
            "made once, then read");
    chmod(path, 0640);
    test_ok(!secret_open(&b, path, error, sizeof error),
            "not when others can read it");
    chmod(path, 0600);
    fd = open(path, O_WRONLY | O_TRUNC);
    test_ok(fd >= 0 && write(fd, "short", 5) == 5, "cut short");
    close(fd);
    test_ok(!secret_open(&b, path, error, sizeof error),
            "not filled up, not replaced");
    unlink(path);
    test_ok(secret_open(&b, path, error, sizeof error) &&
                memcmp(&a, &b, sizeof a) != 0,
            "another file, another secret");
    unlink(path);
    rmdir(dir);
}

int
main(void)
{
    test_states();
    test_missing();
    test_held();
    test_info();
    test_active();
    test_operations();
    test_unreadable();
    test_conversion();
    test_rate_read();
    test_allowance();
    test_secret();
    return test_done();
}
