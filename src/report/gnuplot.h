/* gnuplot.h - scripts that draw, and running them. Files and titles come from strangers: no
 * text gets into a script but through sp_gnuplot_text(). */
/* SPDX-License-Identifier: MIT */
#ifndef SP_GNUPLOT_H
#define SP_GNUPLOT_H

#include <stdio.h>

/* The text as a string of gnuplot's, in quotes; what is not printable becomes '?'. */
void sp_gnuplot_text(FILE *script, const char *text);

/* The name of the file PREFIX and suffix, likewise; never one that gnuplot takes for a pipe. */
void sp_gnuplot_file(FILE *script, const char *prefix, const char *suffix);

/* A file named PREFIX and suffix, opened to be written. NULL: *why. */
FILE *sp_gnuplot_open(const char *prefix, const char *suffix, const char **why);

/* Its end; f may be NULL. `why` if that isn't NULL, else whether all was written. */
const char *sp_gnuplot_close(FILE *f, const char *why);

/* "set terminal", "set output" for a picture PREFIX.svg of so many pixels. */
void sp_gnuplot_picture(FILE *script, const char *prefix, int width, int height);

/* Colours that colour-blind people can tell apart; there are so many. */
enum { SP_NCOLOURS = 8 };
extern const char *const sp_gnuplot_colours[SP_NCOLOURS];

/* Run gnuplot on the script PREFIX.gp. NULL, or a note why there is no picture. */
const char *sp_gnuplot_run(const char *prefix);

#endif
