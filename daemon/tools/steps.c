/* SPDX-License-Identifier: Apache-2.0 */
/* The history of a payment, in words: for `x402d ledger show` and for the
 * status page. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include <x402/buf.h>
#include <x402/encode.h>
#include <x402/till.h>

#include "tools.h"

#define TEXT_MAX 160

static const struct {
    enum ledger_event what;
    const char *name; /* in JSON */
    const char *text;
} words[] = {
    {EVENT_RESERVED, "reserved", "reserved for its request"},
    {EVENT_ASKED, "asked", "asked for by POST /settle"},
    {EVENT_CAPTURED, "captured",
     "captured: the request is answered, and "
     "charged"},
    {EVENT_DELIVERED, "delivered", "delivered to the last byte"},
    {EVENT_SIGNED, "signed", "transaction signed, written down and sent"},
    {EVENT_REPLACED, "replaced", "replaced by a transaction that pays more"},
    {EVENT_MINED, "mined", "mined"},
    {EVENT_FINAL, "final", "final"},
    {EVENT_RELEASED, "released",
     "released: the request failed, and was not "
     "charged"},
    {EVENT_WORKER_GONE, "worker_gone",
     "the gateway's worker was gone: its run "
     "ended"},
    {EVENT_RESERVED_AGAIN, "reserved_again",
     "the same request came again: "
     "reserved"},
    {EVENT_REFUSED, "refused", "asked for again, and refused"},
    {EVENT_BROKEN, "broken", "the answer broke off"},
    {EVENT_REDEEMED, "redeemed",
     "the same request runs again, without a "
     "charge"},
    {EVENT_ANSWERED_AGAIN, "answered_again", "and is answered"},
    {EVENT_NOTHING_TAKEN, "nothing_taken", "answered; nothing was taken"},
    {EVENT_FACILITATED, "facilitated", "asked for by POST /settle"},
    {EVENT_HANDED_OVER, "handed_over", "handed to the remote facilitator"},
    {EVENT_REQUEUED, "requeued",
     "its transaction did not carry it: to be "
     "settled by another"},
    {EVENT_REORGED, "reorged", "a reorganisation took its block back"},
    {EVENT_FAILED, "failed", "failed for good"},
    {EVENT_ADOPTED, "adopted", "found on the chain"},
    {EVENT_ISSUED, "issued", "invoice issued"},
    {EVENT_PAID, "paid", "paid"},
    {EVENT_SETTLED, "settled", "the node has taken the money"},
    {EVENT_CANCELLED, "cancelled", "the node has given the money back"},
    {EVENT_GIVEN_BACK, "given_back",
     "delivered, but the node had given the "
     "money back"},
    {EVENT_LAPSED, "lapsed", "lapsed: it cannot be paid any more"},
    {EVENT_OVERDUE, "overdue", "nobody came for it: to be given back"},
};

static size_t
word_of(enum ledger_event what)
{
    size_t i = 0;

    while (i < sizeof(words) / sizeof(words[0]) - 1 && words[i].what != what)
        i++;
    return i;
}

/* What is known beside the step's own words. */
static void
add_detail(struct x402_buf *out, const struct ledger_step *step)
{
    if (step->what == EVENT_RELEASED && step->detail != 0) {
        x402_buf_text(out, "; the answer was ");
        x402_buf_u64(out, step->detail);
    }
    if (step->what == EVENT_BROKEN)
        x402_buf_text(out, step->detail == X402_TILL_END_CLIENT
                               ? ": the client left"
                               : ": upstream or gateway did not finish");
    if (step->reason != X402_OK) {
        x402_buf_text(out, ": ");
        x402_buf_text(out, x402_err_info(step->reason)->token);
    }
    if (step->block != 0) {
        x402_buf_text(out, ", block ");
        x402_buf_u64(out, step->block);
    }
}

static struct x402_buf
step_text(char memory[TEXT_MAX], const struct ledger_step *step)
{
    struct x402_buf out = x402_buf_on(memory, TEXT_MAX);

    x402_buf_text(&out, words[word_of(step->what)].text);
    add_detail(&out, step);
    return out;
}

/** "2026-11-21T10:00:00.123Z" */
static void
step_when(char out[TOOL_WHEN_MAX], uint64_t ms)
{
    tool_when(out, ms);
    if (strlen(out) == 20)
        snprintf(out + 19, TOOL_WHEN_MAX - 19, ".%03uZ", (unsigned)(ms % 1000));
}

/* -- JSON -- */

struct steps {
    struct x402_buf *out;
    bool any;
};

static void
add_number(struct x402_buf *out, const char *before, uint64_t number)
{
    if (number != 0)
        tool_add_number(out, before, number);
}

static void
add_transaction(struct x402_buf *out, const struct ledger_step *step)
{
    if (step->has_tx) {
        x402_buf_text(out, ",\"transaction\":\"");
        x402_buf_hex(out, step->tx, sizeof(step->tx));
        x402_buf_char(out, '"');
    }
    if (step->has_fee) {
        x402_buf_text(out, ",\"maxFeeWei\":\"");
        x402_buf_amount(out, &step->max_fee);
        x402_buf_char(out, '"');
    }
}

/* Members that say nothing are left out, but for the time. */
static void
write_step(void *arg, const struct ledger_step *step)
{
    struct steps *steps = arg;
    struct x402_buf *out = steps->out;
    char memory[TEXT_MAX], when[TOOL_WHEN_MAX];
    struct x402_buf text = step_text(memory, step);

    step_when(when, step->at_ms);
    x402_buf_text(out, steps->any ? "," : "");
    steps->any = true;
    if (step->at_ms != 0)
        tool_add_text(out, "{\"at\":", when);
    else
        x402_buf_text(out, "{\"at\":null");
    tool_add_text(out, ",\"what\":", words[word_of(step->what)].name);
    x402_buf_text(out, ",\"text\":");
    x402_buf_json(out, x402_buf_span(&text));
    if (step->what == EVENT_RELEASED)
        add_number(out, ",\"status\":", step->detail);
    if (step->reason != X402_OK)
        tool_add_text(out, ",\"reason\":", x402_err_info(step->reason)->token);
    add_transaction(out, step);
    add_number(out, ",\"block\":", step->block);
    add_number(out, ",\"leftOut\":", step->more);
    x402_buf_char(out, '}');
}

bool
tool_write_history(struct x402_buf *out, struct ledger_view *view,
                   enum ledger_rail rail, int64_t id)
{
    struct steps steps = {out, false};
    bool good;

    x402_buf_char(out, '[');
    good = ledger_view_history(view, rail, id, write_step, &steps);
    x402_buf_char(out, ']');
    return good;
}

/* -- text -- */

static void
print_step(void *arg, const struct ledger_step *step)
{
    char text[TEXT_MAX], when[TOOL_WHEN_MAX], hash[2 * 32 + 3];
    struct x402_buf line = step_text(text, step);

    (void)arg;
    step_when(when, step->at_ms);
    if (step->more != 0)
        printf("  (%" PRIu64 " more)\n", step->more);
    printf("  %-24s  %.*s\n", step->at_ms != 0 ? when : "(time not kept)",
           (int)line.len, line.at);
    if (!step->has_tx)
        return;
    x402_hex_encode(hash, step->tx, sizeof(step->tx));
    printf("  %-24s  %s\n", "", hash);
}

bool
tool_print_history(struct ledger_view *view, enum ledger_rail rail, int64_t id)
{
    puts("history");
    return ledger_view_history(view, rail, id, print_step, NULL);
}
