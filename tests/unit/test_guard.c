/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses may be connected to, in every form in which they come. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "net/guard.h"
#include "test.h"

static bool
allows(const struct guard *guard, const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return guard_allows(guard, (const struct sockaddr *)&v4);
    if (inet_pton(AF_INET6, text, &v6.sin6_addr) != 1)
        abort();
    return guard_allows(guard, (const struct sockaddr *)&v6);
}

static void
test_public(void)
{
    static const struct {
        const char *why, *address;
        bool allowed;
    } rows[] = {
        {"public", "93.184.216.34", true},
        {"public, last before 10/8", "9.255.255.255", true},
        {"first of 10/8", "10.0.0.0", false},
        {"last of 10/8", "10.255.255.255", false},
        {"first after 10/8", "11.0.0.0", true},
        {"unspecified", "0.0.0.0", false},
        {"this network", "0.1.2.3", false},
        {"loopback", "127.0.0.1", false},
        {"loopback, the last", "127.255.255.255", false},
        {"metadata", "169.254.169.254", false},
        {"before link-local", "169.253.255.255", true},
        {"after link-local", "169.255.0.0", true},
        {"172.15", "172.15.255.255", true},
        {"172.16", "172.16.0.0", false},
        {"172.31", "172.31.255.255", false},
        {"172.32", "172.32.0.0", true},
        {"192.168", "192.168.0.1", false},
        {"192.169", "192.169.0.1", true},
        {"carrier's NAT", "100.64.0.1", false},
        {"carrier's NAT, the last", "100.127.255.255", false},
        {"after the carrier's NAT", "100.128.0.0", true},
        {"protocol assignments", "192.0.0.170", false},
        {"documentation", "192.0.2.1", false},
        {"benchmarks", "198.19.255.255", false},
        {"multicast", "224.0.0.1", false},
        {"reserved", "240.0.0.1", false},
        {"broadcast", "255.255.255.255", false},
        {"IPv6, public", "2606:2800:220:1::1", true},
        {"IPv6, unspecified", "::", false},
        {"IPv6, loopback", "::1", false},
        {"IPv6, link-local", "fe80::1", false},
        {"IPv6, unique local", "fd00::1", false},
        {"IPv6, unique local of AWS' metadata", "fd00:ec2::254", false},
        {"IPv6, site-local", "fec0::1", false},
        {"IPv6, multicast", "ff02::1", false},
        {"IPv6, documentation", "2001:db8::1", false},
        {"IPv6, Teredo", "2001::1", false},
        {"IPv6, past the assignments", "2001:200::1", true},
        {"IPv6, 6to4 of loopback", "2002:7f00:1::", false},
        {"IPv4-mapped loopback", "::ffff:127.0.0.1", false},
        {"IPv4-mapped, public", "::ffff:93.184.216.34", true},
        {"IPv4-compatible", "::127.0.0.1", false},
        {"NAT64 of loopback", "64:ff9b::7f00:1", false},
        {"NAT64 of a private one", "64:ff9b::10.1.2.3", false},
        {"NAT64, public", "64:ff9b::93.184.216.34", true},
        {"local NAT64", "64:ff9b:1::1", false},
    };
    struct guard guard = {.what = "test"};

    for (size_t i = 0; i < TEST_LEN(rows); i++)
        test_ok(allows(&guard, rows[i].address) == rows[i].allowed, "%s: %s",
                rows[i].why, rows[i].address);
}

static void
test_listed(void)
{
    struct guard_range list[2];
    struct guard guard = {.what = "test", .allow = list, .allow_len = 2};
    static const struct {
        const char *why, *address;
        bool allowed;
    } rows[] = {
        {"listed", "10.1.255.1", true},
        {"beside the list", "10.2.0.0", false},
        {"listed, mapped", "::ffff:10.1.0.1", true},
        {"listed, through NAT64", "64:ff9b::10.1.0.1", true},
        {"listed IPv6", "fd12:3456:789a::1", true},
        {"beside it", "fd12:3457::1", false},
        {"public as ever", "93.184.216.34", true},
    };

    test_ok(guard_range_parse(&list[0], "10.1.0.0/16") &&
                guard_range_parse(&list[1], "fd12:3456::/32"),
            "the list is read");
    for (size_t i = 0; i < TEST_LEN(rows); i++)
        test_ok(allows(&guard, rows[i].address) == rows[i].allowed, "%s: %s",
                rows[i].why, rows[i].address);
}

static void
test_other_family(void)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct guard guard = {.what = "test"};

    test_ok(!guard_allows(&guard, (const struct sockaddr *)&local),
            "a Unix socket is refused");
}

static void
test_parse(void)
{
    static const struct {
        const char *text;
        bool good;
        unsigned bits;
    } rows[] = {
        {"10.0.0.0/8", true, 104},  {"10.0.0.1", true, 128},
        {"0.0.0.0/0", true, 96},    {"192.168.1.0/24", true, 120},
        {"::/0", true, 0},          {"fd00::/8", true, 8},
        {"::1", true, 128},         {"10.0.0.1/8", false, 0},
        {"10.0.0.0/33", false, 0},  {"fd00::/129", false, 0},
        {"10.0.0.0/", false, 0},    {"10.0.0.0/08", false, 0},
        {"10.0.0.0/-1", false, 0},  {"10.0.0.0/8 ", false, 0},
        {"10.0.0/8", false, 0},     {"010.0.0.0/8", false, 0},
        {"0x7f000001", false, 0},   {"2130706433", false, 0},
        {"localhost", false, 0},    {"", false, 0},
        {"10.0.0.0/8/8", false, 0}, {"[::1]", false, 0},
        {"fe80::1%eth0", false, 0}, {"10.0.0.0/99999999999", false, 0},
    };
    char longest[300];
    struct guard_range out;

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        memset(&out, 0xa5, sizeof out);
        test_ok(guard_range_parse(&out, rows[i].text) == rows[i].good &&
                    (rows[i].good ? out.bits == rows[i].bits
                                  : out.bits == 0xa5a5a5a5),
                "range: \"%s\"", rows[i].text);
    }
    memset(longest, '1', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    test_ok(!guard_range_parse(&out, longest), "range: too long");
}

int
main(void)
{
    test_public();
    test_listed();
    test_other_family();
    test_parse();
    return test_done();
}
