/* SPDX-License-Identifier: Apache-2.0 */
/* See url.h.  libcurl takes URLs apart; what a host may be is ours to say. */
#include "url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include "../failpoint.h"

#define DECODE_PASSES 5

struct parts {
    char *scheme, *user, *host, *port, *path;
};

static void
drop(struct parts *p)
{
    curl_free(p->scheme);
    curl_free(p->user);
    curl_free(p->host);
    curl_free(p->port);
    curl_free(p->path);
}

static bool
is_plain(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text <= 0x20 || (unsigned char)*text >= 0x7f)
            return false;
    }
    return true;
}

static bool
take_apart(struct parts *out, const char *text)
{
    CURLU *url = curl_url();
    bool good = url != NULL && is_plain(text) &&
                curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK;

    memset(out, 0, sizeof(*out));
    good = good &&
           curl_url_get(url, CURLUPART_SCHEME, &out->scheme, 0) == CURLUE_OK &&
           curl_url_get(url, CURLUPART_HOST, &out->host, 0) == CURLUE_OK &&
           curl_url_get(url, CURLUPART_PATH, &out->path, 0) == CURLUE_OK;
    if (good) {
        (void)curl_url_get(url, CURLUPART_USER, &out->user, 0);
        (void)curl_url_get(url, CURLUPART_PORT, &out->port, 0);
    }
    curl_url_cleanup(url);
    if (!good)
        drop(out);
    return good;
}

static bool
ends_in(const char *text, const char *end)
{
    size_t len = strlen(text), tail = strlen(end);

    return len >= tail && strcasecmp(text + len - tail, end) == 0;
}

union host_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* libcurl has written 2130706433 and 0x7f.1 as 127.0.0.1 by now. */
static bool
host_is_literal(union host_address *out, const char *host)
{
    char bare[64];
    size_t len = strlen(host);

    memset(out, 0, sizeof(*out));
    out->v4.sin_family = AF_INET;
    if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1)
        return true;
    if (len < 3 || len >= sizeof(bare) || host[0] != '[')
        return false;
    memcpy(bare, host + 1, len - 2);
    bare[len - 2] = '\0';
    memset(out, 0, sizeof(*out));
    out->v6.sin6_family = AF_INET6;
    return inet_pton(AF_INET6, bare, &out->v6.sin6_addr) == 1;
}

static bool
is_numeric(const char *host)
{
    return strspn(host, "0123456789.") == strlen(host) ||
           strncasecmp(host, "0x", 2) == 0;
}

/* What a host says by its text alone. */
static bool
host_is_public(const char *host, const struct guard *guard)
{
    static const char *const inner[] = {".localhost",   ".local", ".internal",
                                        ".localdomain", ".lan",   ".home.arpa"};
    union host_address address;

    if (strcasecmp(host, "localhost") == 0)
        host = "127.0.0.1";
    if (host_is_literal(&address, host))
        return guard_allows(guard, &address.any);
    if (host[0] == '[' || is_numeric(host) || strchr(host, '%') != NULL ||
        strchr(host, '.') == NULL)
        return false;
    for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++) {
        if (ends_in(host, inner[i]))
            return false;
    }
    return true;
}

static const char *
judge(const struct parts *p, const struct guard *guard)
{
    if (strcasecmp(p->scheme, "http") != 0 &&
        strcasecmp(p->scheme, "https") != 0)
        return "the resource's URL is neither http nor https";
    if (p->user != NULL)
        return "the resource's URL holds a user name";
    if (!host_is_public(p->host, guard) && !mutant("bazaar_private"))
        return "the resource's host is a private or local address";
    return NULL;
}

static void
lower(char *text)
{
    for (; *text != '\0'; text++) {
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
    }
}

const char *
bazaar_url(char *out, size_t cap, const char *text, const char *template,
           const struct guard *guard)
{
    struct parts p;
    const char *why;
    int len;

    if (!take_apart(&p, text))
        return "the resource has no well-formed URL";
    why = judge(&p, guard);
    lower(p.scheme);
    lower(p.host);
    len = snprintf(out, cap, "%s://%s%s%s%s", p.scheme, p.host,
                   p.port != NULL ? ":" : "", p.port != NULL ? p.port : "",
                   template != NULL ? template : p.path);
    if (why == NULL && (len < 0 || (size_t)len >= cap))
        why = "the resource's URL is too long";
    drop(&p);
    return why;
}

bool
bazaar_icon_is_good(const char *text)
{
    static const char *const names[] = {"localhost", "localhost.localdomain",
                                        "ip6-localhost", "ip6-loopback"};
    struct parts p;
    union host_address address;
    bool good;

    if (strlen(text) > 2048 || !take_apart(&p, text))
        return false;
    good = (strcasecmp(p.scheme, "http") == 0 ||
            strcasecmp(p.scheme, "https") == 0) &&
           p.user == NULL && p.host[0] != '[' && !is_numeric(p.host) &&
           strchr(p.host, '%') == NULL && !host_is_literal(&address, p.host);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && good; i++)
        good = strcasecmp(p.host, names[i]) != 0;
    drop(&p);
    return good;
}

/* -- route templates -- */

static int
hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c | 0x20);

    return at != NULL ? (int)(at - digits) : -1;
}

/* One pass over %XX, in place.  -1: malformed, 0: nothing to decode. */
static int
decode(char *text)
{
    char *to = text;
    int found = 0;

    for (const char *at = text; *at != '\0'; at++) {
        int high = *at == '%' ? hex_digit(at[1]) : -1;
        int low = high >= 0 ? hex_digit(at[2]) : -1;

        if (*at == '%' && (low < 0 || high * 16 + low == 0))
            return -1;
        if (*at == '%') {
            *to++ = (char)(high * 16 + low);
            at += 2;
            found = 1;
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
    return found;
}

bool
bazaar_template_is_good(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "_/:.-~%";
    char copy[512];
    int passes = 0, found;

    if (text[0] != '/' || text[1] == '\0' || strlen(text) >= sizeof(copy) ||
        strspn(text, allowed) != strlen(text))
        return false;
    memcpy(copy, text, strlen(text) + 1);
    while ((found = decode(copy)) == 1) {
        if (++passes == DECODE_PASSES)
            return false;
    }
    return found == 0 && strstr(copy, "..") == NULL &&
           strstr(copy, "://") == NULL;
}
