/* SPDX-License-Identifier: Apache-2.0 */
/* Asking on the terminal. */
#include <stdio.h>
#include <string.h>

#include "ask.h"

enum pay_earlier
ask_about_earlier(void)
{
    FILE *tty = fopen("/dev/tty", "r+e");
    char line[64] = "";
    enum pay_earlier answer = PAY_EARLIER_STOP;

    if (tty == NULL)
        return answer;
    fputs("x402: an earlier payment for this request is still open.\n"
          "  r  send the same payment again (costs nothing more)\n"
          "  n  sign a new one (may pay twice)\n"
          "  anything else: stop\n"
          "? ",
          tty);
    fflush(tty);
    if (fgets(line, sizeof(line), tty) != NULL) {
        if (strcmp(line, "r\n") == 0)
            answer = PAY_EARLIER_RESUME;
        else if (strcmp(line, "n\n") == 0)
            answer = PAY_EARLIER_IGNORE;
    }
    fclose(tty);
    return answer;
}
