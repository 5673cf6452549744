/* SPDX-License-Identifier: Apache-2.0 */
/* test_history, see ledger_test.h. */
#include "ledger_test.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ledger/view.h"

static char history[65536];

static void
add_step(void *arg, const struct ledger_step *step)
{
    static const char *const name[] = {
        [EVENT_RELEASED] = "released",       [EVENT_WORKER_GONE] = "gone",
        [EVENT_RESERVED_AGAIN] = "again",    [EVENT_REFUSED] = "refused",
        [EVENT_BROKEN] = "broken",           [EVENT_REDEEMED] = "redeemed",
        [EVENT_ANSWERED_AGAIN] = "answered", [EVENT_NOTHING_TAKEN] = "nothing",
        [EVENT_FACILITATED] = "facilitated", [EVENT_HANDED_OVER] = "handed",
        [EVENT_REQUEUED] = "requeued",       [EVENT_MINED] = "mined",
        [EVENT_REORGED] = "reorged",         [EVENT_FINAL] = "final",
        [EVENT_FAILED] = "failed",           [EVENT_ADOPTED] = "adopted",
        [EVENT_LAPSED] = "lapsed",           [EVENT_OVERDUE] = "overdue",
        [EVENT_RESERVED] = "reserved",       [EVENT_ASKED] = "asked",
        [EVENT_CAPTURED] = "captured",       [EVENT_DELIVERED] = "delivered",
        [EVENT_SIGNED] = "signed",           [EVENT_REPLACED] = "replaced",
        [EVENT_ISSUED] = "issued",           [EVENT_PAID] = "paid",
        [EVENT_SETTLED] = "settled",         [EVENT_CANCELLED] = "cancelled",
        [EVENT_GIVEN_BACK] = "given_back",
    };
    size_t len = strlen(history);
    int64_t ms = step->at_ms == 0 ? -1 : (int64_t)(step->at_ms - NOW);

    (void)arg;
    len +=
        (size_t)snprintf(history + len, sizeof history - len, "%s%s+%" PRId64,
                         len > 0 ? " " : "", name[step->what], ms);
    if (step->detail != 0)
        len += (size_t)snprintf(history + len, sizeof history - len, "[%u]",
                                step->detail);
    if (step->reason != X402_OK)
        len += (size_t)snprintf(history + len, sizeof history - len, "[%s]",
                                x402_err_info(step->reason)->token);
    if (step->block != 0)
        len += (size_t)snprintf(history + len, sizeof history - len,
                                "[block %" PRIu64 "]", step->block);
    if (step->more != 0)
        snprintf(history + len, sizeof history - len, "[%" PRIu64 " more]",
                 step->more);
}

const char *
test_history(enum ledger_rail rail, int64_t id)
{
    char message[512] = "";
    struct ledger_view *view =
        ledger_view_open(test_path, false, message, sizeof message);

    history[0] = '\0';
    if (view == NULL || !ledger_view_history(view, rail, id, add_step, NULL))
        snprintf(history, sizeof history, "cannot be read: %s", message);
    ledger_view_close(view);
    return history;
}
