/* topo_plot.h - a picture of machines and the network between them. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_TOPO_PLOT_H
#define SP_TOPO_PLOT_H

#include "topo/topo.h"

/* PREFIX.dat, PREFIX.gp and, if gnuplot is there, PREFIX.svg. NULL, or why not; *note says what
 * is missing of it, if not NULL. */
const char *sp_topo_plot(const struct sp_topo *t, const char *prefix, const char **note);

#endif
