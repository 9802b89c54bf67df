/* nvml.c - asks libnvidia-ml, whose functions are looked up by name.
 *
 * Only what is used is declared here, after NVIDIA's documentation of its interface. */
/* SPDX-License-Identifier: MIT */
#include "topo/nvml.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "topo/standards.h"
#include "util/memory.h"
#include "util/why.h"

enum { MOST_GPUS = 256 };

struct device;                  /* nvmlDevice_t is a pointer to it */

struct pci_info {               /* nvmlPciInfo_t */
    char old_bus_id[16];
    unsigned domain, bus, device, ids, subsystem;
    char bus_id[32];
};

struct memory_info { unsigned long long total, free, used; };

/* All return 0 when they succeed. */
static struct {
    int (*start)(void);
    int (*stop)(void);
    int (*count)(unsigned *);
    int (*by_index)(unsigned, struct device **);
    int (*name)(struct device *, char *, unsigned);
    int (*pci)(struct device *, struct pci_info *);
    int (*memory)(struct device *, struct memory_info *);
    int (*link_state)(struct device *, unsigned, unsigned *);
    int (*link_version)(struct device *, unsigned, unsigned *);
    int (*link_end)(struct device *, unsigned, struct pci_info *);
} nvml;

static const struct { const char *name; void *at; } symbols[] = {
    { "nvmlInit_v2", &nvml.start },
    { "nvmlShutdown", &nvml.stop },
    { "nvmlDeviceGetCount_v2", &nvml.count },
    { "nvmlDeviceGetHandleByIndex_v2", &nvml.by_index },
    { "nvmlDeviceGetName", &nvml.name },
    { "nvmlDeviceGetPciInfo_v3", &nvml.pci },
    { "nvmlDeviceGetMemoryInfo", &nvml.memory },
    { "nvmlDeviceGetNvLinkState", &nvml.link_state },
    { "nvmlDeviceGetNvLinkVersion", &nvml.link_version },
    { "nvmlDeviceGetNvLinkRemotePciInfo_v2", &nvml.link_end },
};

static const char *find_symbols(void *library)
{
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *symbol = dlsym(library, symbols[i].name);
        if (!symbol)
            return sp_why("libnvidia-ml.so.1 has no %s: its driver is too old", symbols[i].name);
        memcpy(symbols[i].at, &symbol, sizeof symbol);
    }
    return NULL;
}

static void read_links(struct device *device, struct sp_nvml_gpu *gpu)
{
    for (unsigned i = 0; i < SP_NVML_LINKS; i++) {
        unsigned up = 0, version = 0;
        struct pci_info end = { .bus_id = "" };
        if (nvml.link_state(device, i, &up) || !up)
            continue;
        struct sp_nvml_link *link = &gpu->link[gpu->nlinks++];
        if (!nvml.link_version(device, i, &version))
            link->mbps = sp_nvlink_rate((int)version);
        link->hidden = nvml.link_end(device, i, &end) || !*end.bus_id || end.domain > 0xffff
                       || end.bus > 0xff;
        if (!link->hidden)
            link->to = (struct sp_bus){ end.domain, end.bus, end.device };
    }
}

static const char *read_gpu(unsigned i, struct sp_nvml_gpu *gpu)
{
    struct device *device;
    struct pci_info at;
    struct memory_info memory;
    if (nvml.by_index(i, &device) || nvml.pci(device, &at))
        return sp_why("NVML does not say where GPU %u is", i);
    gpu->at = (struct sp_bus){ at.domain, at.bus, at.device };
    if (nvml.name(device, gpu->model, sizeof gpu->model))
        gpu->model[0] = '\0';
    gpu->model[sizeof gpu->model - 1] = '\0';
    if (!nvml.memory(device, &memory))
        gpu->mib = (long)(memory.total >> 20);
    read_links(device, gpu);
    return NULL;
}

static const char *read_gpus(struct sp_nvml *v)
{
    unsigned n = 0;
    int code = nvml.start();
    if (code)
        return sp_why("NVML does not start (code %d): is the driver loaded?", code);
    const char *why = nvml.count(&n) ? "NVML does not say how many GPUs there are" : NULL;
    if (!why && n > MOST_GPUS)
        why = sp_why("NVML tells of %u GPUs, more than %d", n, MOST_GPUS);
    if (!why)
        v->gpu = sp_alloc(n * sizeof *v->gpu);
    for (unsigned i = 0; i < n && !why; i++, v->n = (int)i)
        why = read_gpu(i, &v->gpu[i]);
    nvml.stop();
    return why;
}

const char *sp_nvml_read(struct sp_nvml *v)
{
    *v = (struct sp_nvml){ 0 };
    void *library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return "there is no libnvidia-ml.so.1";
    const char *why = find_symbols(library);
    why = why ? why : read_gpus(v);
    dlclose(library);
    return why;
}
