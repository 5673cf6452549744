/* SPDX-License-Identifier: Apache-2.0 */
/* A hold invoice: its payment is on its way while the request is sent, and the
 * seller takes it or gives it back.  The gateway asks for the proof until its
 * node holds the payment; what became of the money our own node says. */
#include <string.h>
#include <time.h>

#include "fetch_inside.h"
#include "mutant.h"

enum {
    ASK_FIRST_MS = 200, /* does the seller's node hold it yet? */
    ASK_MOST_MS = 2000,
    END_STEP_MS = 250, /* what became of it? */
    END_STEPS = 40,
};

static void
pause_ms(uint64_t ms)
{
    struct timespec wait = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

    while (nanosleep(&wait, &wait) != 0)
        continue;
}

static struct lnd_payment
look(struct fetch *fetch)
{
    struct lnd_payment now;

    lnd_look(&now, fetch->held.lnd, fetch->result->lightning.payment_hash);
    return now;
}

/* Nothing was spent: budgets do not count it, and another may be made. */
static void
given_back(struct fetch *fetch)
{
    struct payment *payment = &fetch->result->payment;

    if (client_mutant("ln_held_spent"))
        return;
    payment->record.state = RECORD_VOID;
    if (!journal_mark(&payment->entry, RECORD_VOID, fetch->answer->status))
        say_error("the journal cannot be written; it will show this payment "
                  "as open: %s",
                  payment->entry.path);
}

static void
taken(struct fetch *fetch, const struct lnd_payment *now)
{
    fetch->result->lightning.paid = true;
    fetch->result->lightning.fee_msat = now->fee_msat;
    if (!ln_journal_paid(&fetch->result->payment.entry, now->preimage))
        say_error("the journal cannot be written: %s",
                  fetch->result->payment.entry.path);
}

/* ---- not yet ---- */

static bool
is_not_paid(const struct fetch *fetch)
{
    return fetch->answer->code == CURLE_OK && fetch->answer->status == 402 &&
           x402_span_eq(heads_single(&fetch->answer->heads, "x-payment-error"),
                        x402_span_of("not_paid"));
}

static enum fetch_next
never_arrived(struct fetch *fetch, const struct lnd_payment *now)
{
    given_back(fetch);
    fetch->held.lnd_said = true;
    fetch->result->outcome = FETCH_NOT_PAID;
    return fetch_end(fetch, CLIENT_EXIT_UNAFFORDABLE,
                     "the Lightning payment was not made: %.180s",
                     now->reason[0] == '\0' ? "the node gives no reason"
                                            : now->reason);
}

static enum fetch_next
wait_for_it(struct fetch *fetch)
{
    const struct record *record = &fetch->result->payment.record;
    uint64_t wait = fetch->held.wait_ms;

    if (wait == 0)
        wait = ASK_FIRST_MS;
    if (record_now().wall_s >= record->auth.valid_before_s ||
        wait >= fetch_left_ms(fetch)) {
        fetch->result->outcome = FETCH_UNKNOWN;
        return fetch_end(fetch, CLIENT_EXIT_UNKNOWN,
                         "the Lightning payment is on its way and the seller "
                         "does not see it yet; the same command goes on with "
                         "it and pays no second time");
    }
    fetch->held.wait_ms = 2 * wait < ASK_MOST_MS ? 2 * wait : ASK_MOST_MS;
    fetch->result->sends--; /* nobody took it */
    pause_ms(wait);
    return FETCH_NEXT_SEND;
}

bool
fetch_held_waits(enum fetch_next *next, struct fetch *fetch)
{
    struct lnd_payment now;

    if (fetch->held.lnd == NULL || !is_not_paid(fetch))
        return false;
    now = look(fetch);
    *next = now.state == LND_FAILED ? never_arrived(fetch, &now)
                                    : wait_for_it(fetch);
    return true;
}

/* ---- the end ---- */

static void
say_given_back(struct fetch *fetch)
{
    struct fetch_result *result = fetch->result;
    char words[FETCH_REASON_MAX];

    given_back(fetch);
    switch (result->outcome) {
    case FETCH_FAILED:
        (void)fetch_end(fetch, result->exit,
                        "the server reports an error, HTTP %ld; it has given "
                        "the Lightning payment back",
                        result->status);
        return;
    case FETCH_REFUSED:
    case FETCH_UNKNOWN:
        fetch_server_words(words, fetch);
        result->outcome = FETCH_REFUSED;
        (void)fetch_end(fetch, CLIENT_EXIT_REFUSED,
                        "the server has given the Lightning payment back: "
                        "HTTP %ld %.200s",
                        result->status, words);
        return;
    case FETCH_PAID: /* served for nothing */
    case FETCH_FREE:
    case FETCH_WOULD_PAY:
    case FETCH_NOT_PAID:
        return;
    }
}

/* The seller decides at once; his node and ours need a moment. */
static void
learn_the_end(struct fetch *fetch)
{
    for (int i = 0; i < END_STEPS && (i == 0 || fetch_left_ms(fetch) > 0);
         i++) {
        struct lnd_payment now = look(fetch);

        if (now.state == LND_FAILED) {
            say_given_back(fetch);
            return;
        }
        if (now.state == LND_PAID) {
            taken(fetch, &now);
            return;
        }
        pause_ms(END_STEP_MS);
    }
}

void
fetch_held_end(struct fetch *fetch)
{
    if (fetch->held.lnd == NULL)
        return;
    if (fetch->result->has_payment && !fetch->held.lnd_said &&
        fetch->result->sends > 0)
        learn_the_end(fetch);
    lnd_close(fetch->held.lnd);
    fetch->held.lnd = NULL;
}
