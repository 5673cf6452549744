/* SPDX-License-Identifier: Apache-2.0 */
/* Payments that an earlier run left on their way count until somebody asks LND
 * what became of them: the same command does, and whoever needs the budget. */
#include <string.h>

#include "ln_pay.h"

#define STALE_MAX 32 /* asked for at once, the newest first */

struct stale {
    char path[PATHS_MAX];
    uint8_t payment_hash[32];
    bool over;
};

struct list {
    struct stale item[STALE_MAX];
    size_t len;
};

static bool
collect(void *owner, const struct ln_seen *seen)
{
    struct list *list = owner;
    const struct ln_record *record = seen->record;
    struct stale *item = &list->item[list->len];

    if (seen->alive || record->has_preimage ||
        (record->state != RECORD_SIGNED && record->state != RECORD_UNKNOWN &&
         record->state != RECORD_FAILED))
        return true;
    memcpy(item->path, seen->path, strlen(seen->path) + 1);
    memcpy(item->payment_hash, record->payment_hash, 32);
    item->over = ln_is_over(record);
    return ++list->len < STALE_MAX;
}

static bool
was_not_paid(const struct stale *item, struct lnd *lnd)
{
    struct lnd_payment now;

    lnd_look(&now, lnd, item->payment_hash);
    return now.state == LND_FAILED || (now.state == LND_NEVER && item->over);
}

/* What LND calls failed is never paid again by anybody of us, so the line is
 * right whatever another process has written meanwhile. */
static bool
mark_void(const struct stale *item, struct journal *journal)
{
    struct journal_entry entry = {.fd = -1};
    bool ok;

    if (!journal_lock(journal))
        return false;
    ok = journal_adopt(&entry, item->path);
    if (ok) {
        ok = journal_mark(&entry, RECORD_VOID, 0);
        journal_close(&entry);
    }
    journal_unlock(journal);
    return ok;
}

bool
ln_take_back(struct journal *journal, const char *folder, struct lnd *lnd)
{
    static struct list list;
    bool any = false, ok;

    list.len = 0;
    if (!journal_lock(journal))
        return false;
    ok = ln_journal_scan(folder, false, collect, &list);
    journal_unlock(journal);
    for (size_t i = 0; ok && i < list.len; i++) {
        if (was_not_paid(&list.item[i], lnd) &&
            mark_void(&list.item[i], journal))
            any = true;
    }
    return any;
}
