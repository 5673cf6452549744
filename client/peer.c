/* SPDX-License-Identifier: Apache-2.0 */
/* Classes of network addresses. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "peer.h"

struct range4 {
    uint32_t base;
    unsigned bits;
};

/* RFC 6890 and its successors: everything that is not the public Internet. */
static const struct range4 private4[] = {
    {0x00000000, 8},  /* this network */
    {0x0a000000, 8},  /* private */
    {0x64400000, 10}, /* carrier NAT */
    {0x7f000000, 8},  /* loopback */
    {0xa9fe0000, 16}, /* link-local, cloud metadata */
    {0xac100000, 12}, /* private */
    {0xc0000000, 24}, /* protocol assignments */
    {0xc0000200, 24}, /* documentation */
    {0xc0a80000, 16}, /* private */
    {0xc6120000, 15}, /* benchmarks */
    {0xc6336400, 24}, /* documentation */
    {0xcb007100, 24}, /* documentation */
    {0xe0000000, 3},  /* multicast, reserved, broadcast */
};

static bool
is_private4(uint32_t ip)
{
    for (size_t i = 0; i < sizeof(private4) / sizeof(private4[0]); i++) {
        uint32_t mask = 0xffffffffU << (32 - private4[i].bits);

        if ((ip & mask) == private4[i].base)
            return true;
    }
    return false;
}

/* IPv4 inside IPv6: mapped (::ffff:a.b.c.d), NAT64 (64:ff9b::/96). */
static bool
embedded4(uint32_t *out, const uint8_t ip[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};
    static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};

    if (memcmp(ip, mapped, 12) != 0 && memcmp(ip, nat64, 12) != 0)
        return false;
    *out = (uint32_t)ip[12] << 24 | (uint32_t)ip[13] << 16 |
           (uint32_t)ip[14] << 8 | ip[15];
    return true;
}

static bool
is_private6(const uint8_t ip[16])
{
    uint32_t ip4;

    if (embedded4(&ip4, ip))
        return is_private4(ip4);
    /* 2000::/3 is all of the public Internet; less documentation, Teredo and
     * 6to4, which carry another address inside */
    if ((ip[0] & 0xe0) != 0x20)
        return true;
    return (ip[0] == 0x20 && ip[1] == 0x02) ||
           (ip[0] == 0x20 && ip[1] == 0x01 && ip[2] == 0 && ip[3] == 0) ||
           (ip[0] == 0x20 && ip[1] == 0x01 && ip[2] == 0x0d && ip[3] == 0xb8);
}

bool
peer_is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;

        memcpy(&v4, address, sizeof(v4));
        return (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;

        memcpy(&v6, address, sizeof(v6));
        return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
    }
    return false;
}

bool
peer_is_private(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;

        memcpy(&v4, address, sizeof(v4));
        return is_private4(ntohl(v4.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;

        memcpy(&v6, address, sizeof(v6));
        return is_private6(v6.sin6_addr.s6_addr);
    }
    return true;
}

bool
peer_text_is_loopback(const char *ip)
{
    struct in_addr v4;

    if (ip == NULL)
        return false;
    if (inet_pton(AF_INET, ip, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    return strcmp(ip, "::1") == 0;
}
