/* SPDX-License-Identifier: Apache-2.0 */
/* URLs, read once into a canonical form: every decision about where money may
 * go is made on the origin that comes out of here, and the request is sent to
 * exactly the text that comes out of here. */
#ifndef CLIENT_URL_H
#define CLIENT_URL_H

#include <stdbool.h>

#include <x402/payment.h>
#include <x402/span.h>

#define URL_HOST_MAX 256
#define URL_ORIGIN_MAX (URL_HOST_MAX + 16)

struct url {
    char text[X402_URL_MAX];     /* absolute, without fragment */
    char origin[URL_ORIGIN_MAX]; /* "https://host:443": lower case, IDN in its
                                    ASCII form, port always written */
    char host[URL_HOST_MAX];
    bool https;
    bool loopback; /* 127.0.0.0/8, ::1, localhost */
};

enum url_err {
    URL_OK,
    URL_ERR_SYNTAX,   /* or longer than X402_URL_MAX */
    URL_ERR_SCHEME,   /* neither http nor https */
    URL_ERR_USERINFO, /* "https://good.example@evil.example/" */
};

/** Read an absolute URL; without a scheme it is https.  out is unchanged on
 *  error. */
__attribute__((warn_unused_result)) enum url_err url_parse(struct url *out,
                                                           const char *text);
/** Resolve a Location header against the URL that answered with it. */
__attribute__((warn_unused_result)) enum url_err
url_redirect(struct url *out, const struct url *base, const char *location);
const char *url_err_text(enum url_err err);
bool url_same_origin(const struct url *a, const struct url *b);

#endif
