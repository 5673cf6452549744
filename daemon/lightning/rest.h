/* SPDX-License-Identifier: Apache-2.0 */
/* A REST service on the core's loop: JSON over HTTP, and streams of lines.
 * Knows nothing about what the answers mean; an answer that cannot be used is
 * no answer. */
#ifndef X402D_REST_H
#define X402D_REST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include <x402/span.h>

#define REST_ANSWER_MAX (1u << 20)
#define REST_LINE_MAX (256u << 10)

struct rest;

struct rest_options {
    const char *url;  /* of the service, without a path; kept */
    const char *cert; /* PEM file: the only trust anchor, read again for each
                         connection; NULL: the system's roots.  Kept */
    /* A header for each request, made anew: on the heap; NULL: none can be
     * made now, and the request fails. */
    char *(*header)(void *arg);
    void *header_arg;
};

struct rest_answer {
    long http_status;   /* 0: there was none */
    const json_t *json; /* NULL: the body was not JSON; borrowed */
    const char *why;    /* for logs, when there was no usable answer */
};
typedef void (*rest_cb)(void *arg, const struct rest_answer *answer);

struct rest *rest_new(uv_loop_t *loop, const struct rest_options *options);
/** End what is under way (each callback is called, without an answer), close,
 * then closed(arg). */
void rest_close(struct rest *rest, void (*closed)(void *arg), void *arg);

/** cb is called once, later, never from inside this call. */
void rest_get(struct rest *rest, const char *path, unsigned timeout_ms,
              rest_cb cb, void *arg);
/** body: JSON, taken over, freed with free(). */
void rest_post(struct rest *rest, const char *path, char *body,
               unsigned timeout_ms, rest_cb cb, void *arg);

/** A stream of lines.  line: false ends the stream; it may not call this file.
 *  end is called once, when it is over, however that came; why as above. */
struct rest_stream;
typedef bool (*rest_line_cb)(void *arg, struct x402_span line);
typedef void (*rest_end_cb)(void *arg, const char *why);
struct rest_stream *rest_listen(struct rest *rest, const char *path,
                                rest_line_cb line, rest_end_cb end, void *arg);
/** Not from inside a callback of the stream.  end is not called. */
void rest_hang_up(struct rest_stream *stream);

#endif
