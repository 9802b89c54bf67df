/* names.c - what vertices, links and paths are called in files and on paper. */
/* SPDX-License-Identifier: MIT */
#include "topo/topo.h"

const char *const sp_vertex_names[] = {
    "gpu", "cpu", "nvswitch", "pciswitch", "numa", "nic", "leaf", "spine", NULL
};
const char *const sp_link_names[] = {
    "nvlink", "xgmi", "c2c", "pcie", "smp", "memory", "net", NULL
};
const char *const sp_path_names[] = {
    "self", "nvlink", "pcie", "host", "memory", "net", NULL
};
