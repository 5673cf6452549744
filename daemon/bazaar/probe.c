/* SPDX-License-Identifier: Apache-2.0 */
/* See probe.h. */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <x402/encode.h>
#include <x402/json.h>

#include "../failpoint.h"
#include "../multi.h"

#define HEADER "payment-required:"

struct transfer {
    char body[PROBE_BYTES_MAX];
    size_t body_len;
    char header[PROBE_BYTES_MAX]; /* PAYMENT-REQUIRED's value */
    size_t header_len, headers_seen;
    bool too_large;
    bool (*stop)(void *arg);
    void *arg;
};

static size_t
on_body(char *at, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t n = size * count;

    if (n > sizeof(t->body) - t->body_len) {
        t->too_large = true;
        return 0;
    }
    memcpy(t->body + t->body_len, at, n);
    t->body_len += n;
    return n;
}

static size_t
on_header(char *at, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t n = size * count, skip = strlen(HEADER);

    t->headers_seen += n;
    if (t->headers_seen > sizeof(t->header)) {
        t->too_large = true;
        return 0;
    }
    if (n < skip || strncasecmp(at, HEADER, skip) != 0)
        return n;
    while (skip < n && (at[skip] == ' ' || at[skip] == '\t'))
        skip++;
    t->header_len = n - skip;
    memcpy(t->header, at + skip, t->header_len);
    while (t->header_len != 0 &&
           (unsigned char)t->header[t->header_len - 1] <= ' ')
        t->header_len--;
    return n;
}

static int
on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct transfer *t = arg;

    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return t->stop != NULL && t->stop(t->arg);
}

static CURL *
make_easy(struct transfer *t, const char *url, const char *method,
          struct guard *guard)
{
    CURL *easy = multi_easy(url, PROBE_MS);

    guard_watch(guard, easy);
    if (mutant("bazaar_redirect"))
        curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    }
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, t);
    return easy;
}

/* -- the 402 -- */

static json_t *
load(const struct transfer *t)
{
    struct x402_span header = {t->header, t->header_len};
    struct x402_span body = {t->body, t->body_len};
    uint8_t *text = malloc(X402_BASE64_DECODED_MAX(sizeof(t->header)));
    json_t *json = NULL;
    size_t len;

    if (text != NULL && header.len != 0 &&
        x402_base64_decode(text, &len,
                           X402_BASE64_DECODED_MAX(sizeof(t->header)),
                           header) == X402_OK)
        (void)!x402_json_load(&json,
                              (struct x402_span){(const char *)text, len},
                              PROBE_BYTES_MAX, X402_JSON_DEPTH_MAX);
    free(text);
    if (json == NULL && x402_json_load(&json, body, PROBE_BYTES_MAX,
                                       X402_JSON_DEPTH_MAX) != X402_OK)
        return NULL;
    return json;
}

/* The URL is the one that was asked: what the 402 calls it is a claim. */
static bool
read_offer(struct probe_result *out, const json_t *offer, const char *url,
           const char *method, const struct guard *guard)
{
    const json_t *said = json_object_get(offer, "resource");
    json_t *resource =
        json_is_object(said) ? json_copy((json_t *)said) : json_object();
    const json_t *extensions = json_object_get(offer, "extensions");
    struct listing_source source = {
        resource, json_object_get(offer, "accepts"),
        json_object_get(extensions, "bazaar"),
        (int)json_integer_value(json_object_get(offer, "x402Version"))};
    bool good = source.version == 1 || source.version == 2;

    json_object_set_new(resource, "url", json_string(url));
    if (!good)
        snprintf(out->why, sizeof(out->why), "its x402Version is not 1 or 2");
    good = good && listing_read(&out->listing, out->why, sizeof(out->why),
                                &source, guard);
    /* without the extension it says nothing of its method */
    if (good && source.bazaar == NULL)
        snprintf(out->listing.method, sizeof(out->listing.method), "%s",
                 method);
    json_decref(resource);
    return good;
}

static void
judge(struct probe_result *out, const struct transfer *t, const char *url,
      const char *method, const struct guard *guard)
{
    json_t *offer;

    if (out->status != 402) {
        snprintf(out->why, sizeof(out->why),
                 "it answers %ld to a request without a payment, not 402",
                 out->status);
        return;
    }
    offer = load(t);
    if (json_is_object(offer))
        out->has_offer = read_offer(out, offer, url, method, guard);
    else
        snprintf(out->why, sizeof(out->why), "its 402 holds no offer");
    json_decref(offer);
}

void
probe(struct probe_result *out, const char *url, const char *method,
      struct guard *guard, bool (*stop)(void *arg), void *arg)
{
    struct transfer *t = calloc(1, sizeof(*t));
    CURL *easy;
    CURLcode code;

    memset(out, 0, sizeof(*out));
    if (t == NULL)
        return;
    t->stop = stop;
    t->arg = arg;
    easy = make_easy(t, url, method, guard);
    code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &out->status);
    out->reached = out->status != 0;
    if (t->too_large)
        snprintf(out->why, sizeof(out->why),
                 "its answer is larger than %d "
                 "bytes",
                 PROBE_BYTES_MAX);
    else if (code != CURLE_OK)
        /* no more than this: who asks is not told what lies inside */
        snprintf(out->why, sizeof(out->why), "%s",
                 code == CURLE_OPERATION_TIMEDOUT ? "it did not answer in time"
                                                  : "it cannot be reached");
    else
        judge(out, t, url, method, guard);
    curl_easy_cleanup(easy);
    free(t);
}

static size_t
ignore(char *at, size_t size, size_t count, void *arg)
{
    (void)at;
    (void)arg;
    return size * count;
}

long
probe_post(const char *url, const char *json)
{
    CURL *easy = multi_easy(url, PROBE_MS);
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/json");
    long status = 0;

    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, json);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE, (long)PROBE_BYTES_MAX);
    if (curl_easy_perform(easy) == CURLE_OK)
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    return status;
}
