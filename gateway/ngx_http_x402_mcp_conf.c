/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x402_mcp: the tools of a server, made when the configuration is complete.
 */

#include "ngx_http_x402.h"
#include "ngx_http_x402_mcp.h"


static ngx_int_t ngx_http_x402_mcp_no(ngx_conf_t *cf,
    ngx_http_x402_loc_conf_t *xlcf, const char *text);
static ngx_int_t ngx_http_x402_mcp_server(ngx_conf_t *cf,
    ngx_http_x402_main_conf_t *xmcf, ngx_http_x402_srv_conf_t *xscf);
static ngx_int_t ngx_http_x402_mcp_url(ngx_conf_t *cf,
    ngx_http_x402_mcp_t *mcp);
static ngx_int_t ngx_http_x402_mcp_list(ngx_conf_t *cf,
    ngx_http_x402_mcp_t *mcp);


char *
ngx_http_x402_set_mcp(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_x402_loc_conf_t  *xlcf = conf;

    char                      *rv;
    ngx_http_core_loc_conf_t  *clcf;

    rv = ngx_conf_set_flag_slot(cf, cmd, conf);

    if (rv != NGX_CONF_OK || !xlcf->mcp) {
        return rv;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_x402_mcp_handler;

    return NGX_CONF_OK;
}


/* of every location: is it the endpoint of its server? */

ngx_int_t
ngx_http_x402_mcp_check(ngx_conf_t *cf, ngx_http_x402_seen_t *seen)
{
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_x402_loc_conf_t  *xlcf;

    xlcf = seen->loc_conf[ngx_http_x402_module.ctx_index];
    clcf = xlcf->clcf;

    if (!xlcf->mcp) {
        return NGX_OK;
    }

    if (xlcf->enable != NGX_HTTP_X402_OFF) {
        return ngx_http_x402_mcp_no(cf, xlcf, "is priced: the tools are paid, "
                                    "the endpoint is free (say \"x402 off\")");
    }

    if (clcf->noname || clcf->named || clcf->name.len == 0
#if (NGX_PCRE)
        || clcf->regex
#endif
       )
    {
        return ngx_http_x402_mcp_no(cf, xlcf, "has no path");
    }

    if (clcf->handler != ngx_http_x402_mcp_handler) {
        return ngx_http_x402_mcp_no(cf, xlcf, "is answered by another "
                                    "directive");
    }

    if (seen->xscf->mcp) {
        return ngx_http_x402_mcp_no(cf, xlcf, "is the second one of its "
                                    "server");
    }

    seen->xscf->mcp = ngx_pcalloc(cf->pool, sizeof(ngx_http_x402_mcp_t));
    if (seen->xscf->mcp == NULL) {
        return NGX_ERROR;
    }

    seen->xscf->mcp->conf = xlcf;

    return NGX_OK;
}


static ngx_int_t
ngx_http_x402_mcp_no(ngx_conf_t *cf, ngx_http_x402_loc_conf_t *xlcf,
    const char *text)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "x402: x402_mcp: location \"%V\" in server \"%V\" %s",
                       &xlcf->clcf->name, &xlcf->cscf->server_name, text);

    return NGX_ERROR;
}


/* after all offers are made */

ngx_int_t
ngx_http_x402_mcp_make(ngx_conf_t *cf, ngx_http_x402_main_conf_t *xmcf)
{
    ngx_uint_t             i;
    ngx_http_x402_seen_t  *seen;

    seen = xmcf->seen.elts;

    for (i = 0; i < xmcf->seen.nelts; i++) {

        if (seen[i].xscf->mcp == NULL || seen[i].xscf->mcp->list.len) {
            continue;
        }

        if (ngx_http_x402_mcp_server(cf, xmcf, seen[i].xscf) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_x402_mcp_server(ngx_conf_t *cf, ngx_http_x402_main_conf_t *xmcf,
    ngx_http_x402_srv_conf_t *xscf)
{
    ngx_uint_t             i;
    ngx_http_x402_mcp_t   *mcp;
    ngx_http_x402_seen_t  *seen;
    ngx_http_x402_tool_t  *tool;

    mcp = xscf->mcp;
    seen = xmcf->seen.elts;

    if (ngx_array_init(&mcp->tools, cf->pool, 16,
                       sizeof(ngx_http_x402_tool_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < xmcf->seen.nelts; i++) {

        if (seen[i].xscf != xscf
            || !ngx_http_x402_discovery_listed(&seen[i]))
        {
            continue;
        }

        tool = ngx_array_push(&mcp->tools);
        if (tool == NULL) {
            return NGX_ERROR;
        }

        tool->conf = seen[i].loc_conf[ngx_http_x402_module.ctx_index];

        ngx_http_x402_discovery_route(tool->conf, &tool->route);
    }

    if (mcp->tools.nelts == 0) {
        return ngx_http_x402_mcp_no(cf, mcp->conf, "has nothing to offer: no "
                                    "priced location has a path");
    }

    if (ngx_http_x402_mcp_url(cf, mcp) != NGX_OK) {
        return NGX_ERROR;
    }

    tool = mcp->tools.elts;

    ngx_http_x402_discovery_service(xscf, tool->conf, &mcp->service);

    return ngx_http_x402_mcp_list(cf, mcp);
}


static ngx_int_t
ngx_http_x402_mcp_url(ngx_conf_t *cf, ngx_http_x402_mcp_t *mcp)
{
    u_char                *p;
    ngx_str_t             *base, *name;
    ngx_http_x402_tool_t  *tool;

    tool = mcp->tools.elts;

    base = &tool->conf->base_url;
    name = &mcp->conf->clcf->name;

    mcp->url.len = base->len + name->len;

    mcp->url.data = ngx_pnalloc(cf->pool, mcp->url.len);
    if (mcp->url.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(mcp->url.data, base->data, base->len);
    ngx_memcpy(p, name->data, name->len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_x402_mcp_list(ngx_conf_t *cf, ngx_http_x402_mcp_t *mcp)
{
    char                  (*names)[X402_MCP_NAME_MAX + 1];
    ngx_uint_t              i, n;
    struct x402_route      *routes;
    struct x402_routes      list;
    ngx_http_x402_tool_t   *tool;

    n = mcp->tools.nelts;
    tool = mcp->tools.elts;

    names = ngx_pcalloc(cf->pool, n * sizeof(names[0]));
    routes = ngx_palloc(cf->temp_pool, n * sizeof(struct x402_route));

    if (names == NULL || routes == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        routes[i] = tool[i].route;
    }

    list.service = &mcp->service;
    list.at = routes;
    list.len = n;

    x402_mcp_names(names, &list);

    for (i = 0; i < n; i++) {
        tool[i].name.data = (u_char *) names[i];
        tool[i].name.len = ngx_strlen(names[i]);
    }

    return ngx_http_x402_discovery_text(cf, x402_mcp_tools(&list, names),
                                        &mcp->list);
}
