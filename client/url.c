/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical URLs by libcurl's parser, the same that sends the request. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "url.h"

static bool
get_part(char *out, size_t cap, CURLU *handle, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    bool fits;

    if (curl_url_get(handle, part, &text, flags) != CURLUE_OK)
        return false;
    fits = strlen(text) < cap;
    if (fits)
        memcpy(out, text, strlen(text) + 1);
    curl_free(text);
    return fits;
}

static bool
has_part(CURLU *handle, CURLUPart part)
{
    char *text = NULL;

    if (curl_url_get(handle, part, &text, 0) != CURLUE_OK)
        return false;
    curl_free(text);
    return true;
}

static void
lower_case(char *text)
{
    for (; *text != '\0'; text++)
        *text = (char)tolower((unsigned char)*text);
}

static bool
ends_with(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);

    return a >= b && strcmp(text + a - b, end) == 0;
}

static bool
is_loopback(const char *host)
{
    struct in_addr v4;

    if (strcmp(host, "localhost") == 0 || ends_with(host, ".localhost"))
        return true;
    if (strcmp(host, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, host, &v4) == 1 &&
           (ntohl(v4.s_addr) >> 24) == 127;
}

static enum url_err
fill(struct url *out, CURLU *handle)
{
    char scheme[16], port[8];
    struct url url;
    int len;

    if (!get_part(scheme, sizeof(scheme), handle, CURLUPART_SCHEME, 0))
        return URL_ERR_SYNTAX;
    url.https = strcasecmp(scheme, "https") == 0;
    if (!url.https && strcasecmp(scheme, "http") != 0)
        return URL_ERR_SCHEME;
    if (has_part(handle, CURLUPART_USER) ||
        has_part(handle, CURLUPART_PASSWORD))
        return URL_ERR_USERINFO;
    if (has_part(handle, CURLUPART_ZONEID))
        return URL_ERR_SYNTAX;

    if (curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK ||
        !get_part(url.host, sizeof(url.host), handle, CURLUPART_HOST,
                  CURLU_PUNYCODE) ||
        !get_part(port, sizeof(port), handle, CURLUPART_PORT,
                  CURLU_DEFAULT_PORT))
        return URL_ERR_SYNTAX;
    lower_case(url.host);
    if (curl_url_set(handle, CURLUPART_HOST, url.host, 0) != CURLUE_OK ||
        !get_part(url.text, sizeof(url.text), handle, CURLUPART_URL, 0))
        return URL_ERR_SYNTAX;
    len = snprintf(url.origin, sizeof(url.origin), "%s://%s:%s",
                   url.https ? "https" : "http", url.host, port);
    if (len < 0 || (size_t)len >= sizeof(url.origin))
        return URL_ERR_SYNTAX;
    url.loopback = is_loopback(url.host);
    *out = url;
    return URL_OK;
}

static enum url_err
read_url(struct url *out, const char *base, const char *text)
{
    CURLU *handle = curl_url();
    enum url_err err = URL_ERR_SYNTAX;
    CURLUcode code = CURLUE_OK;

    if (handle == NULL)
        return URL_ERR_SYNTAX;
    if (base != NULL)
        code = curl_url_set(handle, CURLUPART_URL, base, 0);
    if (code == CURLUE_OK)
        code = curl_url_set(handle, CURLUPART_URL, text,
                            CURLU_DEFAULT_SCHEME | CURLU_NON_SUPPORT_SCHEME |
                                (base != NULL ? CURLU_URLENCODE : 0U));
    if (code == CURLUE_OK)
        err = fill(out, handle);
    curl_url_cleanup(handle);
    return err;
}

enum url_err
url_parse(struct url *out, const char *text)
{
    return read_url(out, NULL, text);
}

enum url_err
url_redirect(struct url *out, const struct url *base, const char *location)
{
    return read_url(out, base->text, location);
}

const char *
url_err_text(enum url_err err)
{
    switch (err) {
    case URL_OK:
        return "fine";
    case URL_ERR_SYNTAX:
        return "malformed or longer than 2047 characters";
    case URL_ERR_SCHEME:
        return "neither http nor https";
    case URL_ERR_USERINFO:
        return "names and passwords in URLs are not taken; "
               "use -H 'Authorization: ...'";
    }
    return "malformed";
}

bool
url_same_origin(const struct url *a, const struct url *b)
{
    return strcmp(a->origin, b->origin) == 0;
}
