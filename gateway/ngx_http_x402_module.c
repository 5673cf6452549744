/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module: its directives, and where it hooks into nginx.
 *
 * The gate stands in PRECONTENT, not in ACCESS: that phase is skipped for
 * subrequests and by "satisfy any".
 */

#include "ngx_http_x402.h"


static ngx_int_t ngx_http_x402_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_x402_add_handler(ngx_conf_t *cf, ngx_uint_t phase,
    ngx_http_handler_pt handler);


static ngx_conf_enum_t  ngx_http_x402_enable[] = {
    { ngx_string("off"), NGX_HTTP_X402_OFF },
    { ngx_string("on"), NGX_HTTP_X402_ON },
    { ngx_string("observe"), NGX_HTTP_X402_OBSERVE },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_x402_ln_offer[] = {
    { ngx_string("always"), NGX_HTTP_X402_LN_ALWAYS },
    { ngx_string("ask"), NGX_HTTP_X402_LN_ASK },
    { ngx_null_string, 0 }
};


static ngx_conf_bitmask_t  ngx_http_x402_ln_dialects[] = {
    { ngx_string("lnbtc"), X402_TILL_LNBTC },
    { ngx_string("l402"), X402_TILL_L402 },
    { ngx_string("mpp"), X402_TILL_MPP },
    { ngx_string("hold"), X402_TILL_HELD },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_x402_settle[] = {
    { ngx_string("after"), NGX_HTTP_X402_AFTER },
    { ngx_string("before"), NGX_HTTP_X402_BEFORE },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_x402_body_kind[] = {
    { ngx_string("seed"), NGX_HTTP_X402_BODY_SEED },
    { ngx_string("v1"), NGX_HTTP_X402_BODY_V1 },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_x402_transfer[] = {
    { ngx_string("eip3009"), NGX_HTTP_X402_BY_EIP3009 },
    { ngx_string("permit2"), NGX_HTTP_X402_BY_PERMIT2 },
    { ngx_null_string, 0 }
};


static ngx_conf_bitmask_t  ngx_http_x402_sponsoring[] = {
    { ngx_string("eip2612"), 1 << X402_SPONSOR_EIP2612 },
    { ngx_string("erc20_approval"), 1 << X402_SPONSOR_APPROVAL },
    { ngx_null_string, 0 }
};


#define NGX_HTTP_X402_ANY_CONF                                                \
    NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF


static ngx_command_t  ngx_http_x402_commands[] = {

    { ngx_string("x402"),
      NGX_HTTP_X402_ANY_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, enable),
      &ngx_http_x402_enable },

    { ngx_string("x402_price"),
      NGX_HTTP_X402_ANY_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_TAKE2,
      ngx_http_x402_set_price,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_pay_to"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_TAKE2,
      ngx_http_x402_set_pay_to,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_facilitator_url"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, facilitator_url),
      NULL },

    { ngx_string("x402_description"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, description),
      NULL },

    { ngx_string("x402_mime_type"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, mime_type),
      NULL },

    { ngx_string("x402_timeout"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, timeout),
      NULL },

    { ngx_string("x402_settle_margin"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, settle_margin),
      NULL },

    { ngx_string("x402_settle"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, settle),
      &ngx_http_x402_settle },

    { ngx_string("x402_scheme"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_TAKE12,
      ngx_http_x402_set_scheme,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_transfer_method"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, transfer),
      &ngx_http_x402_transfer },

    { ngx_string("x402_gas_sponsoring"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_1MORE,
      ngx_conf_set_bitmask_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, sponsoring),
      &ngx_http_x402_sponsoring },

    { ngx_string("x402_body"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, body),
      &ngx_http_x402_body_kind },

    { ngx_string("x402_daemon"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_x402_set_daemon,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_base_url"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_x402_set_base_url,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_charge_status"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_x402_set_charge_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_smart_wallets"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, smart_wallets),
      NULL },

    { ngx_string("x402_upgrade"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, upgrade),
      NULL },

    { ngx_string("x402_paywall"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, paywall),
      NULL },

    { ngx_string("x402_discovery"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_x402_srv_conf_t, discovery),
      NULL },

    { ngx_string("x402_service"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_TAKE2,
      ngx_http_x402_set_service,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_schema"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_x402_set_schema,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_mcp"),
      NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_x402_set_mcp,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, mcp),
      NULL },

    { ngx_string("x402_lightning"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, ln.enable),
      NULL },

    { ngx_string("x402_lightning_price"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_TAKE2,
      ngx_http_x402_ln_set_price,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_lightning_bind"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_x402_ln_set_bind,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_lightning_body"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, ln.body),
      NULL },

    { ngx_string("x402_lightning_offer"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, ln.offer),
      &ngx_http_x402_ln_offer },

    { ngx_string("x402_lightning_dialects"),
      NGX_HTTP_X402_ANY_CONF|NGX_CONF_1MORE,
      ngx_conf_set_bitmask_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, ln.dialects),
      &ngx_http_x402_ln_dialects },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_x402_module_ctx = {
    ngx_http_x402_add_variables,           /* preconfiguration */
    ngx_http_x402_init,                    /* postconfiguration */

    ngx_http_x402_create_main_conf,        /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_http_x402_create_srv_conf,         /* create server configuration */
    ngx_http_x402_merge_srv_conf,          /* merge server configuration */

    ngx_http_x402_create_loc_conf,         /* create location configuration */
    ngx_http_x402_merge_loc_conf           /* merge location configuration */
};


ngx_module_t  ngx_http_x402_module = {
    NGX_MODULE_V1,
    &ngx_http_x402_module_ctx,             /* module context */
    ngx_http_x402_commands,                /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_x402_check_order,             /* init module */
    ngx_http_x402_till_init_process,       /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_x402_till_exit_process,       /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_x402_init(ngx_conf_t *cf)
{
    if (ngx_http_x402_check(cf) != NGX_OK
        || ngx_http_x402_paywall_init(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_x402_add_handler(cf, NGX_HTTP_POST_READ_PHASE,
                                  ngx_http_x402_path_handler)
        != NGX_OK
        || ngx_http_x402_add_handler(cf, NGX_HTTP_SERVER_REWRITE_PHASE,
                                     ngx_http_x402_discovery_handler)
           != NGX_OK
        || ngx_http_x402_add_handler(cf, NGX_HTTP_REWRITE_PHASE,
                                     ngx_http_x402_headers_handler)
           != NGX_OK
        || ngx_http_x402_add_handler(cf, NGX_HTTP_PREACCESS_PHASE,
                                     ngx_http_x402_headers_again)
           != NGX_OK
        || ngx_http_x402_add_handler(cf, NGX_HTTP_PRECONTENT_PHASE,
                                     ngx_http_x402_gate_handler)
           != NGX_OK
        || ngx_http_x402_add_handler(cf, NGX_HTTP_LOG_PHASE,
                                     ngx_http_x402_log_handler)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* nearer to the client than the hold: what it sees was paid */

    ngx_http_x402_mcp_out_init();
    ngx_http_x402_hold_init();

    return NGX_OK;
}


static ngx_int_t
ngx_http_x402_add_handler(ngx_conf_t *cf, ngx_uint_t phase,
    ngx_http_handler_pt handler)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[phase].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = handler;

    return NGX_OK;
}


#if (X402_MUTANTS)

/* X402_MUTANT names one check that this process leaves out, for tests */

ngx_uint_t
ngx_http_x402_mutant(const char *name)
{
    char  *chosen;

    chosen = getenv("X402_MUTANT");

    return chosen && strcmp(chosen, name) == 0;
}

#endif
