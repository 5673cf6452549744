/* SPDX-License-Identifier: Apache-2.0 */
/* A schema file that is taken makes a bazaar extension and an OpenAPI
 * document. */
#include <stdlib.h>

#include <x402/discovery.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct x402_span text = {(const char *)data, size};
    struct x402_service service = {.base_url =
                                       x402_span_of("https://api.example.com")};
    struct x402_route route = {.path = x402_span_of("/a"),
                               .url =
                                   x402_span_of("https://api.example.com/a")};
    struct x402_routes routes = {&service, &route, 1};
    struct x402_schema *schema;
    json_t *extension, *openapi;
    char why[160];

    if (x402_schema_read(&schema, why, sizeof(why), text) != X402_OK) {
        if (why[0] == '\0')
            abort(); /* a refusal says why */
        return 0;
    }
    route.schema = schema;
    extension = x402_bazaar_extension(&route);
    openapi = x402_discovery_openapi(&routes);
    if (extension == NULL || openapi == NULL)
        abort();
    json_decref(extension);
    json_decref(openapi);
    x402_schema_free(schema);
    return 0;
}
