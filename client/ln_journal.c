/* SPDX-License-Identifier: Apache-2.0 */
/* The files of Lightning payments. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ln_record.h"

enum { NAME_DAY = 10 };

bool
ln_journal_open(char out[PATHS_MAX])
{
    char state[PATHS_MAX];

    if (!paths_state(state)) {
        errno = ENOENT;
        return false;
    }
    if (snprintf(out, PATHS_MAX, "%s/lightning", state) >= PATHS_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    return paths_make_folder(out) && journal_folder_is_private(out);
}

static bool
day_of(char out[16], uint64_t wall_s)
{
    time_t when = (time_t)wall_s;
    struct tm utc;

    return gmtime_r(&when, &utc) != NULL &&
           strftime(out, 16, "%Y-%m-%d", &utc) == NAME_DAY;
}

static bool
file_name(char out[PATHS_MAX], const char *folder,
          const struct ln_record *record)
{
    char day[16], hash[2 * 32 + 1] = "";
    struct x402_buf buf = x402_buf_on(hash, sizeof(hash) - 1);

    x402_buf_hex_bare(&buf, record->payment_hash, 32);
    return day_of(day, record->created.wall_s) &&
           snprintf(out, PATHS_MAX, "%s/%s-%s.json", folder, day, hash) <
               PATHS_MAX;
}

/* An invoice is paid once: its hash is in the name of a file that must be new.
 */
bool
ln_journal_create(const char *folder, struct journal_entry *entry,
                  const struct ln_record *record)
{
    char *memory = malloc(RECORD_TEXT_MAX);
    struct x402_buf buf = x402_buf_on(memory, RECORD_TEXT_MAX);
    bool ok;

    entry->fd = -1;
    if (memory == NULL)
        return false;
    ln_record_encode(&buf, record);
    if (buf.full)
        errno = EFBIG;
    ok = !buf.full && file_name(entry->path, folder, record) &&
         journal_entry_create(entry, folder, x402_buf_span(&buf));
    free(memory);
    return ok;
}

bool
ln_journal_paid(struct journal_entry *entry, const uint8_t preimage[32])
{
    char line[128];
    struct x402_buf buf = x402_buf_on(line, sizeof(line));

    /* the line end in front closes a line that a crash has torn */
    x402_buf_text(&buf, "\n{\"preimage\":\"");
    x402_buf_hex_bare(&buf, preimage, 32);
    x402_buf_text(&buf, "\"}\n");
    return journal_entry_append(entry, x402_buf_span(&buf));
}

/* ---- reading ---- */

static int
is_payment(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && strlen(entry->d_name) > NAME_DAY;
}

static int
newest_first(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*b)->d_name, (*a)->d_name);
}

struct scan {
    ln_visit *visit;
    void *owner;
    struct ln_record *record;
    char *text;
    bool stop;
};

/* As in journal_scan.c: a file that does not read was never finished, one that
 * cannot be opened may hold a payment. */
static bool
visit_file(struct scan *scan, const char *path)
{
    struct ln_seen seen = {scan->record, path, false};
    size_t len;
    bool ok = journal_entry_read(&len, scan->text, RECORD_TEXT_MAX, &seen.alive,
                                 path);

    if (ok && ln_record_decode(scan->record,
                               (struct x402_span){scan->text, len}) == X402_OK)
        scan->stop = !scan->visit(scan->owner, &seen);
    return ok;
}

static bool
visit_all(struct scan *scan, const char *folder, bool all)
{
    uint64_t days = (uint64_t)JOURNAL_SCAN_DAYS * 24 * 3600;
    struct dirent **names;
    char path[PATHS_MAX], oldest[16];
    bool ok = day_of(oldest, (uint64_t)time(NULL) - days);
    int count = scandir(folder, &names, is_payment, newest_first);

    if (count < 0)
        return false;
    if (count > JOURNAL_SCAN_MAX) {
        errno = EOVERFLOW;
        ok = false;
    }
    for (int i = 0; i < count; i++) {
        if (ok && !scan->stop &&
            (all || memcmp(names[i]->d_name, oldest, NAME_DAY) >= 0))
            ok = snprintf(path, sizeof(path), "%s/%s", folder,
                          names[i]->d_name) < PATHS_MAX &&
                 visit_file(scan, path);
        free(names[i]);
    }
    free(names);
    return ok;
}

bool
ln_journal_scan(const char *folder, bool all, ln_visit *visit, void *owner)
{
    struct scan scan = {visit, owner, malloc(sizeof(struct ln_record)),
                        malloc(RECORD_TEXT_MAX), false};
    bool ok = false;

    if (scan.record != NULL && scan.text != NULL)
        ok = visit_all(&scan, folder, all);
    free(scan.record);
    free(scan.text);
    return ok;
}
