/* SPDX-License-Identifier: Apache-2.0 */
/* The yardsticks of this machine: signature recoveries a second on one core,
 * and the time of one fdatasync in a folder.  Everything that bench/run prints
 * is set against these. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <x402/x402.h>

#define SYNC_ROUNDS 400

static double
now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
recoveries_per_second(double seconds)
{
    struct x402_signer signer;
    struct x402_address who;
    uint8_t key[32], seed[32] = {7}, digest[32] = {1}, signature[65];
    double begin;
    unsigned long n = 0;

    memset(key, 0x11, sizeof key);
    if (x402_signer_open(&signer, key, seed) != X402_OK ||
        x402_sign(signature, &signer, digest) != X402_OK)
        exit(1);

    begin = now_s();
    do {
        if (x402_recover(&who, signature, digest) != X402_OK)
            exit(1);
        n++;
    } while (n % 64 != 0 || now_s() - begin < seconds);

    x402_signer_close(&signer);
    return (double)n / (now_s() - begin);
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Append 4 KiB and sync, as a small commit to a write-ahead log does. */
static double
median_sync_ms(const char *folder)
{
    static double took[SYNC_ROUNDS];
    char path[4096], page[4096] = {0};
    int fd;

    snprintf(path, sizeof path, "%s/sync.XXXXXX", folder);
    fd = mkstemp(path);
    if (fd < 0) {
        perror(path);
        exit(1);
    }
    for (size_t i = 0; i < SYNC_ROUNDS; i++) {
        double begin = now_s();

        if (write(fd, page, sizeof page) != sizeof page || fdatasync(fd) != 0) {
            perror(path);
            exit(1);
        }
        took[i] = (now_s() - begin) * 1e3;
    }
    close(fd);
    unlink(path);
    qsort(took, SYNC_ROUNDS, sizeof took[0], by_value);
    return took[SYNC_ROUNDS / 2];
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    printf("{\"recoveries_per_s\":%.0f,\"fdatasync_ms\":%.3f}\n",
           recoveries_per_second(2.0), median_sync_ms(argv[1]));
    return 0;
}
