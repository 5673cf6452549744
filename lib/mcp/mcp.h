/* SPDX-License-Identifier: Apache-2.0 */
/* How a call's arguments become a request.  Nobody outside includes this. */
#ifndef X402_LIB_MCP_H
#define X402_LIB_MCP_H

#include <x402/mcp.h>

#include "../discovery/discovery.h"

enum mcp_shape {
    MCP_QUERY, /* the members are the query's parameters */
    MCP_BODY,  /* the members are the body's */
    MCP_BOTH   /* {"query": {…}, "body": …} */
};
enum mcp_shape mcp_shape(const struct x402_schema *schema);
/* The tool's inputSchema: a new reference, NULL: out of memory. */
json_t *mcp_input(const struct x402_schema *schema);
/* Its outputSchema, where one is promised: the same. */
json_t *mcp_output(const struct x402_schema *schema);

#endif
