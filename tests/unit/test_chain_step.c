/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one account nonce, move by move: what is seen, what is done. */
#include "chain/step.h"
#include "test.h"

#define T0 1000000 /* when it was first sent, ms */
#define NONCE 7

/* A transaction that a node took at T0 while the head was at 100. */
static struct step
taken(void)
{
    struct step s = {.account_nonce = NONCE, .expires_s = 5000, .stuck_ms = T0};

    s.stuck_head = 100;
    step_sent(&s, T0);
    step_accepted(&s);
    return s;
}

static struct step
mined(void)
{
    struct step s = taken();

    step_mined(&s, 101);
    return s;
}

/* Its nonce is the account's next, no receipt, a second later. */
static struct step_view
quiet(uint64_t after_ms)
{
    return (struct step_view){
        .now_ms = T0 + after_ms,
        .head_known = true,
        .head_number = 100,
        .head_time_s = 1000,
        .final_known = true,
        .final_number = 40,
        .no_receipts = true,
        .mined_known = true,
        .mined = NONCE,
        .final_mined_known = true,
        .final_mined = NONCE,
    };
}

static void
is(enum step_action got, enum step_action want, const char *why)
{
    test_ok(got == want, "%s", why);
    if (got != want)
        printf("# got %d, want %d\n", got, want);
}

/* -- unmined -- */

static void
sending(void)
{
    struct step s = {.account_nonce = NONCE, .expires_s = 5000, .stuck_ms = T0};
    struct step_view v = quiet(0);

    s.stuck_head = 100;
    is(step_next(&s, &v), STEP_BROADCAST, "from the ledger: sent at once");
    step_sent(&s, T0);
    is(step_next(&s, &v), STEP_WAIT, "its answer is awaited");
    v = quiet(1999);
    is(step_next(&s, &v), STEP_WAIT, "no answer: not at once again");
    v = quiet(2000);
    is(step_next(&s, &v), STEP_BROADCAST, "no answer: the same bytes again");
    step_sent(&s, T0 + 2000);
    v = quiet(5999);
    is(step_next(&s, &v), STEP_WAIT, "twice as long the second time");
    v = quiet(6000);
    is(step_next(&s, &v), STEP_BROADCAST, "and again");
    s = taken();
    v = quiet(14999);
    v.mined = NONCE - 1;
    is(step_next(&s, &v), STEP_WAIT, "taken by a node: it rests");
    v = quiet(STEP_RETRY_MAX_MS);
    v.mined = NONCE - 1;
    is(step_next(&s, &v), STEP_BROADCAST,
       "pools forget: the same bytes every half minute");
    v.now_ms = 5;
    is(step_next(&s, &v), STEP_BROADCAST, "the clock went back: once more");
}

static const struct {
    const char *why;
    uint64_t after_ms, head, mined;
    bool mined_known;
    unsigned bumps;
    enum step_action want;
} stuck_rows[] = {
    {"young", 5000, 100, NONCE, true, 0, STEP_WAIT},
    {"fifteen seconds without a block", 15000, 100, NONCE, true, 0, STEP_BUMP},
    {"three blocks, six seconds", 6000, 103, NONCE, true, 0, STEP_BUMP},
    {"two blocks", 6000, 102, NONCE, true, 0, STEP_WAIT},
    {"three fast blocks", 5999, 103, NONCE, true, 0, STEP_WAIT},
    {"waits behind another nonce", 20000, 120, NONCE - 1, true, 0, STEP_WAIT},
    {"the account's nonce is unknown", 20000, 120, NONCE, false, 0, STEP_WAIT},
    {"the nonce is used: ours or not, the receipt will say", 20000, 120,
     NONCE + 1, true, 0, STEP_WAIT},
    {"bumped once: twice as long", 29000, 110, NONCE, true, 1, STEP_WAIT},
    {"bumped once, half a minute", 30000, 110, NONCE, true, 1, STEP_BUMP},
    {"bumped ten times: four minutes at most", 240000, 200, NONCE, true, 10,
     STEP_BUMP},
};

static void
stuck(void)
{
    for (size_t i = 0; i < TEST_LEN(stuck_rows); i++) {
        struct step s = taken();
        struct step_view v = quiet(stuck_rows[i].after_ms);

        s.bumps = stuck_rows[i].bumps;
        v.head_number = stuck_rows[i].head;
        v.mined = stuck_rows[i].mined;
        v.mined_known = stuck_rows[i].mined_known;
        is(step_next(&s, &v), stuck_rows[i].want, stuck_rows[i].why);
    }
}

static void
expired(void)
{
    struct step s = taken();
    struct step_view v = quiet(15000);

    v.head_time_s = 5000;
    is(step_next(&s, &v), STEP_CANCEL,
       "nothing in it can be paid any more: free the nonce");
    v.head_time_s = 4999;
    is(step_next(&s, &v), STEP_BUMP, "a second before");
    v.head_known = false;
    v.head_time_s = 9999;
    is(step_next(&s, &v), STEP_BUMP, "an unknown time is no reason to cancel");
}

static void
replaced(void)
{
    struct step s = taken();
    struct step_view v = quiet(15000);

    step_replaced(&s, v.now_ms, 100);
    is(step_next(&s, &v), STEP_BROADCAST, "a replacement is sent");
    step_sent(&s, v.now_ms);
    step_accepted(&s);
    v = quiet(15000 + 29999);
    is(step_next(&s, &v), STEP_WAIT, "and has its own time");
    v = quiet(15000 + 30000);
    is(step_next(&s, &v), STEP_BUMP, "and can be stuck too");
}

static void
receipts(void)
{
    struct step s = taken();
    struct step_view v = quiet(20000);

    v.has_receipt = true;
    v.no_receipts = false;
    is(step_next(&s, &v), STEP_TO_MINED, "a receipt comes before everything");
    v.final_mined = NONCE + 1;
    is(step_next(&s, &v), STEP_TO_MINED, "also when the nonce is final");
}

/* INV-6: nothing is given up without proof. */
static void
taken_by_another(void)
{
    struct step s = taken();
    struct step_view v = quiet(1000);

    v.mined = NONCE + 1;
    is(step_next(&s, &v), STEP_WAIT, "nonce used, not final: wait");
    v.final_mined = NONCE + 1;
    is(step_next(&s, &v), STEP_WAIT, "final once: wait");
    is(step_next(&s, &v), STEP_WAIT, "final twice: wait");
    v.no_receipts = false;
    is(step_next(&s, &v), STEP_WAIT, "a receipt was not asked: starts anew");
    v.no_receipts = true;
    is(step_next(&s, &v), STEP_WAIT, "once");
    is(step_next(&s, &v), STEP_WAIT, "twice");
    is(step_next(&s, &v), STEP_REQUEUE, "three times in a row: it is gone");
    s = taken();
    v.final_mined_known = false;
    for (int i = 0; i < 5; i++)
        is(step_next(&s, &v), STEP_WAIT, "the final count is unknown");
}

/* -- mined -- */

static void
to_final(void)
{
    struct step s = mined();
    struct step_view v = quiet(1000);

    v.block = STEP_BLOCK_SAME;
    is(step_next(&s, &v), STEP_WAIT, "mined, not final");
    v.final_number = 100;
    is(step_next(&s, &v), STEP_WAIT, "the block before is final");
    v.final_number = 101;
    is(step_next(&s, &v), STEP_TO_FINAL, "its block is final");
    v.block = STEP_BLOCK_UNKNOWN;
    is(step_next(&s, &v), STEP_WAIT, "final, but its block was not seen");
    v.block = STEP_BLOCK_SAME;
    v.final_known = false;
    is(step_next(&s, &v), STEP_WAIT, "no word about finality");
}

static void
reorg(void)
{
    struct step s = mined();
    struct step_view v = quiet(1000);

    v.block = STEP_BLOCK_OTHER;
    is(step_next(&s, &v), STEP_TO_OPEN, "another block in its place");
    v.final_number = 200;
    is(step_next(&s, &v), STEP_TO_OPEN, "even a final one");
    v.block = STEP_BLOCK_NONE;
    is(step_next(&s, &v), STEP_WAIT, "no block there: the node may be behind");
    is(step_next(&s, &v), STEP_WAIT, "twice");
    v.block = STEP_BLOCK_SAME;
    v.final_number = 40;
    is(step_next(&s, &v), STEP_WAIT, "there again");
    v.block = STEP_BLOCK_NONE;
    is(step_next(&s, &v), STEP_WAIT, "once");
    is(step_next(&s, &v), STEP_WAIT, "twice");
    is(step_next(&s, &v), STEP_TO_OPEN, "three times in a row: gone");
    step_reopened(&s, v.now_ms, 99);
    v = quiet(1000);
    is(step_next(&s, &v), STEP_BROADCAST, "the same transaction again");
}

int
main(void)
{
    sending();
    stuck();
    expired();
    replaced();
    receipts();
    taken_by_another();
    to_final();
    reorg();
    return test_done();
}
