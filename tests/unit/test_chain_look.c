/* SPDX-License-Identifier: Apache-2.0 */
/* The verdicts, and the small tables the chain keeps. */
#include "chain/code.h"
#include "chain/idset.h"
#include "chain/later.h"
#include "chain/look.h"
#include "chain/quantity.h"
#include "chain/shown.h"
#include "crowd.h"
#include "test.h"

/* -- verdicts: value 10, valid in (100, 200) -- */

static const struct {
    const char *why;
    struct look_seen seen;
    uint64_t balance, time_s;
    enum x402_err want;
} verdicts[] = {
    {"good", {.token = true, .tried = true, .moved = true}, 10, 150, X402_OK},
    {"no token there", {.tried = true, .moved = true}, 10, 150, X402_ERR_ASSET},
    {"used",
     {.token = true, .used = true, .tried = true},
     10,
     150,
     X402_ERR_NONCE_USED},
    {"used, and the token moves all the same",
     {.token = true, .used = true, .tried = true, .moved = true},
     10,
     150,
     X402_ERR_NONCE_USED},
    {"too little", {.token = true, .tried = true}, 9, 150, X402_ERR_FUNDS},
    {"too little, and it moves all the same",
     {.token = true, .tried = true, .moved = true},
     9,
     150,
     X402_ERR_FUNDS},
    {"first second",
     {.token = true, .tried = true, .moved = true},
     10,
     101,
     X402_OK},
    {"validAfter itself",
     {.token = true, .tried = true},
     10,
     100,
     X402_ERR_NOT_YET_VALID},
    {"last second",
     {.token = true, .tried = true, .moved = true},
     10,
     199,
     X402_OK},
    {"validBefore itself",
     {.token = true, .tried = true},
     10,
     200,
     X402_ERR_EXPIRED},
    {"the token says signature",
     {.token = true, .tried = true, .bad_signature = true},
     10,
     150,
     X402_ERR_SIGNATURE},
    {"refused without a reason",
     {.token = true, .tried = true},
     10,
     150,
     X402_ERR_SIMULATION},
    {"only looked at", {.token = true}, 10, 150, X402_OK},
};

static void
judging(void)
{
    struct x402_authorization auth = {
        .value = {{10}}, .valid_after_s = 100, .valid_before_s = 200};
    struct look_payment payment = {.auth = &auth};

    for (size_t i = 0; i < TEST_LEN(verdicts); i++) {
        struct look_seen seen = verdicts[i].seen;

        seen.balance = x402_amount_of(verdicts[i].balance);
        test_ok(look_judge(&seen, &payment, verdicts[i].time_s) ==
                    verdicts[i].want,
                "%s", verdicts[i].why);
    }
}

/* -- answers of a wrong shape -- */

static void
decoding(void)
{
    static const struct x402_address token = {{1}};
    struct x402_authorization auths[3] = {0};
    struct look_payment payments[3];
    uint8_t answer[64] = {0};
    struct look_seen seen[3];
    struct look_block block;
    size_t one, two, three;
    uint8_t *data;

    for (size_t i = 0; i < 3; i++)
        payments[i] = (struct look_payment){.asset = &token,
                                            .auth = &auths[i],
                                            .signature = answer,
                                            .signature_len = sizeof answer};
    data = look_encode(&one, 1, payments, 1, true);
    free(data);
    data = look_encode(&three, 1, payments, 3, true);
    free(data);
    test_ok(three > one, "three payments are more than one");
    payments[1].shown = true;
    data = look_encode(&two, 1, payments, 3, true);
    free(data);
    test_ok(two > one && two < three, "what was shown is only read");
    data = look_encode(&three, 1, payments, 3, false);
    free(data);
    test_ok(three < two, "and nothing is tried where nothing should be");
    for (size_t len = 0; len <= sizeof answer; len += 32)
        test_ok(!look_decode(seen, &block, payments, 3, true, answer, len),
                "%zu bytes are not an answer", len);
}

/* -- quantities -- */

static const struct {
    const char *why, *json;
    bool good;
    uint64_t want;
} quantities[] = {
    {"zero", "\"0x0\"", true, 0},
    {"odd digits", "\"0x1aB\"", true, 0x1ab},
    {"leading zeros", "\"0x0001\"", true, 1},
    {"the largest", "\"0xffffffffffffffff\"", true, UINT64_MAX},
    {"one more", "\"0x10000000000000000\"", false, 0},
    {"a word",
     "\"0x0000000000000000000000000000000000000000000000000000000000"
     "000005\"",
     true, 5},
    {"67 characters",
     "\"0x00000000000000000000000000000000000000000000000000000000000000005\"",
     false, 0},
    {"nothing behind 0x", "\"0x\"", false, 0},
    {"empty", "\"\"", false, 0},
    {"no 0x", "\"10\"", false, 0},
    {"0X", "\"0X10\"", false, 0},
    {"not hex", "\"0x1g\"", false, 0},
    {"a sign", "\"0x-1\"", false, 0},
    {"a blank", "\"0x 1\"", false, 0},
    {"a number", "16", false, 0},
    {"null", "null", false, 0},
};

static void
reading_quantities(void)
{
    for (size_t i = 0; i < TEST_LEN(quantities); i++) {
        json_t *value = json_loads(quantities[i].json, JSON_DECODE_ANY, NULL);
        uint64_t got = 12345;
        bool good = quantity_u64(&got, value);

        test_ok(good == quantities[i].good &&
                    got == (good ? quantities[i].want : 12345),
                "quantity: %s", quantities[i].why);
        json_decref(value);
    }
}

/* -- tables -- */

static void
codes(void)
{
    static struct code_cache cache;
    struct x402_address a = {{1}}, b = {{2}};

    test_ok(code_find(&cache, &a, 5) == CODE_UNKNOWN, "nothing is known");
    code_keep(&cache, &a, true, 1000);
    code_keep(&cache, &b, false, 1000);
    test_ok(code_find(&cache, &a, 1000) == CODE_SOME, "has code");
    test_ok(code_find(&cache, &b, 1000) == CODE_NONE, "has none");
    test_ok(code_find(&cache, &a, 1000 + CODE_KEEP_MS - 1) == CODE_SOME,
            "kept for ten seconds");
    test_ok(code_find(&cache, &a, 1000 + CODE_KEEP_MS) == CODE_UNKNOWN,
            "and no longer");
    test_ok(code_find(&cache, &a, 0) == CODE_UNKNOWN,
            "a clock that went back keeps nothing longer");
    code_keep(&cache, &a, false, 2000);
    test_ok(code_find(&cache, &a, 2000) == CODE_NONE, "the newest word counts");
}

static void
showing(void)
{
    static struct shown shown;
    const struct shown_path path = {{{1}}, {{2}}, {{3}}};
    const struct shown_path others[] = {
        {{{4}}, {{2}}, {{3}}}, {{{1}}, {{4}}, {{3}}}, {{{1}}, {{2}}, {{4}}}};

    test_ok(!shown_has(&shown, &path, 5, 2000), "nothing was shown");
    shown_keep(&shown, &path, 1000);
    test_ok(shown_has(&shown, &path, 1000, 2000), "was shown");
    test_ok(shown_has(&shown, &path, 2999, 2000), "two seconds long");
    test_ok(!shown_has(&shown, &path, 3000, 2000), "and no longer");
    test_ok(!shown_has(&shown, &path, 999, 2000), "not before it was");
    test_ok(!shown_has(&shown, &path, 1000, 0), "an age of nothing is never");
    for (size_t i = 0; i < TEST_LEN(others); i++)
        test_ok(!shown_has(&shown, &others[i], 1000, 2000), "another %s",
                i == 0   ? "token"
                : i == 1 ? "payer"
                         : "payee");
    shown_forget(&shown, &others[0]);
    test_ok(shown_has(&shown, &path, 1000, 2000), "others are forgotten alone");
    shown_forget(&shown, &path);
    test_ok(!shown_has(&shown, &path, 1000, 2000), "forgotten");
}

static void
crowding(void)
{
    const uint64_t ms = 1000000, start = 1000000 * ms;
    struct crowd crowd = {0};
    bool any = false;

    for (uint64_t i = 0; i < CROWD_MANY - 1; i++)
        crowd_came(&crowd, start + i);
    test_ok(!crowd_is(&crowd, start + CROWD_MANY), "seven are no crowd");
    crowd_came(&crowd, start + CROWD_MANY);
    test_ok(crowd_is(&crowd, start + CROWD_MANY), "eight are");
    test_ok(crowd_is(&crowd, start + CROWD_MS * ms - 1), "for a moment");
    test_ok(!crowd_is(&crowd, start + CROWD_MS * ms), "and then no more");
    for (uint64_t i = 10; i < 50; i++) {
        crowd_came(&crowd, start + i * ms);
        any = any || crowd_is(&crowd, start + i * ms);
    }
    test_ok(!any, "one a millisecond is none");
}

static void
ids(void)
{
    struct idset set = {0};
    uint64_t seed = 42;
    static bool model[500];
    bool same = true;

    idset_remove(&set, 7);
    for (int i = 0; i < 20000; i++) {
        int64_t id = (int64_t)(test_random(&seed) % 499) + 1;

        if (test_random(&seed) % 2 == 0) {
            idset_add(&set, id);
            model[id] = true;
        } else {
            idset_remove(&set, id);
            model[id] = false;
        }
        same = same && idset_has(&set, id) == model[id];
    }
    for (int64_t id = 1; id < 500; id++)
        same = same && idset_has(&set, id) == model[id];
    test_ok(same, "a set of ids, against an array");
    test_ok(set.cap < 4096, "removed ones do not make it grow");
    idset_free(&set);
    test_ok(!idset_has(&set, 3), "empty again");
}

static void
putting_off(void)
{
    struct later *later = later_new();
    uint64_t now = 1000000;

    test_ok(!later_waits(later, 5, now), "new ones go at once");
    later_put(later, 5, X402_ERR_FUNDS, now);
    test_ok(later_waits(later, 5, now + 999), "a second");
    test_ok(!later_waits(later, 5, now + 1000), "and no longer");
    test_ok(later_reason(later, 5) == X402_ERR_FUNDS, "why");
    later_put(later, 5, X402_ERR_FUNDS, now);
    test_ok(later_waits(later, 5, now + 1999) &&
                !later_waits(later, 5, now + 2000),
            "twice as long");
    for (int i = 0; i < 40; i++)
        later_put(later, 5, X402_ERR_FUNDS, now);
    test_ok(!later_waits(later, 5, now + LATER_MOST_MS), "a minute at most");
    test_ok(!later_waits(later, 5, 0),
            "a clock that went back does not stop it");
    later_forget(later, 5);
    test_ok(!later_waits(later, 5, now) && later_len(later) == 0, "forgotten");
    for (int64_t id = 1; id < 3 * LATER_MAX; id++)
        later_put(later, id, X402_ERR_FUNDS, now);
    test_ok(later_len(later) <= LATER_MAX, "bounded");
    later_free(later);
}

int
main(void)
{
    judging();
    decoding();
    reading_quantities();
    codes();
    showing();
    crowding();
    ids();
    putting_off();
    return test_done();
}
