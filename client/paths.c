/* SPDX-License-Identifier: Apache-2.0 */
/* XDG paths. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "paths.h"

/* "All paths set in these environment variables must be absolute.  If an
 * implementation encounters a relative path in any of these variables it should
 * consider the path invalid and ignore it."  XDG Base Directory 0.8 */
static bool
below(char out[PATHS_MAX], const char *variable, const char *fallback,
      const char *name)
{
    const char *base = getenv(variable);
    const char *home = getenv("HOME");
    int len;

    if (base != NULL && base[0] == '/')
        len = snprintf(out, PATHS_MAX, "%s/%s", base, name);
    else if (home != NULL && home[0] == '/')
        len = snprintf(out, PATHS_MAX, "%s/%s/%s", home, fallback, name);
    else
        return false;
    return len > 0 && len < PATHS_MAX;
}

bool
paths_config(char out[PATHS_MAX])
{
    return below(out, "XDG_CONFIG_HOME", ".config", "x402/config");
}

bool
paths_wallet(char out[PATHS_MAX])
{
    return below(out, "XDG_DATA_HOME", ".local/share", "x402/wallet.json");
}

bool
paths_state(char out[PATHS_MAX])
{
    return below(out, "XDG_STATE_HOME", ".local/state", "x402");
}

bool
paths_make_folder(const char *path)
{
    char part[PATHS_MAX];
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof(part))
        return false;
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return false;
        if (i < len)
            part[i] = '/';
    }
    return true;
}

bool
paths_make_parent(const char *path)
{
    char folder[PATHS_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);

    if (len == 0)
        return true;
    if (len >= sizeof(folder))
        return false;
    memcpy(folder, path, len);
    folder[len] = '\0';
    return paths_make_folder(folder);
}
