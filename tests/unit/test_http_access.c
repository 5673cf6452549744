/* SPDX-License-Identifier: Apache-2.0 */
/* How often somebody may ask: the bucket alone, and addresses in their table.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "http/peers.h"
#include "test.h"

#define OK(x) test_ok((x), "%s: %s", __func__, #x)

#define NOW 1700000000000000u

static unsigned
taken(struct bucket *bucket, unsigned rate, unsigned tries, uint64_t now_us)
{
    unsigned n = 0, wait_s;

    while (tries-- > 0)
        n += bucket_take(bucket, rate, now_us, &wait_s);
    return n;
}

static void
bucket(void)
{
    struct bucket b = {0};
    unsigned wait_s = 0;

    OK(taken(&b, 10, 100, NOW) == 20);
    OK(!bucket_take(&b, 10, NOW, &wait_s) && wait_s == 1);
    OK(taken(&b, 10, 100, NOW + 500000) == 5);
    OK(taken(&b, 10, 100, NOW + 3600000000u) == 20);
    /* one a second */
    b.full_us = 0;
    OK(taken(&b, 1, 100, NOW) == 2);
    OK(!bucket_take(&b, 1, NOW + 1, &wait_s) && wait_s == 1);
    OK(taken(&b, 1, 100, NOW + 1000000) == 1);
    /* the fastest */
    b.full_us = 0;
    OK(taken(&b, 100000, 300000, NOW) == 200000);
}

static struct sockaddr_storage
address(const char *text)
{
    struct sockaddr_storage out;
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    memset(&out, 0, sizeof out);
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        memcpy(&out, &v4, sizeof v4);
    else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
        memcpy(&out, &v6, sizeof v6);
    return out;
}

static struct peer *
find(struct peers *peers, const char *text, uint64_t now_us)
{
    struct sockaddr_storage a = address(text);

    return peers_find(peers, (const struct sockaddr *)&a, now_us);
}

static void
who_is_who(void)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true},
        {"2001:db8:0:1::1", "2001:db8:0:2::1", false},
        {"2001:db8::1", "192.0.2.1", false},
    };
    static const struct {
        const char *text;
        bool loopback;
    } local[] = {
        {"127.0.0.1", true},    {"127.255.0.3", true},
        {"::1", true},          {"::ffff:127.0.0.1", true},
        {"128.0.0.1", false},   {"::2", false},
        {"0.0.0.0", false},     {"::", false},
        {"::127.0.0.1", false}, {"192.0.2.1", false},
    };
    struct sockaddr unknown = {.sa_family = AF_UNIX};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct peers *peers = peers_new();
        struct peer *a = find(peers, rows[i].a, NOW);

        OK((find(peers, rows[i].b, NOW) == a) == rows[i].same);
        peers_free(peers);
    }
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++) {
        struct sockaddr_storage a = address(local[i].text);

        OK(peers_is_loopback((struct sockaddr *)&a) == local[i].loopback);
    }
    OK(!peers_is_loopback(&unknown));
}

/* Who asks all the time is remembered while a million others come by: that
 * eight of a hundred fall into his set of 1,024 happens once in 10^9 runs. */
static void
a_flood_of_addresses(void)
{
    struct peers *peers = peers_new();
    struct peer *busy = find(peers, "192.0.2.1", NOW);
    bool kept = true;

    (void)taken(&busy->settle, 1, 10, NOW);
    for (uint32_t i = 0; i < 1000000; i++) {
        struct sockaddr_in6 other = {.sin6_family = AF_INET6};

        memcpy(other.sin6_addr.s6_addr, "\x20\x01\x0d\xb8", 4);
        memcpy(other.sin6_addr.s6_addr + 4, &i, 4);
        (void)peers_find(peers, (struct sockaddr *)&other, NOW + i);
        if (i % 100 == 0)
            kept =
                kept && find(peers, "192.0.2.1", NOW + i)->settle.full_us > 0;
    }
    OK(kept);
    peers_free(peers);
}

int
main(void)
{
    bucket();
    who_is_who();
    a_flood_of_addresses();
    return test_done();
}
