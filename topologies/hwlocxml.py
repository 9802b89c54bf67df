"""hwlocxml.py - a machine as hwloc v2 XML that any hwloc from 2.0 on can read.

Bus ids are numbered depth first in domain 0000, as a BIOS would; they are not those of the
real machine. No comments are written: hwloc without libxml2 can't read them.
"""
# SPDX-License-Identifier: MIT

import dataclasses
from xml.sax.saxutils import quoteattr

# GB/s of one lane in one direction, after line coding (8b/10b, 128b/130b, 242b/256b flits)
LANE = {1: 0.25, 2: 0.5, 3: 8 * 128 / 130 / 8, 4: 16 * 128 / 130 / 8,
        5: 32 * 128 / 130 / 8, 6: 64 * 242 / 256 / 8}

OSDEV_GPU, OSDEV_NETWORK, OSDEV_OPENFABRICS, OSDEV_COPROC = 1, 2, 3, 5
TO_ITSELF = 1000000             # the diagonal of a bandwidth matrix, by hwloc's custom


def pcie(generation, lanes=16):
    """GB/s of one direction of a PCIe link."""
    return LANE[generation] * lanes


# ---- what a machine is made of ----------------------------------------------------------


@dataclasses.dataclass
class Bridge:
    """A port: of the CPU, or one side of a PCIe switch."""
    ids: str
    speed: float
    children: list


@dataclasses.dataclass
class Gpu:
    index: int
    ids: str
    speed: float
    model: str
    memory: int                 # GiB
    api: str = 'cuda'           # or 'rsmi'


@dataclasses.dataclass
class Nic:
    name: str
    ids: str
    speed: float
    mbps: int                   # of its ports together
    kind: int = OSDEV_OPENFABRICS


@dataclasses.dataclass
class NvSwitch:
    ids: str
    speed: float = pcie(2, 1)   # of its management port


@dataclasses.dataclass
class Numa:
    cores: int
    memory: int                 # GiB
    roots: list = dataclasses.field(default_factory=list)   # each a list of root ports


@dataclasses.dataclass
class Package:
    cpu: str
    numas: list


@dataclasses.dataclass
class Links:
    """Bandwidth between GPUs and, after them, NVSwitches: MB/s[from][to]."""
    name: str                   # NVLinkBandwidth or XGMIBandwidth
    mbps: list


@dataclasses.dataclass
class Machine:
    name: str
    packages: list
    links: Links = None
    numa_latency: list = None   # SLIT: [from][to]


# ---- links ------------------------------------------------------------------------------


def through_switches(gpus, each, mbps):
    """Every GPU has each[k] links of mbps to switch k."""
    n = gpus + len(each)
    matrix = [[0] * n for _ in range(n)]
    for gpu in range(gpus):
        for k, count in enumerate(each):
            matrix[gpu][gpus + k] = matrix[gpus + k][gpu] = count * mbps
    return Links('NVLinkBandwidth', matrix)


def between_gpus(counts, mbps, name='NVLinkBandwidth'):
    """counts[i][j] links of mbps between GPUs i and j."""
    return Links(name, [[count * mbps for count in row] for row in counts])


# ---- writing ----------------------------------------------------------------------------


def bitmap(first, count):
    """The set of `count` bits from `first` on, as hwloc writes it."""
    value = ((1 << count) - 1) << first
    words = []
    while value:
        words.insert(0, f'0x{value & 0xffffffff:08x}')
        value >>= 32
    return ','.join(words)


class Writer:
    """Writes one machine. Objects get their gp_index in order of appearance."""

    def __init__(self):
        self.lines = []
        self.depth = 0
        self.objects = self.buses = self.cores = self.numas = 0
        self.linked = {}        # GPU index, or ('switch', k), to what the matrix calls it

    def line(self, text):
        self.lines.append('  ' * self.depth + text)

    def start(self, object_type, attributes, end):
        self.objects += 1
        attributes['gp_index'] = self.objects
        text = ''.join(f' {name}={quoteattr(str(value))}' for name, value in attributes.items())
        self.line(f'<object type="{object_type}"{text}{end}')
        return self.objects

    def leaf(self, object_type, **attributes):
        """An object with nothing in it."""
        self.start(object_type, attributes, '/>')

    def open(self, object_type, **attributes):
        """Begin an object, and return its gp_index."""
        number = self.start(object_type, attributes, '>')
        self.depth += 1
        return number

    def close(self, tag='object'):
        self.depth -= 1
        self.line(f'</{tag}>')

    def info(self, name, value):
        self.line(f'<info name={quoteattr(name)} value={quoteattr(str(value))}/>')

    # processors and memory

    def sets(self, cores, numas, first_core=None, first_numa=None):
        first_core = self.cores if first_core is None else first_core
        first_numa = self.numas if first_numa is None else first_numa
        cpuset, nodeset = bitmap(first_core, cores), bitmap(first_numa, numas)
        return {'cpuset': cpuset, 'complete_cpuset': cpuset,
                'nodeset': nodeset, 'complete_nodeset': nodeset}

    def numa(self, numa, grouped):
        sets = self.sets(numa.cores, 1)
        if grouped:
            self.open('Group', **sets, kind=1001, subkind=0)
        self.leaf('NUMANode', os_index=self.numas, **sets, local_memory=numa.memory << 30)
        for core in range(self.cores, self.cores + numa.cores):
            one = self.sets(1, 1, first_core=core)
            self.open('Core', os_index=core, **one)
            self.leaf('PU', os_index=core, **one)
            self.close()
        for ports in numa.roots:
            self.host_bridge(ports)
        if grouped:
            self.close()
        self.cores += numa.cores
        self.numas += 1

    def package(self, index, package):
        numas = package.numas
        self.open('Package', os_index=index,
                  **self.sets(sum(numa.cores for numa in numas), len(numas)))
        self.info('CPUModel', package.cpu)
        for numa in numas:
            self.numa(numa, len(numas) > 1)
        self.close()

    # PCIe

    def host_bridge(self, ports):
        first = self.buses
        last = first + sum(buses_below(port) for port in ports)
        self.open('Bridge', bridge_type='0-1', depth=0,
                  bridge_pci=f'0000:[{first:02x}-{last:02x}]')
        self.buses += 1
        for slot, port in enumerate(ports):
            self.pci(port, first, slot, 1)
        self.close()

    def pci(self, thing, bus, slot, depth):
        """A device, or a bridge and what is behind it; a bridge's children share a bus."""
        common = {'pci_busid': f'0000:{bus:02x}:{slot:02x}.0'}
        speed = f'{thing.speed:.6f}'
        if not isinstance(thing, Bridge):
            return self.device(thing, common, speed)
        below = self.buses
        last = below + buses_below(thing) - 1
        self.open('Bridge', bridge_type='1-1', depth=depth,
                  bridge_pci=f'0000:[{below:02x}-{last:02x}]', **common,
                  pci_type=pci_type('0604', thing.ids), pci_link_speed=speed)
        self.buses += 1
        for k, child in enumerate(thing.children):
            self.pci(child, below, k, depth + 1)
        self.close()
        return None

    def device(self, thing, common, speed):
        write = {Gpu: self.gpu, Nic: self.nic, NvSwitch: self.nvswitch}[type(thing)]
        write(thing, common, speed)
        self.close()

    def gpu(self, gpu, common, speed):
        code = '0302' if gpu.api == 'cuda' else '1200'
        self.open('PCIDev', **common, pci_type=pci_type(code, gpu.ids), pci_link_speed=speed)
        kind = OSDEV_COPROC if gpu.api == 'cuda' else OSDEV_GPU
        number = self.open('OSDev', name=f'{gpu.api}{gpu.index}', subtype=gpu.api.upper(),
                           osdev_type=kind)
        self.linked[gpu.index] = ('OSDev', number)
        self.info('GPUModel', gpu.model)
        if gpu.api == 'cuda':
            self.info('CUDAGlobalMemorySize', gpu.memory << 20)
        else:
            self.info('RSMIVRAMSize', gpu.memory << 20)
        self.close()

    def nic(self, nic, common, speed):
        code = '0207' if nic.kind == OSDEV_OPENFABRICS else '0200'
        self.open('PCIDev', **common, pci_type=pci_type(code, nic.ids), pci_link_speed=speed)
        self.open('OSDev', name=nic.name, osdev_type=nic.kind)
        self.info('seqpar:RateMbps', nic.mbps)
        self.close()

    def nvswitch(self, switch, common, speed):
        number = self.open('PCIDev', subtype='NVSwitch', **common,
                           pci_type=pci_type('0680', switch.ids), pci_link_speed=speed)
        k = sum(isinstance(key, tuple) for key in self.linked)
        self.linked['switch', k] = ('PCIDev', number)

    # matrices

    def values(self, tag, values):
        """A list in pieces of ten, as hwloc writes it."""
        for at in range(0, len(values), 10):
            text = ''.join(f'{value} ' for value in values[at:at + 10])
            self.line(f'<{tag} length="{len(text)}">{text}</{tag}>')

    def matrix(self, tag, attributes, indexes, rows):
        text = ''.join(f' {name}="{value}"' for name, value in attributes.items())
        self.line(f'<{tag}{text}>')
        self.depth += 1
        self.values('indexes', indexes)
        self.values('u64values', [value for row in rows for value in row])
        self.close(tag)

    def links(self, links):
        n = len(links.mbps)
        gpus = sum(not isinstance(key, tuple) for key in self.linked)
        keys = list(range(gpus)) + [('switch', k) for k in range(n - gpus)]
        things = [self.linked[key] for key in keys]
        rows = [[TO_ITSELF if i == j else links.mbps[i][j] for j in range(n)] for i in range(n)]
        if n == gpus:
            self.matrix('distances2', {'type': 'OSDev', 'nbobjs': n, 'kind': 9,
                                       'name': links.name, 'indexing': 'gp'},
                        [number for _, number in things], rows)
        else:
            self.matrix('distances2hetero', {'nbobjs': n, 'kind': 25, 'name': links.name},
                        [f'{kind}:{number}' for kind, number in things], rows)

    def machine(self, machine):
        numas = [numa for package in machine.packages for numa in package.numas]
        sets = self.sets(sum(numa.cores for numa in numas), len(numas))
        sets |= {'allowed_cpuset': sets['cpuset'], 'allowed_nodeset': sets['nodeset']}
        self.lines += ['<?xml version="1.0" encoding="UTF-8"?>',
                       '<!DOCTYPE topology SYSTEM "hwloc2.dtd">', '<topology version="2.0">']
        self.depth = 1
        self.open('Machine', os_index=0, **sets)
        self.info('DMIProductName', machine.name)
        self.info('Backend', 'topologies/generate')
        for index, package in enumerate(machine.packages):
            self.package(index, package)
        self.close()
        if machine.numa_latency:
            self.matrix('distances2', {'type': 'NUMANode', 'nbobjs': len(numas), 'kind': 5,
                                       'name': 'NUMALatency', 'indexing': 'os'},
                        range(len(numas)), machine.numa_latency)
        if machine.links:
            self.links(machine.links)
        self.depth = 0
        self.lines.append('</topology>')
        return '\n'.join(self.lines) + '\n'


def pci_type(code, ids):
    return f'{code} [{ids}] [0000:0000] 00'


def buses_below(thing):
    """How many buses a bridge needs: its own, and those of bridges behind it."""
    if not isinstance(thing, Bridge):
        return 0
    return 1 + sum(buses_below(child) for child in thing.children)
