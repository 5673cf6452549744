/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's end of the till, over a real socket: the conversation, the
 * leases, and everything that must close a connection. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_chain.h"
#include "ledger_test.h"
#include "till/inside.h"

#define WAIT_MS 5000

static struct config *config;
static struct cashier *cashier;
static struct till *till;
static char socket_path[100];
static unsigned nonce;

/** One worker: a blocking socket that is read while the loop turns. */
struct client {
    int fd;
    uint8_t in[X402_TILL_FRAME_MAX];
    size_t in_len;
};

/* -- turning the loop -- */

static void
turn(void)
{
    for (int i = 0; i < 3; i++)
        uv_run(core_loop(test_core), UV_RUN_NOWAIT);
}

static uint64_t
clock_ms(void)
{
    return uv_hrtime() / 1000000;
}

static void
turn_for(unsigned ms)
{
    uint64_t until = clock_ms() + ms;

    while (clock_ms() < until) {
        turn();
        usleep(500);
    }
}

/* -- the client -- */

static int
dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, socket_path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static struct client
connected(void)
{
    struct client c = {.fd = dial()};

    return c;
}

static void
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

static void
say(struct client *c, const struct x402_till_frame *frame)
{
    uint8_t bytes[X402_TILL_FRAME_MAX];

    say_bytes(c, bytes, x402_till_encode(bytes, sizeof bytes, frame));
}

static void
say_type(struct client *c, enum x402_till_type type, uint64_t id)
{
    struct x402_till_frame frame;

    memset(&frame, 0, sizeof frame);
    frame.type = type;
    frame.id = id;
    say(c, &frame);
}

/* 1: a frame; 0: nothing in time; -1: closed */
static int
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

static bool
is_closed(struct client *c)
{
    struct x402_till_frame frame;
    int heard;

    while ((heard = hear(c, &frame, WAIT_MS)) == 1)
        ;
    return heard == -1;
}

static void
hello(struct client *c, unsigned worker)
{
    struct x402_till_frame frame;

    memset(&frame, 0, sizeof frame);
    frame.type = X402_TILL_HELLO;
    memset(frame.u.hello.worker, (int)worker, 16);
    say(c, &frame);
}

static struct client
ready(unsigned worker)
{
    struct client c = connected();

    hello(&c, worker);
    say_type(&c, X402_TILL_READY, 0);
    return c;
}

static void
hang_up(struct client *c)
{
    close(c->fd);
    turn();
}

static struct x402_till_frame
reserve_frame(uint64_t id)
{
    struct x402_till_frame frame;

    memset(&frame, 0, sizeof frame);
    frame.type = X402_TILL_RESERVE;
    frame.id = id;
    nonce++;
    frame.u.reserve = fake_payment(nonce, nonce);
    return frame;
}

static struct x402_till_reserved
reserve(struct client *c)
{
    struct x402_till_frame frame = reserve_frame(42);

    say(c, &frame);
    if (hear(c, &frame, WAIT_MS) != 1 || frame.type != X402_TILL_RESERVED ||
        frame.id != 42)
        test_ok(false, "no answer to RESERVE");
    return frame.u.reserved;
}

static enum x402_err
charge(struct client *c, enum x402_till_type type, const struct x402_rid *rid)
{
    struct x402_till_frame frame;

    memset(&frame, 0, sizeof frame);
    frame.type = type;
    frame.id = 43;
    if (type == X402_TILL_DONE) {
        frame.u.done.rid = *rid;
        frame.u.done.end = X402_TILL_END_COMPLETE;
    } else {
        frame.u.rid = *rid;
    }
    say(c, &frame);
    if (hear(c, &frame, WAIT_MS) != 1 || frame.type != X402_TILL_ACK ||
        frame.id != 43)
        test_ok(false, "no answer to a charge");
    return frame.u.ack.err;
}

static enum pay_state
state_of(const struct x402_rid *rid)
{
    int64_t id = 0;

    for (int i = 0; i < 8; i++)
        id = id << 8 | rid->byte[i];
    return test_get(id).state;
}

static bool
becomes(const struct x402_rid *rid, enum pay_state state, unsigned ms)
{
    uint64_t until = clock_ms() + ms;

    while (state_of(rid) != state && clock_ms() < until)
        turn_for(5);
    return state_of(rid) == state;
}

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
        {"another version", "\0\0\0\14\2\13\0\0\0\0\0\0\0\0\0\7", 16},
        {"an unknown type", "\0\0\0\14\1\77\0\0\0\0\0\0\0\0\0\7", 16},
        {"spare bytes", "\0\0\0\15\1\13\0\0\0\0\0\0\0\0\0\7\0", 17},
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

/* -- leases -- */

static void
say_hold(struct client *c, const struct x402_rid *rid, size_t len)
{
    static struct x402_till_frame frame;

    memset(&frame, 0, sizeof frame);
    frame.type = X402_TILL_HOLD;
    frame.u.hold.len = len;
    memcpy(frame.u.hold.rid, rid, len * sizeof *rid);
    say(c, &frame);
}

static void
comes_back_with_a_list(void)
{
    struct client c = ready(20);
    struct x402_till_reserved one = reserve(&c), two = reserve(&c),
                              three = reserve(&c);
    struct x402_rid held[2] = {one.rid, three.rid};

    hang_up(&c);
    turn_for(50);
    OK(state_of(&one.rid) == PAY_RESERVED &&
       state_of(&two.rid) == PAY_RESERVED);
    c = connected();
    hello(&c, 20);
    say_hold(&c, &held[0], 1);
    say_hold(&c, &held[1], 1);
    say_type(&c, X402_TILL_READY, 0);
    OK(becomes(&two.rid, PAY_RELEASED, WAIT_MS));
    OK(state_of(&one.rid) == PAY_RESERVED);
    OK(charge(&c, X402_TILL_CAPTURE, &one.rid) == X402_OK);
    OK(charge(&c, X402_TILL_CAPTURE, &three.rid) == X402_OK);
    OK(charge(&c, X402_TILL_CAPTURE, &two.rid) == X402_ERR_UNKNOWN_RESERVATION);
    hang_up(&c);
}

static void
a_lease_that_ends(void)
{
    struct client c = ready(21);
    struct x402_till_reserved out = reserve(&c);

    till->lease_ms = 600;
    hang_up(&c);
    turn_for(200);
    OK(state_of(&out.rid) == PAY_RESERVED);
    OK(becomes(&out.rid, PAY_RELEASED, WAIT_MS));
    till->lease_ms = X402_TILL_LEASE_S * 1000;
}

static void
back_within_the_lease(void)
{
    struct client c = ready(22);
    struct x402_till_reserved out = reserve(&c);

    till->lease_ms = 300;
    hang_up(&c);
    turn_for(50);
    c = connected();
    hello(&c, 22);
    say_hold(&c, &out.rid, 1);
    say_type(&c, X402_TILL_READY, 0);
    turn_for(500);
    OK(charge(&c, X402_TILL_CAPTURE, &out.rid) == X402_OK);
    hang_up(&c);
    till->lease_ms = X402_TILL_LEASE_S * 1000;
}

/* Reads one frame in a process of its own, blocking. */
static struct x402_till_reserved
blocking_reserve(struct client *c)
{
    struct x402_till_frame frame;
    uint8_t bytes[X402_TILL_FRAME_MAX];
    size_t used = 0, len;

    memset(&frame, 0, sizeof frame);
    frame.type = X402_TILL_HELLO;
    memset(frame.u.hello.worker, 23, 16);
    len = x402_till_encode(bytes, sizeof bytes, &frame);
    (void)!write(c->fd, bytes, len);
    memset(&frame, 0, sizeof frame);
    frame.type = X402_TILL_READY;
    len = x402_till_encode(bytes, sizeof bytes, &frame);
    (void)!write(c->fd, bytes, len);
    frame = reserve_frame(1);
    len = x402_till_encode(bytes, sizeof bytes, &frame);
    (void)!write(c->fd, bytes, len);
    while (used == 0) {
        ssize_t n = read(c->fd, c->in + c->in_len, sizeof c->in - c->in_len);

        if (n <= 0 ||
            (c->in_len += (size_t)n,
             x402_till_decode(&frame, &used, c->in, c->in_len) != X402_OK))
            _exit(1);
    }
    return frame.u.reserved;
}

static void
a_worker_that_is_killed(void)
{
    int pipes[2], status;
    struct x402_till_reserved out;
    uint64_t start;
    pid_t child;

    if (pipe(pipes) != 0)
        return;
    nonce += 10; /* the child counts for itself */
    fflush(stdout);
    child = fork();
    if (child == 0) {
        struct client c = connected();

        out = blocking_reserve(&c);
        (void)!write(pipes[1], &out, sizeof out);
        pause();
        _exit(0);
    }
    nonce += 10;
    while (waitpid(child, &status, WNOHANG) == 0) {
        struct pollfd readable = {.fd = pipes[0], .events = POLLIN};

        turn();
        if (poll(&readable, 1, 1) == 1)
            break;
    }
    OK(read(pipes[0], &out, sizeof out) == sizeof out && out.err == X402_OK);
    OK(state_of(&out.rid) == PAY_RESERVED);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    start = clock_ms();
    OK(becomes(&out.rid, PAY_RELEASED, WAIT_MS));
    OK(clock_ms() - start < 2000); /* and not after 30 s */
    close(pipes[0]);
    close(pipes[1]);
}

static void
a_reply_that_was_lost(void)
{
    struct client c = ready(24);
    struct x402_till_frame frame = reserve_frame(1);
    struct x402_till_reserve in = frame.u.reserve;
    struct pay_key key = {
        .chain_id = in.chain_id, .contract = in.asset, .payer = in.auth.from};
    struct pay_row row;

    memcpy(key.nonce, in.auth.nonce, 32);
    turn_for(20);
    fake.hold = true;
    say(&c, &frame);
    turn_for(20);
    hang_up(&c);
    turn_for(20);
    fake.hold = false;
    fake_answer(); /* the chain's word comes for nobody */
    turn_for(50);
    OK(!ledger_find(test_ledger, &key, &row));
    c = ready(24);
    frame.u.reserve = in;
    frame.type = X402_TILL_RESERVE;
    frame.id = 2;
    say(&c, &frame);
    close(c.fd); /* the answer comes to a closed socket */
    turn_for(100);
    c = ready(24);
    turn_for(100);
    OK(!ledger_find(test_ledger, &key, &row) || row.state == PAY_RELEASED);
    hang_up(&c);
}

static void
two_connections_of_one_worker(void)
{
    struct client old = ready(25), new;
    struct x402_till_reserved out = reserve(&old);

    new = connected();
    hello(&new, 25);
    OK(is_closed(&old));
    say_hold(&new, &out.rid, 1);
    say_type(&new, X402_TILL_READY, 0);
    OK(charge(&new, X402_TILL_CAPTURE, &out.rid) == X402_OK);
    hang_up(&old);
    hang_up(&new);
}

/* -- opening and closing -- */

static void
on_closed(void *arg)
{
    *(int *)arg = 1;
}

static void
open_till(void)
{
    char error[256];

    till =
        till_open(test_core, config, cashier, test_ledger, error, sizeof error);
    if (till == NULL)
        test_ok(false, "open: %s", error);
}

static void
close_till(unsigned grace_ms)
{
    int closed = 0;

    till_close(till, grace_ms, on_closed, &closed);
    test_wait(&closed);
    till = NULL;
}

static void
a_daemon_that_starts_again(void)
{
    struct client c = ready(30);
    struct x402_till_reserved one = reserve(&c), two = reserve(&c);
    struct stat st;

    close_till(100);
    OK(stat(socket_path, &st) != 0);
    OK(is_closed(&c));
    hang_up(&c);
    OK(state_of(&one.rid) == PAY_RESERVED);
    open_till();
    till->lease_ms = 400;
    c = connected();
    hello(&c, 30);
    say_hold(&c, &one.rid, 1);
    say_type(&c, X402_TILL_READY, 0);
    OK(becomes(&two.rid, PAY_RELEASED, WAIT_MS));
    OK(state_of(&one.rid) == PAY_RESERVED);
    hang_up(&c);
    close_till(100);
    open_till(); /* and nobody comes back */
    till->lease_ms = 400;
    turn_for(100);
    OK(state_of(&one.rid) == PAY_RESERVED);
    OK(becomes(&one.rid, PAY_RELEASED, WAIT_MS));
    till->lease_ms = X402_TILL_LEASE_S * 1000;
}

static void
closing_answers_first(void)
{
    struct client c = ready(31);
    struct x402_till_frame frame = reserve_frame(1);
    int closed = 0;

    turn_for(20);
    fake.hold = true;
    say(&c, &frame);
    turn_for(20);
    till_close(till, 3000, on_closed, &closed);
    turn_for(100);
    OK(!closed);
    frame = reserve_frame(2); /* nothing new */
    say(&c, &frame);
    OK(hear(&c, &frame, WAIT_MS) == 1 && frame.id == 2);
    OK(frame.u.reserved.err == X402_ERR_UNAVAILABLE);
    fake.hold = false;
    fake_answer();
    OK(hear(&c, &frame, WAIT_MS) == 1 && frame.id == 1);
    OK(frame.u.reserved.err == X402_OK);
    test_wait(&closed);
    OK(is_closed(&c));
    hang_up(&c);
    open_till();
}

static void
the_socket_file(void)
{
    char error[256];
    struct stat st;
    struct till *other;
    int fd;

    OK(stat(socket_path, &st) == 0 && (st.st_mode & 0777) == 0660);
    other =
        till_open(test_core, config, cashier, test_ledger, error, sizeof error);
    OK(other == NULL && strstr(error, "another x402d") != NULL);
    close_till(100);
    fd = open(socket_path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    other =
        till_open(test_core, config, cashier, test_ledger, error, sizeof error);
    OK(other == NULL && strstr(error, "not a socket") != NULL);
    unlink(socket_path);
    fd = socket(AF_UNIX, SOCK_STREAM, 0); /* what a killed daemon leaves */
    {
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        strcpy(address.sun_path, socket_path);
        OK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    }
    close(fd);
    open_till();
    OK(till != NULL);
    config->till_group = "no-such-group";
    strcpy(error, socket_path);
    strcat(socket_path, "2");
    other =
        till_open(test_core, config, cashier, test_ledger, error, sizeof error);
    OK(other == NULL && access(socket_path, F_OK) != 0);
    socket_path[strlen(socket_path) - 1] = '\0';
    config->till_group = NULL;
}

/* Even when somebody opened the file to all. */
static void
another_user(void)
{
    int status = -1;
    pid_t child;
    char folder[256];

    if (geteuid() != 0) {
        test_ok(true, "another user # SKIP not root");
        return;
    }
    snprintf(folder, sizeof folder, "%s", socket_path);
    *strrchr(folder, '/') = '\0';
    chmod(folder, 0755);
    chmod(socket_path, 0666);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        char byte;
        int fd;

        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(9);
        fd = dial();
        if (fd < 0)
            _exit(8);
        _exit(read(fd, &byte, 1) == 0 ? 0 : 1);
    }
    while (waitpid(child, &status, WNOHANG) == 0)
        turn_for(5);
    OK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    chmod(socket_path, 0660);
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
    comes_back_with_a_list,
    a_lease_that_ends,
    back_within_the_lease,
    a_worker_that_is_killed,
    a_reply_that_was_lost,
    two_connections_of_one_worker,
    a_daemon_that_starts_again,
    closing_answers_first,
    the_socket_file,
    another_user,
};

int
main(void)
{
    struct chain *chain;

    signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    test_folder();
    test_open();
    config = fake_config();
    snprintf(socket_path, sizeof socket_path, "%.90s.till", test_path);
    config->till_socket = socket_path;
    chain = fake_chain(test_core);
    cashier = cashier_new(test_core, config, test_ledger, &chain, 1);
    open_till();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        all[i]();
    close_till(100);
    fake_tell(test_ledger, CHAIN_TIMEOUT, X402_OK); /* what noise had set off */
    turn_for(50);
    OK(test_audit() == NULL);
    cashier_free(cashier);
    test_close();
    return test_done();
}
