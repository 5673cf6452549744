/* SPDX-License-Identifier: Apache-2.0 */
/* Who connected.  The kernel has checked the socket file's mode already; this
 * holds too when somebody widened that mode. */
#include <sys/socket.h>
#include <unistd.h>

#include "inside.h"

#define GROUPS_MAX 256

static bool
in_group(int fd, const struct ucred *who, gid_t group)
{
    gid_t groups[GROUPS_MAX];
    socklen_t len = sizeof groups;

    if (who->gid == group)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) != 0)
        return false;
    for (size_t i = 0; i < len / sizeof *groups; i++)
        if (groups[i] == group)
            return true;
    return false;
}

bool
peer_allowed(const struct till *till, int fd, struct peer *out)
{
    struct ucred who;
    socklen_t len = sizeof who;

    out->pid = 0;
    out->uid = (unsigned)-1;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
        return false;
    out->pid = who.pid;
    out->uid = who.uid;
    if (who.uid == 0 || who.uid == geteuid())
        return true;
    if ((till->config->till_mode & 006) == 006)
        return true;
    return (till->config->till_mode & 060) == 060 &&
           in_group(fd, &who, till->group);
}
