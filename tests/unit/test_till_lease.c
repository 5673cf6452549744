/* SPDX-License-Identifier: Apache-2.0 */
/* Workers that go and come back, or do not; daemons that do; and the socket's
 * file. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "till_client.h"

/* -- leases -- */

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
    till_nonce += 10; /* the child counts for itself */
    fflush(stdout);
    child = fork();
    if (child == 0) {
        struct client c = connected();

        out = blocking_reserve(&c);
        (void)!write(pipes[1], &out, sizeof out);
        pause();
        _exit(0);
    }
    till_nonce += 10;
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

/* Somebody waits for its block; the lease ends first, and he has to know, or
 * the same payment would be "in work" until he gave up. */
static void
settled_first_for_a_worker_that_is_gone(void)
{
    struct client c = ready(26);
    struct x402_till_frame frame = reserve_frame(1);
    struct x402_till_reserve in = frame.u.reserve;
    struct pay_row row;
    struct pay_key key = {
        .chain_id = in.chain_id, .contract = in.asset, .payer = in.auth.from};

    memcpy(key.nonce, in.auth.nonce, sizeof key.nonce);
    frame.u.reserve.flags |= X402_TILL_SETTLE_FIRST;
    fake.looked_again = 0;
    say(&c, &frame);
    for (int i = 0; i < WAIT_MS && fake_watched() == 0; i++)
        turn_for(1);
    OK(fake_watched() == 1);
    till->lease_ms = 10;
    hang_up(&c);
    for (int i = 0; i < WAIT_MS && fake.looked_again == 0; i++)
        turn_for(1);
    OK(ledger_find(test_ledger, &key, &row) && row.state == PAY_RELEASED);
    OK(fake.looked_again == row.id);
    fake_tell(test_ledger, CHAIN_REFUSED, X402_OK);
    turn_for(20);
    till->lease_ms = X402_TILL_LEASE_S * 1000;
    c = ready(27);
    frame.id = 2;
    say(&c, &frame);
    for (int i = 0; i < WAIT_MS && fake_watched() == 0; i++)
        turn_for(1);
    OK(fake_watched() == 1); /* and not IN_PROGRESS */
    fake_tell(test_ledger, CHAIN_REFUSED, X402_ERR_SIMULATION);
    OK(hear(&c, &frame, WAIT_MS) == 1);
    OK(frame.u.reserved.err == X402_ERR_SIMULATION);
    hang_up(&c);
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
a_daemon_that_starts_again(void)
{
    struct client c = ready(30);
    struct x402_till_reserved one = reserve(&c), two = reserve(&c);
    struct stat st;

    close_till(100);
    OK(stat(till_path, &st) != 0);
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

    OK(stat(till_path, &st) == 0 && (st.st_mode & 0777) == 0660);
    other = till_open(test_core, till_config, till_cashier, test_ledger, error,
                      sizeof error);
    OK(other == NULL && strstr(error, "another x402d") != NULL);
    close_till(100);
    fd = open(till_path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    other = till_open(test_core, till_config, till_cashier, test_ledger, error,
                      sizeof error);
    OK(other == NULL && strstr(error, "not a socket") != NULL);
    unlink(till_path);
    fd = socket(AF_UNIX, SOCK_STREAM, 0); /* what a killed daemon leaves */
    {
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        strcpy(address.sun_path, till_path);
        OK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    }
    close(fd);
    open_till();
    OK(till != NULL);
    till_config->till_group = "no-such-group";
    strcpy(error, till_path);
    strcat(till_path, "2");
    other = till_open(test_core, till_config, till_cashier, test_ledger, error,
                      sizeof error);
    OK(other == NULL && access(till_path, F_OK) != 0);
    till_path[strlen(till_path) - 1] = '\0';
    till_config->till_group = NULL;
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
    snprintf(folder, sizeof folder, "%s", till_path);
    *strrchr(folder, '/') = '\0';
    chmod(folder, 0755);
    chmod(till_path, 0666);
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
    chmod(till_path, 0660);
    OK(till_workers(till) == 0);
}

static void (*const all[])(void) = {
    comes_back_with_a_list,
    a_lease_that_ends,
    back_within_the_lease,
    a_worker_that_is_killed,
    a_reply_that_was_lost,
    settled_first_for_a_worker_that_is_gone,
    two_connections_of_one_worker,
    a_daemon_that_starts_again,
    closing_answers_first,
    the_socket_file,
    another_user,
};

int
main(void)
{
    till_begin();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        all[i]();
    return till_end();
}
