/* SPDX-License-Identifier: Apache-2.0 */
/* /.well-known/mcp.json, and the endpoint that it names: does its tool for the
 * URL cost what the 402 says?  Tools are found by their _meta["x402/url"]. */
#include <string.h>

#include <x402/json.h>

#include "audit.h"

#define TOOLS "MCP endpoint"
#define LIST "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}"

/* Our own spelling, or the registry's. */
static bool
find_endpoint(struct x402_span *out, const json_t *descriptor)
{
    const json_t *remote =
        json_array_get(json_object_get(descriptor, "remotes"), 0);

    return x402_json_string(out, descriptor, "mcp_endpoint") == X402_OK ||
           x402_json_string(out, remote, "url") == X402_OK;
}

static const json_t *
find_tool(const struct audit *audit, const json_t *answer)
{
    const json_t *tools =
        json_object_get(json_object_get(answer, "result"), "tools");
    const json_t *tool;
    size_t i;

    json_array_foreach(tools, i, tool)
    {
        const json_t *meta = json_object_get(tool, "_meta");
        struct x402_span url;

        if (x402_json_string(&url, meta, "x402/url") == X402_OK &&
            audit_is_this_url(audit, url))
            return meta;
    }
    return NULL;
}

static void
check_tools(struct audit *audit, const struct url *endpoint)
{
    json_t *answer = audit_rpc(audit, endpoint, TOOLS, LIST);
    const json_t *meta;

    if (answer == NULL)
        return;
    meta = find_tool(audit, answer);
    if (meta == NULL)
        audit_note(audit, AUDIT_WARNING, TOOLS, "has no tool for it");
    else if (audit_accepts_agree(audit, json_object_get(meta, "x402/accepts")))
        audit_note(audit, AUDIT_GOOD, TOOLS,
                   "has a tool for it with the 402's offers");
    else
        audit_note(
            audit, AUDIT_BAD, TOOLS,
            "has a tool for it with an offer that the 402 does not make");
    json_decref(answer);
}

static void
check_endpoint(struct audit *audit, const char *what, struct x402_span text)
{
    char copy[X402_URL_MAX];
    struct url url;

    if (text.len < sizeof(copy)) {
        memcpy(copy, text.at, text.len);
        copy[text.len] = '\0';
    }
    if (text.len >= sizeof(copy) || url_parse(&url, copy) != URL_OK) {
        audit_note(audit, AUDIT_BAD, what, "names an endpoint that is no URL");
    } else if (!url_same_origin(&url, &audit->options->url)) {
        audit_note(audit, AUDIT_WARNING, what,
                   "names an endpoint of another origin, which is not asked");
    } else {
        audit_note(audit, AUDIT_GOOD, what, "names the MCP endpoint");
        check_tools(audit, &url);
    }
}

void
audit_mcp(struct audit *audit)
{
    static const char what[] = "/.well-known/mcp.json";
    json_t *descriptor = audit_document(audit, what);
    struct x402_span endpoint;

    if (descriptor == NULL)
        return;
    if (find_endpoint(&endpoint, descriptor))
        check_endpoint(audit, what, endpoint);
    else
        audit_note(audit, AUDIT_GOOD, what, "names no MCP endpoint");
    json_decref(descriptor);
}
