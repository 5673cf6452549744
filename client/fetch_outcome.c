/* SPDX-License-Identifier: Apache-2.0 */
/* The payment has left: what an answer means for it, and what to do next.
 * There is never a second one in a run, and silence proves nothing. */
#include <stdio.h>
#include <string.h>

#include "fetch_inside.h"
#include "mutant.h"

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

enum exchange_sink
fetch_paid_head(struct fetch *fetch, const struct exchange_answer *answer)
{
    if (answer->status < 400) {
        /* durable before the first byte of the answer is shown */
        fetch->answer = answer;
        mark(fetch, RECORD_ACCEPTED);
        return EXCHANGE_STREAM;
    }
    fetch->will_retry = fetch_may_retry(fetch, answer);
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

/* The server's own answer is an error.  By the protocol it settles what it has
 * delivered only: such a request is not charged, and the same payment buys the
 * answer later.  A receipt of success says otherwise, and after a sending whose
 * end is not known the error says nothing about that one. */
static bool
is_server_error(const struct fetch *fetch)
{
    const struct fetch_result *result = fetch->result;
    uint64_t seconds;

    return fetch->answer->status >= 500 &&
           !retry_is_open(fetch->answer->status,
                          fetch_retry_after(&seconds, fetch->answer)) &&
           fetch->carries && !result->payment.in_doubt &&
           !(result->has_receipt && result->receipt.success);
}

static int
server_error_code(const struct fetch *fetch)
{
    if (fetch->output->failed)
        return CLIENT_EXIT_WRITE;
    if (fetch->answer->code != CURLE_OK)
        return (int)fetch->answer->code;
    return fetch->options->fail ? CLIENT_EXIT_HTTP : CLIENT_EXIT_OK;
}

static enum fetch_next
server_error(struct fetch *fetch)
{
    char until[RECORD_WHEN_MAX];

    mark(fetch, RECORD_FAILED);
    fetch->result->outcome = FETCH_FAILED;
    record_when(until, fetch->result->payment.record.auth.valid_before_s);
    if (fetch->held.lnd != NULL)
        return fetch_end(fetch, server_error_code(fetch),
                         "the server reports an error, HTTP %ld; the Lightning "
                         "payment is still on its way, and the same command "
                         "asks what became of it",
                         fetch->answer->status);
    if (fetch->result->lightning.set)
        return fetch_end(fetch, server_error_code(fetch),
                         "the server reports an error, HTTP %ld; the Lightning "
                         "payment stays usable for this request until %s, by "
                         "the same command",
                         fetch->answer->status, until);
    return fetch_end(fetch, server_error_code(fetch),
                     "the server reports an error, HTTP %ld; by the protocol a "
                     "failed request is not charged: until %s the payment "
                     "stays usable, by the same command or --resume",
                     fetch->answer->status, until);
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
    if (fetch->will_retry || (answer->status == 0 && !answer->blocked &&
                              fetch_may_retry(fetch, answer)))
        return fetch_send_again(fetch, answer->error);
    return unknown(fetch, answer->error);
}

static bool
says_no_funds(const char *words)
{
    return strstr(words, "insufficient_funds") != NULL ||
           strstr(words, "insufficient_balance") != NULL;
}

static bool
says_no_allowance(const char *words)
{
    return strstr(words, "allowance_required") != NULL ||
           strstr(words, "ALLOWANCE_REQUIRED") != NULL;
}

/* The server counts how often a payment was given back unused after errors, and
 * does not take it again: it has not charged it. */
static bool
is_released(const struct fetch *fetch)
{
    return fetch->answer->status == 402 && fetch->carries &&
           fetch->result->payment.record.state != RECORD_ACCEPTED &&
           x402_span_eq(heads_single(&fetch->answer->heads, "x-payment-error"),
                        x402_span_of("release_limit"));
}

/* A server that refuses the first sending has no claim left by its own words.
 * On a later one, "refused" may mean: taken the first time. */
static enum fetch_next
refused(struct fetch *fetch)
{
    char words[FETCH_REASON_MAX];
    bool first = fetch->result->sends == 1 && !fetch->result->payment.resumed;

    fetch_server_words(words, fetch);
    if ((!first && !is_released(fetch)) || !fetch->carries ||
        (fetch->result->has_receipt && fetch->result->receipt.success))
        return unknown(fetch, words[0] == '\0' ? "HTTP 402" : words);
    mark(fetch, RECORD_REFUSED);
    fetch->result->outcome = FETCH_REFUSED;
    if (says_no_allowance(words))
        return fetch_end(fetch, CLIENT_EXIT_REFUSED,
                         "the token moves by Permit2, which may not move "
                         "yours yet: approve "
                         "0x000000000022D473030F116dDEE9F6B43aC78BA3 for it "
                         "once, with any wallet, and run this again");
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
        return fetch_send_again(fetch, why);
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
    enum fetch_next next;

    if (fetch_held_waits(&next, fetch))
        return next;
    read_receipt(fetch);
    if (is_server_error(fetch))
        return server_error(fetch);
    if (answer->code != CURLE_OK)
        return no_answer(fetch);
    if (fetch_is_redirect(fetch, answer))
        return redirected(fetch);
    if (is_refusal(fetch))
        return client_mutant("pays_again") ? fetch_402(fetch) : refused(fetch);
    if (answer->status >= 400)
        return failed(fetch);
    mark(fetch, RECORD_DONE);
    fetch->result->outcome = FETCH_PAID;
    return fetch_end(fetch, CLIENT_EXIT_OK, "%s", "");
}
