/* SPDX-License-Identifier: Apache-2.0 */
/* The Model Context Protocol in front of priced routes: every route is a tool,
 * and a call of a tool is the route's own HTTP request.  Messages in and out;
 * who carries them is the gateway's business.
 *
 * Source: modelcontextprotocol.io, specification 2025-11-25; x402
 *         specs/transports-v2/mcp.md, "Tool-Result Binding". */
#ifndef X402_MCP_H
#define X402_MCP_H

#include <x402/buf.h>
#include <x402/discovery.h>

#define X402_MCP_MAX 1048576 /* bytes of a message */
#define X402_MCP_NAME_MAX 64 /* bytes of a tool's name */
#define X402_MCP_ID_MAX 256  /* bytes of an id's text */

/* JSON-RPC 2.0, section 5.1 */
enum x402_mcp_code {
    X402_MCP_OK = 0,
    X402_MCP_PARSE = -32700,
    X402_MCP_INVALID = -32600,
    X402_MCP_METHOD = -32601,
    X402_MCP_PARAMS = -32602,
    X402_MCP_INTERNAL = -32603
};

enum x402_mcp_kind {
    X402_MCP_QUIET = 1, /* a notification, or an answer: nothing is said */
    X402_MCP_INITIALIZE,
    X402_MCP_PING,
    X402_MCP_LIST,
    X402_MCP_CALL,
    X402_MCP_OTHER /* a method that we do not have */
};

/** One message of a client; what it points to lives as long as root. */
struct x402_mcp_message {
    json_t *root;
    enum x402_mcp_kind kind;
    const json_t *id;         /* NULL: none that could be read */
    struct x402_span version; /* of initialize */
    struct x402_span name;    /* of tools/call */
    const json_t *arguments;  /* an object; NULL: none */
    const json_t *payment;    /* _meta["x402/payment"]; NULL: none */
    const char *why;          /* what is wrong, on any other code than OK */
};

/** Read a message.  Batches are refused: MCP has none since 2025-06-18.
 *  Out:     *out is filled as far as it could be read, also on errors: free it
 *  Memory:  allocates through jansson; x402_mcp_free. */
X402_MUST_CHECK enum x402_mcp_code x402_mcp_read(struct x402_mcp_message *out,
                                                 struct x402_span text);
void x402_mcp_free(struct x402_mcp_message *message);

/** Is it a protocol version that this server speaks? */
bool x402_mcp_speaks(struct x402_span version);

/** Names of tools, one for each route, unique, of letters, digits and '_':
 *  "/v1/chat/completions" is v1_chat_completions. */
void x402_mcp_names(char (*out)[X402_MCP_NAME_MAX + 1],
                    const struct x402_routes *routes);

/** The result of tools/list: {"tools":[…]}.  A new reference, NULL: out of
 *  memory. */
X402_MUST_CHECK json_t *x402_mcp_tools(const struct x402_routes *routes,
                                       char (*names)[X402_MCP_NAME_MAX + 1]);

/** The route's HTTP request for a call's arguments: query without '?', and the
 *  body with its content type (NULL: no body).
 *
 *  Members are the query's parameters, or those of a JSON body; a route that
 *  has both, or another body, takes them as "query" and "body".
 *  Returns: X402_MCP_PARAMS with *why. */
X402_MUST_CHECK enum x402_mcp_code
x402_mcp_request(struct x402_buf *query, struct x402_buf *body,
                 const char **type, const struct x402_route *route,
                 const json_t *arguments, const char **why);

/** Does the route's tool have an outputSchema?  Where its schema file says that
 *  the answer is a JSON object, with references to its own definitions only. */
bool x402_mcp_promises(const struct x402_route *route);

/** What became of a call. */
struct x402_mcp_answer {
    unsigned status;           /* HTTP */
    struct x402_span url;      /* of the resource */
    struct x402_span type;     /* Content-Type */
    struct x402_span body;     /* as it came */
    struct x402_span required; /* JSON of the 402; "": it is none */
    struct x402_span receipt;  /* JSON of the settlement; "": not paid */
    bool promised;             /* x402_mcp_promises of its route */
    const char *trouble;       /* why the body is not there; NULL: it is */
};

/** The writers below write whole JSON-RPC messages.  id NULL: null. */
void x402_mcp_result(struct x402_buf *buf, const json_t *id,
                     struct x402_span result);
void x402_mcp_error(struct x402_buf *buf, const json_t *id,
                    enum x402_mcp_code code, const char *message);
/** The version asked for when we speak it, else our newest. */
void x402_mcp_initialize(struct x402_buf *buf, const json_t *id,
                         struct x402_span version,
                         const struct x402_service *service);
void x402_mcp_call_result(struct x402_buf *buf, const json_t *id,
                          const struct x402_mcp_answer *answer);

#endif
