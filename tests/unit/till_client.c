/* SPDX-License-Identifier: Apache-2.0 */
/* See till_client.h. */
#include "till_client.h"

#include "log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct config *till_config;
struct cashier *till_cashier;
struct till *till;
char till_path[100];
unsigned till_nonce;

/* -- turning the loop -- */

void
turn(void)
{
    for (int i = 0; i < 3; i++)
        uv_run(core_loop(test_core), UV_RUN_NOWAIT);
}

uint64_t
clock_ms(void)
{
    return uv_hrtime() / 1000000;
}

void
turn_for(unsigned ms)
{
    uint64_t until = clock_ms() + ms;

    while (clock_ms() < until) {
        turn();
        usleep(500);
    }
}

/* -- the client -- */

int
dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, till_path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

struct client
connected(void)
{
    struct client c = {.fd = dial()};

    return c;
}

void
say_bytes(struct client *c, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    while (len > 0) {
        ssize_t n = send(c->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno != EAGAIN)
            return;
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
        turn();
    }
}

void
say(struct client *c, const struct x402_till_frame *frame)
{
    uint8_t bytes[X402_TILL_FRAME_MAX];

    say_bytes(c, bytes, x402_till_encode(bytes, sizeof bytes, frame));
}

void
say_type(struct client *c, enum x402_till_type type, uint64_t id)
{
    struct x402_till_frame frame;

    memset(&frame, 0, sizeof frame);
    frame.type = type;
    frame.id = id;
    say(c, &frame);
}

/* 1: a frame; 0: nothing in time; -1: closed */
int
hear(struct client *c, struct x402_till_frame *frame, unsigned ms)
{
    uint64_t until = clock_ms() + ms;
    size_t used;

    for (;;) {
        ssize_t n;

        if (x402_till_decode(frame, &used, c->in, c->in_len) != X402_OK)
            return -2;
        if (used > 0) {
            memmove(c->in, c->in + used, c->in_len - used);
            c->in_len -= used;
            return 1;
        }
        turn();
        n = recv(c->fd, c->in + c->in_len, sizeof c->in - c->in_len,
                 MSG_DONTWAIT);
        if (n > 0)
            c->in_len += (size_t)n;
        else if (n == 0 || errno != EAGAIN)
            return -1;
        else if (clock_ms() > until)
            return 0;
        else
            usleep(200);
    }
}

bool
is_closed(struct client *c)
{
    struct x402_till_frame frame;
    int heard;

    while ((heard = hear(c, &frame, WAIT_MS)) == 1)
        ;
    return heard == -1;
}

void
hello(struct client *c, unsigned worker)
{
    struct x402_till_frame frame;

    memset(&frame, 0, sizeof frame);
    frame.type = X402_TILL_HELLO;
    memset(frame.u.hello.worker, (int)worker, 16);
    say(c, &frame);
}

struct client
ready(unsigned worker)
{
    struct client c = connected();

    hello(&c, worker);
    say_type(&c, X402_TILL_READY, 0);
    return c;
}

void
hang_up(struct client *c)
{
    close(c->fd);
    turn();
}

struct x402_till_frame
reserve_frame(uint64_t id)
{
    struct x402_till_frame frame;

    memset(&frame, 0, sizeof frame);
    frame.type = X402_TILL_RESERVE;
    frame.id = id;
    till_nonce++;
    frame.u.reserve = fake_payment(till_nonce, till_nonce);
    return frame;
}

struct x402_till_reserved
reserve(struct client *c)
{
    struct x402_till_frame frame = reserve_frame(42);

    say(c, &frame);
    if (hear(c, &frame, WAIT_MS) != 1 || frame.type != X402_TILL_RESERVED ||
        frame.id != 42)
        test_ok(false, "no answer to RESERVE");
    return frame.u.reserved;
}

enum x402_err
charge(struct client *c, enum x402_till_type type, const struct x402_rid *rid)
{
    struct x402_till_frame frame;

    memset(&frame, 0, sizeof frame);
    frame.type = type;
    frame.id = 43;
    if (type == X402_TILL_DONE) {
        frame.u.done.rid = *rid;
        frame.u.done.end = X402_TILL_END_COMPLETE;
    } else if (type == X402_TILL_RELEASE) {
        frame.u.release.rid = *rid;
        frame.u.release.status = 502;
    } else {
        frame.u.rid = *rid;
    }
    say(c, &frame);
    if (hear(c, &frame, WAIT_MS) != 1 || frame.type != X402_TILL_ACK ||
        frame.id != 43)
        test_ok(false, "no answer to a charge");
    return frame.u.ack.err;
}

enum pay_state
state_of(const struct x402_rid *rid)
{
    int64_t id = 0;

    for (int i = 0; i < 8; i++)
        id = id << 8 | rid->byte[i];
    return test_get(id).state;
}

bool
becomes(const struct x402_rid *rid, enum pay_state state, unsigned ms)
{
    uint64_t until = clock_ms() + ms;

    while (state_of(rid) != state && clock_ms() < until)
        turn_for(5);
    return state_of(rid) == state;
}

void
say_hold(struct client *c, const struct x402_rid *rid, size_t len)
{
    static struct x402_till_frame frame;

    memset(&frame, 0, sizeof frame);
    frame.type = X402_TILL_HOLD;
    frame.u.hold.len = len;
    memcpy(frame.u.hold.rid, rid, len * sizeof *rid);
    say(c, &frame);
}

void
on_closed(void *arg)
{
    *(int *)arg = 1;
}

void
open_till(void)
{
    char error[256];

    till = till_open(test_core, till_config, till_cashier, test_ledger, error,
                     sizeof error);
    if (till == NULL)
        test_ok(false, "open: %s", error);
}

void
close_till(unsigned grace_ms)
{
    int closed = 0;

    till_close(till, grace_ms, on_closed, &closed);
    test_wait(&closed);
    till = NULL;
}

void
till_begin(void)
{
    struct chain *chain;

    signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    log_open("error");
    test_folder();
    test_open();
    till_config = fake_config();
    snprintf(till_path, sizeof till_path, "%.90s.till", test_path);
    till_config->till_socket = till_path;
    chain = fake_chain(test_core);
    till_cashier = cashier_new(test_core, till_config, test_ledger, &chain, 1);
    open_till();
}

int
till_end(void)
{
    close_till(100);
    fake_tell(test_ledger, CHAIN_TIMEOUT, X402_OK); /* what noise had set off */
    turn_for(50);
    OK(test_audit() == NULL);
    cashier_free(till_cashier);
    test_close();
    return test_done();
}
