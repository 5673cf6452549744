/* SPDX-License-Identifier: Apache-2.0 */
/* The runner of one test program: TAP lines, rows that say why, input placed
 * where reading one byte too many faults, and vectors from files. */
#ifndef X402_TEST_H
#define X402_TEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <jansson.h>

#include <x402/encode.h>
#include <x402/span.h>

#define TEST_LEN(rows) (sizeof(rows) / sizeof((rows)[0]))

static int test_count, test_failures;

/** One TAP line. */
__attribute__((format(printf, 2, 3))) static inline void
test_ok(bool ok, const char *why, ...)
{
    va_list args;

    test_count++;
    test_failures += !ok;
    printf("%sok %d - ", ok ? "" : "not ", test_count);
    va_start(args, why);
    vprintf(why, args);
    va_end(args);
    putchar('\n');
}

/** The same for bytes; what they were is printed when they differ. */
static inline void
test_bytes(const void *got, size_t got_len, const void *want, size_t want_len,
           const char *why)
{
    bool same = got_len == want_len && memcmp(got, want, want_len) == 0;

    test_ok(same, "%s", why);
    if (same)
        return;
    printf("# got  ");
    for (size_t i = 0; i < got_len; i++)
        printf("%02x", ((const uint8_t *)got)[i]);
    printf("\n# want ");
    for (size_t i = 0; i < want_len; i++)
        printf("%02x", ((const uint8_t *)want)[i]);
    putchar('\n');
}

static inline void
test_text(const char *got, const char *want, const char *why)
{
    test_ok(strcmp(got, want) == 0, "%s", why);
    if (strcmp(got, want) != 0)
        printf("# got  %s\n# want %s\n", got, want);
}

/** The plan.  Returns what main returns: a program that tested nothing has
 *  failed. */
static inline int
test_done(void)
{
    printf("1..%d\n", test_count);
    return test_failures == 0 && test_count > 0 ? 0 : 1;
}

/** Stop: the test itself cannot go on. */
static inline void
test_need(bool ok, const char *what)
{
    if (ok)
        return;
    printf("Bail out! %s\n", what);
    exit(1);
}

/** A copy that ends directly before an unmapped page, so that reading past it
 *  faults.  Valid until the next call. */
static inline struct x402_span
test_edge(const void *bytes, size_t len)
{
    static char *area;
    static size_t pages;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (area == NULL || len > pages * page) {
        if (area != NULL)
            munmap(area, (pages + 1) * page);
        pages = len / page + 1;
        area = mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        test_need(area != MAP_FAILED, "mmap");
        test_need(mprotect(area + pages * page, page, PROT_NONE) == 0,
                  "mprotect");
    }
    if (len > 0)
        memcpy(area + pages * page - len, bytes, len);
    return (struct x402_span){area + pages * page - len, len};
}

static inline struct x402_span
test_edge_text(const char *text)
{
    return test_edge(text, strlen(text));
}

/** The array in a file of tests/vectors; ends the program without it. */
static inline json_t *
test_vectors(const char *name)
{
    char path[4096];
    json_t *rows;

    snprintf(path, sizeof path, "%s/%s", X402_TEST_VECTORS, name);
    rows = json_load_file(path, 0, NULL);
    if (rows == NULL)
        printf("# cannot read %s\n", name);
    test_need(rows != NULL, "no vectors");
    return rows;
}

static inline const char *
test_string(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));

    test_need(text != NULL, key);
    return text;
}

/** Bytes from "0x.."; *len is set.  The caller frees them.  Has a reader of its
 *  own: hex.c is under test too. */
static inline uint8_t *
test_unhex(size_t *len, const char *text)
{
    size_t n = strlen(text) / 2 - 1;
    uint8_t *bytes = malloc(n + 1);

    test_need(bytes != NULL && strncmp(text, "0x", 2) == 0, "hex");
    for (size_t i = 0; i < n; i++) {
        unsigned byte = 0;

        test_need(sscanf(text + 2 + 2 * i, "%2x", &byte) == 1, "hex");
        bytes[i] = (uint8_t)byte;
    }
    *len = n;
    return bytes;
}

/** Exactly len bytes of a member. */
static inline void
test_member(uint8_t *out, size_t len, const json_t *row, const char *key)
{
    size_t n;
    uint8_t *bytes = test_unhex(&n, test_string(row, key));

    test_need(n == len, key);
    memcpy(out, bytes, len);
    free(bytes);
}

/** Reproducible numbers for property tests (xorshift64). */
static inline uint64_t
test_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

#endif
