/* SPDX-License-Identifier: Apache-2.0 */
/* Who may ask.  A page in somebody's browser can send requests to this
 * machine's loopback; it cannot send application/json without a preflight, nor
 * hide its Origin, and a rebound name shows in Host. */
#include <string.h>
#include <strings.h>

#include "request.h"

static const char *
header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                       name);
}

/** The length of the name in "name:port", "[::1]:port". */
static size_t
name_length(const char *host)
{
    const char *end;

    if (host[0] == '[') {
        end = strchr(host, ']');
        return end != NULL ? (size_t)(end - host) + 1 : strlen(host);
    }
    return strcspn(host, ":");
}

static bool
is_name(const char *host, size_t len, const char *name)
{
    return strlen(name) == len && strncasecmp(host, name, len) == 0;
}

static bool
is_our_host(const struct http *http, const char *host)
{
    static const char *const loopback[] = {"127.0.0.1", "localhost", "[::1]"};
    size_t len = name_length(host);

    for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++) {
        if (is_name(host, len, loopback[i]))
            return true;
    }
    for (size_t i = 0; i < http->config->http_name_len; i++) {
        if (is_name(host, len, http->config->http_name[i]))
            return true;
    }
    return is_name(host, len, http->config->http_host);
}

/** Listeners for the world answer to any name unless some are configured: they
 * sit behind somebody's proxy or load balancer. */
static bool
host_is_allowed(const struct http_request *request)
{
    const struct http *http = request->http;
    const char *host = header(request, MHD_HTTP_HEADER_HOST);

    if (!http->loopback && http->config->http_name_len == 0)
        return true;
    return host != NULL && is_our_host(http, host);
}

static bool
is_json(const char *type)
{
    static const char json[] = "application/json";
    const size_t len = sizeof(json) - 1;

    return type != NULL && strncasecmp(type, json, len) == 0 &&
           (type[len] == '\0' || strchr("; \t", type[len]) != NULL);
}

static bool
refuse(struct http_request *request, unsigned status, enum x402_err err,
       const char *message)
{
    http_refuse(request, status, err, message);
    return false;
}

static bool
guard_method(struct http_request *request, const char *method)
{
    const char *wanted = request->route->method;

    if (strcmp(method, wanted) == 0 ||
        (strcmp(wanted, "GET") == 0 && strcmp(method, "HEAD") == 0))
        return true;
    request->allow = strcmp(wanted, "GET") == 0 ? "GET, HEAD" : wanted;
    return refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED, X402_ERR_SYNTAX,
                  "this URL has another method");
}

static bool
guard_content(struct http_request *request)
{
    const char *encoding = header(request, MHD_HTTP_HEADER_CONTENT_ENCODING);

    if (strcmp(request->route->method, "POST") != 0)
        return true;
    if (!is_json(header(request, MHD_HTTP_HEADER_CONTENT_TYPE)))
        return refuse(request, MHD_HTTP_BAD_REQUEST, X402_ERR_SYNTAX,
                      "send Content-Type: application/json");
    if (encoding != NULL && strcasecmp(encoding, "identity") != 0)
        return refuse(request, MHD_HTTP_BAD_REQUEST, X402_ERR_SYNTAX,
                      "send the body without Content-Encoding");
    return true;
}

bool
http_guard(struct http_request *request, const char *method)
{
    if (!host_is_allowed(request))
        return refuse(request, MHD_HTTP_FORBIDDEN, X402_ERR_SYNTAX,
                      "this Host is not one of ours; see http.hosts");
    if (header(request, MHD_HTTP_HEADER_ORIGIN) != NULL)
        return refuse(request, MHD_HTTP_FORBIDDEN, X402_ERR_SYNTAX,
                      "not for web pages");
    if (request->route == NULL)
        return refuse(request, MHD_HTTP_NOT_FOUND, X402_ERR_SYNTAX,
                      "no such URL");
    return guard_method(request, method) && http_access(request) &&
           guard_content(request);
}
