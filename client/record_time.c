/* SPDX-License-Identifier: Apache-2.0 */
/* The two clocks of a record. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "record.h"

/* Containers share the machine's boot id; without one only the wall counts. */
static void
read_boot_id(char out[RECORD_BOOT_MAX])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    size_t len = 0;

    if (file != NULL) {
        len = fread(out, 1, RECORD_BOOT_MAX - 1, file);
        fclose(file);
    }
    out[len] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

void
record_when(char out[RECORD_WHEN_MAX], uint64_t wall_s)
{
    time_t when = (time_t)wall_s;
    struct tm utc;

    if (gmtime_r(&when, &utc) == NULL ||
        strftime(out, RECORD_WHEN_MAX, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        memcpy(out, "?", 2);
}

struct record_time
record_now(void)
{
    struct record_time now;
    struct timespec boot = {0, 0};

    memset(&now, 0, sizeof(now));
    now.wall_s = (uint64_t)time(NULL);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    now.boot_s = (uint64_t)boot.tv_sec;
    read_boot_id(now.boot_id);
    return now;
}

uint64_t
record_age_s(const struct record_time *created, const struct record_time *now)
{
    uint64_t wall =
        now->wall_s > created->wall_s ? now->wall_s - created->wall_s : 0;
    uint64_t boot =
        now->boot_s > created->boot_s ? now->boot_s - created->boot_s : 0;

    if (now->boot_id[0] != '\0' && strcmp(now->boot_id, created->boot_id) == 0)
        return boot < wall ? boot : wall;
    return wall;
}
