/* standards.h - what follows from the names of links: rates that standards set, not
 * machines. */
/* SPDX-License-Identifier: MIT */
#ifndef SP_STANDARDS_H
#define SP_STANDARDS_H

#include <stdbool.h>

/* MB/s of one NVLink in one direction, by nvmlNvlinkVersion_t, which counts 2.2 and 3.1 too;
 * 0: not known. */
int sp_nvlink_rate(int version);

/* The same by compute capability (80, 90); -1: not known; 0: it has none. */
int sp_nvlink_rate_of_sm(int sm);

/* MB/s of one xGMI link in one direction by GPU ("gfx942", "942"); -1: not known. */
int sp_xgmi_rate(const char *gcn);

/* GB/s of one direction of a PCIe link: "16.0 GT/s PCIe", 16 lanes; 0: not known. */
double sp_pcie_rate(const char *speed, int lanes);

/* A PCIe bridge that a hypervisor makes up: the speed that it prints means nothing. */
bool sp_pcie_emulated(unsigned vendor, unsigned device);

/* Mb/s of an InfiniBand link: "4xNDR"; 0: not known. */
int sp_ib_rate(const char *width_and_speed);

#endif
