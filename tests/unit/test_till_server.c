/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's end of the till, over a real socket: the conversation, and
 * everything that must close a connection. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "till_client.h"

/* -- the conversation -- */

static void
one_request(void)
{
    struct client c = ready(1);
    struct x402_till_reserved out = reserve(&c);
    struct x402_till_frame frame;

    OK(out.err == X402_OK && state_of(&out.rid) == PAY_RESERVED);
    OK(charge(&c, X402_TILL_CAPTURE, &out.rid) == X402_OK);
    OK(charge(&c, X402_TILL_CAPTURE, &out.rid) == X402_OK);
    OK(charge(&c, X402_TILL_STARTED, &out.rid) == X402_OK);
    OK(charge(&c, X402_TILL_DONE, &out.rid) == X402_OK);
    out = reserve(&c);
    OK(charge(&c, X402_TILL_RELEASE, &out.rid) == X402_OK);
    OK(charge(&c, X402_TILL_CAPTURE, &out.rid) == X402_ERR_UNKNOWN_RESERVATION);
    say_type(&c, X402_TILL_PING, 77);
    OK(hear(&c, &frame, WAIT_MS) == 1);
    OK(frame.type == X402_TILL_PONG && frame.id == 77);
    OK(till_workers(till) == 1);
    hang_up(&c);
    turn_for(20);
    OK(till_workers(till) == 0);
}

static void
byte_by_byte(void)
{
    struct client c = ready(2);
    struct x402_till_frame frame = reserve_frame(9);
    uint8_t bytes[X402_TILL_FRAME_MAX];
    size_t len = x402_till_encode(bytes, sizeof bytes, &frame);

    for (size_t i = 0; i < len; i++)
        say_bytes(&c, bytes + i, 1);
    OK(hear(&c, &frame, WAIT_MS) == 1 && frame.id == 9);
    OK(frame.u.reserved.err == X402_OK);
    hang_up(&c);
}

static void
many_at_once(void)
{
    struct client c = ready(3);
    static bool seen[X402_TILL_INFLIGHT_MAX];
    struct x402_till_frame frame;
    int good = 0;

    memset(seen, 0, sizeof seen);
    for (uint64_t id = 0; id < X402_TILL_INFLIGHT_MAX; id++) {
        frame = reserve_frame(id);
        say(&c, &frame);
    }
    for (int i = 0; i < X402_TILL_INFLIGHT_MAX; i++) {
        if (hear(&c, &frame, WAIT_MS) != 1)
            break;
        good += frame.type == X402_TILL_RESERVED && !seen[frame.id] &&
                frame.u.reserved.err == X402_OK;
        seen[frame.id] = true;
    }
    OK(good == X402_TILL_INFLIGHT_MAX);
    hang_up(&c);
}

static void
one_more_than_allowed(void)
{
    struct client c = ready(4);
    struct x402_till_frame frame;

    turn_for(50); /* READY is done */
    fake.hold = true;
    for (uint64_t id = 0; id < X402_TILL_INFLIGHT_MAX; id++) {
        frame = reserve_frame(id);
        say(&c, &frame);
    }
    OK(hear(&c, &frame, 50) == 0);
    frame = reserve_frame(5000);
    say(&c, &frame);
    OK(is_closed(&c));
    fake.hold = false;
    fake_answer();
    turn_for(50);
    hang_up(&c);
    OK(till->in_flight == 0);
}

/* -- what closes -- */

static bool
closes(const struct x402_till_frame *frame, bool say_hello, bool say_ready)
{
    struct client c = connected();
    bool closed;

    if (say_hello)
        hello(&c, 5);
    if (say_ready)
        say_type(&c, X402_TILL_READY, 0);
    say(&c, frame);
    closed = is_closed(&c);
    hang_up(&c);
    return closed;
}

static bool
type_closes(enum x402_till_type type, bool say_hello, bool say_ready)
{
    struct x402_till_frame frame;

    memset(&frame, 0, sizeof frame);
    frame.type = type;
    frame.id = type == X402_TILL_HELLO || type == X402_TILL_HOLD ||
                       type == X402_TILL_READY
                   ? 0
                   : 7;
    frame.u.done.end = X402_TILL_END_COMPLETE;
    return closes(&frame, say_hello, say_ready);
}

static void
frames_that_do_not_belong(void)
{
    struct x402_till_frame frame = reserve_frame(1);

    OK(closes(&frame, false, false));
    OK(closes(&frame, true, false));
    OK(type_closes(X402_TILL_READY, false, false));
    OK(type_closes(X402_TILL_HOLD, false, false));
    OK(type_closes(X402_TILL_PING, false, false));
    OK(type_closes(X402_TILL_CAPTURE, true, false));
    OK(type_closes(X402_TILL_HELLO, true, true));
    OK(type_closes(X402_TILL_READY, true, true));
    OK(type_closes(X402_TILL_HOLD, true, true));
    OK(type_closes(X402_TILL_ACK, true, true));
    OK(type_closes(X402_TILL_PONG, true, true));
    memset(&frame, 0, sizeof frame);
    frame.type = X402_TILL_RESERVED;
    frame.id = 7;
    OK(closes(&frame, true, true));
}

static void
bytes_that_are_no_frames(void)
{
    static const struct {
        const char *why;
        const char *bytes;
        size_t len;
    } rows[] = {
        {"a request of HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27},
        {"a length of zero", "\0\0\0\0", 4},
        {"a length over the bound", "\0\1\0\0", 4},
        {"another version", "\0\0\0\14\1\13\0\0\0\0\0\0\0\0\0\7", 16},
        {"an unknown type", "\0\0\0\14\2\77\0\0\0\0\0\0\0\0\0\7", 16},
        {"spare bytes", "\0\0\0\15\2\13\0\0\0\0\0\0\0\0\0\7\0", 17},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct client c = ready(6);

        say_bytes(&c, rows[i].bytes, rows[i].len);
        test_ok(is_closed(&c), "closes on %s", rows[i].why);
        hang_up(&c);
    }
}

static void
noise(void)
{
    struct client steady = ready(8);
    uint8_t bytes[X402_TILL_FRAME_MAX];

    for (int i = 0; i < 300; i++) {
        struct client c = ready(9);
        struct x402_till_frame frame = reserve_frame(1);
        size_t len = x402_till_encode(bytes, sizeof bytes, &frame);
        uint32_t random[2];

        core_random(random, sizeof random);
        bytes[random[0] % len] ^= (uint8_t)(1u << (random[1] % 8));
        say_bytes(&c, bytes, i % 3 == 0 ? random[1] % len : len);
        turn();
        hang_up(&c);
    }
    turn_for(100);
    OK(reserve(&steady).err == X402_OK);
    hang_up(&steady);
}

static void
a_slow_reader(void)
{
    struct client c = ready(10);
    struct x402_till_frame ping = {.type = X402_TILL_PING, .id = 1};
    uint8_t bytes[64];
    size_t len = x402_till_encode(bytes, sizeof bytes, &ping);
    int sent = 0;

    for (; sent < 200000; sent++) {
        if (send(c.fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
            errno != EAGAIN)
            break;
        if (sent % 64 == 0)
            turn();
    }
    OK(sent < 200000);
    OK(is_closed(&c));
    hang_up(&c);
}

static void
a_silent_worker(void)
{
    struct client c = ready(11), mute = connected();
    struct x402_till_frame frame;

    turn_for(20);
    for (struct connection *at = till->connections; at != NULL; at = at->next) {
        at->heard_ms -= TILL_SILENT_MS;
        if (!at->ready)
            at->accepted_ms -= TILL_SILENT_MS;
    }
    say_type(&c, X402_TILL_PING, 1); /* heard in time */
    OK(is_closed(&mute));
    OK(hear(&c, &frame, WAIT_MS) == 1 && frame.type == X402_TILL_PONG);
    OK(reserve(&c).err == X402_OK);
    for (struct connection *at = till->connections; at != NULL; at = at->next)
        at->heard_ms -= TILL_SILENT_MS;
    OK(is_closed(&c));
    hang_up(&c);
    hang_up(&mute);
}

static void
a_crowd(void)
{
    struct client c[TILL_CONNECTIONS_MAX], extra;
    struct x402_till_frame frame;

    for (unsigned i = 0; i < TILL_CONNECTIONS_MAX; i++)
        c[i] = ready(100 + i);
    turn_for(50);
    OK(till_workers(till) == TILL_CONNECTIONS_MAX);
    extra = connected();
    OK(is_closed(&extra));
    OK(hear(&c[0], &frame, 10) == 0);
    for (unsigned i = 0; i < TILL_CONNECTIONS_MAX; i++)
        hang_up(&c[i]);
    hang_up(&extra);
    turn_for(20);
    OK(till_workers(till) == 0);
}

static void (*const all[])(void) = {
    one_request,
    byte_by_byte,
    many_at_once,
    one_more_than_allowed,
    frames_that_do_not_belong,
    bytes_that_are_no_frames,
    noise,
    a_slow_reader,
    a_silent_worker,
    a_crowd,
};

int
main(void)
{
    till_begin();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        all[i]();
    return till_end();
}
