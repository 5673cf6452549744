/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the till, shared by the files that make it: till (its life),
 * till_ask (questions out), till_read (answers in).
 */

#ifndef _NGX_HTTP_X402_TILL_H_INCLUDED_
#define _NGX_HTTP_X402_TILL_H_INCLUDED_


#include "ngx_http_x402.h"


#define NGX_HTTP_X402_TILL_IN       (4 * X402_TILL_FRAME_MAX)
#define NGX_HTTP_X402_TILL_BACKOFF  20       /* ms, then longer */

/* a daemon that is silent for three heartbeats is not there */

#define NGX_HTTP_X402_TILL_SILENT   (3 * X402_TILL_HEARTBEAT_S * 1000)


typedef struct {
    uint64_t                     id;
    ngx_http_x402_rsv_t         *rsv;
    ngx_uint_t                   what;
    ngx_msec_t                   asked;
} ngx_http_x402_slot_t;


/* "it is of no use to ask for an invoice": for a peer */

#define NGX_HTTP_X402_LN_WAITS       1024

typedef struct {
    u_char                       peer[16];
    ngx_msec_t                   until;
    ngx_msec_t                   step;           /* how long it was */
    unsigned                     asked:1;        /* since it ended */
} ngx_http_x402_ln_wait_t;


struct ngx_http_x402_till_s {
    ngx_str_t                    path;
    struct sockaddr_un           sockaddr;

    ngx_peer_connection_t        peer;
    ngx_connection_t            *connection;     /* NULL: down */
    ngx_log_t                    quiet;
    struct x402_till_hello       hello;

    ngx_event_t                  tick;           /* heartbeat, reconnect */
    ngx_event_t                  again;
    ngx_event_t                  guard;
    ngx_event_t                  flush;

    ngx_queue_t                  all;            /* ngx_http_x402_rsv_t */
    ngx_queue_t                  ready;
    ngx_uint_t                   count;
    ngx_uint_t                   reserving;

    ngx_http_x402_slot_t        *slots;
    uint16_t                    *free;
    ngx_uint_t                   nfree;
    uint64_t                     seq;

    u_char                      *in;
    size_t                       in_len;
    u_char                      *out;
    size_t                       out_size;
    size_t                       out_pos;
    size_t                       out_last;

    ngx_http_x402_ln_wait_t     *waits;
    ngx_http_x402_ln_wait_t      waits_all;      /* for everybody */
    ngx_msec_t                   waits_tokens;   /* and converted prices */

    ngx_msec_t                   backoff;
    ngx_msec_t                   heard;
    unsigned                     pinged:1;
    unsigned                     complained:1;
};


/* large, and needed for a moment only */

extern struct x402_till_frame  ngx_http_x402_till_frame;


void ngx_http_x402_till_close(ngx_http_x402_till_t *till,
    const char *why);
void ngx_http_x402_till_flush(ngx_event_t *ev);
void ngx_http_x402_till_again(ngx_event_t *ev);
void ngx_http_x402_till_guarded(ngx_event_t *ev);
ngx_uint_t ngx_http_x402_till_put(ngx_http_x402_till_t *till,
    const struct x402_till_frame *frame);
void ngx_http_x402_till_write(ngx_event_t *wev);
void ngx_http_x402_till_read(ngx_event_t *rev);


#endif /* _NGX_HTTP_X402_TILL_H_INCLUDED_ */
