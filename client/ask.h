/* SPDX-License-Identifier: Apache-2.0 */
/* The one question that a run may ask. */
#ifndef CLIENT_ASK_H
#define CLIENT_ASK_H

#include "pay.h"

/** An earlier payment for this request is still open: send the same
 *  again, sign another, or stop?  Asked on /dev/tty; no terminal: stop. */
enum pay_earlier ask_about_earlier(void);

#endif
