/* SPDX-License-Identifier: Apache-2.0 */
/* See step.h. */
#include "step.h"
#include "../failpoint.h"

#include "../failpoint.h"

static uint64_t
doubled(uint64_t first, unsigned times, uint64_t most)
{
    uint64_t value = first;

    while (times-- > 0 && value < most)
        value *= 2;
    return value < most ? value : most;
}

/* -- unmined -- */

/* Only the account's next nonce can be mined; those behind it wait for it. */
static bool
is_next(const struct step *s, const struct step_view *view)
{
    return view->mined_known && view->mined == s->account_nonce;
}

static bool
is_stuck(const struct step *s, const struct step_view *view)
{
    uint64_t waited = view->now_ms - s->stuck_ms;

    if (view->now_ms < s->stuck_ms || s->sent_ms == 0)
        return false;
    if (s->bumps > 0)
        return waited >= doubled(STEP_STUCK_MS, s->bumps, STEP_STUCK_MAX_MS);
    return waited >= STEP_STUCK_MS ||
           (view->head_known && waited >= STEP_STUCK_BLOCKS_MS &&
            view->head_number >= s->stuck_head + STEP_STUCK_BLOCKS);
}

static bool
is_expired(const struct step *s, const struct step_view *view)
{
    return view->head_known && view->head_time_s >= s->expires_s;
}

static bool
wants_broadcast(const struct step *s, const struct step_view *view)
{
    uint64_t wait =
        s->accepted ? STEP_RETRY_MAX_MS
                    : doubled(STEP_RETRY_FIRST_MS, s->tries, STEP_RETRY_MAX_MS);

    return s->sent_ms == 0 || view->now_ms >= s->sent_ms + wait ||
           view->now_ms < s->sent_ms;
}

/* Proof that none of ours will be mined: at a final block the account is past
 * this nonce, and no transaction of ours has a receipt, seen several times. */
static bool
is_taken(struct step *s, const struct step_view *view)
{
    bool taken =
        view->final_mined_known && view->no_receipts &&
        (view->final_mined > s->account_nonce || mutant("silence_is_proof"));

    if (mutant("null_is_failed"))
        return view->no_receipts;

    s->taken = taken ? s->taken + 1 : 0;
    return s->taken >= STEP_SURE;
}

static enum step_action
next_open(struct step *s, const struct step_view *view)
{
    if (view->has_receipt) {
        s->taken = 0;
        return STEP_TO_MINED;
    }
    if (is_taken(s, view))
        return STEP_REQUEUE;
    if (is_next(s, view) && is_stuck(s, view))
        return is_expired(s, view) ? STEP_CANCEL : STEP_BUMP;
    return wants_broadcast(s, view) ? STEP_BROADCAST : STEP_WAIT;
}

/* -- mined -- */

/* A node that is behind does not know the block; only one that has another
 * block in its place says that ours is gone at once. */
static enum step_action
next_mined(struct step *s, const struct step_view *view)
{
    switch (view->block) {
    case STEP_BLOCK_UNKNOWN:
        return STEP_WAIT;
    case STEP_BLOCK_OTHER:
        return mutant("reorg_ignored") ? STEP_WAIT : STEP_TO_OPEN;
    case STEP_BLOCK_NONE:
        return ++s->gone >= STEP_SURE && !mutant("reorg_ignored") ? STEP_TO_OPEN
                                                                  : STEP_WAIT;
    case STEP_BLOCK_SAME:
        break;
    }
    s->gone = 0;
    if ((view->final_known && view->final_number >= s->block_number) ||
        mutant("final_at_once"))
        return STEP_TO_FINAL;
    return STEP_WAIT;
}

enum step_action
step_next(struct step *s, const struct step_view *view)
{
    switch (s->state) {
    case STEP_OPEN:
        return next_open(s, view);
    case STEP_MINED:
        return next_mined(s, view);
    }
    return STEP_WAIT;
}

/* -- carried out -- */

void
step_sent(struct step *s, uint64_t now_ms)
{
    s->sent_ms = now_ms;
    s->tries++;
}

void
step_accepted(struct step *s)
{
    s->accepted = true;
    s->tries = 0;
}

static void
begin(struct step *s, uint64_t now_ms, uint64_t head_number)
{
    s->state = STEP_OPEN;
    s->accepted = false;
    s->tries = 0;
    s->sent_ms = 0;
    s->stuck_ms = now_ms;
    s->stuck_head = head_number;
    s->taken = 0;
}

void
step_replaced(struct step *s, uint64_t now_ms, uint64_t head_number)
{
    begin(s, now_ms, head_number);
    s->bumps++;
}

void
step_mined(struct step *s, uint64_t block_number)
{
    s->state = STEP_MINED;
    s->block_number = block_number;
    s->gone = 0;
}

void
step_reopened(struct step *s, uint64_t now_ms, uint64_t head_number)
{
    begin(s, now_ms, head_number);
}
