/* data.c - looking for files that came with the program. */
/* SPDX-License-Identifier: MIT */
#include "util/data.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEPT = 4 };

/* The folder of the running program; "" if the system doesn't say. */
static void program_folder(char folder[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", folder, PATH_MAX - 1);
    folder[n > 0 ? n : 0] = 0;
    char *last = strrchr(folder, '/');
    if (last)
        *last = 0;
}

const char *sp_data_find(const char *folder, const char *name)
{
    static const char *const beside[] = {
        "../topologies", "../../topologies", "topologies", "../share/seqpar/topologies",
    };
    static char kept[KEPT][3 * PATH_MAX];
    static int next;
    if (!access(name, F_OK) || *name == '/')
        return name;
    char *path = kept[next = (next + 1) % KEPT];
    const char *data = getenv("SEQPAR_DATA");
    if (data && *data) {
        snprintf(path, sizeof *kept, "%s/%s/%s", data, folder, name);
        if (!access(path, F_OK))
            return path;
    }
    char program[PATH_MAX];
    program_folder(program);
    for (size_t i = 0; *program && i < sizeof beside / sizeof *beside; i++) {
        snprintf(path, sizeof *kept, "%s/%s/%s/%s", program, beside[i], folder, name);
        if (!access(path, F_OK))
            return path;
    }
    return name;
}
