/* gnuplot.c - what all pictures need. No shell is started: names go to gnuplot as they are. */
/* SPDX-License-Identifier: MIT */
#include "report/gnuplot.h"

#include <ctype.h>
#include <errno.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

#include "util/why.h"

extern char **environ;

/* Okabe and Ito, Color Universal Design, 2008. */
const char *const sp_gnuplot_colours[SP_NCOLOURS] = {
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442", "#999999",
};

/* Between single quotes gnuplot takes all as it is, and '' for one quote. */
static void put(FILE *script, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputc('\'', script);
        fputc(isprint((unsigned char)*text) ? *text : '?', script);
    }
}

void sp_gnuplot_text(FILE *script, const char *text)
{
    fputc('\'', script);
    put(script, text);
    fputc('\'', script);
}

void sp_gnuplot_file(FILE *script, const char *prefix, const char *suffix)
{
    fputs(*prefix == '/' ? "'" : "'./", script);
    put(script, prefix);
    put(script, suffix);
    fputc('\'', script);
}

FILE *sp_gnuplot_open(const char *prefix, const char *suffix, const char **why)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s%s", prefix, suffix) >= (int)sizeof path) {
        *why = sp_why("a file name of %zu bytes is too long", strlen(prefix));
        return NULL;
    }
    for (const char *c = path; *c; c++)
        if (!isprint((unsigned char)*c)) {
            *why = sp_why("cannot write %s: the name must be printable ASCII", path);
            return NULL;
        }
    FILE *f = fopen(path, "w");
    if (!f)
        *why = sp_why("cannot write %s: %s", path, strerror(errno));
    return f;
}

const char *sp_gnuplot_close(FILE *f, const char *why)
{
    bool bad = f && (ferror(f) | fclose(f));
    return why ? why : bad ? "a file could not be written whole: is the disk full?" : NULL;
}

void sp_gnuplot_picture(FILE *script, const char *prefix, int width, int height)
{
    fprintf(script, "set terminal svg size %d,%d font 'Helvetica,14' background '#ffffff'\n"
            "set output ", width, height);
    sp_gnuplot_file(script, prefix, ".svg");
    fprintf(script, "\n");
}

const char *sp_gnuplot_run(const char *prefix)
{
    char path[4096 + 3];
    snprintf(path, sizeof path, "./%s.gp", prefix);     /* never an option, never a pipe */
    char *argv[] = { "gnuplot", *prefix == '/' ? path + 2 : path, NULL };
    pid_t child;
    int status = 0, error = posix_spawnp(&child, "gnuplot", NULL, NULL, argv, environ);
    if (error)
        return sp_why("no picture: gnuplot can't be started (%s); install gnuplot-nox, then run "
                      "gnuplot %s.gp", strerror(error), prefix);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) && !WEXITSTATUS(status)
           ? NULL : sp_why("no picture: gnuplot failed on %s.gp", prefix);
}
