/* data.c - looking for files that came with the program. */
/* SPDX-License-Identifier: MIT */
#include "util/data.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* In $SEQPAR_DATA, or beside the program. */
static bool search(char *path, const char *folder, const char *name)
{
    static const char *const beside[] = {
        "../topologies", "../../topologies", "topologies", "../share/seqpar/topologies",
    };
    const char *data = getenv("SEQPAR_DATA");
    if (data && *data && found(path, data, folder, name))
        return true;
    char program[PATH_MAX], root[2 * PATH_MAX];
    program_folder(program);
    for (size_t i = 0; *program && i < sizeof beside / sizeof *beside; i++) {
        snprintf(root, sizeof root, "%s/%s", program, beside[i]);
        if (found(path, root, folder, name))
            return true;
    }
    return false;
}

const char *sp_data_own(const char *folder, const char *name)
{
    static char kept[KEPT][ROOM];
    static int next;
    char *path = kept[next = (next + 1) % KEPT];
    return search(path, folder, name) ? path : name;
}

/* A folder of that name, such as one with results, is not meant. */
const char *sp_data_find(const char *folder, const char *name)
{
    struct stat s;
    bool there = !stat(name, &s) && !S_ISDIR(s.st_mode);
    return there || *name == '/' ? name : sp_data_own(folder, name);
}

void sp_data_list(const char *folder, const char *ending, void (*tell)(const char *name))
{
    char path[ROOM];
    struct dirent **entry;
    int n = search(path, folder, ".") ? scandir(path, &entry, NULL, versionsort) : -1;
    for (int i = 0; i < n; i++) {
        char *name = entry[i]->d_name;
        size_t stem = strlen(name), tail = strlen(ending);
        if (stem > tail && !strcmp(name + stem - tail, ending)) {
            name[stem - tail] = 0;
            tell(name);
        }
        free(entry[i]);
    }
    if (n >= 0)
        free(entry);
}
