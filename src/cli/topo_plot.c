/* topo_plot.c - boxes in rows by kind, nodes side by side, lines as wide as links are fast.
 *
 * Names come from strangers' files: in the data they keep letters, digits and a few signs,
 * and gnuplot's commands have none of them. */
/* SPDX-License-Identifier: MIT */
#include "cli/topo_plot.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/gnuplot.h"
#include "util/memory.h"

enum { MOST_NODES = 8, MOST_SWITCHES = 64 };

static const struct row { double y; int color; } rows[SP_NVERTEX_KINDS] = {
    [SP_NVSWITCH] = { 0, 0x76b900 }, [SP_GPU] = { 1, 0x9fd356 }, [SP_CPU] = { 1, 0x9ecae1 },
    [SP_PCISWITCH] = { 2, 0xd9d9d9 }, [SP_NUMA] = { 3, 0x9ecae1 }, [SP_NIC] = { 4, 0xfdae6b },
    [SP_LEAF] = { 5, 0xe6550d }, [SP_SPINE] = { 6, 0xa63603 },
};

struct picture {
    const struct sp_topo *t;
    double *x;                  /* by vertex; NaN: not drawn */
    double width, middle[MOST_NODES];   /* of all nodes; of each */
    int left_out;
};

/* Vertices [from, to[ of one kind side by side over [left, left + width]. */
static void spread(struct picture *p, enum sp_vertex_kind kind, int from, int to, double left,
                   double width, int most)
{
    int n = 0, at = 0;
    for (int v = from; v < to; v++)
        n += p->t->vertex[v].kind == kind;
    n = n < most ? n : most;
    for (int v = from; v < to; v++) {
        if (p->t->vertex[v].kind != kind)
            continue;
        if (at < n)
            p->x[v] = left + width * (at + 0.5) / n;
        else
            p->left_out++;
        at++;
    }
}

static void place(struct picture *p)
{
    const struct sp_topo *t = p->t;
    int v = 0;
    for (int i = 0; i < t->nvertices; i++)
        p->x[i] = NAN;
    for (int node = 0; v < t->nvertices && t->vertex[v].node == node; node++) {
        int first = v;
        while (v < t->nvertices && t->vertex[v].node == node)
            v++;
        if (node >= MOST_NODES) {
            p->left_out += v - first;
            continue;
        }
        double width = t->node[node].endpoints < 2 ? 2 : t->node[node].endpoints;
        for (int kind = 0; kind < SP_NVERTEX_KINDS; kind++)
            spread(p, (enum sp_vertex_kind)kind, first, v, p->width, width, MOST_SWITCHES);
        p->middle[node] = p->width + width / 2;
        p->width += width + 1;
    }
    for (int kind = 0; kind < SP_NVERTEX_KINDS; kind++)
        spread(p, (enum sp_vertex_kind)kind, v, t->nvertices, 0, p->width - 1, MOST_SWITCHES);
}

/* ---- files ------------------------------------------------------------------------------- */

static void put_name(FILE *out, const char *name)
{
    const char *slash = strrchr(name, '/');
    fputc('"', out);
    for (const char *c = slash ? slash + 1 : name; *c; c++)
        fputc(isalnum((unsigned char)*c) || strchr("._:+-", *c) ? *c : '?', out);
    fputc('"', out);
}

/* Lines as wide as these links are fast, or faster; the first has all that are slower. */
static const struct { double rate, width; } widths[] = {
    { 0, 0.6 }, { 20e9, 1.2 }, { 100e9, 2.4 }, { 300e9, 4 } };

enum { NWIDTHS = sizeof widths / sizeof *widths };

/* Links between GPUs of a mesh hang below their row, or they would hide each other. */
static void put_line(FILE *out, double x, double y, double dx, double dy, bool hangs)
{
    const int pieces = hangs ? 16 : 1;
    const double depth = hangs ? fmin(0.85, 0.12 * fabs(dx)) : 0;
    for (int i = 0; i < pieces; i++) {
        double from = (double)i / pieces, to = (i + 1.) / pieces;
        double low = 4 * depth * from * (1 - from), next = 4 * depth * to * (1 - to);
        fprintf(out, "%g %g %g %g\n", x + from * dx, y + from * dy - low, dx / pieces,
                dy / pieces + low - next);
    }
}

/* A set of lines, and one beyond the picture: gnuplot warns of empty sets. */
static void put_lines(FILE *out, const struct picture *p, int width)
{
    const struct sp_topo *t = p->t;
    double most = width + 1 < NWIDTHS ? widths[width + 1].rate : INFINITY;
    fprintf(out, "# x y dx dy\n-9 -9 0 0\n");
    for (int i = 0; i < t->nlinks; i += 2) {
        const struct sp_link *l = &t->link[i];
        double x = p->x[l->from], y = rows[t->vertex[l->from].kind].y;
        if (!isnan(x) && !isnan(p->x[l->to]) && l->rate >= widths[width].rate && l->rate < most)
            put_line(out, x, y, p->x[l->to] - x, rows[t->vertex[l->to].kind].y - y,
                     t->vertex[l->from].kind == SP_GPU && t->vertex[l->to].kind == SP_GPU);
    }
    fprintf(out, "\n\n");
}

/* Sets of lines by width, then boxes with their names, then nodes' names. */
static void put_data(FILE *out, const struct picture *p)
{
    const struct sp_topo *t = p->t;
    for (int width = 0; width < NWIDTHS; width++)
        put_lines(out, p, width);
    fprintf(out, "# x y half-width half-height color name\n");
    for (int v = 0; v < t->nvertices; v++) {
        if (isnan(p->x[v]))
            continue;
        const struct row *r = &rows[t->vertex[v].kind];
        fprintf(out, "%g %g 0.42 0.16 %d ", p->x[v], r->y, r->color);
        put_name(out, t->vertex[v].name);
        fprintf(out, "\n");
    }
    fprintf(out, "\n\n# x y node\n");
    for (int node = 0; node < t->nnodes && node < MOST_NODES; node++) {
        fprintf(out, "%g -0.6 ", p->middle[node]);
        put_name(out, t->node[node].name);
        fprintf(out, "\n");
    }
}

static void put_commands(FILE *out, const struct picture *p, const char *prefix)
{
    sp_gnuplot_picture(out, prefix, (int)fmax(700, fmin(4000, 46 * p->width)), 560);
    fprintf(out, "set termoption noenhanced\nset termoption font ',9'\n"
            "unset key\nunset border\nunset xtics\n"
            "set ytics ('NVSwitch' 0, 'rank' 1, 'PCIe switch' 2, 'NUMA' 3, 'NIC' 4, 'leaf' 5, "
            "'spine' 6) nomirror scale 0\n"
            "set xrange [-0.5:%g]\nset yrange [-0.9:6.5]\n"
            "set style fill solid 1.0 border rgb '#444444'\n", p->width - 0.5);
    if (p->left_out)
        fprintf(out, "set title '%d devices are left out'\n", p->left_out);
    fprintf(out, "data = ");
    sp_gnuplot_file(out, prefix, ".dat");
    fprintf(out, "\nplot \\\n");
    for (int width = 0; width < NWIDTHS; width++)
        fprintf(out, "     data index %d using 1:2:3:4 with vectors nohead linewidth %g "
                "linecolor rgb '#777777', \\\n", width, widths[width].width);
    fprintf(out, "     data index %d using 1:2:3:4:5 with boxxyerror linecolor rgb variable, "
            "\\\n     data index %d using 1:2:6 with labels, \\\n"
            "     data index %d using 1:2:3 with labels\n", NWIDTHS, NWIDTHS, NWIDTHS + 1);
}

const char *sp_topo_plot(const struct sp_topo *t, const char *prefix, const char **note)
{
    struct picture p = { .t = t };
    const char *why = NULL;
    FILE *data = sp_gnuplot_open(prefix, ".dat", &why);
    FILE *commands = why ? NULL : sp_gnuplot_open(prefix, ".gp", &why);
    if (!why) {
        p.x = sp_alloc((size_t)t->nvertices * sizeof *p.x);
        place(&p);
        put_data(data, &p);
        put_commands(commands, &p, prefix);
        free(p.x);
    }
    why = sp_gnuplot_close(data, why);
    why = sp_gnuplot_close(commands, why);
    *note = why ? NULL : sp_gnuplot_run(prefix);
    return why;
}
