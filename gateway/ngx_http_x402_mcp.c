/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MCP endpoint, streamable HTTP: a POST carries one JSON-RPC message and
 * is answered with one.  There are no sessions and no streams of our own, so
 * GET and DELETE are 405, as the specification has it.
 */

#include "ngx_http_x402.h"
#include "ngx_http_x402_mcp.h"


#define NGX_HTTP_X402_MCP_ERROR  1024


static ngx_int_t ngx_http_x402_mcp_allowed(ngx_http_request_t *r,
    const char **why);
static void ngx_http_x402_mcp_body(ngx_http_request_t *r);
static ngx_int_t ngx_http_x402_mcp_text(ngx_http_request_t *r,
    ngx_str_t *text);
static ngx_int_t ngx_http_x402_mcp_message(ngx_http_request_t *r,
    ngx_str_t *text);
static ngx_int_t ngx_http_x402_mcp_answer(ngx_http_request_t *r,
    ngx_http_x402_call_t *call, size_t size);
static ngx_int_t ngx_http_x402_mcp_tool(ngx_http_request_t *r,
    ngx_http_x402_call_t *call, size_t size);
static ngx_int_t ngx_http_x402_mcp_quiet(ngx_http_request_t *r);
static ngx_int_t ngx_http_x402_mcp_refuse(ngx_http_request_t *r,
    ngx_uint_t status, const json_t *id, enum x402_mcp_code code,
    const char *why);
static ngx_int_t ngx_http_x402_mcp_room(ngx_http_request_t *r,
    struct x402_buf *buf, size_t size);
static void ngx_http_x402_mcp_cleanup(void *data);


ngx_int_t
ngx_http_x402_mcp_handler(ngx_http_request_t *r)
{
    ngx_int_t    rc;
    ngx_str_t    post;
    ngx_uint_t   status;
    const char  *why;

    if (r != r->main) {
        return NGX_HTTP_FORBIDDEN;
    }

    if (r->method != NGX_HTTP_POST) {

        ngx_str_set(&post, "POST");

        if (ngx_http_x402_header_out(r, "Allow", &post) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return NGX_HTTP_NOT_ALLOWED;
    }

    status = ngx_http_x402_mcp_allowed(r, &why);

    if (status) {

        rc = ngx_http_discard_request_body(r);
        if (rc != NGX_OK) {
            return rc;
        }

        return ngx_http_x402_mcp_refuse(r, status, NULL, X402_MCP_INVALID,
                                        why);
    }

    rc = ngx_http_read_client_request_body(r, ngx_http_x402_mcp_body);

    return (rc >= NGX_HTTP_SPECIAL_RESPONSE) ? rc : NGX_DONE;
}


/* 0, or the status of a refusal: before the body is read */

static ngx_int_t
ngx_http_x402_mcp_allowed(ngx_http_request_t *r, const char **why)
{
    ngx_str_t                 *base;
    ngx_table_elt_t           *h;
    ngx_http_x402_tool_t      *tool;
    ngx_http_x402_srv_conf_t  *xscf;

    xscf = ngx_http_get_module_srv_conf(r, ngx_http_x402_module);

    tool = xscf->mcp->tools.elts;
    base = &tool->conf->base_url;

    /* "Servers MUST validate the Origin header": DNS rebinding */

    h = ngx_http_x402_header_in(r, "origin", sizeof("origin") - 1);

    if (h
        && (h->value.len != base->len
            || ngx_strncasecmp(h->value.data, base->data, base->len) != 0)
        && !ngx_http_x402_mutant("mcp_origin"))
    {
        *why = "this Origin is not the server's own";
        return NGX_HTTP_FORBIDDEN;
    }

    /* none: a client of a time before the header */

    h = ngx_http_x402_header_in(r, "mcp-protocol-version",
                                sizeof("mcp-protocol-version") - 1);

    if (h && !x402_mcp_speaks(ngx_http_x402_span(&h->value))) {
        *why = "MCP-Protocol-Version is none of 2025-11-25, 2025-06-18";
        return NGX_HTTP_BAD_REQUEST;
    }

    h = r->headers_in.content_type;

    if (h == NULL
        || h->value.len < sizeof("application/json") - 1
        || ngx_strncasecmp(h->value.data, (u_char *) "application/json",
                           sizeof("application/json") - 1)
           != 0)
    {
        *why = "Content-Type is not application/json";
        return NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
    }

    if (r->headers_in.content_length_n > X402_MCP_MAX) {
        *why = "the message is larger than 1 MiB";
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    return 0;
}


static void
ngx_http_x402_mcp_body(ngx_http_request_t *r)
{
    ngx_int_t  rc;
    ngx_str_t  text;

    rc = ngx_http_x402_mcp_text(r, &text);

    if (rc == NGX_OK) {
        rc = ngx_http_x402_mcp_message(r, &text);

    } else if (rc == NGX_DECLINED) {
        rc = ngx_http_x402_mcp_refuse(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                      NULL, X402_MCP_INVALID,
                                      "the message is larger than 1 MiB");
    } else {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_finalize_request(r, rc);
}


/* the body in one piece; NGX_DECLINED: it is too large */

static ngx_int_t
ngx_http_x402_mcp_text(ngx_http_request_t *r, ngx_str_t *text)
{
    off_t         size;
    u_char       *p;
    ngx_buf_t    *b;
    ngx_chain_t  *cl, *bufs;

    size = 0;
    bufs = r->request_body ? r->request_body->bufs : NULL;

    for (cl = bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    if (size > X402_MCP_MAX) {
        return NGX_DECLINED;
    }

    text->len = (size_t) size;

    text->data = ngx_pnalloc(r->pool, text->len + 1);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    p = text->data;

    for (cl = bufs; cl; cl = cl->next) {

        b = cl->buf;
        size = ngx_buf_size(b);

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, (size_t) size);
            continue;
        }

        if (size > 0) {
            if (ngx_read_file(b->file, p, (size_t) size, b->file_pos)
                != (ssize_t) size)
            {
                return NGX_ERROR;
            }

            p += size;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_x402_mcp_message(ngx_http_request_t *r, ngx_str_t *text)
{
    enum x402_mcp_code     code;
    ngx_pool_cleanup_t    *cln;
    ngx_http_x402_call_t  *call;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_x402_call_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call = cln->data;
    ngx_memzero(call, sizeof(ngx_http_x402_call_t));

    code = x402_mcp_read(&call->message, ngx_http_x402_span(text));

    cln->handler = ngx_http_x402_mcp_cleanup;

    if (code != X402_MCP_OK) {

        /* parameters are the method's business: that is an answer */

        return ngx_http_x402_mcp_refuse(r, (code == X402_MCP_PARAMS)
                                           ? NGX_HTTP_OK
                                           : NGX_HTTP_BAD_REQUEST,
                                        call->message.id, code,
                                        call->message.why);
    }

    return ngx_http_x402_mcp_answer(r, call, text->len);
}


static ngx_int_t
ngx_http_x402_mcp_answer(ngx_http_request_t *r, ngx_http_x402_call_t *call,
    size_t size)
{
    struct x402_buf            buf;
    const json_t              *id;
    ngx_http_x402_mcp_t       *mcp;
    ngx_http_x402_srv_conf_t  *xscf;

    xscf = ngx_http_get_module_srv_conf(r, ngx_http_x402_module);

    mcp = xscf->mcp;
    id = call->message.id;

    switch (call->message.kind) {

    case X402_MCP_QUIET:
        return ngx_http_x402_mcp_quiet(r);

    case X402_MCP_CALL:
        return ngx_http_x402_mcp_tool(r, call, size);

    case X402_MCP_INITIALIZE:

        /* the service's name: 8000 bytes, escaped */

        if (ngx_http_x402_mcp_room(r, &buf, 128 * 1024) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        x402_mcp_initialize(&buf, id, call->message.version, &mcp->service);
        break;

    case X402_MCP_PING:
    case X402_MCP_LIST:

        if (ngx_http_x402_mcp_room(r, &buf, mcp->list.len + 4096) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        x402_mcp_result(&buf, id, (call->message.kind == X402_MCP_LIST)
                                  ? ngx_http_x402_span(&mcp->list)
                                  : x402_span_of("{}"));
        break;

    case X402_MCP_OTHER:
    default:
        return ngx_http_x402_mcp_refuse(r, NGX_HTTP_OK, id, X402_MCP_METHOD,
                                        "there are tools here, and nothing "
                                        "else");
    }

    return ngx_http_x402_mcp_send(r, NGX_HTTP_OK, &buf);
}


static ngx_int_t
ngx_http_x402_mcp_tool(ngx_http_request_t *r, ngx_http_x402_call_t *call,
    size_t size)
{
    ngx_int_t                  rc;
    const char                *why;
    ngx_uint_t                 i;
    ngx_http_x402_tool_t      *tool;
    ngx_http_x402_srv_conf_t  *xscf;

    xscf = ngx_http_get_module_srv_conf(r, ngx_http_x402_module);

    tool = xscf->mcp->tools.elts;

    for (i = 0; i < xscf->mcp->tools.nelts; i++) {

        if (x402_span_eq(ngx_http_x402_span(&tool[i].name),
                         call->message.name))
        {
            call->tool = &tool[i];
            break;
        }
    }

    why = "there is no tool of this name";
    rc = NGX_DECLINED;

    if (call->tool) {
        rc = ngx_http_x402_mcp_call(r, call, size, &why);
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_x402_mcp_refuse(r, NGX_HTTP_OK, call->message.id,
                                        X402_MCP_PARAMS, why);
    }

    return (rc == NGX_ERROR) ? NGX_HTTP_INTERNAL_SERVER_ERROR : rc;
}


/* "the server MUST return HTTP status code 202 Accepted with no body" */

static ngx_int_t
ngx_http_x402_mcp_quiet(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    r->headers_out.status = NGX_HTTP_ACCEPTED;
    r->headers_out.content_length_n = 0;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_send_special(r, NGX_HTTP_LAST);
}


static ngx_int_t
ngx_http_x402_mcp_refuse(ngx_http_request_t *r, ngx_uint_t status,
    const json_t *id, enum x402_mcp_code code, const char *why)
{
    struct x402_buf  buf;

    /* an id takes up to six bytes for each of its own */

    if (ngx_http_x402_mcp_room(r, &buf, NGX_HTTP_X402_MCP_ERROR
                                        + 6 * X402_MCP_ID_MAX)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    x402_mcp_error(&buf, id, code, why);

    return ngx_http_x402_mcp_send(r, status, &buf);
}


ngx_int_t
ngx_http_x402_mcp_send(ngx_http_request_t *r, ngx_uint_t status,
    struct x402_buf *buf)
{
    ngx_int_t     rc;
    ngx_str_t     no_store;
    ngx_chain_t  *out;

    out = ngx_http_x402_whole(r->pool, buf->at, buf->len);
    if (out == NULL || buf->full) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&no_store, "no-store");

    r->headers_out.status = status;
    r->headers_out.content_length_n = buf->len;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    if (ngx_http_x402_header_out(r, "Cache-Control", &no_store) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, out);
}


static ngx_int_t
ngx_http_x402_mcp_room(ngx_http_request_t *r, struct x402_buf *buf,
    size_t size)
{
    char  *p;

    p = ngx_pnalloc(r->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *buf = x402_buf_on(p, size);

    return NGX_OK;
}


static void
ngx_http_x402_mcp_cleanup(void *data)
{
    ngx_http_x402_call_t  *call = data;

    x402_mcp_free(&call->message);
}
