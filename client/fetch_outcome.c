/* SPDX-License-Identifier: Apache-2.0 */
/* The payment has left: what an answer means for it, and what to do next.
 * There is never a second one in a run, and silence proves nothing. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fetch_inside.h"

static void
mark(struct fetch *fetch, enum record_state state)
{
    struct payment *payment = &fetch->result->payment;

    if (payment->record.state == state)
        return;
    payment->record.state = state;
    if (!journal_mark(&payment->entry, state, fetch->answer->status))
        say_error("the journal cannot be written; it will show this payment "
                  "as open: %s",
                  payment->entry.path);
}

/* "Retry-After: 3"; the form with a date is taken as absent. */
static bool
retry_after(uint64_t *out, const struct heads *heads)
{
    struct x402_span text = heads_single(heads, "retry-after");
    uint64_t seconds = 0;

    if (text.len == 0 || text.len > 9)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        seconds = seconds * 10 + (uint64_t)(text.at[i] - '0');
    }
    *out = seconds;
    return true;
}

static bool
may_retry(struct fetch *fetch, const struct exchange_answer *answer)
{
    struct retry_case the_case = {
        .status = answer->status,
        .now_s = (uint64_t)time(NULL),
        .valid_before_s = fetch->result->payment.record.auth.valid_before_s,
        .left_ms = fetch_left_ms(fetch),
    };

    if (!fetch->carries)
        return false;
    the_case.has_retry_after =
        answer->status != 0 &&
        retry_after(&the_case.retry_after_s, &answer->heads);
    return retry_decide(&fetch->wait_ms, &fetch->retry, &the_case);
}

enum exchange_sink
fetch_paid_head(struct fetch *fetch, const struct exchange_answer *answer)
{
    if (answer->status < 400) {
        /* durable before the first byte of the answer is shown */
        fetch->answer = answer;
        mark(fetch, RECORD_ACCEPTED);
        return EXCHANGE_STREAM;
    }
    fetch->will_retry = may_retry(fetch, answer);
    return fetch->will_retry ? EXCHANGE_DROP : EXCHANGE_STREAM;
}

void
fetch_server_words(char out[FETCH_REASON_MAX], const struct fetch *fetch)
{
    struct x402_span words =
        heads_single(&fetch->answer->heads, "x-payment-error");
    struct x402_challenge *challenge = NULL;

    if (words.len == 0 && fetch->result->has_receipt &&
        !fetch->result->receipt.success)
        words = x402_span_of(x402_err_info(fetch->result->receipt.reason)->v2);
    if (words.len == 0 && fetch->answer->status == 402) {
        challenge = fetch_read_challenge(fetch);
        if (challenge != NULL)
            words = x402_challenge_error(challenge);
    }
    terminal_clean(out, 200, words);
    x402_challenge_free(challenge);
}

static void
read_receipt(struct fetch *fetch)
{
    struct x402_span text;

    (void)heads_get(&text, &fetch->answer->heads, "payment-response");
    if (text.at == NULL)
        (void)heads_get(&text, &fetch->answer->heads, "x-payment-response");
    fetch->result->has_receipt =
        text.at != NULL &&
        x402_receipt_decode(&fetch->result->receipt, text) == X402_OK;
}

static enum fetch_next
unknown(struct fetch *fetch, const char *why)
{
    /* what was accepted once is not open again because it is asked for twice */
    if (fetch->result->payment.record.state != RECORD_ACCEPTED)
        mark(fetch, RECORD_UNKNOWN);
    fetch->result->outcome = FETCH_UNKNOWN;
    return fetch_end(fetch, CLIENT_EXIT_UNKNOWN,
                     "a payment was sent and its outcome is unknown: %s; "
                     "--resume sends the same one again",
                     why);
}

static enum fetch_next
wait_and_send(struct fetch *fetch, const char *why)
{
    struct timespec wait = {(time_t)(fetch->wait_ms / 1000),
                            (long)(fetch->wait_ms % 1000) * 1000000};

    say_note(fetch->say, "%s; sending the same payment again in %lu.%lu s", why,
             (unsigned long)(fetch->wait_ms / 1000),
             (unsigned long)(fetch->wait_ms % 1000 / 100));
    while (nanosleep(&wait, &wait) != 0)
        continue;
    return FETCH_NEXT_SEND;
}

/* The connection broke, or nothing came. */
static enum fetch_next
no_answer(struct fetch *fetch)
{
    const struct exchange_answer *answer = fetch->answer;

    if (fetch->streaming && answer->status < 400) {
        fetch->result->outcome = FETCH_PAID;
        if (fetch->output->failed)
            return fetch_end(fetch, CLIENT_EXIT_WRITE,
                             "paid, but the output failed");
        return fetch_end(fetch, (int)answer->code,
                         "paid, but the answer broke off: %s; --resume asks "
                         "for it with the same payment",
                         answer->error);
    }
    if (fetch->will_retry ||
        (answer->status == 0 && !answer->blocked && may_retry(fetch, answer)))
        return wait_and_send(fetch, answer->error);
    return unknown(fetch, answer->error);
}

static bool
says_no_funds(const char *words)
{
    return strstr(words, "insufficient_funds") != NULL ||
           strstr(words, "insufficient_balance") != NULL;
}

/* A server that refuses the first sending has no claim left by its own words.
 * On a later one, "refused" may mean: taken the first time. */
static enum fetch_next
refused(struct fetch *fetch)
{
    char words[FETCH_REASON_MAX];

    fetch_server_words(words, fetch);
    if (fetch->result->sends != 1 || fetch->result->payment.resumed ||
        !fetch->carries ||
        (fetch->result->has_receipt && fetch->result->receipt.success))
        return unknown(fetch, words[0] == '\0' ? "HTTP 402" : words);
    mark(fetch, RECORD_REFUSED);
    fetch->result->outcome = FETCH_REFUSED;
    return fetch_end(fetch,
                     says_no_funds(words) ? CLIENT_EXIT_UNAFFORDABLE
                                          : CLIENT_EXIT_REFUSED,
                     "the server refused the payment: %.200s",
                     words[0] == '\0' ? "it gives no reason" : words);
}

static enum fetch_next
failed(struct fetch *fetch)
{
    char words[FETCH_REASON_MAX], why[FETCH_REASON_MAX];

    fetch_server_words(words, fetch);
    (void)snprintf(why, sizeof(why), "HTTP %ld%s%.200s", fetch->answer->status,
                   words[0] == '\0' ? "" : " ", words);
    if (fetch->will_retry)
        return wait_and_send(fetch, why);
    return unknown(fetch, why);
}

static enum fetch_next
redirected(struct fetch *fetch)
{
    enum fetch_next next = fetch_redirect(fetch);

    return next == FETCH_NEXT_END ? unknown(fetch, "a redirect after it")
                                  : next;
}

/* 400 and 412 speak of the payment when the server says so. */
static bool
is_refusal(const struct fetch *fetch)
{
    long status = fetch->answer->status;

    if (status == 402)
        return true;
    return (status == 400 || status == 412) &&
           heads_single(&fetch->answer->heads, "x-payment-error").len > 0;
}

enum fetch_next
fetch_paid_answer(struct fetch *fetch)
{
    const struct exchange_answer *answer = fetch->answer;

    read_receipt(fetch);
    if (answer->code != CURLE_OK)
        return no_answer(fetch);
    if (fetch_is_redirect(fetch, answer))
        return redirected(fetch);
    if (is_refusal(fetch))
        return refused(fetch);
    if (answer->status >= 400)
        return failed(fetch);
    mark(fetch, RECORD_DONE);
    fetch->result->outcome = FETCH_PAID;
    return fetch_end(fetch, CLIENT_EXIT_OK, "%s", "");
}
