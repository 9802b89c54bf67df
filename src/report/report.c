/* report.c - outputs: opened with care for what is in them, on the disk row by row. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/writer.h"
#include "util/stop.h"
#include "util/why.h"

/* A row is one write, so that a program that is killed leaves no half of it. */
enum { ROW_ROOM = 1 << 20 };

static void keep(struct sp_report *r)
{
    bool kept = !fflush(r->file) && !ferror(r->file);
    if (kept && fsync(fileno(r->file)))
        kept = errno == EINVAL || errno == EROFS;   /* a pipe or a terminal */
    if (!kept)
        sp_stop(SP_EXIT_ENVIRONMENT, "cannot write %s: %s",
                r->path ? r->path : "to standard output", strerror(errno));
}

/* Half a line is worth nothing, and would trouble readers. */
static const char *cut_last_line(struct sp_report *r)
{
    long end = ftell(r->file);
    do
        end--;
    while (end > 0 && !fseek(r->file, end - 1, SEEK_SET) && fgetc(r->file) != '\n');
    if (ftruncate(fileno(r->file), end))
        return strerror(errno);
    fseek(r->file, 0, SEEK_END);
    fprintf(stderr, "seqpar: warning: the last line of %s was not whole and is left out\n",
            r->path);
    return NULL;
}

/* What is there already: nothing, or lines that the writer can go on below. A writer that
 * was killed may have left half a line. */
static const char *look(struct sp_report *r, bool *fresh)
{
    struct stat about;
    char *line = NULL;
    size_t room = 0;
    *fresh = fstat(fileno(r->file), &about) || !S_ISREG(about.st_mode) ||
             getline(&line, &room, r->file) < 0;
    const char *why = *fresh || !r->writer->accept ? NULL : r->writer->accept(line);
    free(line);
    if (*fresh || why)
        return why;
    bool torn = !fseek(r->file, -1, SEEK_END) && fgetc(r->file) != '\n';
    fseek(r->file, 0, SEEK_END);
    return torn ? cut_last_line(r) : NULL;
}

static const char *open_file(struct sp_report *r, bool *fresh)
{
    r->file = fopen(r->path, "a+");
    if (!r->file)
        return sp_why("cannot write %s: %s", r->path, strerror(errno));
    setvbuf(r->file, NULL, _IOFBF, ROW_ROOM);
    const char *why = look(r, fresh);
    if (!why)
        return NULL;
    fclose(r->file);
    return sp_why("cannot append to %s: %s", r->path, why);
}

const char *sp_report_open(struct sp_report *r, const struct sp_writer *writer,
                           const char *path, const json_t *context)
{
    *r = (struct sp_report){ .writer = writer, .path = path, .file = stdout };
    bool fresh = true;
    const char *why = path ? open_file(r, &fresh) : NULL;
    if (why)
        return why;
    writer->begin(r, context, fresh);
    keep(r);
    return NULL;
}

void sp_report_row(struct sp_report *r, const struct sp_row *row)
{
    r->writer->row(r, row);
    keep(r);
}

void sp_report_close(struct sp_report *r)
{
    if (r->writer->end)
        r->writer->end(r);
    if (r->path)
        fclose(r->file);
}
