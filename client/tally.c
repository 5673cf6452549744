/* SPDX-License-Identifier: Apache-2.0 */
/* Counting the journal. */
#include <string.h>

#include "money.h"
#include "tally.h"

struct count {
    struct tally *tally;
    const struct tally_case *question;
};

static void
add_to(struct tally *tally, struct tally_sum *sum,
       const struct x402_amount *amount)
{
    if (!x402_amount_add(&sum->spent, &sum->spent, amount))
        tally->overflow = true;
}

static void
count_spent(struct tally *tally, const struct tally_case *question,
            const struct record *record, bool same_origin)
{
    const struct x402_network *network = x402_network_by_id(record->chain_id);
    const struct x402_asset *asset =
        x402_asset_by_address(record->chain_id, &record->asset);
    uint64_t age = record_age_s(&record->created, &question->now);
    struct x402_amount scaled;

    /* a token that an older version knew: its worth is unknown, so no budget
     * can be said to hold */
    if (network == NULL || asset == NULL ||
        !money_scale(&scaled, &record->auth.value, asset)) {
        tally->overflow = true;
        return;
    }
    if (network->testnet != question->testnet)
        return;
    for (size_t i = 0; i < TALLY_SUMS; i++) {
        struct tally_sum *sum = &tally->sum[i];

        if (age < sum->window_s && (same_origin || !sum->of_origin))
            add_to(tally, sum, &scaled);
    }
}

/* Newest first: the row of undelivered ones ends at the first delivered one.
 * What another process is still at work on says nothing yet. */
static void
count_undelivered(struct tally *tally, const struct tally_case *question,
                  const struct journal_seen *seen)
{
    if (seen->alive || tally->delivered ||
        record_age_s(&seen->record->created, &question->now) >=
            question->undelivered_window_s)
        return;
    switch (seen->record->state) {
    case RECORD_ACCEPTED:
    case RECORD_DONE:
        tally->delivered = true;
        return;
    case RECORD_SIGNED:
    case RECORD_REFUSED:
    case RECORD_UNKNOWN:
    case RECORD_FAILED:
        tally->undelivered++;
        return;
    case RECORD_VOID:
        return;
    }
}

static bool
is_same_request(const struct tally_case *question, const struct record *record)
{
    return question->url != NULL && strcmp(record->url, question->url) == 0 &&
           strcmp(record->method, question->method) == 0 &&
           memcmp(record->body32, question->body32, 32) == 0 &&
           x402_address_eq(&record->auth.from, &question->payer);
}

/* How long ago the authorization has expired; 0: it has not.  Measured as an
 * age, so that a wall clock that is set forward ends nothing. */
static uint64_t
age_after_end(const struct tally_case *question, const struct record *record)
{
    uint64_t age = record_age_s(&record->created, &question->now);
    uint64_t lifetime = 0;

    if (record->auth.valid_before_s > record->created.wall_s)
        lifetime = record->auth.valid_before_s - record->created.wall_s;
    return age > lifetime ? age - lifetime : 0;
}

/* The newest one whose request failed at the server. */
static void
note_failed(struct tally *tally, const struct tally_case *question,
            const struct journal_seen *seen)
{
    if (tally->failed || seen->record->state != RECORD_FAILED ||
        age_after_end(question, seen->record) > question->expired_margin_s)
        return;
    tally->failed = true;
    memcpy(tally->failed_path, seen->path, strlen(seen->path) + 1);
}

static void
note_unresolved(struct tally *tally, const struct tally_case *question,
                const struct journal_seen *seen)
{
    const struct record *record = seen->record;

    if (tally->unresolved ||
        age_after_end(question, record) > question->unresolved_after_s)
        return;
    if (record_is_unresolved(record->state))
        tally->unresolved = true;
    else if (record->state == RECORD_ACCEPTED && !tally->partial &&
             !tally->failed)
        tally->partial = true;
    else
        return;
    memcpy(tally->path, seen->path, strlen(seen->path) + 1);
}

static bool
visit(void *owner, const struct journal_seen *seen)
{
    struct count *count = owner;
    const struct tally_case *question = count->question;
    bool same_origin = strcmp(seen->record->origin, question->origin) == 0;

    if (seen->record->state == RECORD_VOID)
        return true;
    count_spent(count->tally, question, seen->record, same_origin);
    if (same_origin) {
        count_undelivered(count->tally, question, seen);
    }
    if (same_origin && !seen->alive &&
        is_same_request(question, seen->record)) {
        note_unresolved(count->tally, question, seen);
        note_failed(count->tally, question, seen);
    }
    return true;
}

bool
tally_take(struct tally *out, const struct journal *journal,
           const struct tally_case *question)
{
    struct count count = {out, question};

    for (size_t i = 0; i < TALLY_SUMS; i++)
        out->sum[i].spent = x402_amount_of(0);
    out->overflow = out->delivered = false;
    out->unresolved = out->partial = out->failed = false;
    out->undelivered = 0;
    return journal_scan(journal, false, visit, &count);
}
