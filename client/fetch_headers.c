/* SPDX-License-Identifier: Apache-2.0 */
/* The headers of a request: the user's, and the payment's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetch_inside.h"

/* What may follow a redirect to another origin.  All other headers of the user
 * may be secrets that were meant for the first one. */
static const char *const harmless[] = {"accept",
                                       "accept-charset",
                                       "accept-encoding",
                                       "accept-language",
                                       "cache-control",
                                       "content-language",
                                       "content-type",
                                       "if-match",
                                       "if-modified-since",
                                       "if-none-match",
                                       "if-unmodified-since",
                                       "range",
                                       "user-agent"};

static bool
is_harmless(const char *header)
{
    size_t len = strcspn(header, ":;");

    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
        if (strlen(harmless[i]) == len &&
            strncasecmp(header, harmless[i], len) == 0)
            return true;
    }
    return false;
}

static bool
is_named(const char *header, const char *name)
{
    size_t len = strlen(name);

    return strncasecmp(header, name, len) == 0 &&
           (header[len] == ':' || header[len] == ';');
}

bool
fetch_sends_header(const struct fetch *fetch, const char *header)
{
    if (!fetch->trusted && !is_harmless(header))
        return false;
    /* the body was dropped by a redirect, and its type with it */
    return fetch->has_body || !fetch->options->has_body ||
           !is_named(header, "content-type");
}

static bool
append(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (longer == NULL)
        return false;
    *list = longer;
    return true;
}

static bool
append_payment(struct curl_slist **list, const struct record *record)
{
    size_t cap = strlen(record->header) + 32;
    char *line = malloc(cap);
    bool ok;

    if (line == NULL)
        return false;
    (void)snprintf(line, cap, "%s: %s", record_header_name(record->wire),
                   record->header);
    ok = append(list, line);
    free(line);
    return ok;
}

static bool
append_all(struct curl_slist **list, const struct fetch *fetch)
{
    bool agent = false, accept = false;

    for (size_t i = 0; i < fetch->options->headers_len; i++) {
        const char *header = fetch->options->headers[i];

        if (!fetch_sends_header(fetch, header))
            continue;
        agent = agent || is_named(header, "user-agent");
        accept = accept || is_named(header, "accept-payment");
        if (!append(list, header))
            return false;
    }
    if (!agent && !append(list, "User-Agent: x402/" X402_VERSION))
        return false;
    /* until the seller's node holds the payment every answer is a 402: one
     * without a fresh invoice */
    if (fetch->carries && fetch->held.lnd != NULL && !accept &&
        !append(list, "Accept-Payment: lightning;q=0"))
        return false;
    return !fetch->carries ||
           append_payment(list, &fetch->result->payment.record);
}

bool
fetch_headers(struct curl_slist **out, const struct fetch *fetch)
{
    struct curl_slist *list = NULL;

    if (append_all(&list, fetch)) {
        *out = list;
        return true;
    }
    curl_slist_free_all(list);
    return false;
}
