"""clusters.py - the clusters of topologies/*.cluster. README.md has the sources.

Latencies are the same guess everywhere: a NIC 0.6 us, an InfiniBand switch 0.25 us, an
Ethernet switch 0.8 us.
"""
# SPDX-License-Identifier: MIT

IB = 'nic=0.6us switch=0.25us'
ETHERNET = 'nic=1.0us switch=0.8us'


def hosts(count, letter='n'):
    width = len(str(count))
    if count == 1:
        return f'{letter}1'
    return f'{letter}[{1:0{width}}-{count}]'


def cluster(title, topo, count, fabric, options=''):
    """Nodes of one kind on one fabric."""
    machine = f'machine {topo} topo={topo}.xml {options}'.rstrip()
    lines = [f'# {title}', machine, f'nodes   {hosts(count)} machine={topo}']
    if fabric:
        lines.append(f'fabric  {fabric}')
    return '\n'.join(lines) + '\n'


def rails(rate, per_leaf, spines):
    """NIC k of every node of a unit on leaf k: eight rails."""
    return f'ib rate={rate}Gb/s rails=8 nodes_per_leaf={per_leaf} spines={spines} {IB}'


def one_leaf(rate, nodes, latency=IB):
    """All NICs on one switch: no spines."""
    return f'ib rate={rate}Gb/s rails=1 nodes_per_leaf={nodes} spines=0 {latency}'


def series(name, title, topo, counts, fabric, options=''):
    """A file for each number of nodes."""
    return {f'{name}-{n}': cluster(f'{title}, {n} node{"s" if n > 1 else ""}', topo, n,
                                   fabric, options) for n in counts}


def rail_optimised():
    """One leaf for each rail of a unit, full rate up."""
    ndr, hdr = rails(400, 32, 4), rails(200, 20, 4)
    title = 'DGX H100, rail-optimised NDR'
    files = series('dgx-h100', title, 'dgx-h100', [1, 2, 4, 8, 16, 32], ndr)
    files |= series('dgx-h100', title, 'dgx-h100', [64], rails(400, 32, 8))
    files |= series('dgx-h100', title, 'dgx-h100', [128], rails(400, 32, 16))
    files |= series('hgx-h200', 'HGX H200, rail-optimised NDR', 'hgx-h200', [1, 2, 4], ndr)
    files |= series('hgx-b200', 'HGX B200, rail-optimised NDR', 'hgx-b200',
                    [1, 2, 4, 8, 16, 32], ndr)
    files |= series('hgx-h800', 'HGX H800, rail-optimised NDR', 'hgx-h800', [1, 2, 4, 8], ndr)
    files |= series('hgx-h800-200g', 'HGX H800, 200 Gb/s a GPU', 'hgx-h800', [1, 2, 4, 8],
                    rails(200, 32, 4), 'nic_rate=200Gb/s')
    files |= series('dgx-a100', 'DGX A100, rail-optimised HDR', 'dgx-a100', [1, 2, 4, 8, 16],
                    hdr)
    files |= series('dgx-a100-100g', 'DGX A100, 100 Gb/s InfiniBand', 'dgx-a100', [1, 2],
                    rails(100, 20, 4), 'nic_rate=100Gb/s')
    files |= series('mi300x', '8x MI300X, a 400 Gb/s NIC a GPU', 'mi300x-8x', [1, 2, 4], ndr)
    return files


def single_switch():
    files = series('hgx-a800', 'HGX A800, a 200 Gb/s NIC a GPU', 'hgx-a800', range(1, 9),
                   one_leaf(200, 8))
    files |= series('hgx-a800-4nic', 'HGX A800, two GPUs share a 200 Gb/s NIC',
                    'hgx-a800-4nic', range(1, 9), one_leaf(200, 8))
    files |= series('hgx-a100-4nic', 'HGX A100, two GPUs share a 200 Gb/s NIC',
                    'hgx-a100-4nic', [1, 2], one_leaf(200, 8))
    files |= series('dgx-1v', 'DGX-1V, 100 Gb/s InfiniBand', 'dgx-1v', [1, 8],
                    one_leaf(100, 8))
    files |= series('leonardo', 'Leonardo Booster', 'leonardo', [1, 2], one_leaf(100, 8))
    for name, rate in (('aws-p4d', 100), ('aws-p5', 100), ('aws-p5en', 200)):
        files |= series(name, f'{name} instances on a non-blocking network', name, [1, 2, 4],
                        one_leaf(rate, 8, ETHERNET))
    return files


def fat_tree():
    fabric = f'roce rate=400Gb/s rails=1 nodes_per_leaf=8 spines=4 oversub=2 {ETHERNET}'
    title = '32 HGX H200 on a fat tree, uplinks 2:1 oversubscribed, rails ignored'
    return {'hgx-h200-32-2to1': cluster(title, 'hgx-h200', 32, fabric)}


def nvl72(racks, *, tray='gb200-tray', trays=18, rate=400, title=''):
    """Racks of trays: an NVLink domain each, four rails with a leaf each."""
    lines = [f'# {title}',
             f'machine tray  topo={tray}.xml nvlink=none c2c=225GB/s smp=75GB/s']
    names = [hosts(trays, f'r{rack}t' if racks > 1 else 't') for rack in range(1, racks + 1)]
    lines += [f'nodes   {name} machine=tray' for name in names]
    lines += [f'nvlink  rack{rack} nodes={name} links=18 rate=50GB/s'
              for rack, name in enumerate(names, 1)]
    spines = 9 if racks > 1 else 0
    lines.append(f'fabric  ib rate={rate}Gb/s rails=4 nodes_per_leaf=18 spines={spines} {IB}')
    return '\n'.join(lines) + '\n'


def nvlink_racks():
    return {
        'gb200-tray-1': nvl72(1, trays=1, title='one compute tray of a GB200 NVL72'),
        'nvl72-8': nvl72(1, trays=8, title='8 of the 18 trays of a GB200 NVL72'),
        'nvl72': nvl72(1, title='a GB200 NVL72 rack: 18 trays, 72 GPUs'),
        'nvl72-8racks': nvl72(8, title='8 GB200 NVL72 racks, 576 GPUs'),
        'gb300-1': nvl72(1, tray='gb300-tray', trays=1, rate=800, title='one GB300 tray'),
        'gb300-2': nvl72(1, tray='gb300-tray', trays=2, rate=800, title='2 GB300 trays'),
        'gb300-16': nvl72(1, tray='gb300-tray', trays=16, rate=800, title='16 GB300 trays'),
        'gb300-32': nvl72(2, tray='gb300-tray', trays=16, rate=800,
                          title='16 trays in each of 2 GB300 racks'),
    }


def without_nvlink():
    """smp: what the sockets pass on to each other, as NCCL has it for this CPU."""
    return {
        'l40s-1': cluster('8x L40S in one box', 'l40s-8x', 1, '', 'smp=22GB/s'),
        'l20-1': cluster('8x L20 in one box', 'l20-8x', 1, '', 'smp=22GB/s'),
        'rtx4090d-1': cluster('8x RTX 4090 D in one box: no P2P, all goes through the host',
                              'rtx4090d-8x', 1, '', 'smp=22GB/s'),
        'a100-pcie-1': cluster('8x A100 PCIe in one box', 'a100-pcie-8x', 1, '', 'smp=22GB/s'),
    }


def cpus():
    """Hosts without GPUs: `ranks` of them on each, over one Gb/s Ethernet switch."""
    files = {}
    for ranks in (1, 2):
        machine = f'machine box ranks={ranks} memory=100GB/s nic_rate=1Gb/s cores=2'
        fabric = 'ethernet rate=1Gb/s rails=1 nodes_per_leaf=2 spines=0 nic=10us switch=5us'
        files[f'cpu-2x{ranks}'] = (f'# 2 hosts, {ranks} rank{"s" * (ranks > 1)} on each, '
                                   f'1 Gb/s Ethernet\n{machine}\n'
                                   f'nodes   h[1-2] machine=box\nfabric  {fabric}\n')
    return files


def clusters():
    """All of them: file names to texts."""
    return (rail_optimised() | single_switch() | fat_tree() | nvlink_racks() | without_nvlink()
            | cpus())
