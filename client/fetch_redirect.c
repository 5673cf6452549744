/* SPDX-License-Identifier: Apache-2.0 */
/* Redirects (-L): a new origin is a stranger. */
#include <string.h>

#include "fetch_inside.h"
#include "mutant.h"

bool
fetch_is_redirect(const struct fetch *fetch,
                  const struct exchange_answer *answer)
{
    long status = answer->status;

    return fetch->options->follow &&
           (status == 301 || status == 302 || status == 303 || status == 307 ||
            status == 308) &&
           heads_single(&answer->heads, "location").len > 0;
}

/* RFC 9110, 15.4: 303 asks for a GET elsewhere; a POST that is answered with
 * 301 or 302 becomes a GET "for historical reasons". */
static bool
becomes_get(const struct fetch *fetch, long status)
{
    if (strcmp(fetch->method, "GET") == 0 || strcmp(fetch->method, "HEAD") == 0)
        return false;
    return status == 303 || ((status == 301 || status == 302) &&
                             strcmp(fetch->method, "POST") == 0);
}

static void
make_get(struct fetch *fetch)
{
    fetch->method = "GET";
    fetch->has_body = false;
    fetch->body = (struct x402_span){NULL, 0};
    /* SHA-256 of nothing */
    static const uint8_t empty[32] = {
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
        0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
        0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
    memcpy(fetch->body32, empty, sizeof(empty));
}

static enum fetch_next
go_to(struct fetch *fetch, const struct url *to)
{
    bool same = url_same_origin(&fetch->url, to);

    /* TLS was asked for; nobody on the way may take it off */
    if (fetch->url.https && !to->https)
        return fetch_end(fetch, CLIENT_EXIT_POLICY,
                         "the server redirects from https to http");
    if (!same) {
        say_note(fetch->say, "redirected to %s", to->origin);
        fetch->trusted = client_mutant("redirect_trusts");
    }
    if (becomes_get(fetch, fetch->answer->status)) {
        make_get(fetch);
        same = false; /* another request: the payment was not made for it */
    }
    fetch->carries =
        fetch->carries && (same || client_mutant("redirect_carries"));
    fetch->url = *to;
    return FETCH_NEXT_SEND;
}

enum fetch_next
fetch_redirect(struct fetch *fetch)
{
    struct x402_span location = heads_single(&fetch->answer->heads, "location");
    char text[X402_URL_MAX];
    struct url to;
    enum url_err err = URL_ERR_SYNTAX;

    if (++fetch->redirects > FETCH_REDIRECTS_MAX)
        return fetch_end(fetch, CLIENT_EXIT_REDIRECTS, "more than %d redirects",
                         FETCH_REDIRECTS_MAX);
    if (location.len < sizeof(text)) {
        memcpy(text, location.at, location.len);
        text[location.len] = '\0';
        err = url_redirect(&to, &fetch->url, text);
    }
    if (err != URL_OK)
        return fetch_end(fetch, CLIENT_EXIT_POLICY,
                         "the server redirects to a URL that is %s",
                         url_err_text(err));
    return go_to(fetch, &to);
}
