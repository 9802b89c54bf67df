/* nvml.c - pretends to be libnvidia-ml.so.1, with two H100; $PRETEND says what they are linked
 * to: switch (that PCI has), hidden (a switch that it hasn't), peer, none, new (links of a
 * version to come), or fail. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pci_info {
    char old_bus_id[16];
    unsigned domain, bus, device, ids, subsystem;
    char bus_id[32];
};

struct memory_info { unsigned long long total, free, used; };

static const unsigned bus[] = { 0x1b, 0x43 };
static char handle[2];

static int pretends(const char *what)
{
    const char *pretend = getenv("PRETEND");
    return pretend && !strcmp(pretend, what);
}

static int number(void *device)
{
    return (char *)device == &handle[1];
}

int nvmlInit_v2(void) { return pretends("fail") ? 9 : 0; }
int nvmlShutdown(void) { return 0; }

int nvmlDeviceGetCount_v2(unsigned *n)
{
    *n = 2;
    return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **device)
{
    *device = &handle[i];
    return i > 1;
}

int nvmlDeviceGetName(void *device, char *name, unsigned room)
{
    (void)device;
    snprintf(name, room, "NVIDIA H100 80GB HBM3");
    return 0;
}

static void fill(struct pci_info *at, unsigned where)
{
    memset(at, 0, sizeof *at);
    at->bus = where;
    snprintf(at->bus_id, sizeof at->bus_id, "00000000:%02X:00.0", where);
}

int nvmlDeviceGetPciInfo_v3(void *device, struct pci_info *at)
{
    fill(at, bus[number(device)]);
    return 0;
}

int nvmlDeviceGetMemoryInfo(void *device, struct memory_info *memory)
{
    (void)device;
    *memory = (struct memory_info){ .total = 80ull << 30 };
    return 0;
}

/* 18 links, of which one is down. */
int nvmlDeviceGetNvLinkState(void *device, unsigned link, unsigned *up)
{
    (void)device;
    *up = link != 3 && !pretends("none");
    return link < 18 ? 0 : 2;
}

int nvmlDeviceGetNvLinkVersion(void *device, unsigned link, unsigned *version)
{
    (void)device, (void)link;
    *version = pretends("new") ? 99 : 6;
    return 0;
}

int nvmlDeviceGetNvLinkRemotePciInfo_v2(void *device, unsigned link, struct pci_info *at)
{
    (void)link;
    if (pretends("hidden"))
        memset(at, 0, sizeof *at);
    else
        fill(at, pretends("peer") ? bus[!number(device)] : 0x05);
    return 0;
}
