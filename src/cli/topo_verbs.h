/* topo_verbs.h - what follows `seqpar topo`. argv[0] is that word; each returns the exit
 * code. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_TOPO_VERBS_H
#define SP_TOPO_VERBS_H

int sp_topo_import_main(int argc, char **argv);
int sp_topo_dump_main(int argc, char **argv);

#endif
