/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MCP endpoint: tools of a server, and one call of a tool.
 */

#ifndef _NGX_HTTP_X402_MCP_H_INCLUDED_
#define _NGX_HTTP_X402_MCP_H_INCLUDED_


/* bytes of an answer that becomes a tool's result */
#define NGX_HTTP_X402_MCP_ANSWER  (1024 * 1024)

/* bytes of a query that a tool's arguments make */
#define NGX_HTTP_X402_MCP_QUERY   8192


typedef struct {
    ngx_str_t                        name;
    ngx_http_x402_loc_conf_t        *conf;
    struct x402_route                route;
} ngx_http_x402_tool_t;


struct ngx_http_x402_mcp_s {
    ngx_http_x402_loc_conf_t        *conf;       /* of the endpoint */
    ngx_str_t                        url;
    ngx_str_t                        list;       /* the tools, as JSON */
    ngx_array_t                      tools;      /* ngx_http_x402_tool_t */
    struct x402_service              service;
};


struct ngx_http_x402_call_s {
    struct x402_mcp_message          message;
    ngx_http_x402_tool_t            *tool;

    ngx_uint_t                       status;
    ngx_str_t                        type;
    ngx_str_t                        required;   /* base64 */
    ngx_str_t                        receipt;    /* base64 */

    ngx_str_t                        body;
    size_t                           size;       /* allocated */
    const char                      *trouble;

    unsigned                         headed:1;   /* the answer's header came */
    unsigned                         sent:1;
};


#endif /* _NGX_HTTP_X402_MCP_H_INCLUDED_ */
