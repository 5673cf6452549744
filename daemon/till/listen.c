/* SPDX-License-Identifier: Apache-2.0 */
/* The socket file: made so that nobody gets in before its mode is right, and
 * that a daemon which is running keeps it. */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "inside.h"

static int
say(char *error, size_t error_len, const char *path, const char *what)
{
    snprintf(error, error_len, "till: %s: %s", path, what);
    return -1;
}

/* Is somebody listening there?  A socket file that nobody listens on is what a
 * killed daemon left. */
static bool
is_live(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool live;

    if (fd < 0)
        return true;
    live =
        connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
        errno != ECONNREFUSED;
    close(fd);
    return live;
}

static int
clear_path(const struct sockaddr_un *address, char *error, size_t error_len)
{
    const char *path = address->sun_path;
    struct stat st;

    if (lstat(path, &st) != 0)
        return errno == ENOENT ? 0
                               : say(error, error_len, path, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return say(error, error_len, path, "is there and is not a socket");
    if (is_live(address))
        return say(error, error_len, path, "another x402d listens there");
    if (unlink(path) != 0)
        return say(error, error_len, path, strerror(errno));
    return 0;
}

static int
bind_closed(const struct sockaddr_un *address, char *error, size_t error_len)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t old;
    int rc;

    if (fd < 0)
        return say(error, error_len, address->sun_path, strerror(errno));
    old = umask(0177);
    rc = bind(fd, (const struct sockaddr *)address, sizeof *address);
    umask(old);
    if (rc == 0)
        return fd;
    say(error, error_len, address->sun_path, strerror(errno));
    close(fd);
    return -1;
}

static const char *
set_owner(struct till *till)
{
    const char *name = till->config->till_group;
    const struct group *group;
    struct stat st;

    if (name != NULL) {
        group = getgrnam(name);
        if (group == NULL)
            return "the configured group does not exist";
        if (chown(till->path, (uid_t)-1, group->gr_gid) != 0)
            return "cannot be given to the configured group";
    }
    if (chmod(till->path, till->config->till_mode & 0777) != 0 ||
        stat(till->path, &st) != 0)
        return strerror(errno);
    till->group = st.st_gid;
    till->socket_inode = st.st_ino;
    return NULL;
}

int
listen_socket(struct till *till, char *error, size_t error_len)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *problem;
    int fd;

    if (strlen(till->path) >= sizeof address.sun_path)
        return say(error, error_len, till->path, "the path is too long");
    memcpy(address.sun_path, till->path, strlen(till->path));
    if (clear_path(&address, error, error_len) != 0)
        return -1;
    fd = bind_closed(&address, error, error_len);
    if (fd < 0)
        return -1;
    problem = set_owner(till);
    if (problem == NULL)
        return fd;
    say(error, error_len, till->path, problem);
    unlink(till->path);
    close(fd);
    return -1;
}

void
listen_remove(const struct till *till)
{
    struct stat st;

    if (lstat(till->path, &st) == 0 && st.st_ino == till->socket_inode)
        unlink(till->path);
}
