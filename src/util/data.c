/* data.c - looking for files that came with the program. */
/* SPDX-License-Identifier: MIT */
#include "util/data.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEPT = 4, ROOM = 4 * PATH_MAX };

/* The folder of the running program; "" if the system doesn't say. */
static void program_folder(char folder[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", folder, PATH_MAX - 1);
    folder[n > 0 ? n : 0] = 0;
    char *last = strrchr(folder, '/');
    if (last)
        *last = 0;
}

/* Whether there is such a file in a folder; they may be named without what ends their names. */
static bool found(char *path, const char *root, const char *folder, const char *name)
{
    static const char *const suffix[] = { "", ".json", ".cluster", ".xml" };
    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
        snprintf(path, ROOM, "%s/%s/%s%s", root, folder, name, suffix[i]);
        if (!access(path, F_OK))
            return true;
    }
    return false;
}

const char *sp_data_find(const char *folder, const char *name)
{
    static const char *const beside[] = {
        "../topologies", "../../topologies", "topologies", "../share/seqpar/topologies",
    };
    static char kept[KEPT][ROOM];
    static int next;
    if (!access(name, F_OK) || *name == '/')
        return name;
    char *path = kept[next = (next + 1) % KEPT];
    const char *data = getenv("SEQPAR_DATA");
    if (data && *data && found(path, data, folder, name))
        return path;
    char program[PATH_MAX], root[2 * PATH_MAX];
    program_folder(program);
    for (size_t i = 0; *program && i < sizeof beside / sizeof *beside; i++) {
        snprintf(root, sizeof root, "%s/%s", program, beside[i]);
        if (found(path, root, folder, name))
            return path;
    }
    return name;
}
