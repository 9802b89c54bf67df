/* table.c - for the eye: a legend, then columns that grow with what is in them. Every
 * line that is not a point begins with '#'. */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "report/writer.h"
#include "util/memory.h"

struct layout {
    int width[SP_MAX_COLUMNS];
    char *group;                /* what the rows under the last titles have in common */
    enum { NONE, MEASURED, SIMULATED } legend;  /* the last one, of whose columns */
};

static void put_context(FILE *file, const json_t *context)
{
    const char *name;
    const json_t *value;
    json_object_foreach((json_t *)context, name, value) {
        if (json_is_string(value))
            fprintf(file, "# %s: %s\n", name, json_string_value(value));
        else if (json_is_number(value))
            fprintf(file, "# %s: %.10g\n", name, json_number_value(value));
    }
}

/* The columns of measured rows and of simulated ones differ. */
static void put_legend(FILE *file, const struct sp_row *row)
{
    for (const struct sp_column *c = sp_columns; c->name; c++)
        if (sp_row_shows(row, c) && !(c->flags & SP_KEY))
            fprintf(file, c->unit == SP_NO_UNIT ? "# %s%s: %s\n" : "# %s (%s): %s\n",
                    c->title, sp_units[c->unit].name, c->help);
    fputs("# -: not measured\n", file);
}

static void begin(struct sp_report *r, const json_t *context, bool fresh)
{
    struct layout *layout = r->state = sp_alloc(sizeof *layout);
    (void)fresh;
    for (int i = 0; sp_columns[i].name; i++) {
        int unit = (int)strlen(sp_units[sp_columns[i].unit].name) + 2;      /* "(ms)" */
        layout->width[i] = unit > sp_columns[i].width ? unit : sp_columns[i].width;
    }
    put_context(r->file, context);
}

/* A cell for each shown column. The line is left open, and ends without blanks. */
static void put_line(FILE *file, const struct layout *layout, char mark,
                     const char *const *cell)
{
    char *line = NULL;
    size_t bytes;
    FILE *to = open_memstream(&line, &bytes);
    fputc(mark, to);
    for (int i = 0; sp_columns[i].name; i++)
        if (cell[i]) {
            bool right = sp_columns[i].type == SP_WHOLE || sp_columns[i].type == SP_REAL;
            fprintf(to, " %*s", right ? layout->width[i] : -layout->width[i], cell[i]);
        }
    fclose(to);
    while (line[bytes - 1] == ' ')
        bytes--;
    fwrite(line, 1, bytes, file);
    free(line);
}

static void put_titles(FILE *file, const struct layout *layout, const struct sp_row *row)
{
    const char *title[SP_MAX_COLUMNS] = { NULL }, *unit[SP_MAX_COLUMNS] = { NULL };
    char room[SP_MAX_COLUMNS][SP_CELL];
    for (int i = 0; sp_columns[i].name; i++) {
        const struct sp_column *c = &sp_columns[i];
        if (!sp_row_shows(row, c))
            continue;
        title[i] = c->title;
        snprintf(room[i], SP_CELL, "(%s)", sp_units[c->unit].name);
        unit[i] = c->unit == SP_NO_UNIT ? "" : room[i];
    }
    put_line(file, layout, '#', title);
    fputc('\n', file);
    put_line(file, layout, '#', unit);
    fputc('\n', file);
}

/* True if the row begins a group, which is announced. */
static bool new_group(FILE *file, struct layout *layout, const struct sp_row *row)
{
    char *group = sp_row_group(row);
    bool is_new = !layout->group || strcmp(group, layout->group);
    free(layout->group);
    layout->group = group;
    if (layout->legend != (sp_row_simulated(row) ? SIMULATED : MEASURED))
        put_legend(file, row);
    layout->legend = sp_row_simulated(row) ? SIMULATED : MEASURED;
    if (is_new)
        fprintf(file, "#\n# %s\n", group);
    return is_new;
}

/* True if a cell is wider than any before. */
static bool grow(struct layout *layout, const char *const *cell)
{
    bool grown = false;
    for (int i = 0; sp_columns[i].name; i++)
        if (cell[i] && (int)strlen(cell[i]) > layout->width[i]) {
            layout->width[i] = (int)strlen(cell[i]);
            grown = true;
        }
    return grown;
}

/* On the row's line, whatever it holds. */
static void put_reason(FILE *file, const char *reason)
{
    fputs(": ", file);
    for (; *reason; reason++)
        fputc(iscntrl((unsigned char)*reason) ? ' ' : *reason, file);
}

static void put_row(struct sp_report *r, const struct sp_row *row)
{
    const char *cell[SP_MAX_COLUMNS] = { NULL };
    char room[SP_MAX_COLUMNS][SP_CELL];
    for (int i = 0; sp_columns[i].name; i++)
        if (sp_row_shows(row, &sp_columns[i]))
            cell[i] = sp_row_shown(row, &sp_columns[i], room[i]);
    bool is_new = new_group(r->file, r->state, row), grown = grow(r->state, cell);
    if (is_new || grown)
        put_titles(r->file, r->state, row);
    put_line(r->file, r->state, ' ', cell);
    if (row->reason || row->bound)
        put_reason(r->file, row->reason ? row->reason : row->bound);
    fputc('\n', r->file);
}

static void end(struct sp_report *r)
{
    struct layout *layout = r->state;
    free(layout->group);
    free(layout);
}

const struct sp_writer sp_table = {
    .name = "table",
    .help = "for the eye",
    .begin = begin,
    .row = put_row,
    .end = end,
};
