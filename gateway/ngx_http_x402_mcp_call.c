/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call of a tool: the client's request becomes the route's request, as if
 * it had come from outside, and goes through all phases from the first one.
 * So whatever holds for the route (its price, limits, access rules) holds for
 * its tool, and there is no second way past the gate.
 *
 * Of the client's own headers only those stay that say who it is; a payment
 * comes from _meta["x402/payment"] alone.
 */

#include "ngx_http_x402.h"
#include "ngx_http_x402_mcp.h"


static ngx_int_t ngx_http_x402_mcp_target(ngx_http_request_t *r,
    ngx_http_x402_call_t *call, struct x402_buf *query);
static ngx_int_t ngx_http_x402_mcp_headers(ngx_http_request_t *r,
    ngx_http_x402_call_t *call, const char *type, size_t size);
static ngx_uint_t ngx_http_x402_mcp_kept(ngx_table_elt_t *h);
static ngx_int_t ngx_http_x402_mcp_keep(ngx_http_request_t *r,
    ngx_table_elt_t *h);
static ngx_int_t ngx_http_x402_mcp_header(ngx_http_request_t *r,
    const char *key, const char *lowcase, ngx_str_t *value);
static ngx_int_t ngx_http_x402_mcp_payment(ngx_http_request_t *r,
    const json_t *payment);
static ngx_int_t ngx_http_x402_mcp_content(ngx_http_request_t *r,
    struct x402_buf *body, const char *type);
static ngx_int_t ngx_http_x402_mcp_again(ngx_http_request_t *r,
    ngx_http_x402_call_t *call);


/* NGX_DECLINED: *why the arguments are no request; NGX_DONE: it runs */

ngx_int_t
ngx_http_x402_mcp_call(ngx_http_request_t *r, ngx_http_x402_call_t *call,
    size_t size, const char **why)
{
    char             *memory;
    size_t            room;
    const char       *type;
    struct x402_buf   query, body;

    room = 2 * size + 4096;

    memory = ngx_pnalloc(r->pool, NGX_HTTP_X402_MCP_QUERY + room);
    if (memory == NULL) {
        return NGX_ERROR;
    }

    query = x402_buf_on(memory, NGX_HTTP_X402_MCP_QUERY);
    body = x402_buf_on(memory + NGX_HTTP_X402_MCP_QUERY, room);

    if (x402_mcp_request(&query, &body, &type, &call->tool->route,
                         call->message.arguments, why)
        != X402_MCP_OK)
    {
        return NGX_DECLINED;
    }

    if (ngx_http_x402_mcp_target(r, call, &query) != NGX_OK
        || ngx_http_x402_mcp_headers(r, call, type, body.len) != NGX_OK
        || ngx_http_x402_mcp_content(r, &body, type) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_x402_mcp_again(r, call);
}


static ngx_int_t
ngx_http_x402_mcp_target(ngx_http_request_t *r, ngx_http_x402_call_t *call,
    struct x402_buf *query)
{
    u_char            *p;
    ngx_uint_t         i;
    struct x402_span   path, method;

    static const struct {
        const char  *name;
        ngx_uint_t   method;
    } methods[] = {
        { "GET", NGX_HTTP_GET },
        { "HEAD", NGX_HTTP_HEAD },
        { "DELETE", NGX_HTTP_DELETE },
        { "POST", NGX_HTTP_POST },
        { "PUT", NGX_HTTP_PUT },
        { "PATCH", NGX_HTTP_PATCH },
        { NULL, 0 }
    };

    method = x402_route_method(&call->tool->route);
    r->method = NGX_HTTP_UNKNOWN;

    for (i = 0; methods[i].name; i++) {
        if (x402_span_eq(method, x402_span_of(methods[i].name))) {
            r->method = methods[i].method;
        }
    }

    r->method_name.data = (u_char *) method.at;
    r->method_name.len = method.len;

    path = call->tool->route.path;

    p = ngx_pnalloc(r->pool, path.len + 1 + query->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    r->unparsed_uri.data = p;
    p = ngx_cpymem(p, path.at, path.len);

    ngx_str_null(&r->args);

    if (query->len) {
        *p++ = '?';
        r->args.data = p;
        r->args.len = query->len;
        p = ngx_cpymem(p, query->at, query->len);
    }

    r->unparsed_uri.len = p - r->unparsed_uri.data;
    r->uri = call->tool->conf->clcf->name;

    r->valid_unparsed_uri = 1;
    r->quoted_uri = 1;
    r->complex_uri = 0;
    r->plus_in_uri = 0;

    ngx_http_set_exten(r);

    return NGX_OK;
}


static ngx_int_t
ngx_http_x402_mcp_headers(ngx_http_request_t *r, ngx_http_x402_call_t *call,
    const char *type, size_t size)
{
    u_char                *p;
    ngx_str_t              value;
    ngx_table_elt_t       *h;
    ngx_http_headers_in_t  old;
    ngx_http_x402_walk_t   walk;

    old = r->headers_in;

    ngx_memzero(&r->headers_in, sizeof(ngx_http_headers_in_t));

    r->headers_in.server = old.server;
    r->headers_in.connection_type = old.connection_type;
    r->headers_in.keep_alive_n = old.keep_alive_n;
    r->headers_in.content_length_n = -1;

    if (ngx_list_init(&r->headers_in.headers, r->pool, 20,
                      sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* the copy of a list's first part points into the old structure */

    ngx_http_x402_headers_walk(&walk, &old.headers);

    while ((h = ngx_http_x402_headers_next(&walk)) != NULL) {

        if (ngx_http_x402_mcp_kept(h)
            && ngx_http_x402_mcp_keep(r, h) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    ngx_str_set(&value, "*/*");

    if (ngx_http_x402_mcp_header(r, "Accept", "accept", &value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (type) {

        value.data = (u_char *) type;
        value.len = ngx_strlen(type);

        if (ngx_http_x402_mcp_header(r, "Content-Type", "content-type",
                                     &value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        p = ngx_pnalloc(r->pool, NGX_SIZE_T_LEN);
        if (p == NULL) {
            return NGX_ERROR;
        }

        value.data = p;
        value.len = ngx_sprintf(p, "%uz", size) - p;

        if (ngx_http_x402_mcp_header(r, "Content-Length", "content-length",
                                     &value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        r->headers_in.content_length_n = size;
    }

    return ngx_http_x402_mcp_payment(r, call->message.payment);
}


/* who asks, and through whom: not what it knows */

static ngx_uint_t
ngx_http_x402_mcp_kept(ngx_table_elt_t *h)
{
    ngx_uint_t  i;

    static ngx_str_t  kept[] = {
        ngx_string("host"),
        ngx_string("user-agent"),
        ngx_string("forwarded"),
        ngx_string("x-forwarded-for"),
        ngx_string("x-forwarded-proto"),
        ngx_string("x-real-ip"),
        ngx_string("x-request-id"),
        ngx_string("traceparent"),
        ngx_null_string
    };

    if (ngx_http_x402_mutant("mcp_headers")) {
        return 1;
    }

    for (i = 0; kept[i].len; i++) {
        if (h->key.len == kept[i].len
            && ngx_strncmp(h->lowcase_key, kept[i].data, kept[i].len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* nginx's own handler of a header notes it where modules look for it */

static ngx_int_t
ngx_http_x402_mcp_keep(ngx_http_request_t *r, ngx_table_elt_t *h)
{
    ngx_table_elt_t            *kept;
    ngx_http_header_t          *hh;
    ngx_http_core_main_conf_t  *cmcf;

    kept = ngx_list_push(&r->headers_in.headers);
    if (kept == NULL) {
        return NGX_ERROR;
    }

    *kept = *h;
#if (nginx_version >= 1023000)
    kept->next = NULL;
#endif

    /* its handler chooses the server: that is done */

    if (h->key.len == sizeof("host") - 1
        && ngx_strncmp(h->lowcase_key, "host", sizeof("host") - 1) == 0)
    {
        r->headers_in.host = kept;
        return NGX_OK;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    hh = ngx_hash_find(&cmcf->headers_in_hash, h->hash, h->lowcase_key,
                       h->key.len);

    return hh ? hh->handler(r, kept, hh->offset) : NGX_OK;
}


static ngx_int_t
ngx_http_x402_mcp_header(ngx_http_request_t *r, const char *key,
    const char *lowcase, ngx_str_t *value)
{
    ngx_table_elt_t  h;

    ngx_memzero(&h, sizeof(ngx_table_elt_t));

    h.key.data = (u_char *) key;
    h.key.len = ngx_strlen(key);
    h.lowcase_key = (u_char *) lowcase;
    h.hash = ngx_hash_key((u_char *) lowcase, h.key.len);
    h.value = *value;

    return ngx_http_x402_mcp_keep(r, &h);
}


/* as it is written in HTTP: the gate reads it, well-formed or not */

static ngx_int_t
ngx_http_x402_mcp_payment(ngx_http_request_t *r, const json_t *payment)
{
    char       *text;
    size_t      len;
    ngx_str_t   value;

    if (payment == NULL) {
        return NGX_OK;
    }

    len = json_dumpb(payment, NULL, 0, JSON_ENCODE_ANY|JSON_COMPACT);

    text = ngx_pnalloc(r->pool, len + 1);
    value.data = ngx_pnalloc(r->pool, X402_BASE64_LEN(len) + 1);

    if (len == 0 || text == NULL || value.data == NULL) {
        return NGX_ERROR;
    }

    (void) json_dumpb(payment, text, len, JSON_ENCODE_ANY|JSON_COMPACT);

    value.len = x402_base64_encode((char *) value.data, (uint8_t *) text,
                                   len);

    return ngx_http_x402_mcp_header(r, "PAYMENT-SIGNATURE",
                                    "payment-signature", &value);
}


static ngx_int_t
ngx_http_x402_mcp_content(ngx_http_request_t *r, struct x402_buf *body,
    const char *type)
{
    ngx_buf_t                *b;
    ngx_chain_t              *cl;
    ngx_http_request_body_t  *rb;

    /* what was read stays read, whatever the route's request carries */

    rb = ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t));
    if (rb == NULL) {
        return NGX_ERROR;
    }

    r->request_body = rb;
    r->expect_tested = 1;

    if (type == NULL || body->len == 0) {
        return NGX_OK;
    }

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    b->memory = 1;
    b->start = (u_char *) body->at;
    b->pos = b->start;
    b->last = b->pos + body->len;
    b->end = b->last;
    b->last_buf = 1;

    cl->buf = b;
    cl->next = NULL;

    rb->bufs = cl;

    return NGX_OK;
}


/*
 * Like ngx_http_internal_redirect(), but not internal: "internal" locations
 * stay closed, and what was decided about /mcp (limits, access, variables) is
 * decided anew.
 */

static ngx_int_t
ngx_http_x402_mcp_again(ngx_http_request_t *r, ngx_http_x402_call_t *call)
{
    ngx_http_x402_ctx_t        *ctx;
    ngx_http_core_srv_conf_t   *cscf;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    ngx_memzero(r->ctx, sizeof(void *) * ngx_http_max_module);
    ngx_memzero(r->variables, cmcf->variables.nelts
                              * sizeof(ngx_http_variable_value_t));

#if (NGX_PCRE)
    r->ncaptures = 0;
#endif

    ctx = ngx_http_x402_add_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ctx->call = call;

    r->loc_conf = cscf->ctx->loc_conf;
    ngx_http_update_location_config(r);

    r->internal = 0;
    r->uri_changed = 0;
    r->add_uri_to_alias = 0;
    r->access_code = 0;
    r->limit_req_status = 0;
    r->limit_conn_status = 0;

    /* a result is made of bytes in memory */

    r->main_filter_need_in_memory = 1;

    r->main->count++;

    ngx_http_handler(r);

    return NGX_DONE;
}
