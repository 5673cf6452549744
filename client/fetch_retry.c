/* SPDX-License-Identifier: Apache-2.0 */
/* Sending the same payment again within a run: what the answer says about it,
 * and the wait before. */
#include <string.h>
#include <time.h>

#include "fetch_inside.h"

static bool
read_seconds(uint64_t *out, struct x402_span text)
{
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

/* The form with a date. */
static bool
read_date(uint64_t *out, struct x402_span text)
{
    char date[64];
    time_t now = time(NULL), then;

    if (text.len == 0 || text.len >= sizeof(date))
        return false;
    memcpy(date, text.at, text.len);
    date[text.len] = '\0';
    then = curl_getdate(date, NULL);
    if (then < 0)
        return false;
    *out = then > now ? (uint64_t)(then - now) : 0;
    return true;
}

bool
fetch_retry_after(uint64_t *seconds, const struct exchange_answer *answer)
{
    struct x402_span text;

    if (answer->status == 0)
        return false;
    text = heads_single(&answer->heads, "retry-after");
    return read_seconds(seconds, text) || read_date(seconds, text);
}

bool
fetch_may_retry(struct fetch *fetch, const struct exchange_answer *answer)
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
        fetch_retry_after(&the_case.retry_after_s, answer);
    return retry_decide(&fetch->wait_ms, &fetch->retry, &the_case);
}

/* 425 and 429 say that the request was not worked on. */
static bool
leaves_doubt(long status)
{
    return status != 425 && status != 429;
}

enum fetch_next
fetch_send_again(struct fetch *fetch, const char *why)
{
    struct timespec wait = {(time_t)(fetch->wait_ms / 1000),
                            (long)(fetch->wait_ms % 1000) * 1000000};

    if (leaves_doubt(fetch->answer->status))
        fetch->result->payment.in_doubt = true;
    say_note(fetch->say, "%s; sending the same payment again in %lu.%lu s", why,
             (unsigned long)(fetch->wait_ms / 1000),
             (unsigned long)(fetch->wait_ms % 1000 / 100));
    while (nanosleep(&wait, &wait) != 0)
        continue;
    return FETCH_NEXT_SEND;
}
