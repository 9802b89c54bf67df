/* nvml.h - GPUs and their NVLinks, as NVIDIA's driver knows them. The library is looked for
 * when it is needed, so that a build needs none. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_NVML_H
#define SP_NVML_H

#include <stdbool.h>

enum { SP_NVML_LINKS = 36 };

struct sp_bus { unsigned domain, bus, slot; };

struct sp_nvml_link {
    struct sp_bus to;
    bool hidden;                /* the other end has no bus id: a switch that a VM can't see */
    int mbps;                   /* of one direction; 0: its version is not known */
};

struct sp_nvml_gpu {
    struct sp_bus at;
    char model[96];
    long mib;                   /* of memory */
    int nlinks;                 /* those that are up */
    struct sp_nvml_link link[SP_NVML_LINKS];
};

struct sp_nvml { struct sp_nvml_gpu *gpu; int n; };

/* NULL, or why there is nothing to read; free(v->gpu) either way. */
const char *sp_nvml_read(struct sp_nvml *v);

#endif
