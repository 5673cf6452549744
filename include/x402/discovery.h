/* SPDX-License-Identifier: Apache-2.0 */
/* What machines read before they pay: one table of priced routes, written as
 * OpenAPI, as x402's manifest and short list, as MCP's and the plugin's
 * descriptor, and as the 402's bazaar extension.  All come from the same
 * structs as the 402 itself, so none of them can say another price. */
#ifndef X402_DISCOVERY_H
#define X402_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <x402/error.h>
#include <x402/payment.h>
#include <x402/span.h>

#define X402_SCHEMA_MAX 65536 /* bytes of a schema file */
/* Bytes of the bazaar extension in a 402.  Clients echo it inside their
 * payment, and base64 of both has to fit nginx's 8 KiB header line. */
#define X402_BAZAAR_MAX 4096

/** What the operator says of the whole service.  {NULL,0}: not said. */
struct x402_service {
    struct x402_span base_url; /* scheme, host and port; never empty */
    struct x402_span name;     /* "": the host of base_url */
    struct x402_span description;
    struct x402_span version; /* "": "1.0.0" */
    struct x402_span contact; /* e-mail */
    struct x402_span logo;    /* URL */
    struct x402_span legal;   /* URL */
    struct x402_span facilitator_url;
    struct x402_span mcp_url; /* of the MCP endpoint */
    uint64_t made_s;          /* when the documents were made, unix seconds */
};

/** How to call one route: input and output as JSON Schema, with examples.
 *
 *  Source:  ours (docs/discovery.md); what it becomes in a 402 is
 *           specs/extensions/bazaar.md. */
struct x402_schema;

/** Read a schema file's text.
 *
 *      {"method": "POST", "summary": "…", "tags": ["…"],
 *       "query":  {"schema": {…}, "example": {…}},
 *       "body":   {"type": "json", "schema": {…}, "example": …},
 *       "output": {"schema": {…}, "example": …}}
 *
 *  All members may be left out.  A `$ref` or `$id` that leaves the document is
 *  refused, for nobody who reads it would follow.
 *  Out:     why      what is wrong with it, for people; "" on X402_OK
 *  Returns: X402_ERR_SYNTAX, X402_ERR_TOO_LARGE
 *  Memory:  allocates through jansson; x402_schema_free. */
X402_MUST_CHECK enum x402_err x402_schema_read(struct x402_schema **out,
                                               char *why, size_t why_len,
                                               struct x402_span text);
void x402_schema_free(struct x402_schema *schema);

/** One priced route. */
struct x402_route {
    struct x402_span path; /* begins with '/' */
    struct x402_span url;  /* base URL and path, as in the 402 */
    struct x402_span description;
    struct x402_span mime_type; /* {NULL,0}: application/json */
    const struct x402_requirement *accepts;
    size_t accepts_len;               /* 0: the price depends on the request */
    const struct x402_schema *schema; /* NULL: nothing is known: GET */
};

/** The route's HTTP method, "GET" unless its schema says another. */
struct x402_span x402_route_method(const struct x402_route *route);

/** The bazaar extension {"info": …, "schema": …}.
 *
 *  Source:  specs/extensions/bazaar.md, "Discovery Info Structure".
 *  Returns: a new reference, NULL: out of memory.  Threads: any. */
X402_MUST_CHECK json_t *x402_bazaar_extension(const struct x402_route *route);

/** {info, schema} of the extension that lets a payer send Permit2's allowance
 *  along, and its name among the 402's extensions.
 *  Source:  specs/extensions/eip2612_gas_sponsoring.md,
 *           specs/extensions/erc20_gas_sponsoring.md
 *  In:      kind  EIP2612 or APPROVAL
 *  Memory:  a new reference; NULL: out of memory. */
json_t *x402_sponsoring_extension(enum x402_sponsor_kind kind);
const char *x402_sponsoring_name(enum x402_sponsor_kind kind);

/** Judge a bazaar extension that somebody else sent: info as the specification
 *  says, and as its own schema says.
 *
 *  Source:  specs/extensions/bazaar.md, "Schema Validation".  The keywords
 *           judged are type, const, enum, required, properties,
 *           additionalProperties and items.
 *  In:      extension  parsed with a depth of at most X402_JSON_DEPTH_MAX
 *  Out:     why        what is wrong, for people; may quote the sender
 *  Returns: X402_ERR_SYNTAX.  Time: bounded, whatever the schema says. */
X402_MUST_CHECK enum x402_err x402_bazaar_check(char *why, size_t why_len,
                                                const json_t *extension);
/** info.input's tool, by either of its names; NULL: none. */
const char *x402_bazaar_tool(const json_t *input);

struct x402_routes {
    const struct x402_service *service;
    const struct x402_route *at;
    size_t len;
};

/** The documents; each a new reference, NULL: out of memory. */
/* /openapi.json, /api/openapi.json: OpenAPI 3.1 with x-payment-info. */
X402_MUST_CHECK json_t *
x402_discovery_openapi(const struct x402_routes *routes);
/* /.well-known/x402-manifest.json, /.well-known/x402.json. */
X402_MUST_CHECK json_t *
x402_discovery_manifest(const struct x402_routes *routes);
/* /.well-known/x402: {"version":1,"resources":[URL, …]}. */
X402_MUST_CHECK json_t *x402_discovery_list(const struct x402_routes *routes);
/* /.well-known/mcp.json: the registry's server.json and the simple keys; with
 * an endpoint where there is one. */
X402_MUST_CHECK json_t *x402_discovery_mcp(const struct x402_routes *routes);
/** /.well-known/ai-plugin.json.  NULL also when contact, logo or legal is not
 *  said: the format demands them, and they cannot be made up. */
X402_MUST_CHECK json_t *x402_discovery_plugin(const struct x402_routes *routes);
bool x402_discovery_has_plugin(const struct x402_service *service);

#endif
