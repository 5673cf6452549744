/* SPDX-License-Identifier: Apache-2.0 */
/* Whose request this is, and how often it may come.
 *
 * With API keys in the configuration /verify and /settle need one, sent as
 * "Authorization: Bearer KEY" (RFC 6750, section 2.1).  A key brings its own
 * rate; everybody else shares that of the address, but for this machine, whose
 * processes could do worse. */
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <uv.h>

#include "../failpoint.h"
#include "request.h"

#define KEY_CHARS_MAX 512

static bool
refuse(struct http_request *request, unsigned status, enum x402_err err,
       const char *message)
{
    http_refuse(request, status, err, message);
    return false;
}

/* -- who -- */

/** What stands after "Bearer"; NULL: another scheme, or nothing. */
static const char *
bearer(const struct http_request *request)
{
    const char *text = MHD_lookup_connection_value(
        request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);

    if (text == NULL || strncasecmp(text, "Bearer ", 7) != 0)
        return NULL;
    text += 7;
    return text + strspn(text, " ");
}

/** Hashes are compared, each of them and in constant time: how long it takes
 * says nothing about any key. */
static const struct config_api_key *
find_key(const struct config *config, const char *text)
{
    const struct config_api_key *found = NULL;
    uint8_t hash[32];
    size_t len = strlen(text);

    if (len > KEY_CHARS_MAX)
        return NULL;
    SHA256((const unsigned char *)text, len, hash);
    for (size_t i = 0; i < config->api_key_len; i++) {
        if (CRYPTO_memcmp(hash, config->api_key[i].sha256, sizeof(hash)) == 0)
            found = &config->api_key[i];
    }
    if (mutant("any_key"))
        return &config->api_key[0];
    return found;
}

static const struct sockaddr *
address_of(const struct http_request *request)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    return info != NULL ? info->client_addr : NULL;
}

static bool
is_local(const struct http_request *request)
{
    const struct sockaddr *address = address_of(request);

    return address != NULL && peers_is_loopback(address);
}

/* -- how often -- */

static bool
too_many(struct http_request *request)
{
    return refuse(request, MHD_HTTP_TOO_MANY_REQUESTS, X402_ERR_RATE,
                  "too many requests; come back later");
}

static bool
is_dear(const struct http_request *request)
{
    return request->route->door == HTTP_DOOR_SETTLE ||
           request->route->door == HTTP_DOOR_SELLER;
}

static bool
take_for_key(struct http_request *request)
{
    struct http *http = request->http;
    size_t i = (size_t)(request->key - request->config->api_key);
    bool dear = is_dear(request), good;

    pthread_mutex_lock(&http->counting);
    good = bucket_take(dear ? &http->key_settle[i] : &http->key_verify[i],
                       dear ? request->key->rates.settle
                            : request->key->rates.verify,
                       uv_hrtime() / 1000, &request->retry_after_s);
    pthread_mutex_unlock(&http->counting);
    return good || too_many(request);
}

/** false: not to be counted. */
static bool
count_peer(struct http_request *request, const struct sockaddr *address,
           bool *good)
{
    struct http *http = request->http;
    const struct config_rates *rates = &request->config->peer_rates;
    uint64_t now_us = uv_hrtime() / 1000;
    bool dear = is_dear(request);
    struct peer *peer;

    pthread_mutex_lock(&http->counting);
    peer = peers_find(http->peers, address, now_us);
    *good = peer != NULL && bucket_take(dear ? &peer->settle : &peer->verify,
                                        dear ? rates->settle : rates->verify,
                                        now_us, &request->retry_after_s);
    pthread_mutex_unlock(&http->counting);
    return peer != NULL;
}

/** Without a key: this address.  Wrong keys are counted here as well, so that
 * nobody can try many. */
static bool
take_for_peer(struct http_request *request)
{
    const struct sockaddr *address = address_of(request);
    bool good;

    if (is_local(request))
        return true;
    if (address == NULL || !count_peer(request, address, &good))
        return refuse(request, MHD_HTTP_FORBIDDEN, X402_ERR_UNAVAILABLE,
                      "no address to count by");
    return good || too_many(request);
}

/* -- the door -- */

static bool
needs_key(const struct http_request *request)
{
    if (request->config->api_key_len == 0)
        return false;
    switch (request->route->door) {
    case HTTP_DOOR_OPEN:
    case HTTP_DOOR_BROWSE:
    case HTTP_DOOR_SELLER:
        return false;
    case HTTP_DOOR_MACHINE:
        return !is_local(request);
    case HTTP_DOOR_VERIFY:
    case HTTP_DOOR_SETTLE:
        return true;
    }
    return true;
}

bool
http_access(struct http_request *request)
{
    const char *text = bearer(request);
    bool counted = request->route->door != HTTP_DOOR_OPEN &&
                   request->route->door != HTTP_DOOR_MACHINE;

    if (text != NULL)
        request->key = find_key(request->config, text);
    if (request->key != NULL)
        return !counted || take_for_key(request);
    if ((counted || needs_key(request)) && !take_for_peer(request))
        return false;
    if (!needs_key(request))
        return true;
    request->challenge = true;
    return refuse(request, MHD_HTTP_UNAUTHORIZED, X402_ERR_UNAVAILABLE,
                  text == NULL ? "send Authorization: Bearer and an API key"
                               : "this API key is not one of ours");
}

enum x402_err
http_access_check(const struct http_request *request,
                  const struct x402_requirement *requirement)
{
    const struct config_api_key *key = request->key;

    if (key == NULL)
        return X402_OK;
    if (!config_key_has_asset(key, requirement->asset))
        return X402_ERR_ASSET;
    if (!config_key_has_payee(request->config, key,
                              requirement->asset->chain_id,
                              &requirement->pay_to) &&
        !mutant("any_key"))
        return X402_ERR_PAYEE;
    return X402_OK;
}
