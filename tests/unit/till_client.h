/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's end of the till, for tests: the daemon's till with a real socket
 * and a real ledger, and clients that are read while the loop turns. */
#ifndef TILL_CLIENT_H
#define TILL_CLIENT_H

#include "fake_chain.h"
#include "ledger_test.h"
#include "till/inside.h"

#define WAIT_MS 5000

extern struct config *till_config;
extern struct cashier *till_cashier;
extern struct till *till;
extern char till_path[100];
extern unsigned till_nonce; /* of the newest payment */

/** Ledger, chain, cashier, till: up, and down with an audit. */
void till_begin(void);
int till_end(void);
void open_till(void);
void close_till(unsigned grace_ms);
void on_closed(void *arg); /* sets an int */

void turn(void);
void turn_for(unsigned ms);
uint64_t clock_ms(void);

struct client {
    int fd;
    uint8_t in[X402_TILL_FRAME_MAX];
    size_t in_len;
};

int dial(void);
struct client connected(void);
/** Connected, HELLO and READY said, as worker number `worker`. */
struct client ready(unsigned worker);
void hang_up(struct client *c);
void hello(struct client *c, unsigned worker);
void say_hold(struct client *c, const struct x402_rid *rid, size_t len);
void say_bytes(struct client *c, const void *bytes, size_t len);
void say(struct client *c, const struct x402_till_frame *frame);
void say_type(struct client *c, enum x402_till_type type, uint64_t id);
/** 1: a frame; 0: nothing in time; -1: closed; -2: not a frame. */
int hear(struct client *c, struct x402_till_frame *frame, unsigned ms);
bool is_closed(struct client *c);

/** A frame with a new payment. */
struct x402_till_frame reserve_frame(uint64_t id);
struct x402_till_reserved reserve(struct client *c);
enum x402_err charge(struct client *c, enum x402_till_type type,
                     const struct x402_rid *rid);
enum pay_state state_of(const struct x402_rid *rid);
bool becomes(const struct x402_rid *rid, enum pay_state state, unsigned ms);

#endif
