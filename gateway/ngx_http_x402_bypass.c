/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What would let a request pass unpaid, as far as a configuration can tell:
 * part of "nginx -t".
 */

#include "ngx_http_x402.h"


static void **ngx_http_x402_check_block(ngx_conf_t *cf,
    ngx_http_x402_seen_t *seen);
static ngx_uint_t ngx_http_x402_check_rewrite(ngx_conf_t *cf, void **loc_conf);
static ngx_uint_t ngx_http_x402_check_unbuffered(ngx_conf_t *cf,
    void **loc_conf);
static ngx_module_t *ngx_http_x402_check_module(ngx_conf_t *cf,
    const char *name);


/* the parts of other modules' private configuration that we look at */

typedef struct {
    ngx_array_t  *codes;             /* ngx_http_rewrite_loc_conf_t */
} ngx_http_x402_rewrite_t;


typedef struct {
    ngx_http_upstream_conf_t  upstream;  /* first in all proxying modules */
} ngx_http_x402_proxy_t;


ngx_int_t
ngx_http_x402_check_bypass(ngx_conf_t *cf, ngx_http_x402_seen_t *seen)
{
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_x402_loc_conf_t  *xlcf;

    xlcf = seen->loc_conf[ngx_http_x402_module.ctx_index];
    clcf = seen->loc_conf[ngx_http_core_module.ctx_index];

    if (clcf->satisfy != NGX_HTTP_SATISFY_ALL
        && !ngx_http_x402_mutant("satisfy_any"))
    {
        return ngx_http_x402_check_no(cf, xlcf, "has \"satisfy any\"");
    }

    if (ngx_http_x402_check_rewrite(cf, ngx_http_x402_check_block(cf, seen))) {
        return ngx_http_x402_check_no(cf, xlcf, "has a \"return\" or a "
                                      "redirecting \"rewrite\", which answers "
                                      "before anything can be paid");
    }

    if (xlcf->settle != NGX_HTTP_X402_BEFORE
        && ngx_http_x402_check_unbuffered(cf, seen->loc_conf))
    {
        return ngx_http_x402_check_no(cf, xlcf, "has request buffering off "
                                      "without \"x402_settle before\"");
    }

    return NGX_OK;
}


/* an "if" is compiled into its location, which was merged before it */

static void **
ngx_http_x402_check_block(ngx_conf_t *cf, ngx_http_x402_seen_t *seen)
{
    ngx_http_x402_seen_t       *s, *first;
    ngx_http_core_loc_conf_t   *clcf, *other;
    ngx_http_x402_main_conf_t  *xmcf;

    xmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_x402_module);
    clcf = seen->loc_conf[ngx_http_core_module.ctx_index];
    first = xmcf->seen.elts;

    for (s = seen; clcf->noname && s > first; /* void */ ) {

        s--;
        other = s->loc_conf[ngx_http_core_module.ctx_index];

        if (!other->noname && other->name.data == clcf->name.data) {
            return s->loc_conf;
        }
    }

    return seen->loc_conf;
}


/*
 * Rewrite directives are compiled to code: structures of different sizes that
 * begin with the address of a function.  All are aligned to a word.
 */

static ngx_uint_t
ngx_http_x402_check_rewrite(ngx_conf_t *cf, void **loc_conf)
{
    u_char                          *p, *last;
    ngx_module_t                    *module;
    ngx_http_x402_rewrite_t         *rlcf;
    ngx_http_script_code_pt          code;
    ngx_http_script_regex_code_t    *regex;

    module = ngx_http_x402_check_module(cf, "ngx_http_rewrite_module");
    if (module == NULL) {
        return 0;
    }

    rlcf = loc_conf[module->ctx_index];

    if (rlcf->codes == NULL) {
        return 0;
    }

    p = rlcf->codes->elts;
    last = p + rlcf->codes->nelts;

    for ( /* void */ ; p + sizeof(uintptr_t) <= last; p += sizeof(uintptr_t)) {

        code = *(ngx_http_script_code_pt *) p;

        if (code == ngx_http_script_return_code) {
            return 1;
        }

#if (NGX_PCRE)

        if (code == ngx_http_script_regex_start_code
            && p + sizeof(ngx_http_script_regex_code_t) <= last)
        {
            regex = (ngx_http_script_regex_code_t *) p;

            if (regex->redirect) {
                return 1;
            }
        }

#endif
    }

    return 0;
}


static ngx_uint_t
ngx_http_x402_check_unbuffered(ngx_conf_t *cf, void **loc_conf)
{
    ngx_uint_t              i;
    ngx_module_t           *module;
    ngx_http_x402_proxy_t  *plcf;

    static const char  *names[] = {
        "ngx_http_proxy_module",
        "ngx_http_fastcgi_module",
        "ngx_http_uwsgi_module",
        "ngx_http_scgi_module",
        NULL
    };

    for (i = 0; names[i]; i++) {

        module = ngx_http_x402_check_module(cf, names[i]);
        if (module == NULL) {
            continue;
        }

        plcf = loc_conf[module->ctx_index];

        if (plcf->upstream.request_buffering == 0) {
            return 1;
        }
    }

    return 0;
}


static ngx_module_t *
ngx_http_x402_check_module(ngx_conf_t *cf, const char *name)
{
    ngx_uint_t  i;

    for (i = 0; cf->cycle->modules[i]; i++) {
        if (ngx_strcmp(cf->cycle->modules[i]->name, name) == 0) {
            return cf->cycle->modules[i];
        }
    }

    return NULL;
}


/*
 * A handler before ours in PRECONTENT (mirror, try_files, somebody's) could
 * reach an upstream unpaid: nginx does not start then.
 */

ngx_int_t
ngx_http_x402_check_order(ngx_cycle_t *cycle)
{
    ngx_uint_t                  n;
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;
    ngx_http_x402_main_conf_t  *xmcf;

    xmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_x402_module);

    if (xmcf == NULL || !xmcf->priced) {
        return NGX_OK;
    }

    cmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_core_module);

    h = cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers.elts;
    n = cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers.nelts;

    /* the last one registered is run first */

    if (n == 0 || h[n - 1] != ngx_http_x402_gate_handler) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "x402: another module comes before the gate; load "
                      "ngx_http_x402_module after it");
        return NGX_ERROR;
    }

    return NGX_OK;
}
