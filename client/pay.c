/* SPDX-License-Identifier: Apache-2.0 */
/* Decide, reserve, sign, write down. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "money.h"
#include "pay.h"
#include "sign.h"
#include "tally.h"
#include "terminal.h"

enum { SUM_BUDGET = 0, SUM_OPTION = 1, SUM_HOST = 2 };

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
journal_broken(char reason[256], const struct journal *journal)
{
    return refuse(reason, CLIENT_EXIT_STATE, "the journal %.150s: %s",
                  journal->folder, strerror(errno));
}

static void
fill_request(struct record *record, const struct pay_order *order)
{
    memset(record, 0, sizeof(*record));
    (void)snprintf(record->method, sizeof(record->method), "%s", order->method);
    (void)snprintf(record->url, sizeof(record->url), "%s", order->url->text);
    (void)snprintf(record->origin, sizeof(record->origin), "%s",
                   order->url->origin);
    memcpy(record->body32, order->body32, sizeof(record->body32));
}

static bool
take_tally(struct tally *tally, const struct journal *journal,
           const struct pay_order *order, const struct pay_limits *limits,
           const struct wallet *wallet)
{
    const struct x402_network *network =
        x402_network_by_id(order->choice->requirement.asset->chain_id);
    struct tally_case question = {
        .testnet = network->testnet,
        .origin = order->url->origin,
        .method = order->method,
        .url = order->url->text,
        .body32 = order->body32,
        .payer = wallet->signer.address,
        .now = record_now(),
        .undelivered_window_s = PAY_UNDELIVERED_WINDOW_S,
        .unresolved_after_s = PAY_UNRESOLVED_AFTER_S,
        .expired_margin_s = PAY_MARGIN_S,
    };

    tally->sum[SUM_BUDGET] =
        (struct tally_sum){.window_s = limits->budget[0].window_s};
    tally->sum[SUM_OPTION] =
        (struct tally_sum){.window_s = limits->budget[1].window_s};
    tally->sum[SUM_HOST] = (struct tally_sum){
        .window_s = limits->host_budget.window_s, .of_origin = true};
    return tally_take(tally, journal, &question);
}

static enum client_exit
over_budget(char reason[256], const struct budget *budget,
            const struct tally_sum *sum)
{
    char limit[BUDGET_TEXT_MAX], spent[MONEY_TEXT_MAX];

    budget_format(limit, budget);
    money_format(spent, &sum->spent);
    return refuse(reason, CLIENT_EXIT_UNAFFORDABLE,
                  "this would pass the %s %.80s; %.60s of it are signed away "
                  "already",
                  sum->of_origin ? "budget per host," : "budget,", limit,
                  spent);
}

static enum client_exit
check_budgets(char reason[256], const struct tally *tally,
              const struct pay_limits *limits,
              const struct x402_requirement *requirement)
{
    const struct budget *budget[TALLY_SUMS] = {
        &limits->budget[0], &limits->budget[1], &limits->host_budget};
    struct x402_amount price;

    if (!money_scale(&price, &requirement->amount, requirement->asset))
        return refuse(reason, CLIENT_EXIT_POLICY, "the price is not a price");
    for (size_t i = 0; i < TALLY_SUMS; i++) {
        if (!budget[i]->set)
            continue;
        if (tally->overflow ||
            !budget_allows(budget[i], &tally->sum[i].spent, &price))
            return over_budget(reason, budget[i], &tally->sum[i]);
    }
    return CLIENT_EXIT_OK;
}

static enum client_exit
make_new(struct payment *out, struct journal *journal,
         const struct pay_order *order, const struct wallet *wallet,
         char reason[256])
{
    enum x402_err err;

    fill_request(&out->record, order);
    err = sign_payment(&out->record, order->choice, order->echo,
                       order->url->text, &wallet->signer);
    if (err == X402_ERR_TOO_LARGE)
        return refuse(reason, CLIENT_EXIT_NO_OFFER,
                      "the 402 is too large to be answered");
    if (err != X402_OK)
        return refuse(reason, CLIENT_EXIT_WALLET,
                      "signing failed: no randomness, or faulty memory");
    if (!journal_create(journal, &out->entry, &out->record))
        return journal_broken(reason, journal);
    return CLIENT_EXIT_OK;
}

struct find {
    struct record *out;
    const char *path;
    bool found;
};

static bool
copy_record(void *owner, const struct journal_seen *seen)
{
    struct find *find = owner;

    if (strcmp(seen->path, find->path) != 0)
        return true;
    *find->out = *seen->record;
    find->found = true;
    return false;
}

static bool
find_record(struct record *out, const struct journal *journal, const char *path)
{
    struct find find = {out, path, false};

    return journal_scan(journal, false, copy_record, &find) && find.found;
}

/* The earlier run's very bytes.  One that failed may be taken this time: it is
 * as open as a new one, and the journal says so before it leaves. */
static enum client_exit
take_over(struct payment *out, const struct journal *journal, const char *path,
          char reason[256])
{
    struct record *record = &out->record;

    if (!journal_adopt(&out->entry, path))
        return journal_broken(reason, journal);
    out->in_doubt = record->state != RECORD_FAILED;
    if (!out->in_doubt) {
        if (!journal_mark(&out->entry, RECORD_SIGNED, record->status)) {
            journal_close(&out->entry);
            return journal_broken(reason, journal);
        }
        record->state = RECORD_SIGNED;
    }
    out->resumed = true;
    return CLIENT_EXIT_OK;
}

/* --resume */
static enum client_exit
resume(struct payment *out, const struct journal *journal, const char *path,
       char reason[256])
{
    if (!find_record(&out->record, journal, path))
        return journal_broken(reason, journal);
    return take_over(out, journal, path, reason);
}

/* Is it a payment of what the run's own rules have chosen now? */
static bool
pays_choice(const struct record *record, const struct x402_choice *choice)
{
    const struct x402_requirement *requirement = &choice->requirement;

    return record->wire == choice->wire &&
           record->chain_id == requirement->asset->chain_id &&
           x402_address_eq(&record->asset, &requirement->asset->address) &&
           x402_address_eq(&record->auth.to, &requirement->pay_to) &&
           x402_amount_cmp(&record->auth.value, &requirement->amount) == 0;
}

/* The request failed at the server: what buys it now is the same payment, and
 * while that one can be used no other is signed. */
static enum client_exit
resume_failed(struct payment *out, const struct journal *journal,
              const struct pay_order *order, const char *path, char reason[256])
{
    const struct record *record = &out->record;
    char until[RECORD_WHEN_MAX];

    if (!find_record(&out->record, journal, path))
        return journal_broken(reason, journal);
    if (record_now().wall_s + PAY_MARGIN_S < record->auth.valid_before_s &&
        pays_choice(record, order->choice))
        return take_over(out, journal, path, reason);
    record_when(until, record->auth.valid_before_s);
    return refuse(reason, CLIENT_EXIT_UNRESOLVED,
                  "an earlier payment for this request, which failed, can be "
                  "used until %s and is not what is to be paid now: --resume "
                  "sends it, --new-payment signs another",
                  until);
}

static enum client_exit
prepare(struct payment *out, struct journal *journal,
        const struct pay_order *order, const struct pay_limits *limits,
        const struct wallet *wallet, char reason[256])
{
    struct tally tally;
    enum client_exit code;

    if (!take_tally(&tally, journal, order, limits, wallet))
        return journal_broken(reason, journal);
    if ((tally.unresolved || tally.partial) &&
        limits->earlier == PAY_EARLIER_RESUME)
        return resume(out, journal, tally.path, reason);
    if (tally.unresolved && limits->earlier == PAY_EARLIER_STOP)
        return refuse(reason, CLIENT_EXIT_UNRESOLVED,
                      "an earlier payment for this request has no known "
                      "outcome: --resume sends the same one again, "
                      "--new-payment signs another");
    if (tally.failed && limits->earlier == PAY_EARLIER_RESUME)
        return resume(out, journal, tally.failed_path, reason);
    if (tally.failed && limits->earlier == PAY_EARLIER_STOP)
        return resume_failed(out, journal, order, tally.failed_path, reason);
    if (tally.undelivered >= PAY_UNDELIVERED_MAX &&
        limits->earlier != PAY_EARLIER_IGNORE)
        return refuse(reason, CLIENT_EXIT_POLICY,
                      "this server took %u payments in a row and delivered "
                      "nothing; --new-payment pays all the same",
                      tally.undelivered);
    code = check_budgets(reason, &tally, limits, &order->choice->requirement);
    if (code != CLIENT_EXIT_OK)
        return code;
    return make_new(out, journal, order, wallet, reason);
}

enum client_exit
pay_prepare(struct payment *out, struct journal *journal,
            const struct pay_order *order, const struct pay_limits *limits,
            const struct wallet *wallet, char reason[256])
{
    enum client_exit code;

    out->entry.fd = -1;
    out->resumed = out->in_doubt = false;
    if (!journal_lock(journal))
        return journal_broken(reason, journal);
    code = prepare(out, journal, order, limits, wallet, reason);
    journal_unlock(journal);
    return code;
}

bool
pay_budget_left(struct x402_amount *out, struct journal *journal,
                const struct budget *budget, bool testnet)
{
    struct tally_case question = {
        .testnet = testnet, .origin = "", .now = record_now()};
    struct tally tally = {.sum = {{.window_s = budget->window_s}}};
    bool ok;

    if (!budget->set || !journal_lock(journal))
        return false;
    ok = tally_take(&tally, journal, &question) && !tally.overflow;
    journal_unlock(journal);
    if (!ok)
        return false;
    if (!x402_amount_sub(out, &budget->limit, &tally.sum[0].spent))
        *out = x402_amount_of(0);
    return true;
}
