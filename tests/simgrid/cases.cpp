// cases.cpp - the cases of tests/bench/sim_cases.h in SimGrid, written from their
// definition and not from our code: it prints the seconds that SimGrid finds.
//
//     cases CASE P
//
// SimGrid's CM02 shares links max-min fairly, but flows of longer latency get less and
// TCP's window can hold them back. Neither happens here: gamma 0 is no window,
// crosstraffic 0 no acknowledgements, weight-S 0 no share lost on links, and all flows
// that meet on a link have the same latency. Times are kept to 1e-12 s; by default what is
// within 1e-9 s is one moment. optim Full finds all rates anew at every event: the default,
// Lazy, is 1 % off in a2a_vary20_2to1 of 64 ranks (and nowhere else).
// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <simgrid/s4u.hpp>

namespace sg4 = simgrid::s4u;
using Links = std::vector<sg4::Link *>;

static const double flops = 1e9;        // of a host: so many do a second's work

struct Case { const char *name; char kind; double oversub, bytes, compute; };

static const Case cases[] = {
    { "ring_compbound", 'r', 1, 33554432, 1.0e-3 },
    { "ring_commbound", 'r', 1, 33554432, 0.2e-3 },
    { "ring_jitter", 'j', 1, 33554432, 0.6e-3 },
    { "a2a_oneshot_nb", 'a', 1, 67108864, 0 },
    { "a2a_oneshot_2to1", 'a', 2, 67108864, 0 },
    { "a2a_vary20_2to1", 'v', 2, 67108864, 0 },
    { "pair_xor_nb", 'x', 1, 67108864, 0 },
    { "pair_xor_2to1", 'x', 2, 67108864, 0 },
    { "shift_nb", 's', 1, 67108864, 0 },
};

static std::vector<sg4::Host *> host;

static Links links(sg4::NetZone *zone, const char *name, int n, double rate,
                   double latency)
{
    Links l;
    for (int i = 0; i < n; i++)
        l.push_back(zone->create_link(name + std::to_string(i), rate)
                        ->set_latency(latency)
                        ->seal());
    return l;
}

static void build(int ranks, double oversub)
{
    const int node = 8, leaf = 32, leaves = (ranks + leaf - 1) / leaf;
    auto *zone = sg4::create_full_zone("fabric");
    for (int i = 0; i < ranks; i++)
        host.push_back(zone->create_host("gpu" + std::to_string(i), flops)->seal());
    const Links nvup = links(zone, "nvup", ranks, 450e9, 0.5e-6);
    const Links nvdown = links(zone, "nvdown", ranks, 450e9, 0.5e-6);
    const Links nicup = links(zone, "nicup", ranks, 50e9, 2.5e-6);
    const Links nicdown = links(zone, "nicdown", ranks, 50e9, 2.5e-6);
    const Links leafup = links(zone, "leafup", leaves, leaf * 50e9 / oversub, 0);
    const Links leafdown = links(zone, "leafdown", leaves, leaf * 50e9 / oversub, 0);
    for (int s = 0; s < ranks; s++)
        for (int d = 0; d < ranks; d++) {
            if (s == d)
                continue;
            std::vector<const sg4::Link *> way;
            if (s / node == d / node)
                way = { nvup[s], nvdown[d] };
            else if (s / leaf == d / leaf)
                way = { nicup[s], nicdown[d] };
            else
                way = { nicup[s], leafup[s / leaf], leafdown[d / leaf], nicdown[d] };
            std::vector<sg4::LinkInRoute> route(way.begin(), way.end());
            zone->add_route(host[s]->get_netpoint(), host[d]->get_netpoint(), nullptr,
                            nullptr, route, false);
        }
    zone->seal();
}

static void ring(int r, int ranks, double bytes, double compute)
{
    auto *mine = sg4::Mailbox::by_name(std::to_string(r));
    auto *next = sg4::Mailbox::by_name(std::to_string((r + 1) % ranks));
    static int token;
    void *in;
    for (int step = 0; step < ranks - 1; step++) {
        auto send = next->put_async(&token, (uint64_t)bytes);
        auto receive = mine->get_async<void>(&in);
        sg4::this_actor::execute(compute * flops);
        send->wait();
        receive->wait();
    }
    sg4::this_actor::execute(compute * flops);
}

static void chain(int r, int ranks, double bytes, bool exclusive)
{
    for (int step = 1; step < ranks; step++)
        sg4::Comm::sendto(host[r], host[exclusive ? r ^ step : (r + step) % ranks],
                          (uint64_t)(bytes / ranks));
}

static double varied(int s, int d)
{
    uint32_t x = (uint32_t)s * 2654435761u ^ ((uint32_t)d * 40503u + 0x9e3779b9u);
    x ^= x >> 15;
    x *= 2246822519u;
    x ^= x >> 13;
    return 0.8 + 0.4 * (x % 1000) / 999;
}

static void one_shot(int r, int ranks, double bytes, bool vary)
{
    std::vector<sg4::CommPtr> comms;
    for (int d = 0; d < ranks; d++)
        if (d != r)
            comms.push_back(sg4::Comm::sendto_async(
                host[r], host[d],
                (uint64_t)std::floor(bytes / ranks * (vary ? varied(r, d) : 1))));
    for (auto &c : comms)
        c->wait();
}

int main(int argc, char **argv)
{
    sg4::Engine e(&argc, argv);
    if (argc != 3)
        return 2;
    for (const char *setting : { "network/model:CM02", "network/TCP-gamma:0",
                                 "network/crosstraffic:0", "network/weight-S:0",
                                 "network/optim:Full",
                                 "surf/precision:1e-12", "maxmin/precision:1e-9" })
        sg4::Engine::set_config(setting);
    const int ranks = std::atoi(argv[2]);
    for (const Case &c : cases) {
        if (argv[1] != std::string(c.name))
            continue;
        build(ranks, c.oversub);
        for (int r = 0; r < ranks; r++) {
            const double slower = c.kind == 'j' ? 1 + 0.3 * (r * 7919L % 97) / 96 : 1;
            const double compute = c.compute * slower;
            std::function<void()> run = [=] { ring(r, ranks, c.bytes, compute); };
            if (c.kind == 'a' || c.kind == 'v')
                run = [=] { one_shot(r, ranks, c.bytes, c.kind == 'v'); };
            if (c.kind == 'x' || c.kind == 's')
                run = [=] { chain(r, ranks, c.bytes, c.kind == 'x'); };
            sg4::Actor::create("rank", host[r], run);
        }
        e.run();
        std::printf("%.12g\n", sg4::Engine::get_clock());
        return 0;
    }
    return 2;
}
