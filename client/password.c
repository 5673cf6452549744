/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords: from a file of our own, or typed unseen on the terminal.  Never
 * from the command line, the environment or standard input. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "wallet.h"

static const int caught_signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { CAUGHT = sizeof(caught_signals) / sizeof(caught_signals[0]) };

static void
print(int tty, const char *text)
{
    ssize_t ignored = write(tty, text, strlen(text));

    (void)ignored;
}

static volatile sig_atomic_t caught;

static void
on_signal(int number)
{
    caught = number;
}

/* A signal ends the reading, the terminal gets its echo back, and then the
 * signal does what it always does. */
static void
catch_signals(struct sigaction before[CAUGHT])
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    caught = 0;
    for (int i = 0; i < CAUGHT; i++)
        (void)sigaction(caught_signals[i], &action, &before[i]);
}

static void
release_signals(const struct sigaction before[CAUGHT])
{
    for (int i = 0; i < CAUGHT; i++)
        (void)sigaction(caught_signals[i], &before[i], NULL);
    if (caught != 0)
        (void)raise(caught);
}

static bool
read_line(char *out, size_t *len, int tty)
{
    size_t have = 0;

    for (;;) {
        ssize_t n = read(tty, out + have, 1);

        if (n < 0 && errno == EINTR && caught == 0)
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
    struct sigaction actions[CAUGHT];
    struct termios before, silent;
    bool ok;

    if (tcgetattr(tty, &before) != 0)
        return false;
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_lflag |= ECHONL | ICANON;
    /* echo goes off before anybody is asked to type */
    catch_signals(actions);
    ok = tcsetattr(tty, TCSAFLUSH, &silent) == 0;
    if (ok) {
        print(tty, prompt);
        ok = read_line(out, len, tty);
    }
    (void)tcsetattr(tty, TCSANOW, &before);
    release_signals(actions);
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
