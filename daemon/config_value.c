/* SPDX-License-Identifier: Apache-2.0 */
/* One scalar of the configuration at a time: numbers, booleans, paths. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_check.h"

bool
config_take_number(struct config_checking *c, const char *place,
                   const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    unsigned long long value;
    size_t digits;

    if (text == NULL)
        return true;
    digits = strspn(text, "0123456789");
    errno = 0;
    value = strtoull(text, NULL, 10);
    /* "010" would be eight to YAML 1.1 and ten to a person. */
    if (digits == 0 || text[digits] != '\0' || errno != 0 || value < min ||
        value > max || (text[0] == '0' && digits > 1))
        return config_complain(
            c->reading, place,
            "\"%.40s\" is not a whole number from %llu to %llu", text,
            (unsigned long long)min, (unsigned long long)max);
    *out = value;
    return true;
}

bool
config_take_unsigned(struct config_checking *c, const char *place,
                     const char *text, unsigned min, unsigned max,
                     unsigned *out)
{
    uint64_t value = *out;

    if (!config_take_number(c, place, text, min, max, &value))
        return false;
    *out = (unsigned)value;
    return true;
}

bool
config_take_bool(struct config_checking *c, const char *place, const char *text,
                 bool *out)
{
    if (text == NULL)
        return true;
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return config_complain(c->reading, place,
                               "\"%.40s\": write true or false", text);
    *out = strcmp(text, "true") == 0;
    return true;
}

/** The folder of the configuration file, absolute. */
static bool
folder_of(const char *file, char out[PATH_MAX])
{
    char folder[PATH_MAX];
    const char *slash = strrchr(file, '/');

    if (slash == NULL)
        return realpath(".", out) != NULL;
    snprintf(folder, sizeof(folder), "%.*s", (int)(slash - file + 1), file);
    return realpath(folder, out) != NULL;
}

bool
config_take_path(struct config_checking *c, const char *place, const char *text,
                 const char **out)
{
    char folder[PATH_MAX];
    char path[PATH_MAX + 1024 + 2];

    if (text[0] == '/')
        snprintf(path, sizeof(path), "%s", text);
    else if (!folder_of(c->reading->path, folder))
        return config_complain(c->reading, place,
                               "cannot tell the folder of %s: %s",
                               c->reading->path, strerror(errno));
    else
        snprintf(path, sizeof(path), "%s/%s", folder, text);
    if (strlen(path) >= PATH_MAX)
        return config_complain(c->reading, place, "the path is too long");
    *out = config_keep(c, path);
    if (*out == NULL)
        return config_complain(c->reading, place, "out of memory");
    return true;
}
