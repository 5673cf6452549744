/* SPDX-License-Identifier: Apache-2.0 */
/* LND's REST, as far as a payer needs it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <x402/encode.h>
#include <x402/json.h>

#include "exchange.h"
#include "keystore.h"
#include "lnd.h"
#include "mutant.h"

enum { MACAROON_MAX = 4096, DEPTH = 16, GRPC_NOT_FOUND = 5 };

struct lnd {
    struct exchange *exchange;
    char base[LND_URL_MAX];
    const char *cert;
    struct curl_slist *headers;
    const struct exchange_answer *answer; /* of the last call */
    struct blob body;                     /* its body */
    bool first;   /* this call is over with its first whole line */
    bool stopped; /* and it came */
};

/* The header, in memory that is wiped: whoever has a macaroon has the money
 * that it may move. */
static bool
add_macaroon(struct lnd *lnd, const char *path)
{
    char bytes[MACAROON_MAX], line[2 * MACAROON_MAX + 64];
    struct x402_buf buf = x402_buf_on(line, sizeof(line) - 1);
    struct curl_slist *list = NULL;
    size_t len;
    enum keystore_err err = keystore_file_read(bytes, &len, MACAROON_MAX, path);

    if (err != KEYSTORE_OK) {
        say_error("lnd.macaroon, %.300s: %s", path, keystore_err_text(err));
        return false;
    }
    x402_buf_text(&buf, "Grpc-Metadata-macaroon: ");
    x402_buf_hex_bare(&buf, (const uint8_t *)bytes, len);
    line[buf.len] = '\0';
    list = curl_slist_append(NULL, line);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    OPENSSL_cleanse(line, sizeof(line));
    lnd->headers = list;
    return list != NULL;
}

struct lnd *
lnd_open(const struct lnd_config *config)
{
    /* -v shows headers, and here one of them is the money */
    static const struct say silent = {true, false, false};
    struct lnd *lnd;

    if (config->url[0] == '\0' || config->cert[0] == '\0' ||
        config->macaroon[0] == '\0') {
        say_error("no Lightning node is configured: lnd.url, lnd.cert and "
                  "lnd.macaroon say which");
        return NULL;
    }
    lnd = calloc(1, sizeof(*lnd));
    if (lnd == NULL)
        return NULL;
    lnd->cert = config->cert;
    lnd->body = blob_max(EXCHANGE_BODY_MAX);
    (void)snprintf(lnd->base, sizeof(lnd->base), "%s", config->url);
    lnd->exchange = exchange_new(&silent);
    if (lnd->exchange == NULL || !add_macaroon(lnd, config->macaroon)) {
        lnd_close(lnd);
        return NULL;
    }
    return lnd;
}

void
lnd_close(struct lnd *lnd)
{
    if (lnd == NULL)
        return;
    exchange_free(lnd->exchange);
    for (struct curl_slist *at = lnd->headers; at != NULL; at = at->next)
        OPENSSL_cleanse(at->data, strlen(at->data));
    curl_slist_free_all(lnd->headers);
    blob_free(&lnd->body);
    free(lnd);
}

static enum exchange_sink
stream(void *owner, const struct exchange_answer *answer)
{
    (void)owner;
    (void)answer;
    return EXCHANGE_STREAM;
}

/* false breaks the stream off: nobody waits for its end, or it is too long. */
static bool
on_body(void *owner, const char *bytes, size_t len)
{
    struct lnd *lnd = owner;

    if (!blob_add(&lnd->body, bytes, len))
        return false;
    lnd->stopped = lnd->first && memchr(bytes, '\n', len) != NULL;
    return !lnd->stopped;
}

/* One call; false: no whole answer came. */
static bool
call(struct lnd *lnd, const char *path, const struct x402_span *body)
{
    const struct exchange_events events = {stream, on_body, lnd};
    char text[LND_URL_MAX + 256];
    struct url url;
    struct exchange_request request = {
        .url = &url,
        .method = body == NULL ? "GET" : "POST",
        .has_body = body != NULL,
        .headers = lnd->headers,
        .pays = true,
        .cacert = lnd->cert,
        .max_ms = (LND_PATIENCE_S + 15) * 1000L,
        .silence_s = LND_PATIENCE_S + 15,
    };

    (void)snprintf(text, sizeof(text), "%s%s", lnd->base, path);
    if (body != NULL)
        request.body = *body;
    if (url_parse(&url, text) != URL_OK || !url.https) {
        say_error("lnd.url is no https URL");
        return false;
    }
    blob_clear(&lnd->body);
    lnd->stopped = false;
    lnd->answer = exchange_run(lnd->exchange, &request, &events);
    return lnd->answer->code == CURLE_OK || lnd->stopped;
}

/* ---- what LND says of a payment ---- */

/* The stream's last line that is whole; an error is one line without an end. */
static struct x402_span
last_line(const struct blob *body)
{
    struct x402_span text = blob_span(body);
    const char *end = text.len == 0 ? NULL : memrchr(text.at, '\n', text.len);
    const char *begin;

    if (end == NULL)
        return text;
    text.len = (size_t)(end - text.at);
    begin = text.len == 0 ? NULL : memrchr(text.at, '\n', text.len);
    if (begin != NULL) {
        text.len -= (size_t)(begin + 1 - text.at);
        text.at = begin + 1;
    }
    return text;
}

static void
say_reason(struct lnd_payment *out, const json_t *object, const char *key)
{
    struct x402_span text;

    if (x402_json_string(&text, object, key) == X402_OK)
        (void)terminal_clean(out->reason, sizeof(out->reason), text);
}

/* A preimage is one when it hashes to what was paid, whoever says it. */
static bool
read_preimage(struct lnd_payment *out, const json_t *payment,
              const uint8_t payment_hash[32])
{
    struct x402_span text;
    uint8_t hash[32];

    if (x402_json_string(&text, payment, "payment_preimage") != X402_OK ||
        x402_hex_decode_bare(out->preimage, 32, text) != X402_OK)
        return false;
    SHA256(out->preimage, 32, hash);
    return memcmp(hash, payment_hash, 32) == 0;
}

static void
read_fee(struct lnd_payment *out, const json_t *payment)
{
    struct x402_amount fee;

    if (x402_json_amount(&fee, payment, "fee_msat") != X402_OK ||
        !x402_amount_u64(&out->fee_msat, &fee))
        out->fee_msat = 0;
}

static void
read_payment(struct lnd_payment *out, const json_t *payment,
             const uint8_t payment_hash[32])
{
    struct x402_span status;

    if (x402_json_string(&status, payment, "status") != X402_OK)
        return;
    if (x402_span_eq(status, x402_span_of("SUCCEEDED"))) {
        read_fee(out, payment);
        if (read_preimage(out, payment, payment_hash))
            out->state = LND_PAID;
        else
            (void)snprintf(out->reason, sizeof(out->reason),
                           "the node's preimage is not this invoice's");
    } else if (x402_span_eq(status, x402_span_of("FAILED"))) {
        out->state = LND_FAILED;
        say_reason(out, payment, "failure_reason");
    } else if (x402_span_eq(status, x402_span_of("IN_FLIGHT")) ||
               x402_span_eq(status, x402_span_of("INITIATED"))) {
        out->state = LND_IN_FLIGHT;
    }
}

/* {"error":{...}} in a stream, or the error itself with another status. */
static void
read_error(struct lnd_payment *out, const json_t *error)
{
    const json_t *code = json_object_get(error, "code");

    say_reason(out, error, "message");
    if (json_is_integer(code) && json_integer_value(code) == GRPC_NOT_FOUND)
        out->state = LND_NEVER;
}

static void
read_answer(struct lnd_payment *out, const struct lnd *lnd,
            const uint8_t payment_hash[32])
{
    const json_t *result, *error;
    json_t *root;

    if (x402_json_load(&root, last_line(&lnd->body), EXCHANGE_BODY_MAX,
                       DEPTH) != X402_OK)
        return;
    result = json_object_get(root, "result");
    error = json_object_get(root, "error");
    if (lnd->answer->status == 200 && result != NULL)
        read_payment(out, result, payment_hash);
    else
        read_error(out, json_is_object(error) ? error : root);
    json_decref(root);
}

static void
ask(struct lnd_payment *out, struct lnd *lnd, const char *path,
    const struct x402_span *body, const uint8_t payment_hash[32])
{
    memset(out, 0, sizeof(*out));
    out->state = LND_UNKNOWN;
    if (!call(lnd, path, body)) {
        (void)terminal_clean(out->reason, sizeof(out->reason),
                             x402_span_of(lnd->answer == NULL
                                              ? "not asked"
                                              : lnd->answer->error));
        /* No connection, or one to somebody without the pinned certificate:
         * nothing of the request was written. */
        if (lnd->answer == NULL || lnd->answer->blocked ||
            lnd->answer->code == CURLE_COULDNT_CONNECT ||
            lnd->answer->code == CURLE_COULDNT_RESOLVE_HOST ||
            lnd->answer->code == CURLE_PEER_FAILED_VERIFICATION ||
            lnd->answer->code == CURLE_SSL_CACERT_BADFILE)
            out->state = LND_UNSENT;
        /* A stream that broke off may still have said how it stands. */
        else if (lnd->answer->status != 0)
            read_answer(out, lnd, payment_hash);
        return;
    }
    out->answered = true;
    read_answer(out, lnd, payment_hash);
}

/* What the node says now, or, without `first`, at the payment's end. */
static void
track(struct lnd_payment *out, struct lnd *lnd, bool first,
      const uint8_t payment_hash[32])
{
    char path[128];
    struct x402_buf buf = x402_buf_on(path, sizeof(path) - 1);

    x402_buf_text(&buf, "/v2/router/track/");
    x402_buf_base64url(&buf, payment_hash, 32);
    x402_buf_char(&buf, '=');
    path[buf.len] = '\0';
    lnd->first = first;
    ask(out, lnd, path, NULL, payment_hash);
}

void
lnd_track(struct lnd_payment *out, struct lnd *lnd,
          const uint8_t payment_hash[32])
{
    track(out, lnd, false, payment_hash);
}

void
lnd_look(struct lnd_payment *out, struct lnd *lnd,
         const uint8_t payment_hash[32])
{
    track(out, lnd, true, payment_hash);
}

/* "cancelable: If set, an attempt to cancel the payment will be made when the
 * rpc context is canceled"; it is not, so that breaking the stream off leaves
 * the payment to go on. */
static void
send_payment(struct lnd_payment *out, struct lnd *lnd, bool first,
             const char *invoice, const uint8_t payment_hash[32],
             struct x402_msat max_fee)
{
    char body[X402_BOLT11_MAX + 512];
    struct x402_buf buf = x402_buf_on(body, sizeof(body));
    struct lnd_payment now;
    struct x402_span text;

    x402_buf_text(&buf, "{\"payment_request\":\"");
    x402_buf_text(&buf, invoice);
    x402_buf_text(&buf, "\",\"timeout_seconds\":");
    x402_buf_u64(&buf, LND_PATIENCE_S);
    x402_buf_text(&buf, ",\"fee_limit_msat\":\"");
    x402_buf_u64(&buf, max_fee.value);
    x402_buf_text(&buf, "\",\"cltv_limit\":");
    x402_buf_u64(&buf, LND_CLTV_MAX);
    x402_buf_text(&buf, first ? ",\"no_inflight_updates\":false}"
                              : ",\"no_inflight_updates\":true}");
    text = x402_buf_span(&buf);
    lnd->first = first;
    ask(out, lnd, "/v2/router/send", &text, payment_hash);
    if (out->state == LND_PAID || out->state == LND_FAILED ||
        out->state == LND_UNSENT || (first && out->state == LND_IN_FLIGHT))
        return;
    /* The stream broke off, or LND has this hash already ("payment is in
     * transition", "invoice is already paid"): what it knows counts. */
    track(&now, lnd, first, payment_hash);
    if (now.state == LND_NEVER && out->reason[0] != '\0')
        memcpy(now.reason, out->reason, sizeof(now.reason));
    /* Without an answer our request may still be on its way to it: that it
     * does not know the payment yet proves nothing. */
    if (now.state == LND_NEVER)
        now.state = out->answered || client_mutant("ln_void_early")
                        ? LND_REFUSED
                        : LND_UNKNOWN;
    *out = now;
}

void
lnd_pay(struct lnd_payment *out, struct lnd *lnd, const char *invoice,
        const uint8_t payment_hash[32], struct x402_msat max_fee)
{
    send_payment(out, lnd, false, invoice, payment_hash, max_fee);
}

void
lnd_start(struct lnd_payment *out, struct lnd *lnd, const char *invoice,
          const uint8_t payment_hash[32], struct x402_msat max_fee)
{
    send_payment(out, lnd, true, invoice, payment_hash, max_fee);
}

bool
lnd_describe(char out[256], struct lnd *lnd)
{
    struct x402_span node, name;
    char text[160];
    json_t *root;
    bool synced;

    if (!call(lnd, "/v1/getinfo", NULL) || lnd->answer->status != 200 ||
        x402_json_load(&root, blob_span(&lnd->body), EXCHANGE_BODY_MAX,
                       DEPTH) != X402_OK) {
        say_error("the Lightning node does not answer: %s",
                  lnd->answer == NULL             ? "not asked"
                  : lnd->answer->error[0] != '\0' ? lnd->answer->error
                                                  : "not as LND does");
        return false;
    }
    if (x402_json_string(&node, root, "identity_pubkey") != X402_OK)
        node = x402_span_of("?");
    if (x402_json_string(&name, root, "alias") != X402_OK)
        name = x402_span_of("");
    synced = json_is_true(json_object_get(root, "synced_to_chain"));
    (void)snprintf(text, sizeof(text), "%.*s %.*s, %s", (int)node.len, node.at,
                   name.len < 40 ? (int)name.len : 40, name.at,
                   synced ? "synced" : "not synced");
    (void)terminal_clean(out, 256, x402_span_of(text));
    json_decref(root);
    return true;
}
