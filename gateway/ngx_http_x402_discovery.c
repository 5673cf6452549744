/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What machines read before they pay.  The documents are made when the
 * configuration is complete, from the same prices as the 402, and served
 * before any location is looked for: they are the server's own words, free,
 * and no "return" or "deny" of a location hides them.
 */

#include "ngx_http_x402.h"
#include "ngx_http_x402_mcp.h"


typedef json_t *(*ngx_http_x402_maker_pt)(const struct x402_routes *routes);


typedef struct {
    ngx_str_t                        uri;
    ngx_http_x402_maker_pt           make;
} ngx_http_x402_document_t;


static ngx_int_t ngx_http_x402_discovery_server(ngx_conf_t *cf,
    ngx_http_x402_srv_conf_t *xscf);
static ngx_int_t ngx_http_x402_discovery_make(ngx_conf_t *cf,
    ngx_http_x402_srv_conf_t *xscf, struct x402_routes *routes);
static ngx_int_t ngx_http_x402_discovery_sponsoring(
    ngx_http_x402_loc_conf_t *xlcf, json_t *extensions);
static ngx_int_t ngx_http_x402_discovery_send(ngx_http_request_t *r,
    ngx_str_t *body);


/* in the order of xscf->documents */

static ngx_http_x402_document_t  ngx_http_x402_documents[] = {
    { ngx_string("/openapi.json"), x402_discovery_openapi },
    { ngx_string("/api/openapi.json"), x402_discovery_openapi },
    { ngx_string("/.well-known/x402-manifest.json"), x402_discovery_manifest },
    { ngx_string("/.well-known/x402.json"), x402_discovery_manifest },
    { ngx_string("/.well-known/x402"), x402_discovery_list },
    { ngx_string("/.well-known/mcp.json"), x402_discovery_mcp },
    { ngx_string("/.well-known/ai-plugin.json"), x402_discovery_plugin }
};


/* what a location is for machines; its strings are the configuration's */

void
ngx_http_x402_discovery_route(ngx_http_x402_loc_conf_t *xlcf,
    struct x402_route *route)
{
    ngx_memzero(route, sizeof(struct x402_route));

    route->url = ngx_http_x402_span(&xlcf->resource);
    route->path = (struct x402_span) {
                      route->url.at + xlcf->base_url.len,
                      route->url.len - xlcf->base_url.len };
    route->description = ngx_http_x402_span(&xlcf->description);
    route->mime_type = ngx_http_x402_span(&xlcf->mime_type);
    route->accepts = xlcf->fixed.accepts;
    route->accepts_len = xlcf->fixed.n;
    route->schema = xlcf->schema;
}


/*
 * How a payer may send Permit2's allowance along.  An approval has to be mined
 * before anything else happens, which upto has no place for.
 */

static ngx_int_t
ngx_http_x402_discovery_sponsoring(ngx_http_x402_loc_conf_t *xlcf,
    json_t *extensions)
{
    ngx_uint_t  kind, kinds;

    kinds = xlcf->sponsoring;

    if (xlcf->upto) {
        kinds &= ~(ngx_uint_t) (1 << X402_SPONSOR_APPROVAL);

    } else if (xlcf->transfer != NGX_HTTP_X402_BY_PERMIT2) {
        return NGX_OK;
    }

    for (kind = 1; kind <= X402_SPONSOR_LAST; kind++) {

        if ((kinds & (1 << kind))
            && json_object_set_new(extensions, x402_sponsoring_name(kind),
                                   x402_sponsoring_extension(kind))
               != 0)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * The 402's extensions: {"bazaar": ...}.  Before the offer is made.  Clients
 * echo them in the payment, so what is too large for that is left out.
 */

ngx_int_t
ngx_http_x402_discovery_extensions(ngx_conf_t *cf,
    ngx_http_x402_seen_t *seen, ngx_http_x402_loc_conf_t *xlcf)
{
    json_t             *extensions;
    struct x402_route   route;

    extensions = json_object();

    if (ngx_http_x402_discovery_sponsoring(xlcf, extensions) != NGX_OK) {
        json_decref(extensions);
        return NGX_ERROR;
    }

    if (seen->xscf->discovery && xlcf->resource.len != 0) {
        ngx_http_x402_discovery_route(xlcf, &route);

        if (json_object_set_new(extensions, "bazaar",
                                x402_bazaar_extension(&route))
            != 0)
        {
            json_decref(extensions);
            return NGX_ERROR;
        }
    }

    if (json_object_size(extensions) == 0) {
        json_decref(extensions);
        return NGX_OK;
    }

    json_incref(extensions);

    if (ngx_http_x402_discovery_text(cf, extensions, &xlcf->extensions)
        != NGX_OK)
    {
        json_decref(extensions);
        return NGX_ERROR;
    }

    if (xlcf->extensions.len <= X402_BAZAAR_MAX) {
        json_decref(extensions);
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                       "x402: the schema of location \"%V\" makes a bazaar "
                       "extension of %uz bytes, above %d: it stands in the "
                       "documents and not in the 402",
                       &xlcf->clcf->name, xlcf->extensions.len,
                       X402_BAZAAR_MAX);

    ngx_str_null(&xlcf->extensions);
    json_object_del(extensions, "bazaar");

    if (json_object_size(extensions) == 0) {
        json_decref(extensions);
        return NGX_OK;
    }

    return ngx_http_x402_discovery_text(cf, extensions, &xlcf->extensions);
}


/* after all offers are made */

ngx_int_t
ngx_http_x402_discovery(ngx_conf_t *cf, ngx_http_x402_main_conf_t *xmcf)
{
    ngx_uint_t             i;
    ngx_http_x402_seen_t  *seen;

    seen = xmcf->seen.elts;

    for (i = 0; i < xmcf->seen.nelts; i++) {

        if (!seen[i].xscf->discovery || seen[i].xscf->documents) {
            continue;
        }

        if (ngx_http_x402_discovery_server(cf, seen[i].xscf) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_x402_discovery_server(ngx_conf_t *cf, ngx_http_x402_srv_conf_t *xscf)
{
    ngx_uint_t                  i;
    ngx_array_t                 list;
    struct x402_route          *route;
    struct x402_routes          routes;
    struct x402_service         service;
    ngx_http_x402_seen_t       *seen;
    ngx_http_x402_loc_conf_t   *xlcf, *first;
    ngx_http_x402_main_conf_t  *xmcf;

    xmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_x402_module);

    if (ngx_array_init(&list, cf->temp_pool, 16, sizeof(struct x402_route))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    first = NULL;
    seen = xmcf->seen.elts;

    for (i = 0; i < xmcf->seen.nelts; i++) {

        if (seen[i].xscf != xscf
            || !ngx_http_x402_discovery_listed(&seen[i]))
        {
            continue;
        }

        xlcf = seen[i].loc_conf[ngx_http_x402_module.ctx_index];

        if (first == NULL) {
            first = xlcf;
        }

        route = ngx_array_push(&list);
        if (route == NULL) {
            return NGX_ERROR;
        }

        ngx_http_x402_discovery_route(xlcf, route);
    }

    if (first == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "x402: x402_discovery is on in a server that has "
                           "no priced location with a path");
        return NGX_ERROR;
    }

    ngx_http_x402_discovery_service(xscf, first, &service);

    routes.service = &service;
    routes.at = list.elts;
    routes.len = list.nelts;

    return ngx_http_x402_discovery_make(cf, xscf, &routes);
}


ngx_uint_t
ngx_http_x402_discovery_listed(ngx_http_x402_seen_t *seen)
{
    ngx_http_x402_loc_conf_t  *xlcf;

    xlcf = seen->loc_conf[ngx_http_x402_module.ctx_index];

    return xlcf->enable == NGX_HTTP_X402_ON && xlcf->resource.len;
}


void
ngx_http_x402_discovery_service(ngx_http_x402_srv_conf_t *xscf,
    ngx_http_x402_loc_conf_t *xlcf, struct x402_service *service)
{
    service->base_url = ngx_http_x402_span(&xlcf->base_url);
    service->facilitator_url = ngx_http_x402_span(&xlcf->facilitator_url);

    service->name =
        ngx_http_x402_span(&xscf->service[NGX_HTTP_X402_NAME]);
    service->description =
        ngx_http_x402_span(&xscf->service[NGX_HTTP_X402_DESCRIPTION]);
    service->version =
        ngx_http_x402_span(&xscf->service[NGX_HTTP_X402_VERSION]);
    service->contact =
        ngx_http_x402_span(&xscf->service[NGX_HTTP_X402_CONTACT]);
    service->logo =
        ngx_http_x402_span(&xscf->service[NGX_HTTP_X402_LOGO]);
    service->legal =
        ngx_http_x402_span(&xscf->service[NGX_HTTP_X402_LEGAL]);

    service->mcp_url = (struct x402_span) { NULL, 0 };

    if (xscf->mcp) {
        service->mcp_url = ngx_http_x402_span(&xscf->mcp->url);
    }

    service->made_s = ngx_time();
}


static ngx_int_t
ngx_http_x402_discovery_make(ngx_conf_t *cf, ngx_http_x402_srv_conf_t *xscf,
    struct x402_routes *routes)
{
    ngx_uint_t                 i, n;
    ngx_http_x402_document_t  *document;

    n = sizeof(ngx_http_x402_documents) / sizeof(ngx_http_x402_documents[0]);

    xscf->documents = ngx_pcalloc(cf->pool, n * sizeof(ngx_str_t));
    if (xscf->documents == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        document = &ngx_http_x402_documents[i];

        if (document->make == x402_discovery_plugin
            && !x402_discovery_has_plugin(routes->service))
        {
            continue;           /* 404: it would have to invent things */
        }

        if (ngx_http_x402_discovery_text(cf, document->make(routes),
                                         &xscf->documents[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* takes the reference */

ngx_int_t
ngx_http_x402_discovery_text(ngx_conf_t *cf, json_t *json, ngx_str_t *text)
{
    if (json == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "x402: cannot write a discovery document: is every "
                           "description UTF-8?");
        return NGX_ERROR;
    }

    text->len = json_dumpb(json, NULL, 0, JSON_COMPACT);

    text->data = ngx_pnalloc(cf->pool, text->len);

    if (text->data) {
        (void) json_dumpb(json, (char *) text->data, text->len, JSON_COMPACT);
    }

    json_decref(json);

    return text->data ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_x402_discovery_handler(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i, n;
    ngx_http_x402_srv_conf_t  *xscf;

    xscf = ngx_http_get_module_srv_conf(r, ngx_http_x402_module);

    if (xscf->documents == NULL || r != r->main) {
        return NGX_DECLINED;
    }

    n = sizeof(ngx_http_x402_documents) / sizeof(ngx_http_x402_documents[0]);

    for (i = 0; i < n; i++) {

        if (xscf->documents[i].len == 0
            || r->uri.len != ngx_http_x402_documents[i].uri.len
            || ngx_memcmp(r->uri.data, ngx_http_x402_documents[i].uri.data,
                          r->uri.len)
               != 0)
        {
            continue;
        }

        if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
            return NGX_HTTP_NOT_ALLOWED;
        }

        rc = ngx_http_discard_request_body(r);
        if (rc != NGX_OK) {
            return rc;
        }

        ngx_http_finalize_request(r,
                      ngx_http_x402_discovery_send(r, &xscf->documents[i]));

        return NGX_DONE;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_x402_discovery_send(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_int_t     rc;
    ngx_str_t     age, any;
    ngx_chain_t  *out;

    ngx_str_set(&age, "public, max-age=300");
    ngx_str_set(&any, "*");

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = body->len;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    if (ngx_http_x402_header_out(r, "Cache-Control", &age) != NGX_OK
        || ngx_http_x402_header_out(r, "Access-Control-Allow-Origin", &any)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out = ngx_http_x402_whole(r->pool, body->data, body->len);
    if (out == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_output_filter(r, out);
}
