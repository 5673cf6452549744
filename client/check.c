/* SPDX-License-Identifier: Apache-2.0 */
/* x402 payments --check */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "exit.h"
#include "rpc.h"

enum { CHECK_MAX = 1000 };

/* What is to be asked, collected under the lock; the asking is done without. */
struct candidates {
    uint64_t now_s;
    char (*path)[PATHS_MAX];
    struct record *record;
    size_t len;
};

static bool
wants_check(const struct record *record, uint64_t now_s)
{
    switch (record->state) {
    case RECORD_SIGNED:
    case RECORD_REFUSED:
    case RECORD_UNKNOWN:
    case RECORD_FAILED:
        return now_s > record->auth.valid_before_s;
    case RECORD_ACCEPTED:
    case RECORD_DONE:
    case RECORD_VOID:
        return false;
    }
    return false;
}

static bool
collect(void *owner, const struct journal_seen *seen)
{
    struct candidates *list = owner;

    if (seen->alive || !wants_check(seen->record, list->now_s))
        return true;
    memcpy(list->path[list->len], seen->path, strlen(seen->path) + 1);
    list->record[list->len] = *seen->record;
    list->len++;
    return list->len < CHECK_MAX;
}

static bool
mark_void(struct journal *journal, const char *path)
{
    struct journal_entry entry;
    bool ok;

    if (!journal_lock(journal))
        return false;
    ok = journal_adopt(&entry, path);
    if (ok) {
        ok = journal_mark(&entry, RECORD_VOID, 0);
        journal_close(&entry);
    }
    journal_unlock(journal);
    return ok;
}

/* One payment; false: the node or the journal failed. */
static bool
check_one(struct journal *journal, struct rpc *rpc, const struct record *record,
          const char *path)
{
    bool proven = false;

    if (!rpc_payment_is_void(&proven, rpc, record))
        return false;
    printf("%s  %s\n", proven ? "void" : "open", path);
    return !proven || mark_void(journal, path);
}

/* All of one network, over one connection. */
static bool
check_network(struct journal *journal, const struct config *config,
              const char *url, const struct x402_network *network,
              const struct candidates *list)
{
    const struct say say = {false, false, false};
    struct rpc *rpc = NULL;
    bool ok = true;

    if (url == NULL)
        url = config_rpc_url(config, network);
    for (size_t i = 0; i < list->len && ok; i++) {
        if (list->record[i].chain_id != network->chain_id)
            continue;
        if (url == NULL) {
            say_error("no node is configured for %s: rpc.%s = URL",
                      network->label, network->caip2);
            return false;
        }
        if (rpc == NULL)
            rpc = rpc_open(url, network, &say);
        ok = rpc != NULL &&
             check_one(journal, rpc, &list->record[i], list->path[i]);
    }
    rpc_close(rpc);
    return ok;
}

static bool
check_all(struct journal *journal, const struct config *config, const char *rpc,
          struct candidates *list)
{
    const struct x402_network *network;
    bool ok;

    if (!journal_lock(journal))
        return false;
    /* a full list is no error: run it again for the rest */
    ok = journal_scan(journal, true, collect, list);
    journal_unlock(journal);
    for (size_t i = 0; ok && (network = x402_network_at(i)) != NULL; i++)
        ok = check_network(journal, config, rpc, network, list);
    return ok;
}

int
check_payments(struct journal *journal, const struct config *config,
               const char *rpc)
{
    struct candidates list = {(uint64_t)time(NULL),
                              malloc(CHECK_MAX * sizeof(*list.path)),
                              malloc(CHECK_MAX * sizeof(*list.record)), 0};
    bool ok = list.path != NULL && list.record != NULL &&
              check_all(journal, config, rpc, &list);

    free(list.path);
    free(list.record);
    return ok ? CLIENT_EXIT_OK : CLIENT_EXIT_STATE;
}
