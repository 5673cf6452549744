/* SPDX-License-Identifier: Apache-2.0 */
/* What the till's files share: the listener, connections, workers' leases. */
#ifndef X402D_TILL_INSIDE_H
#define X402D_TILL_INSIDE_H

#include "till.h"

#define TILL_CONNECTIONS_MAX 64
#define TILL_WORKERS_MAX 1024 /* connected, or within their lease */
#define TILL_HELD_MAX (64 * X402_TILL_HOLD_MAX) /* ids in one HOLD list */
#define TILL_SILENT_MS 15000                    /* three heartbeats */
#define TILL_UNSENT_MAX (256 * 1024) /* bytes that a slow reader may owe */
#define TILL_RETRY_MS 1000           /* a lease whose end did not commit */

struct question;
struct death;

/** A worker's connection. */
struct connection {
    uv_pipe_t pipe;
    struct till *till;
    struct connection *next, **at;
    struct worker *worker; /* after HELLO */
    bool ready;
    bool closing;
    uint64_t accepted_ms, heard_ms; /* loop time */
    uint8_t in[X402_TILL_FRAME_MAX];
    size_t in_len;
    struct x402_rid *held; /* HOLD, until READY */
    size_t held_len;
    struct question *questions; /* without an answer yet */
    size_t in_flight;
    size_t listing; /* 1: READY is not done yet, and counts among those */
    /* answers of this turn of the loop, sent together at its end */
    uint8_t *out;
    size_t out_len, out_cap;
    size_t unsent; /* given to libuv, not taken by the kernel yet */
    bool dirty;
    struct connection *dirty_next;
    int pidfd; /* of the process that connected; -1: none */
};

/** A worker process: its id, its connection, or the rest of its lease. */
struct worker {
    struct till *till;
    struct worker *next, **at;
    uint8_t id[16];
    struct connection *connection; /* NULL: gone, the lease runs */
    uv_timer_t lease;
    struct death *death; /* of the process; NULL: not watched */
    bool ending;         /* its open runs are being ended */
    bool closed;
    bool gone; /* its timer's handle is closed */
};

struct till {
    struct core *core;
    const struct config *config;
    struct cashier *cashier;
    struct lightning *lightning; /* NULL: there is none */
    struct ledger *ledger;
    char *path;
    uint64_t socket_inode;
    unsigned group; /* of the socket */
    unsigned lease_ms;
    uv_pipe_t listener;
    uv_timer_t watch;   /* silence */
    uv_prepare_t flush; /* sends what this turn answered */
    struct connection *connections, *dirty;
    size_t connections_len;
    struct worker *workers;
    size_t workers_len;
    size_t in_flight;
    int handles; /* of the till and its children: closed at zero */
    bool closing;
    uint64_t close_by_ms;
    core_task closed;
    void *closed_arg;
};

/* -- till.c -- */

/** A handle of ours was opened; was closed. */
void till_hold(struct till *till);
void till_drop(struct till *till);

/* -- connection.c -- */

void connection_accept(struct till *till);
/** Close it.  Its questions are answered to nobody. */
void connection_close(struct connection *connection, const char *why);
/** Close those that are silent. */
void connection_watch(struct till *till);
/** Send what was answered in this turn. */
void connection_flush(uv_prepare_t *flush);
/** Append a frame to what will be sent. */
void connection_send(struct connection *connection,
                     const struct x402_till_frame *frame);

/* -- frames.c -- */

/** One frame of a connection.  false: it does not belong here, close. */
bool frame_take(struct connection *connection,
                const struct x402_till_frame *frame);
/** The connection is gone: its questions must not find it. */
void frame_orphan(struct connection *connection);

/* -- worker.c -- */

/** The worker of a connection that said HELLO.  NULL: too many. */
struct worker *worker_hello(struct connection *connection,
                            const uint8_t id[16]);
/** Its connection is gone: the lease starts. */
void worker_gone(struct worker *worker);
/** Give every worker that the ledger knows the time to come back. */
void worker_recall(struct till *till);
void worker_close_all(struct till *till);

/* -- peer.c -- */

struct peer {
    int pid; /* 0: unknown */
    unsigned uid;
};
/** Who is at the other end, and may he?  Root, our own user, and members of the
 * socket's group where its mode lets the group write. */
bool peer_allowed(const struct till *till, int fd, struct peer *out);

/* -- listen.c -- */

/** A bound socket at the configured path; -1 with a message. */
int listen_socket(struct till *till, char *error, size_t error_len);
/** Remove the socket file, if it is still ours. */
void listen_remove(const struct till *till);

#endif
