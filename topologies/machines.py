"""machines.py - the machines of topologies/*.xml. README.md has the sources of the figures.

PCIe is written as it is wired, because a port tells what it is by its depth:

    host bridge -- root port -- upstream port -+- downstream port -- GPU
       depth 0       depth 1       depth 2     +- downstream port -- NIC      (depth 3)
"""
# SPDX-License-Identifier: MIT

from hwlocxml import (Bridge, Gpu, Machine, Nic, Numa, NvSwitch, OSDEV_NETWORK, Package,
                      between_gpus, pcie, through_switches)

GEN3, GEN4, GEN5, GEN6 = pcie(3), pcie(4), pcie(5), pcie(6)

# PCI ids of ports and NICs
INTEL_PORT, OLD_INTEL_PORT, AMD_PORT = '8086:352a', '8086:6f08', '1022:1483'
PEX890, PEX880, PEX8764, AWS_SWITCH = '1000:c030', '1000:c010', '10b5:8764', '1d0f:0200'
CX4, CX6, CX7, CX8, CX7_VF = '15b3:1013', '15b3:101b', '15b3:1021', '15b3:1023', '15b3:101e'
BLUEFIELD3, EFA1, EFA2, EFA3 = '15b3:a2dc', '1d0f:efa0', '1d0f:efa1', '1d0f:efa2'

NVLINK2 = NVLINK3 = NVLINK4 = 25000     # MB/s of one link in one direction; NVLink 5: 50000
NVLINK5 = 50000
XGMI_MI300 = 64000

SOCKETS = [[10, 21], [21, 10]]
XEON_8480C, XEON_8570 = 'Intel(R) Xeon(R) Platinum 8480C', 'INTEL(R) XEON(R) PLATINUM 8570'
XEON_8462Y = 'Intel(R) Xeon(R) Platinum 8462Y+'
XEON_8358 = 'Intel(R) Xeon(R) Platinum 8358 CPU @ 2.60GHz'


# ---- parts ------------------------------------------------------------------------------


def direct(port, device):
    """A device in a slot of the CPU."""
    return [Bridge(port, device.speed, [device])]


def switched(port, switch, speed, devices):
    """Devices behind one PCIe switch."""
    downs = [Bridge(switch, device.speed, [device]) for device in devices]
    return [Bridge(port, speed, [Bridge(switch, speed, downs)])]


def nvswitches(port, ids, count):
    return [Bridge(port, pcie(2, 4), [NvSwitch(ids) for _ in range(count)])]


def two_sockets(cpu, cores, memory, roots_of):
    """A package with one NUMA node for each half of the devices: roots_of(socket)."""
    return [Package(cpu, [Numa(cores, memory, roots_of(socket))]) for socket in (0, 1)]


def hgx(name, gpu, nics, each, mbps, *, cpu=XEON_8480C, cores=56, memory=1024, port=INTEL_PORT,
        switch=PEX890, speed=GEN5, nvswitch='10de:22a3', share=1):
    """Eight GPUs on NVSwitches; behind each PCIe switch `share` GPUs and one of the nics.

    gpu: ids, model, memory. nics: names, ids, Mb/s. each: a GPU's links to each NVSwitch.
    """
    ids, model, gib = gpu
    names, nic_ids, rate = nics

    def roots(socket):
        roots = []
        for group in range(4 * socket // share, 4 * (socket + 1) // share):
            devices = [Gpu(group * share + k, ids, speed, model, gib) for k in range(share)]
            devices.append(Nic(names[group], nic_ids, speed, rate))
            roots.append(switched(port, switch, speed, devices))
        if socket == 0:
            roots.append(nvswitches(port, nvswitch, len(each)))
        return roots

    return Machine(name, two_sockets(cpu, cores, memory, roots),
                   through_switches(8, each, mbps), SOCKETS)


def plain_nics(count):
    return [f'mlx5_{k}' for k in range(count)]


# ---- NVIDIA, SXM ------------------------------------------------------------------------


def dgx_h100():
    names = [f'mlx5_{k}' for k in (0, 3, 4, 5, 6, 9, 10, 11)]
    return hgx('dgx-h100', ('10de:2330', 'NVIDIA H100 80GB HBM3', 80), (names, CX7, 400000),
               [4, 5, 5, 4], NVLINK4)


def hgx_h200():
    return hgx('hgx-h200', ('10de:2335', 'NVIDIA H200', 141), (plain_nics(8), CX7, 400000),
               [4, 5, 5, 4], NVLINK4)


def hgx_h20():
    return hgx('hgx-h20', ('10de:2329', 'NVIDIA H20', 96), (plain_nics(8), CX7, 400000),
               [4, 5, 5, 4], NVLINK4)


def hgx_h800():
    return hgx('hgx-h800', ('10de:2324', 'NVIDIA H800', 80), (plain_nics(8), CX7, 400000),
               [2, 2, 2, 2], NVLINK4)


def hgx_b200():
    return hgx('hgx-b200', ('10de:2901', 'NVIDIA B200', 180), (plain_nics(8), CX7, 400000),
               [9, 9], NVLINK5, cpu=XEON_8570)


def hgx_ampere(name, gpu, nics, each, share):
    return hgx(name, gpu, (plain_nics(nics), CX6, 200000), each, NVLINK3, cpu=XEON_8358,
               cores=32, memory=512, switch=PEX880, speed=GEN4, nvswitch='10de:1af1', share=share)


A100_80 = ('10de:20b2', 'NVIDIA A100-SXM4-80GB', 80)
A800_80 = ('10de:20f3', 'NVIDIA A800-SXM4-80GB', 80)


def hgx_a100_4nic():
    return hgx_ampere('hgx-a100-4nic', A100_80, 4, [2] * 6, 2)


def hgx_a800():
    return hgx_ampere('hgx-a800', A800_80, 8, [2, 2, 1, 1, 1, 1], 1)


def hgx_a800_4nic():
    return hgx_ampere('hgx-a800-4nic', A800_80, 4, [2, 2, 1, 1, 1, 1], 2)


def dgx_a100():
    """Four NUMA nodes a socket; two GPUs, two NICs and three switches on every other one."""
    gpus_of = {1: (2, 3), 3: (0, 1), 5: (6, 7), 7: (4, 5)}
    names = [f'mlx5_{k}' for k in (0, 1, 2, 3, 6, 7, 8, 9)]

    def pair(gpu):
        return Bridge(PEX880, GEN4, [
            Bridge(PEX880, GEN4, [
                Bridge(PEX880, GEN4, [Nic(names[gpu], CX6, GEN4, 200000)]),
                Bridge(PEX880, GEN4, [Gpu(gpu, A100_80[0], GEN4, *A100_80[1:])])])])

    def numa(index):
        roots = []
        if index in gpus_of:
            pairs = [pair(gpu) for gpu in gpus_of[index]]
            roots.append([Bridge(AMD_PORT, GEN4, [Bridge(PEX880, GEN4, pairs)])])
        if index == 5:
            roots.append(nvswitches(AMD_PORT, '10de:1af1', 6))
        return Numa(16, 256, roots)

    packages = [Package('AMD EPYC 7742 64-Core Processor',
                        [numa(4 * socket + k) for k in range(4)]) for socket in (0, 1)]
    slit = [[10 if i == j else 12 if i // 4 == j // 4 else 32 for j in range(8)]
            for i in range(8)]
    return Machine('dgx-a100', packages, through_switches(8, [2] * 6, NVLINK3), slit)


def dgx_1v():
    """The hybrid cube mesh: six NVLinks a GPU, and pairs without any."""
    mesh = [[0, 1, 1, 2, 2, 0, 0, 0], [1, 0, 2, 1, 0, 2, 0, 0], [1, 2, 0, 2, 0, 0, 1, 0],
            [2, 1, 2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 1, 1, 2], [0, 2, 0, 0, 1, 0, 2, 1],
            [0, 0, 1, 0, 1, 2, 0, 2], [0, 0, 0, 1, 2, 1, 2, 0]]

    def roots(socket):
        return [switched(OLD_INTEL_PORT, PEX8764, GEN3, [
            Gpu(2 * k, '10de:1db5', GEN3, 'Tesla V100-SXM2-32GB', 32),
            Gpu(2 * k + 1, '10de:1db5', GEN3, 'Tesla V100-SXM2-32GB', 32),
            Nic(f'mlx5_{k}', CX4, GEN3, 100000)]) for k in (2 * socket, 2 * socket + 1)]

    return Machine('dgx-1v', two_sockets('Intel(R) Xeon(R) CPU E5-2698 v4 @ 2.20GHz', 20, 256,
                                         roots),
                   between_gpus(mesh, NVLINK2), SOCKETS)


def leonardo():
    """Four A100 on one socket, four NVLinks between any two."""
    roots = [switched(INTEL_PORT, PEX880, GEN4, [
        Gpu(k, '10de:20b3', GEN4, 'NVIDIA A100-SXM-64GB', 64),
        Nic(f'mlx5_{k}', CX6, GEN4, 100000)]) for k in range(4)]
    mesh = [[0 if i == j else 4 for j in range(4)] for i in range(4)]
    return Machine('leonardo', [Package(XEON_8358, [Numa(32, 512, roots)])],
                   between_gpus(mesh, NVLINK3))


def grace_tray(name, gpu, nic):
    """A compute tray of an NVL72 rack. Its NVLinks leave it: cluster files have them."""
    names = [f'mlx5_{k}' for k in (0, 1, 4, 5)]

    def roots(socket):
        roots = []
        for k in (2 * socket, 2 * socket + 1):
            roots.append(direct('10de:22b1', Gpu(k, gpu[0], GEN5, *gpu[1:])))
            roots.append(direct('10de:22b8', Nic(names[k], *nic)))
        return roots

    return Machine(name, two_sockets('Neoverse-V2', 72, 480, roots),
                   numa_latency=[[10, 40], [40, 10]])


def gb200_tray():
    return grace_tray('gb200-tray', ('10de:2941', 'NVIDIA GB200', 186), (CX7, GEN5, 400000))


def gb300_tray():
    return grace_tray('gb300-tray', ('10de:31c2', 'NVIDIA GB300', 278), (CX8, GEN6, 800000))


# ---- clouds -----------------------------------------------------------------------------


def aws(name, gpu, links, cpu, cores, memory, switches, efa, nvswitch):
    """switches: how many; efa: NICs behind each, PCI ids, Mb/s, PCIe speed of all."""
    count, ids, rate, speed = efa
    per = 8 // switches

    def roots(socket):
        half = switches // 2
        roots = []
        for group in range(half * socket, half * (socket + 1)):
            devices = [Gpu(per * group + k, gpu[0], speed, *gpu[1:]) for k in range(per)]
            devices += [Nic(f'rdmap{count * group + k}', ids, speed, rate) for k in range(count)]
            roots.append(switched(INTEL_PORT, AWS_SWITCH, speed, devices))
        if socket == 0:
            roots.append(nvswitches(INTEL_PORT, *nvswitch))
        return roots

    return Machine(name, two_sockets(cpu, cores, memory, roots), links, SOCKETS)


def aws_p4d():
    return aws('aws-p4d', ('10de:20b0', 'NVIDIA A100-SXM4-40GB', 40),
               through_switches(8, [2] * 6, NVLINK3),
               'Intel(R) Xeon(R) Platinum 8275CL CPU @ 3.00GHz', 24, 576, 4,
               (1, EFA1, 100000, GEN3), ('10de:1af1', 6))


def aws_p5():
    return aws('aws-p5', ('10de:2330', 'NVIDIA H100 80GB HBM3', 80),
               through_switches(8, [4, 5, 5, 4], NVLINK4), 'AMD EPYC 7R13 Processor', 48, 1024, 8,
               (4, EFA2, 100000, GEN5), ('10de:22a3', 4))


def aws_p5en():
    return aws('aws-p5en', ('10de:2335', 'NVIDIA H200', 141),
               through_switches(8, [4, 5, 5, 4], NVLINK4),
               'Intel(R) Xeon(R) Platinum 8488C', 48, 1024, 8,
               (2, EFA3, 200000, GEN5), ('10de:22a3', 4))


def azure_nd_h100_v5():
    names = [f'mlx5_ib{k}' for k in range(8)]
    return hgx('azure-nd-h100-v5', ('10de:2330', 'NVIDIA H100 80GB HBM3', 80),
               (names, CX7_VF, 400000), [4, 5, 5, 4], NVLINK4, cores=48, memory=950,
               switch='ffff:0000')


# ---- AMD --------------------------------------------------------------------------------


def mi300x():
    """Eight OAMs, an xGMI link between any two."""
    mesh = [[0 if i == j else 1 for j in range(8)] for i in range(8)]

    def roots(socket):
        return [switched(INTEL_PORT, '15b3:1979', GEN5, [
            Gpu(k, '1002:74a1', GEN5, 'AMD Instinct MI300X', 192, 'rsmi'),
            Nic(f'mlx5_{k}', CX7, GEN5, 400000)]) for k in range(4 * socket, 4 * socket + 4)]

    return Machine('mi300x-8x', two_sockets(XEON_8480C, 56, 1024, roots),
                   between_gpus(mesh, XGMI_MI300, 'XGMIBandwidth'), SOCKETS)


# ---- PCIe only --------------------------------------------------------------------------


def on_switches(name, gpu, nic, *, port_speed, switch):
    """Two GPUs and a NIC behind each of four PCIe switches, no NVLink."""
    def roots(socket):
        return [switched(INTEL_PORT, switch, port_speed, [
            Gpu(2 * k, gpu[0], GEN4, *gpu[1:]), Gpu(2 * k + 1, gpu[0], GEN4, *gpu[1:]),
            Nic(f'mlx5_{k}', *nic)]) for k in (2 * socket, 2 * socket + 1)]

    return Machine(name, two_sockets(XEON_8462Y, 32, 512, roots), numa_latency=SOCKETS)


def on_root_ports(name, gpu, cpu=XEON_8462Y, cores=32):
    """Four GPUs and a NIC in the slots of each socket, no NVLink."""
    def roots(socket):
        roots = [direct(INTEL_PORT, Gpu(k, gpu[0], GEN4, *gpu[1:]))
                 for k in range(4 * socket, 4 * socket + 4)]
        roots.append(direct(INTEL_PORT, Nic(f'mlx5_{socket}', CX6, GEN4, 200000)))
        return roots

    return Machine(name, two_sockets(cpu, cores, 512, roots), numa_latency=SOCKETS)


def l40s_8x():
    return on_switches('l40s-8x', ('10de:26b9', 'NVIDIA L40S', 48), (BLUEFIELD3, GEN5, 200000),
                       port_speed=GEN5, switch=PEX890)


def a100_pcie_8x():
    return on_switches('a100-pcie-8x', ('10de:20b5', 'NVIDIA A100 80GB PCIe', 80),
                       (CX6, GEN4, 200000), port_speed=GEN4, switch=PEX880)


def l20_8x():
    return on_root_ports('l20-8x', ('10de:26ba', 'NVIDIA L20', 48))


def rtx4090d_8x():
    return on_root_ports('rtx4090d-8x', ('10de:2685', 'NVIDIA GeForce RTX 4090 D', 24),
                         XEON_8358)


# ---- without GPUs -----------------------------------------------------------------------


def cpu_box(name, cpu, cores, memory):
    nic = Nic('eth0', '8086:15f3', pcie(3, 1), 1000, OSDEV_NETWORK)
    return Machine(name, [Package(cpu, [Numa(cores, memory, [direct('8086:7ab8', nic)])])])


def laptop():
    return cpu_box('laptop-8', 'a laptop with 8 cores', 8, 16)


def box():
    return cpu_box('box-2', 'a machine with 2 cores', 2, 8)


MACHINES = (dgx_h100, hgx_h200, hgx_h20, hgx_h800, hgx_b200, hgx_a100_4nic, hgx_a800,
            hgx_a800_4nic, dgx_a100, dgx_1v, leonardo, gb200_tray, gb300_tray, aws_p4d, aws_p5,
            aws_p5en, azure_nd_h100_v5, mi300x, l40s_8x, a100_pcie_8x, l20_8x, rtx4090d_8x,
            laptop, box)
