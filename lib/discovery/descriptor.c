/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors for readers of other protocols: the MCP registry's server.json,
 * and the plugin's ai-plugin.json. */
#include <ctype.h>
#include <string.h>

#include "discovery.h"

/* "https://api.example.com:8443" -> "com.example.api": the registry names
 * servers by reverse DNS. */
static size_t
reverse_host(char *out, size_t cap, struct x402_span base_url)
{
    char host[256];
    size_t len = 0, n = 0;
    const char *at = memchr(base_url.at, '/', base_url.len);
    const char *end = base_url.at + base_url.len;

    for (at = at != NULL ? at + 2 : base_url.at;
         at < end && *at != ':' && len < sizeof(host); at++)
        host[len++] =
            (char)(isalnum((unsigned char)*at) || *at == '.' ? *at : '-');
    if (len > 0 && isdigit((unsigned char)host[len - 1])) { /* an address */
        memcpy(out, host, len < cap ? len : cap);
        return len < cap ? len : cap;
    }
    while (len > 0) {
        size_t start = len;

        while (start > 0 && host[start - 1] != '.')
            start--;
        if (n > 0 && n < cap)
            out[n++] = '.';
        for (size_t i = start; i < len && n < cap; i++)
            out[n++] = host[i];
        len = start > 0 ? start - 1 : 0;
    }
    return n;
}

/* "Example Weather" -> "example-weather" (between = '-'), at most cap bytes */
static size_t
slug(char *out, size_t cap, const json_t *title, char between)
{
    const char *text = json_string_value(title);
    size_t n = 0;

    for (size_t i = 0; text[i] != '\0' && n < cap; i++) {
        unsigned char c = (unsigned char)text[i];

        if (isalnum(c))
            out[n++] = (char)tolower(c);
        else if (n > 0 && out[n - 1] != between)
            out[n++] = between;
    }
    while (n > 0 && out[n - 1] == between)
        n--;
    return n;
}

static json_t *
registry_name(const struct x402_service *service)
{
    char text[200];
    json_t *title = discovery_title(service);
    size_t n;

    if (title == NULL)
        return NULL;
    n = reverse_host(text, sizeof(text) - 66, service->base_url);
    text[n++] = '/';
    n += slug(text + n, 64, title, '-');
    json_decref(title);
    return json_stringn(text, n);
}

/* At most max bytes, and never the half of a character. */
static struct x402_span
cut(struct x402_span text, size_t max)
{
    if (text.len <= max)
        return text;
    while (max > 0 && ((unsigned char)text.at[max] & 0xc0) == 0x80)
        max--;
    return (struct x402_span){text.at, max};
}

static json_t *
description(const struct x402_service *service, size_t max)
{
    struct x402_span text = service->description;

    if (text.len == 0)
        text = x402_span_of("An API that is paid per request (x402)");
    return discovery_text(cut(text, max));
}

/* `remotes` and `mcp_endpoint` only where there is something to point to. */
static bool
set_endpoint(json_t *root, struct x402_span url)
{
    if (url.len == 0)
        return true;
    return discovery_set(root, "mcp_endpoint", discovery_text(url)) &&
           discovery_set(root, "remotes",
                         json_pack("[{s:s,s:o}]", "type", "streamable-http",
                                   "url", discovery_text(url)));
}

json_t *
x402_discovery_mcp(const struct x402_routes *routes)
{
    const struct x402_service *service = routes->service;
    json_t *root = json_pack("{s:s}", "$schema",
                             "https://static.modelcontextprotocol.io/schemas/"
                             "2025-12-11/server.schema.json");

    return discovery_done(
        root,
        root != NULL && discovery_set(root, "name", registry_name(service)) &&
            discovery_set(root, "title", discovery_title(service)) &&
            discovery_set(root, "description", description(service, 100)) &&
            discovery_set(root, "version", discovery_version(service)) &&
            discovery_set(root, "websiteUrl", discovery_url(routes, "")) &&
            discovery_set(root, "website", discovery_url(routes, "")) &&
            set_endpoint(root, service->mcp_url));
}

bool
x402_discovery_has_plugin(const struct x402_service *service)
{
    return service->contact.len > 0 && service->logo.len > 0 &&
           service->legal.len > 0;
}

static json_t *
model_name(const struct x402_service *service)
{
    char text[50];
    json_t *title = discovery_title(service);
    size_t n;

    if (title == NULL)
        return NULL;
    n = slug(text, sizeof(text), title, '_');
    json_decref(title);
    return json_stringn(text, n);
}

static json_t *
human_name(const struct x402_service *service)
{
    json_t *title = discovery_title(service);
    json_t *name = discovery_text(cut(
        (struct x402_span){json_string_value(title), json_string_length(title)},
        20));

    json_decref(title);
    return name;
}

json_t *
x402_discovery_plugin(const struct x402_routes *routes)
{
    const struct x402_service *service = routes->service;
    json_t *root;

    if (!x402_discovery_has_plugin(service))
        return NULL;
    root = json_pack("{s:s,s:{s:s},s:{s:s,s:o*,s:b}}", "schema_version", "v1",
                     "auth", "type", "none", "api", "type", "openapi", "url",
                     discovery_url(routes, "/openapi.json"),
                     "is_user_authenticated", 0);
    return discovery_done(
        root,
        root != NULL &&
            discovery_set(root, "name_for_model", model_name(service)) &&
            discovery_set(root, "name_for_human", human_name(service)) &&
            discovery_set(root, "description_for_model",
                          description(service, 8000)) &&
            discovery_set(root, "description_for_human",
                          description(service, 100)) &&
            discovery_set(root, "logo_url", discovery_text(service->logo)) &&
            discovery_set(root, "contact_email",
                          discovery_text(service->contact)) &&
            discovery_set(root, "legal_info_url",
                          discovery_text(service->legal)));
}
