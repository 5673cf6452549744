/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway: what its files share.
 *
 * A request's way through them: path (odd spellings), headers (payment
 * headers taken out), gate (PRECONTENT), payment (decode, match, verify),
 * body (digest), rsv and till (the daemon), run (what becomes of it), hold
 * (the response waits here), paid (the receipt).  offer, reply and preflight
 * answer what is not proxied.
 */

#ifndef _NGX_HTTP_X402_H_INCLUDED_
#define _NGX_HTTP_X402_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include <ngx_http.h>

#include <x402/x402.h>


#define NGX_HTTP_X402_OFF           0
#define NGX_HTTP_X402_ON            1
#define NGX_HTTP_X402_OBSERVE       2

#define NGX_HTTP_X402_AFTER         0
#define NGX_HTTP_X402_BEFORE        1

/* x402_service, in the order of its keys */
#define NGX_HTTP_X402_NAME          0
#define NGX_HTTP_X402_DESCRIPTION   1
#define NGX_HTTP_X402_VERSION       2
#define NGX_HTTP_X402_CONTACT       3
#define NGX_HTTP_X402_LOGO          4
#define NGX_HTTP_X402_LEGAL         5
#define NGX_HTTP_X402_SERVICE_KEYS  6

#define NGX_HTTP_X402_BODY_SEED     0
#define NGX_HTTP_X402_BODY_V1       1

/* how long we wait for the daemon, in ms */
#define NGX_HTTP_X402_RESERVE_WAIT  40000
#define NGX_HTTP_X402_ANSWER_WAIT   10000
#define NGX_HTTP_X402_ISSUE_WAIT    4000

/* a paid proof is good this long after its invoice's end, in s */
#define NGX_HTTP_X402_LN_GRACE      86400

#define NGX_HTTP_X402_LN_ALWAYS     0
#define NGX_HTTP_X402_LN_ASK        1

/* validBefore must be this much later than the settle margin, in s */
#define NGX_HTTP_X402_CLOCK_SLACK   5

/* r->buffered: the one bit that nobody uses (0x01 SSI, 0x02 sub, 0x04 copy) */
#define NGX_HTTP_X402_BUFFERED      0x08

/* a client that takes nothing for so long has stopped reading, in ms */
#define NGX_HTTP_X402_STALL         5000

#define NGX_HTTP_X402_OFFER_MAX     32768
#define NGX_HTTP_X402_PATH_MAX      8192


#define ngx_http_x402_span(s)                                                 \
    ((struct x402_span) { (const char *) (s)->data, (s)->len })


#if (X402_MUTANTS)
ngx_uint_t ngx_http_x402_mutant(const char *name);
#else
#define ngx_http_x402_mutant(name)  0
#endif


#define NGX_HTTP_X402_BY_ASSET       0
#define NGX_HTTP_X402_BY_EIP3009     1
#define NGX_HTTP_X402_BY_PERMIT2     2


typedef struct ngx_http_x402_ctx_s   ngx_http_x402_ctx_t;
typedef struct ngx_http_x402_rsv_s   ngx_http_x402_rsv_t;
typedef struct ngx_http_x402_till_s  ngx_http_x402_till_t;
typedef struct ngx_http_x402_mcp_s   ngx_http_x402_mcp_t;
typedef struct ngx_http_x402_call_s  ngx_http_x402_call_t;


/* configuration */

typedef struct {
    const struct x402_network       *network;
    struct x402_address              address;
} ngx_http_x402_pay_to_t;


/* what a location asks for, at one price */

typedef struct {
    ngx_uint_t                       n;
    struct x402_requirement         *accepts;
    u_char                         (*domains)[32];
} ngx_http_x402_price_t;


/* a 402 that is the same for every request of one method */

typedef struct {
    ngx_str_t                        method;
    ngx_str_t                        header;     /* PAYMENT-REQUIRED */
    ngx_str_t                        body;
} ngx_http_x402_page_t;


typedef struct {
    ngx_str_t                        required;
    ngx_str_t                        currency;
    ngx_str_t                        chain;
    ngx_str_t                        pay_to;
} ngx_http_x402_plain_t;


typedef struct {
    struct x402_requirement          accept;
    time_t                           expires;
} ngx_http_x402_old_t;


/* the location's Lightning rail */

typedef struct {
    ngx_flag_t                       enable;
    ngx_uint_t                       offer;
    ngx_uint_t                       dialects;   /* enum x402_till_dialect */
    size_t                           body;
    struct x402_msat                 price;      /* 0: converted */
    ngx_array_t                     *bind;       /* ngx_str_t, ascending */
    ngx_str_t                        realm;      /* host and port */
} ngx_http_x402_ln_conf_t;


typedef struct {
    ngx_uint_t                       enable;
    ngx_uint_t                       settle;
    ngx_uint_t                       body;
    ngx_uint_t                       transfer;
    ngx_uint_t                       sponsoring; /* bits of the kinds */
    ngx_flag_t                       upto;
    struct x402_address              facilitator;        /* upto */
    ngx_flag_t                       smart_wallets;
    ngx_flag_t                       upgrade;
    ngx_flag_t                       paywall;
    ngx_flag_t                       mcp;        /* of this location alone */
    time_t                           timeout;
    time_t                           settle_margin;

    ngx_http_complex_value_t        *price;
    ngx_str_t                        currency;
    ngx_array_t                     *pay_to;     /* ngx_http_x402_pay_to_t */
    ngx_array_t                     *charge_status;      /* ngx_uint_t */

    ngx_str_t                        facilitator_url;
    ngx_str_t                        description;
    ngx_str_t                        mime_type;
    ngx_str_t                        base_url;
    struct x402_schema              *schema;     /* of this location alone */

    ngx_http_x402_till_t            *till;
    ngx_http_x402_ln_conf_t          ln;

    /* made when the configuration is complete */

    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_core_srv_conf_t        *cscf;
    ngx_str_t                        resource;   /* "": the request's path */
    ngx_http_x402_price_t            fixed;      /* n == 0: variables */
    ngx_str_t                        extensions; /* JSON; "": none */
    ngx_http_x402_page_t             pages[2];   /* GET, POST */
    ngx_http_x402_plain_t            plain;
    ngx_array_t                     *old;        /* ngx_http_x402_old_t */
} ngx_http_x402_loc_conf_t;


typedef struct {
    void                           **loc_conf;
    ngx_str_t                        name;       /* as a loose upstream reads */
#if (NGX_PCRE)
    ngx_regex_t                     *regex;      /* caseless; or NULL */
#endif
} ngx_http_x402_location_t;


typedef struct {
    ngx_flag_t                       priced;
    ngx_array_t                      locations;  /* _location_t */

    ngx_flag_t                       discovery;
    ngx_str_t                        service[NGX_HTTP_X402_SERVICE_KEYS];
    ngx_str_t                       *documents;  /* made; NULL: none */
    ngx_http_x402_mcp_t             *mcp;        /* made; NULL: none */
} ngx_http_x402_srv_conf_t;


typedef struct {
    void                           **loc_conf;
    ngx_http_x402_srv_conf_t        *xscf;
    ngx_http_core_srv_conf_t        *cscf;
} ngx_http_x402_seen_t;


typedef struct {
    ngx_array_t                      tills;      /* ngx_http_x402_till_t * */
    ngx_array_t                      seen;       /* every location, in order */
    ngx_uint_t                       priced;
} ngx_http_x402_main_conf_t;


/* a request */

typedef enum {
    ngx_http_x402_start = 0,         /* headers taken, nothing decided */
    ngx_http_x402_reading,           /* the body is read and hashed */
    ngx_http_x402_issuing,           /* ISSUE is out */
    ngx_http_x402_reserving,         /* RESERVE is out */
    ngx_http_x402_upgrading,         /* CAPTURE is out, before the proxying */
    ngx_http_x402_running,           /* reserved, nothing of the answer yet */
    ngx_http_x402_holding,           /* CAPTURE or RELEASE is out */
    ngx_http_x402_sending,           /* the header went on */
    ngx_http_x402_over               /* refused, or answered by ourselves */
} ngx_http_x402_state_e;


/* a request that is offered an invoice, or that brings a proof of one */

typedef struct {
    u_char                           request[32];
    ngx_str_t                        url;
    enum x402_err                    err;        /* why it asks anew */
    struct x402_till_issued         *issued;     /* NULL: no invoice */

    struct x402_till_proof          *proof;      /* NULL: an offer */
    struct x402_lnbtc_payment        payment;    /* of dialect lnbtc */
    ngx_str_t                        challenge;  /* id, of dialect MPP */

    enum x402_ln_network             network;    /* what was paid; 0 */
    struct x402_msat                 amount;
} ngx_http_x402_ln_t;


struct ngx_http_x402_ctx_s {
    ngx_http_request_t              *request;    /* the main one */
    ngx_http_x402_loc_conf_t        *conf;       /* of the payment */
    ngx_http_x402_rsv_t             *rsv;
    ngx_http_x402_state_e            state;

    ngx_uint_t                       credentials;
    ngx_str_t                        credential; /* the first one */
    enum x402_carrier                carrier;
    ngx_uint_t                       dialect;    /* of Authorization; or 0 */
    ngx_http_x402_ln_t              *ln;
    ngx_http_x402_call_t            *call;       /* of a tool; or NULL */

    struct x402_payment             *payment;
    struct x402_requirement          first;      /* of what was asked for */
    struct x402_requirement          accept;
    u_char                           domain[32];
    u_char                           fingerprint[32];
    struct x402_amount               charge;     /* upto */
    enum x402_err                    err;
    const char                      *status;     /* $x402_status */

    ngx_event_t                      timer;
    ngx_event_t                      hash;
    void                            *sha256;     /* EVP_MD_CTX */
    ngx_chain_t                     *hashed;     /* where the digest stands */
    off_t                            hashed_off;

    ngx_chain_t                     *held;
    ngx_chain_t                    **held_last;

    off_t                            client_sent;
    ngx_msec_t                       client_time;

    unsigned                         lookup:1;
    unsigned                         verified:1;
    unsigned                         smart:1;
    unsigned                         redeemed:1;
    unsigned                         settled:1;
    unsigned                         has_transaction:1;
    unsigned                         captured:1;
    unsigned                         release:1;  /* what the hold waits for */
    unsigned                         has_charge:1;
    unsigned                         misnamed:1; /* the charge is no amount */
    unsigned                         upgrade:1;
    unsigned                         spoiled:1;  /* whatever comes: free */
    unsigned                         started:1;
    unsigned                         last:1;     /* last buffer seen */
    unsigned                         part:1;     /* last one of a part */
    unsigned                         blocked:1;  /* output waits for client */
    unsigned                         stalled:1;
    unsigned                         discard:1;
    unsigned                         ended:1;

    u_char                           transaction[32];
};


/* a reservation: lives until the daemon knows its end */

#define NGX_HTTP_X402_CAPTURE  0x01
#define NGX_HTTP_X402_RELEASE  0x02
#define NGX_HTTP_X402_STARTED  0x04
#define NGX_HTTP_X402_DONE     0x08
#define NGX_HTTP_X402_RESERVE  0x10


struct ngx_http_x402_rsv_s {
    ngx_queue_t                      queue;      /* till->all */
    ngx_queue_t                      ready;      /* till->ready */
    ngx_http_x402_till_t            *till;
    ngx_http_x402_ctx_t             *ctx;        /* NULL: the request ended */

    struct x402_rid                  rid;
    enum x402_till_end               end;
    uint16_t                         status;     /* answered with, RELEASE */
    struct x402_amount               charge;     /* upto, if has_charge */

    enum x402_till_type              type;       /* of the first question */
    void                            *question;   /* until written */

    ngx_uint_t                       want;
    ngx_uint_t                       asked;

    unsigned                         reserved:1;
    unsigned                         queued:1;
    unsigned                         has_charge:1;
};


/* module, conf */

extern ngx_module_t  ngx_http_x402_module;

void *ngx_http_x402_create_main_conf(ngx_conf_t *cf);
void *ngx_http_x402_create_srv_conf(ngx_conf_t *cf);
char *ngx_http_x402_merge_srv_conf(ngx_conf_t *cf, void *parent, void *child);
void *ngx_http_x402_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_x402_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);
char *ngx_http_x402_set_price(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_pay_to(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_daemon(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_base_url(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_scheme(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_charge_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_service(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_schema(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_int_t ngx_http_x402_check(ngx_conf_t *cf);
ngx_int_t ngx_http_x402_check_bypass(ngx_conf_t *cf,
    ngx_http_x402_seen_t *seen);
ngx_int_t ngx_http_x402_check_no(ngx_conf_t *cf,
    ngx_http_x402_loc_conf_t *xlcf, const char *text);
ngx_int_t ngx_http_x402_check_order(ngx_cycle_t *cycle);

/* price, grace */

ngx_int_t ngx_http_x402_price_set(ngx_pool_t *pool,
    ngx_http_x402_loc_conf_t *xlcf, ngx_str_t *text,
    ngx_http_x402_price_t *price);
ngx_int_t ngx_http_x402_price_get(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf, ngx_http_x402_price_t *price);
ngx_int_t ngx_http_x402_grace(ngx_conf_t *cf, ngx_http_x402_main_conf_t *xmcf);

/* path, headers */

void ngx_http_x402_path_loose(u_char *dst, ngx_str_t *path, ngx_uint_t keep,
    ngx_str_t *out);
ngx_int_t ngx_http_x402_path_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_x402_path_guard(ngx_http_request_t *r);
ngx_int_t ngx_http_x402_headers_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_x402_headers_again(ngx_http_request_t *r);

typedef struct {
    ngx_list_part_t  *part;
    ngx_uint_t        i;
} ngx_http_x402_walk_t;

void ngx_http_x402_headers_walk(ngx_http_x402_walk_t *walk,
    ngx_list_t *headers);
ngx_table_elt_t *ngx_http_x402_headers_next(ngx_http_x402_walk_t *walk);
ngx_table_elt_t *ngx_http_x402_header_in(ngx_http_request_t *r,
    const char *lowcase, size_t len);
ngx_int_t ngx_http_x402_header_out(ngx_http_request_t *r, const char *key,
    ngx_str_t *value);
ngx_table_elt_t *ngx_http_x402_header_find(ngx_http_request_t *r,
    const char *key);
void ngx_http_x402_header_clear(ngx_http_request_t *r, const char *key);
ngx_int_t ngx_http_x402_header_cors(ngx_http_request_t *r);

/* offer, reply, preflight */

ngx_int_t ngx_http_x402_offer_init(ngx_conf_t *cf,
    ngx_http_x402_loc_conf_t *xlcf);
ngx_int_t ngx_http_x402_offer(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf, ngx_http_x402_price_t *price,
    enum x402_err err, ngx_str_t *body);
ngx_int_t ngx_http_x402_resource(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf, ngx_str_t *url);
ngx_int_t ngx_http_x402_reply_headers(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, ngx_http_x402_loc_conf_t *xlcf,
    ngx_uint_t status, enum x402_err err, ngx_str_t *body);
ngx_chain_t *ngx_http_x402_whole(ngx_pool_t *pool, void *data, size_t len);
ngx_int_t ngx_http_x402_reply(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_loc_conf_t *xlcf, enum x402_err err);
ngx_int_t ngx_http_x402_preflight(ngx_http_request_t *r);

/* discovery */

ngx_int_t ngx_http_x402_discovery_extensions(ngx_conf_t *cf,
    ngx_http_x402_seen_t *seen, ngx_http_x402_loc_conf_t *xlcf);
ngx_int_t ngx_http_x402_discovery(ngx_conf_t *cf,
    ngx_http_x402_main_conf_t *xmcf);
ngx_int_t ngx_http_x402_discovery_handler(ngx_http_request_t *r);

ngx_uint_t ngx_http_x402_discovery_listed(ngx_http_x402_seen_t *seen);
void ngx_http_x402_discovery_route(ngx_http_x402_loc_conf_t *xlcf,
    struct x402_route *route);
void ngx_http_x402_discovery_service(ngx_http_x402_srv_conf_t *xscf,
    ngx_http_x402_loc_conf_t *xlcf, struct x402_service *service);
ngx_int_t ngx_http_x402_discovery_text(ngx_conf_t *cf, json_t *json,
    ngx_str_t *text);

/* mcp */

char *ngx_http_x402_set_mcp(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_int_t ngx_http_x402_mcp_check(ngx_conf_t *cf, ngx_http_x402_seen_t *seen);
ngx_int_t ngx_http_x402_mcp_make(ngx_conf_t *cf,
    ngx_http_x402_main_conf_t *xmcf);
ngx_int_t ngx_http_x402_mcp_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_x402_mcp_call(ngx_http_request_t *r,
    ngx_http_x402_call_t *call, size_t size, const char **why);
ngx_uint_t ngx_http_x402_mcp_too_large(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx);
ngx_uint_t ngx_http_x402_mcp_cut(ngx_http_x402_ctx_t *ctx);
ngx_int_t ngx_http_x402_mcp_send(ngx_http_request_t *r, ngx_uint_t status,
    struct x402_buf *buf);
void ngx_http_x402_mcp_out_init(void);

/* paywall */

ngx_int_t ngx_http_x402_paywall_init(ngx_conf_t *cf);
ngx_uint_t ngx_http_x402_paywall_wanted(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf);
ngx_int_t ngx_http_x402_paywall(ngx_http_request_t *r, ngx_str_t *body);

/* payment, body, gate */

ngx_http_x402_ctx_t *ngx_http_x402_get_ctx(ngx_http_request_t *r);
ngx_http_x402_ctx_t *ngx_http_x402_add_ctx(ngx_http_request_t *r);
enum x402_err ngx_http_x402_payment(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, ngx_http_x402_loc_conf_t *xlcf,
    ngx_http_x402_price_t *price);
enum x402_err ngx_http_x402_payment_time(ngx_http_x402_ctx_t *ctx);
ngx_int_t ngx_http_x402_payment_ask(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, u_char *body32);
ngx_int_t ngx_http_x402_body(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx);
ngx_int_t ngx_http_x402_gate_handler(ngx_http_request_t *r);
void ngx_http_x402_gate_body(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    u_char *body32);
void ngx_http_x402_gate_refuse(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, enum x402_err err);

/* ln */

char *ngx_http_x402_ln_set_price(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_ln_set_bind(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_ln_merge(ngx_conf_t *cf, ngx_http_x402_ln_conf_t *prev,
    ngx_http_x402_ln_conf_t *conf);
ngx_int_t ngx_http_x402_ln_check(ngx_conf_t *cf, ngx_http_x402_seen_t *seen);
ngx_http_x402_ln_t *ngx_http_x402_ln_get(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx);
ngx_int_t ngx_http_x402_ln_request(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf, ngx_http_x402_ln_t *ln, u_char *body32);
void ngx_http_x402_ln_peer(ngx_http_request_t *r, u_char *peer);
ngx_uint_t ngx_http_x402_ln_waits(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf);
void ngx_http_x402_ln_wait(ngx_http_request_t *r, ngx_http_x402_till_t *till,
    const struct x402_till_issued *issued);
ngx_uint_t ngx_http_x402_ln_may_offer(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf);
ngx_int_t ngx_http_x402_ln_begin(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, ngx_http_x402_loc_conf_t *xlcf);
ngx_uint_t ngx_http_x402_ln_wants(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, ngx_http_x402_loc_conf_t *xlcf,
    enum x402_err err);
ngx_int_t ngx_http_x402_ln_again(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, enum x402_err err);
void ngx_http_x402_ln_ask(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    u_char *body32);
void ngx_http_x402_ln_issued(ngx_http_x402_ctx_t *ctx,
    const struct x402_till_issued *issued);
void ngx_http_x402_ln_unissued(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx);
ngx_int_t ngx_http_x402_ln_challenges(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, ngx_uint_t status);
ngx_int_t ngx_http_x402_ln_entry(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, ngx_http_x402_loc_conf_t *xlcf,
    struct x402_buf *buf);
enum x402_err ngx_http_x402_ln_credential(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, ngx_http_x402_loc_conf_t *xlcf);
enum x402_err ngx_http_x402_ln_prove(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, u_char *body32);
ngx_uint_t ngx_http_x402_ln_status(ngx_http_x402_ctx_t *ctx,
    enum x402_err err);
ngx_int_t ngx_http_x402_ln_problem(ngx_http_request_t *r, enum x402_err err,
    ngx_str_t *body);
ngx_int_t ngx_http_x402_ln_receipt(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx);

/* run, hold, paid */

void ngx_http_x402_run_reserved(ngx_http_x402_ctx_t *ctx,
    const struct x402_till_reserved *reserved);
void ngx_http_x402_run_answer(ngx_http_x402_ctx_t *ctx, ngx_uint_t what,
    enum x402_err err);
void ngx_http_x402_run_timer(ngx_event_t *ev);
void ngx_http_x402_run_cut(ngx_http_request_t *r);
void ngx_http_x402_override(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx);
ngx_uint_t ngx_http_x402_override_unknown(ngx_http_x402_ctx_t *ctx);
ngx_uint_t ngx_http_x402_run_charged(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx);
ngx_int_t ngx_http_x402_log_handler(ngx_http_request_t *r);
void ngx_http_x402_run_end(ngx_http_x402_ctx_t *ctx);

extern ngx_http_output_header_filter_pt  ngx_http_x402_next_header;
extern ngx_http_output_body_filter_pt    ngx_http_x402_next_body;

void ngx_http_x402_hold_init(void);
void ngx_http_x402_hold_start(ngx_http_x402_ctx_t *ctx);
ngx_int_t ngx_http_x402_hold_send(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, ngx_chain_t *in);
void ngx_http_x402_hold_discard(ngx_chain_t *in);
void ngx_http_x402_hold_wake(ngx_http_x402_ctx_t *ctx);
void ngx_http_x402_hold_replace(ngx_http_x402_ctx_t *ctx, ngx_uint_t status,
    enum x402_err err);

ngx_int_t ngx_http_x402_paid(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx);

/* rsv, till */

ngx_int_t ngx_http_x402_rsv_open(ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_till_t *till, enum x402_till_type type, const void *question,
    size_t size);
void ngx_http_x402_rsv_ask(ngx_http_x402_rsv_t *rsv, ngx_uint_t what);
void ngx_http_x402_rsv_leave(ngx_http_x402_rsv_t *rsv);
void ngx_http_x402_rsv_reserved(ngx_http_x402_rsv_t *rsv,
    const struct x402_till_reserved *reserved);
void ngx_http_x402_rsv_issued(ngx_http_x402_rsv_t *rsv,
    const struct x402_till_issued *issued);
void ngx_http_x402_rsv_ack(ngx_http_x402_rsv_t *rsv, ngx_uint_t what,
    enum x402_err err);
void ngx_http_x402_rsv_lost(ngx_http_x402_rsv_t *rsv);
ngx_uint_t ngx_http_x402_rsv_next(ngx_http_x402_rsv_t *rsv);
void ngx_http_x402_rsv_free(ngx_http_x402_rsv_t *rsv);

ngx_http_x402_till_t *ngx_http_x402_till_add(ngx_conf_t *cf, ngx_str_t *url);
ngx_int_t ngx_http_x402_till_init_process(ngx_cycle_t *cycle);
void ngx_http_x402_till_exit_process(ngx_cycle_t *cycle);
enum x402_err ngx_http_x402_till_enter(ngx_http_x402_till_t *till,
    ngx_http_x402_rsv_t *rsv);
void ngx_http_x402_till_leave(ngx_http_x402_till_t *till,
    ngx_http_x402_rsv_t *rsv);
void ngx_http_x402_till_wake(ngx_http_x402_till_t *till,
    ngx_http_x402_rsv_t *rsv);
void ngx_http_x402_till_retry(ngx_http_x402_till_t *till);
void ngx_http_x402_till_guard(ngx_http_x402_till_t *till);

/* variables */

ngx_int_t ngx_http_x402_add_variables(ngx_conf_t *cf);


#endif /* _NGX_HTTP_X402_H_INCLUDED_ */
