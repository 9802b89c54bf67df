/* topo_plot.h - a picture of machines and the network between them. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_TOPO_PLOT_H
#define SP_TOPO_PLOT_H

#include "topo/topo.h"

/* Writes PREFIX.dat and PREFIX.gp, and has gnuplot make PREFIX.svg if there is one. NULL, or
 * why not. */
const char *sp_topo_plot(const struct sp_topo *t, const char *prefix);

#endif
