/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords: from a file of our own, or typed unseen on the terminal.  Never
 * from the command line, the environment or standard input. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "wallet.h"

static void
print(int tty, const char *text)
{
    ssize_t ignored = write(tty, text, strlen(text));

    (void)ignored;
}

static bool
read_line(char *out, size_t *len, int tty)
{
    size_t have = 0;

    for (;;) {
        ssize_t n = read(tty, out + have, 1);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        if (out[have] == '\n')
            break;
        if (++have == KEYSTORE_PASSWORD_MAX)
            return false;
    }
    out[have] = '\0';
    *len = have;
    return true;
}

static bool
ask(char *out, size_t *len, int tty, const char *prompt)
{
    struct termios before, silent;
    bool ok;

    if (tcgetattr(tty, &before) != 0)
        return false;
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_lflag |= ECHONL | ICANON;
    print(tty, prompt);
    if (tcsetattr(tty, TCSAFLUSH, &silent) != 0)
        return false;
    ok = read_line(out, len, tty);
    (void)tcsetattr(tty, TCSAFLUSH, &before);
    return ok;
}

static bool
ask_twice(char *out, size_t *len, int tty)
{
    char *again = keystore_secret_new(KEYSTORE_PASSWORD_MAX);
    size_t again_len;
    bool ok = again != NULL &&
              ask(out, len, tty, "New password for the wallet: ") &&
              ask(again, &again_len, tty, "The same again: ");

    if (ok && (*len != again_len || memcmp(out, again, *len) != 0)) {
        say_error("the two passwords differ");
        ok = false;
    }
    keystore_secret_free(again, KEYSTORE_PASSWORD_MAX);
    return ok;
}

static bool
from_terminal(char *out, size_t *len, bool fresh)
{
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    bool ok;

    if (tty < 0) {
        say_error("the wallet needs a password and there is no terminal to "
                  "ask on: use --password-file");
        return false;
    }
    ok = fresh ? ask_twice(out, len, tty)
               : ask(out, len, tty, "Password of the wallet: ");
    close(tty);
    return ok;
}

static bool
from_file(char *out, size_t *len, const char *path)
{
    enum keystore_err err = keystore_password_read(out, len, path);

    if (err == KEYSTORE_OK)
        return true;
    say_error("password file %s: %s", path,
              err == KEYSTORE_ERR_IO ? strerror(errno)
                                     : keystore_err_text(err));
    return false;
}

char *
wallet_password(size_t *len, const char *password_file, bool fresh)
{
    char *password = keystore_secret_new(KEYSTORE_PASSWORD_MAX);
    bool ok;

    if (password == NULL) {
        say_error("no locked memory for the password (see ulimit -l)");
        return NULL;
    }
    ok = password_file != NULL ? from_file(password, len, password_file)
                               : from_terminal(password, len, fresh);
    if (ok && fresh && *len == 0) {
        say_error("an empty password protects nothing; choose another");
        ok = false;
    }
    if (ok)
        return password;
    keystore_secret_free(password, KEYSTORE_PASSWORD_MAX);
    return NULL;
}
