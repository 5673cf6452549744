/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directives of discovery: x402_service, x402_schema.
 */

#include "ngx_http_x402.h"


static ngx_int_t ngx_http_x402_schema_load(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *text);
static void ngx_http_x402_schema_cleanup(void *data);


static ngx_str_t  ngx_http_x402_service_keys[] = {
    ngx_string("name"),
    ngx_string("description"),
    ngx_string("version"),
    ngx_string("contact"),
    ngx_string("logo"),
    ngx_string("legal")
};


char *
ngx_http_x402_set_service(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_x402_srv_conf_t  *xscf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 0; i < NGX_HTTP_X402_SERVICE_KEYS; i++) {

        if (value[1].len != ngx_http_x402_service_keys[i].len
            || ngx_memcmp(value[1].data, ngx_http_x402_service_keys[i].data,
                          value[1].len)
               != 0)
        {
            continue;
        }

        if (xscf->service[i].len) {
            return "is duplicate";
        }

        if (value[2].len == 0 || value[2].len > 8000) {
            return "has an empty text, or one above 8000 bytes";
        }

        xscf->service[i] = value[2];

        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%V\" is none of name, description, version, "
                       "contact, logo, legal", &value[1]);

    return NGX_CONF_ERROR;
}


char *
ngx_http_x402_set_schema(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_x402_loc_conf_t  *xlcf = conf;

    char                 why[160];
    ngx_str_t            text, *value;
    ngx_pool_cleanup_t  *cln;

    if (xlcf->schema) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_conf_full_name(cf->cycle, &value[1], 1) != NGX_OK
        || ngx_http_x402_schema_load(cf, &value[1], &text) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    if (x402_schema_read(&xlcf->schema, why, sizeof(why),
                         ngx_http_x402_span(&text))
        != X402_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "x402_schema \"%V\": %s",
                           &value[1], why);
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_x402_schema_cleanup;
    cln->data = xlcf->schema;

    return NGX_CONF_OK;
}


/* at most one byte more than is allowed, so that too large is seen */

static ngx_int_t
ngx_http_x402_schema_load(ngx_conf_t *cf, ngx_str_t *name, ngx_str_t *text)
{
    ssize_t     n;
    ngx_file_t  file;

    text->data = ngx_palloc(cf->temp_pool, X402_SCHEMA_MAX + 1);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&file, sizeof(ngx_file_t));

    file.name = *name;
    file.log = cf->log;

    file.fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (file.fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", name);
        return NGX_ERROR;
    }

    n = ngx_read_file(&file, text->data, X402_SCHEMA_MAX + 1, 0);

    if (ngx_close_file(file.fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", name);
    }

    if (n < 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "cannot read \"%V\"", name);
        return NGX_ERROR;
    }

    text->len = n;

    return NGX_OK;
}


static void
ngx_http_x402_schema_cleanup(void *data)
{
    x402_schema_free(data);
}
