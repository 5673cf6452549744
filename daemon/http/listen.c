/* SPDX-License-Identifier: Apache-2.0 */
/* The socket that clients find.  Connections are accepted here, on the core
 * thread, and dealt out to libmicrohttpd's threads in turn: when those accept
 * themselves, one of them may end up with nearly all connections. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server.h"

#define ACCEPT_MOST 64 /* in one turn of the loop */

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t
make_address(union any_address *out, const struct config *config,
             bool *loopback)
{
    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET6, config->http_host, &out->v6.sin6_addr) == 1) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons((uint16_t)config->http_port);
        *loopback = IN6_IS_ADDR_LOOPBACK(&out->v6.sin6_addr);
        return sizeof(out->v6);
    }
    if (inet_pton(AF_INET, config->http_host, &out->v4.sin_addr) != 1)
        return 0;
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons((uint16_t)config->http_port);
    *loopback = (ntohl(out->v4.sin_addr.s_addr) >> 24) == 127;
    return sizeof(out->v4);
}

static int
open_socket(struct http *http, char *error, size_t error_len)
{
    const struct config *config = http->config;
    union any_address address;
    socklen_t len = make_address(&address, config, &http->loopback);
    int one = 1;
    int fd = socket(len == sizeof(address.v6) ? AF_INET6 : AF_INET,
                    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (len != 0 && fd >= 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
        bind(fd, &address.any, len) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    snprintf(error, error_len, "cannot listen on %s port %u: %s",
             config->http_host, config->http_port, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* The rest waits in the kernel; http_listen_again looks after it. */
static void
pause_accepting(struct http *http)
{
    uv_poll_stop(&http->listening);
    http->listen_paused = true;
}

/* Counted here, not when a thread takes it up: libmicrohttpd 0.9.75 locks up
 * where a connection handed to it meets its own limit. */
static void
hand_over(struct http *http, int fd, const struct sockaddr *from, socklen_t len)
{
    atomic_fetch_add(&http->connections, 1);
    /* it closes what it cannot take */
    if (MHD_add_connection(http->daemon, fd, from, len) != MHD_YES)
        atomic_fetch_sub(&http->connections, 1);
}

static void
on_acceptable(uv_poll_t *poll, int status, int events)
{
    struct http *http = poll->data;
    union any_address from;

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPT_MOST; i++) {
        socklen_t len = sizeof(from);
        int fd;

        if (atomic_load(&http->connections) >= HTTP_CONNECTIONS_MAX) {
            pause_accepting(http);
            return;
        }
        fd = accept4(http->listen_fd, &from.any, &len,
                     SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                pause_accepting(http); /* no descriptors, no memory */
            return;
        }
        hand_over(http, fd, &from.any, len);
    }
}

bool
http_listen(struct http *http, char *error, size_t error_len)
{
    http->listen_fd = open_socket(http, error, error_len);
    return http->listen_fd >= 0;
}

void
http_listen_start(struct http *http)
{
    http->listening.data = http;
    uv_poll_init(core_loop(http->core), &http->listening, http->listen_fd);
    uv_poll_start(&http->listening, UV_READABLE, on_acceptable);
}

void
http_listen_again(struct http *http)
{
    if (!http->listen_paused || http->listen_fd < 0)
        return;
    http->listen_paused = false;
    uv_poll_start(&http->listening, UV_READABLE, on_acceptable);
}

void
http_listen_stop(struct http *http)
{
    if (http->listen_fd < 0)
        return;
    uv_close((uv_handle_t *)&http->listening, NULL);
    close(http->listen_fd);
    http->listen_fd = -1;
}
