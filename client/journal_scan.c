/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the journal. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "journal.h"

struct scan {
    journal_visit *visit;
    void *owner;
    struct record *record; /* too large for a stack that recurses */
    char *text;
    unsigned seen;
    bool stop;
};

static int
is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int
newest_first(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*b)->d_name, (*a)->d_name);
}

static void
free_names(struct dirent **names, int count)
{
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

/* A file that does not read was never finished, so its payment never left; but
 * one that cannot be opened may hold a payment: that ends the scan. */
static bool
visit_file(struct scan *scan, const char *path)
{
    struct journal_seen seen = {scan->record, path, false};
    size_t len;

    if (!journal_entry_read(&len, scan->text, RECORD_TEXT_MAX, &seen.alive,
                            path))
        return false;
    if (record_decode(scan->record, (struct x402_span){scan->text, len}) !=
        X402_OK)
        return true;
    scan->stop = !scan->visit(scan->owner, &seen);
    return true;
}

static bool
visit_folder(struct scan *scan, const char *folder)
{
    struct dirent **names;
    char path[PATHS_MAX];
    bool ok = true;
    int count = scandir(folder, &names, is_visible, newest_first);

    if (count < 0)
        return errno == ENOTDIR; /* not one of ours */
    for (int i = 0; i < count && ok && !scan->stop; i++) {
        if (++scan->seen > JOURNAL_SCAN_MAX) {
            errno = EOVERFLOW;
            ok = false;
        } else if (snprintf(path, sizeof(path), "%s/%s", folder,
                            names[i]->d_name) >= PATHS_MAX) {
            errno = ENAMETOOLONG;
            ok = false;
        } else {
            ok = visit_file(scan, path);
        }
    }
    free_names(names, count);
    return ok;
}

/* The name of the oldest day that a scan must look at. */
static bool
oldest_day(char out[16])
{
    time_t then = time(NULL) - (time_t)JOURNAL_SCAN_DAYS * 24 * 3600;
    struct tm utc;

    return gmtime_r(&then, &utc) != NULL &&
           strftime(out, 16, "%Y-%m-%d", &utc) != 0;
}

static bool
visit_days(struct scan *scan, const char *root, bool all)
{
    struct dirent **names;
    char path[PATHS_MAX], oldest[16];
    bool ok = oldest_day(oldest);
    int count = scandir(root, &names, is_visible, newest_first);

    if (count < 0)
        return false;
    for (int i = 0; i < count && ok && !scan->stop; i++) {
        const char *name = names[i]->d_name;

        if (!all && i >= JOURNAL_SCAN_DAYS && strcmp(name, oldest) < 0)
            break;
        ok = snprintf(path, sizeof(path), "%s/%s", root, name) < PATHS_MAX &&
             visit_folder(scan, path);
    }
    free_names(names, count);
    return ok;
}

bool
journal_scan(const struct journal *journal, bool all, journal_visit *visit,
             void *owner)
{
    struct scan scan = {
        visit, owner, malloc(sizeof(struct record)), malloc(RECORD_TEXT_MAX),
        0,     false};
    bool ok = false;

    if (scan.record != NULL && scan.text != NULL)
        ok = visit_days(&scan, journal->folder, all);
    free(scan.record);
    free(scan.text);
    return ok;
}
