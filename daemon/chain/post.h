/* SPDX-License-Identifier: Apache-2.0 */
/* Send bytes to a URL and hand back what came, on the core's loop: libcurl's
 * multi interface, woken by libuv.  Knows nothing about what the bytes mean. */
#ifndef X402D_POST_H
#define X402D_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "../net/guard.h"

struct post;

struct post_answer {
    bool complete;    /* a whole HTTP answer of at most the agreed size */
    long http_status; /* when complete */
    const char *body; /* NUL-terminated; borrowed for the call */
    size_t len;
    const char *type;       /* Content-Type; "" when there was none */
    uint64_t retry_after_s; /* its Retry-After; 0: none */
    const char *why; /* when not complete: for logs, never holds the URL */
};
typedef void (*post_cb)(void *arg, const struct post_answer *answer);

/** A sender with its own connections, which are kept alive and reused.
 *  In: answer_max  a larger answer is broken off and counts as none. */
struct post *post_new(uv_loop_t *loop, size_t answer_max);
/** One more header for every request, such as "Authorization: Bearer x". */
void post_header(struct post *post, const char *line);
/** Trust these authorities (a PEM file) and no others.  The text is kept. */
void post_trust(struct post *post, const char *ca_file);
/** Look at every address that is connected to (net/guard.h): those of `allow`
 * may be private.  The lists are kept. */
void post_guard(struct post *post, const char *what,
                const struct guard_range *allow, size_t allow_len);
/** Each question on a connection of its own: for answers that do not say which
 * question they belong to. */
void post_no_reuse(struct post *post);
/** Inside a callback: that answer was to another question, so its connection
 * is not used again; whatever else comes on it would be one too late as well.
 */
void post_distrust(struct post *post);
/** Break off what is under way (each callback is called, incomplete), close
 * the handles, then call closed(arg). */
void post_close(struct post *post, void (*closed)(void *arg), void *arg);

/** Send JSON.  No redirects, no proxy from the environment, TLS verified, no
 * compression (a small answer cannot become a large one).
 *  In: body  taken over, freed with free(); NULL: GET.
 *  cb is called once, later, never from inside this call. */
void post_send(struct post *post, const char *url, char *body, size_t body_len,
               unsigned timeout_ms, post_cb cb, void *arg);

#endif
