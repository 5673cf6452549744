/* SPDX-License-Identifier: Apache-2.0 */
/* One Lightning payment. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ln_pay.h"
#include "mutant.h"
#include "terminal.h"

__attribute__((format(printf, 3, 4))) static enum client_exit
refuse(char reason[256], enum client_exit code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(reason, 256, format, arguments);
    va_end(arguments);
    return code;
}

static enum client_exit
broken(char reason[256], const char *folder)
{
    return refuse(reason, CLIENT_EXIT_STATE, "the journal %.150s: %s", folder,
                  strerror(errno));
}

/* ---- earlier ones ---- */

struct search {
    const struct ln_record *like;
    enum pay_earlier earlier;
    struct record_time now;
    char path[PATHS_MAX]; /* "": none */
};

static bool
is_of_interest(const struct search *search, const struct ln_record *record)
{
    switch (record->state) {
    case RECORD_SIGNED:
    case RECORD_UNKNOWN:
    case RECORD_FAILED:
        return search->earlier != PAY_EARLIER_IGNORE || !record->has_preimage;
    case RECORD_ACCEPTED:
        return search->earlier == PAY_EARLIER_RESUME;
    case RECORD_DONE:
    case RECORD_REFUSED:
    case RECORD_VOID:
        return false;
    }
    return false;
}

/* Whether the seller may still take its proof; measured as an age, so that a
 * wall clock that is set forward ends nothing. */
static bool
is_usable(const struct search *search, const struct ln_record *record)
{
    uint64_t life = LN_USABLE_S;

    if (record->end_s > record->created.wall_s)
        life += record->end_s - record->created.wall_s;
    return record_age_s(&record->created, &search->now) <= life;
}

static bool
find(void *owner, const struct ln_seen *seen)
{
    struct search *search = owner;
    const struct ln_record *record = seen->record, *like = search->like;

    if (seen->alive || !is_of_interest(search, record) ||
        strcmp(record->url, like->url) != 0 ||
        strcmp(record->method, like->method) != 0 ||
        memcmp(record->body32, like->body32, 32) != 0 ||
        !is_usable(search, record))
        return true;
    memcpy(search->path, seen->path, strlen(seen->path) + 1);
    return false;
}

static bool
read_again(void *owner, const struct ln_seen *seen)
{
    struct ln_payment *payment = owner;

    if (strcmp(seen->path, payment->entry.path) != 0)
        return true;
    payment->record = *seen->record;
    payment->resumed = true;
    return false;
}

static enum client_exit
take_earlier(struct ln_payment *out, const char *folder,
             enum pay_earlier earlier, char reason[256])
{
    struct search search = {&out->record, earlier, record_now(), ""};

    if (!ln_journal_scan(folder, false, find, &search))
        return broken(reason, folder);
    if (search.path[0] == '\0' || client_mutant("ln_forgets"))
        return CLIENT_EXIT_OK;
    memcpy(out->entry.path, search.path, sizeof(search.path));
    if (!ln_journal_scan(folder, false, read_again, out) || !out->resumed ||
        !journal_adopt(&out->entry, search.path))
        return broken(reason, folder);
    return CLIENT_EXIT_OK;
}

enum client_exit
ln_take_earlier(struct ln_payment *out, struct journal *journal,
                const char *folder, enum pay_earlier earlier, char reason[256])
{
    enum client_exit code;

    out->entry.fd = -1;
    out->resumed = false;
    if (!journal_lock(journal))
        return broken(reason, folder);
    code = take_earlier(out, folder, earlier, reason);
    journal_unlock(journal);
    return code;
}

/* ---- a new one ---- */

struct sum {
    const struct ln_limits *limits;
    enum x402_ln_network network;
    struct record_time now;
    struct x402_msat spent[2];
    bool overflow;
};

/* Everything that was begun counts, its fee at the most it may be, until LND
 * has said that it failed.  Networks other than mainnet count apart, as test
 * money. */
static bool
add_up(void *owner, const struct ln_seen *seen)
{
    struct sum *sum = owner;
    const struct ln_record *record = seen->record;
    uint64_t age = record_age_s(&record->created, &sum->now);

    if (record->state == RECORD_VOID || (record->network == X402_LN_MAINNET) !=
                                            (sum->network == X402_LN_MAINNET))
        return true;
    for (size_t i = 0; i < 2; i++) {
        if (age >= sum->limits->budget[i].window_s)
            continue;
        if (!x402_msat_add(&sum->spent[i], sum->spent[i], record->amount) ||
            !x402_msat_add(&sum->spent[i], sum->spent[i], record->max_fee))
            sum->overflow = true;
    }
    return true;
}

static enum client_exit
check_budgets(const struct ln_payment *payment, const char *folder,
              const struct ln_limits *limits, char reason[256])
{
    struct sum sum = {
        limits, payment->record.network, record_now(), {{0}}, false};
    char limit[LN_BUDGET_TEXT_MAX], spent[LN_BUDGET_TEXT_MAX];

    if (!ln_journal_scan(folder, false, add_up, &sum))
        return broken(reason, folder);
    for (size_t i = 0; i < 2; i++) {
        const struct ln_budget *budget = &limits->budget[i];
        struct x402_msat all = sum.spent[i];

        if (!budget->set)
            continue;
        if (!sum.overflow && x402_msat_add(&all, all, payment->record.amount) &&
            x402_msat_add(&all, all, payment->record.max_fee) &&
            x402_msat_cmp(all, budget->limit) <= 0)
            continue;
        ln_budget_format(limit, budget);
        ln_money_format(spent, sum.spent[i]);
        return refuse(reason, CLIENT_EXIT_UNAFFORDABLE,
                      "this would pass the budget, %s; %s of it are spent "
                      "already",
                      limit, spent);
    }
    return CLIENT_EXIT_OK;
}

enum client_exit
ln_write_down(struct ln_payment *out, struct journal *journal,
              const char *folder, const struct ln_limits *limits,
              char reason[256])
{
    enum client_exit code;

    if (!journal_lock(journal))
        return broken(reason, folder);
    out->record.created = record_now();
    code = check_budgets(out, folder, limits, reason);
    if (code == CLIENT_EXIT_OK &&
        !ln_journal_create(folder, &out->entry, &out->record))
        code = errno == EEXIST
                   ? refuse(reason, CLIENT_EXIT_POLICY,
                            "the server offers an invoice that was paid before")
                   : broken(reason, folder);
    journal_unlock(journal);
    return code;
}

/* ---- paying ---- */

static enum client_exit
paid(struct ln_payment *out, const struct lnd_payment *answer)
{
    struct ln_record *record = &out->record;

    memcpy(record->preimage, answer->preimage, sizeof(record->preimage));
    record->has_preimage = true;
    out->fee_msat = answer->fee_msat;
    /* LND keeps it too: a run that does not find it here asks again. */
    if (!ln_journal_paid(&out->entry, record->preimage))
        say_error("the journal cannot be written: %s", out->entry.path);
    return CLIENT_EXIT_OK;
}

static enum client_exit
not_paid(struct ln_payment *out, const struct lnd_payment *answer,
         bool *void_now, enum client_exit code, char reason[256])
{
    if (!journal_mark(&out->entry, RECORD_VOID, 0))
        return broken(reason, out->entry.path);
    out->record.state = RECORD_VOID;
    *void_now = true;
    return refuse(reason, code, "the Lightning payment was not made: %.180s",
                  answer->reason[0] == '\0' ? "the node gives no reason"
                                            : answer->reason);
}

static enum client_exit
under_way(const struct lnd_payment *answer, char reason[256])
{
    return refuse(reason, CLIENT_EXIT_UNKNOWN,
                  "the Lightning payment may be under way (%.120s); the same "
                  "command goes on with it and pays no second time",
                  answer->state == LND_IN_FLIGHT ? "the node is at work on it"
                  : answer->reason[0] == '\0'    ? "the node does not say"
                                                 : answer->reason);
}

static bool
can_still_be_paid(const struct ln_record *record)
{
    return record_now().wall_s + LN_MARGIN_S < record->end_s;
}

bool
ln_is_over(const struct ln_record *record)
{
    return record_now().wall_s >= record->end_s + LN_OVER_S;
}

/* The very same invoice: should LND have it after all, it says so. */
static void
pay_or_go_on(struct lnd_payment *answer, const struct ln_payment *out,
             struct lnd *lnd)
{
    const struct ln_record *record = &out->record;

    if (out->resumed && record->held)
        lnd_look(answer, lnd, record->payment_hash);
    else if (out->resumed)
        lnd_track(answer, lnd, record->payment_hash);
    if (answer->state != LND_NEVER || !can_still_be_paid(record))
        return;
    if (record->held)
        lnd_start(answer, lnd, record->invoice, record->payment_hash,
                  record->max_fee);
    else
        lnd_pay(answer, lnd, record->invoice, record->payment_hash,
                record->max_fee);
}

enum client_exit
ln_settle(struct ln_payment *out, struct lnd *lnd, bool *void_now,
          char reason[256])
{
    struct ln_record *record = &out->record;
    struct lnd_payment answer = {.state = LND_NEVER};

    *void_now = false;
    if (record->has_preimage)
        return CLIENT_EXIT_OK;
    pay_or_go_on(&answer, out, lnd);
    switch (answer.state) {
    case LND_PAID:
        return paid(out, &answer);
    case LND_NEVER:
        /* an earlier sending may still reach it */
        if (!ln_is_over(record))
            return under_way(&answer, reason);
        return not_paid(out, &answer, void_now, CLIENT_EXIT_UNAFFORDABLE,
                        reason);
    case LND_REFUSED:
    case LND_FAILED:
        return not_paid(out, &answer, void_now, CLIENT_EXIT_UNAFFORDABLE,
                        reason);
    case LND_UNSENT:
        if (out->resumed)
            return under_way(&answer, reason);
        return not_paid(out, &answer, void_now, CLIENT_EXIT_WALLET, reason);
    case LND_IN_FLIGHT:
        /* the seller serves what is on its way, and then takes or returns it */
        return record->held ? CLIENT_EXIT_OK : under_way(&answer, reason);
    case LND_UNKNOWN:
        return under_way(&answer, reason);
    }
    return under_way(&answer, reason);
}
