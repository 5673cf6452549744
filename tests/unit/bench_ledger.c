/* SPDX-License-Identifier: Apache-2.0 */
/* How many reserve+capture pairs a second the ledger takes, and what one
 * fdatasync costs on the same disk.
 *
 *     bench_ledger [PAIRS [IN_FLIGHT [PAYERS]]]      ledger in $TMPDIR, or /tmp
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "ledger_test.h"

static unsigned pairs = 50000, in_flight = 256, payers = 8;
static unsigned begun, finished;
static int over;

static double
seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void next(void);

static void
on_captured(void *arg, enum x402_err err, int64_t payment)
{
    (void)arg;
    (void)payment;
    if (err != X402_OK)
        abort();
    finished++;
    over = finished == pairs;
    next();
}

static void
on_reserved(void *arg, const struct ledger_reserved *out)
{
    (void)arg;
    if (out->err != X402_OK)
        abort();
    ledger_capture(test_ledger, &out->rid, NULL, NOW, 20, on_captured, NULL);
}

static void
next(void)
{
    struct ledger_reserve in;
    uint64_t random[4];

    if (begun == pairs)
        return;
    in = test_payment(begun % payers, begun, 1);
    core_random(random, sizeof random);
    memcpy(in.auth.nonce, random, sizeof random);
    in.balance = x402_amount_of(1000000000);
    in.limits.payer = in.limits.total = in.balance;
    begun++;
    ledger_reserve(test_ledger, &in, on_reserved, NULL);
}

/* Processor time so far: what a loaded machine does not blur. */
static double
cpu(void)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static unsigned long
written(void)
{
    char line[64];
    unsigned long bytes = 0;
    FILE *file = fopen("/proc/self/io", "r");

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        (void)sscanf(line, "wchar: %lu", &bytes);
    if (file != NULL)
        fclose(file);
    return bytes;
}

static double
sync_ms(void)
{
    char path[300], block[4096] = {0};
    double start;
    int fd;

    snprintf(path, sizeof path, "%s-journal", test_path);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    start = seconds();
    for (int i = 0; i < 100; i++)
        if (write(fd, block, sizeof block) < 0 || fdatasync(fd) != 0)
            abort();
    close(fd);
    unlink(path);
    return (seconds() - start) * 10;
}

int
main(int argc, char **argv)
{
    double start, took, busy;
    unsigned long bytes;

    if (argc > 1)
        pairs = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        in_flight = (unsigned)strtoul(argv[2], NULL, 10);
    if (argc > 3)
        payers = (unsigned)strtoul(argv[3], NULL, 10);
    setenv("TMPDIR", "/tmp", 0); /* a disk, if that is one */
    test_folder();
    printf("fdatasync of 4 KiB   %.2f ms\n", sync_ms());
    test_open();
    busy = cpu();
    bytes = written();
    start = seconds();
    for (unsigned i = 0; i < in_flight; i++)
        next();
    test_wait(&over);
    took = seconds() - start;
    busy = cpu() - busy;
    bytes = written() - bytes;
    printf("reserve+capture      %.0f pairs/s (%u pairs, %u in flight, %u "
           "payers)\n",
           pairs / took, pairs, in_flight, payers);
    printf("                     %.0f us of processor, %lu bytes written a "
           "pair\n",
           busy / pairs * 1e6, bytes / pairs);
    test_close();
    return 0;
}
