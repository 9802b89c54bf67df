"""differences.py DIR - are the gradients in a dump those of its attention?

Knows nothing of seqpar: o is computed anew in fp64 from q, k, v, and dq, dk, dv by differences
of the loss sum(do * o), one number of the inputs after the other. Prints the errors
max|err| / max|ref|; fails above the tolerance given.
"""
# SPDX-License-Identifier: MIT
import json
import sys

import numpy as np


def attention(q, k, v, scale, causal):
    group = q.shape[2] // k.shape[2]
    k, v = np.repeat(k, group, axis=2), np.repeat(v, group, axis=2)
    s = np.einsum("bihd,bjhd->bhij", q, k) * scale
    if causal:
        s = np.where(np.tri(s.shape[-1], dtype=bool), s, -np.inf)
    p = np.exp(s - s.max(axis=-1, keepdims=True))
    return np.einsum("bhij,bjhd->bihd", p / p.sum(axis=-1, keepdims=True), v)


def gradient(loss, x, step=1e-5):
    g = np.empty_like(x)
    for i in np.ndindex(x.shape):
        at = x[i]
        x[i] = at + step
        above = loss()
        x[i] = at - step
        g[i] = (above - loss()) / (2 * step)
        x[i] = at
    return g


def main():
    folder, tolerance = sys.argv[1], float(sys.argv[2])
    with open(f"{folder}/problem.json", encoding="utf-8") as f:
        problem = json.load(f)
    t = {n: np.load(f"{folder}/{n}.npy").astype(np.float64)
         for n in ("q", "k", "v", "o", "do", "dq", "dk", "dv")}
    q, k, v = t["q"], t["k"], t["v"]
    shape = (problem["batch"], problem["seq"], problem["heads"], problem["dim"])
    assert q.shape == shape and k.shape[2] == problem["kv_heads"], (q.shape, shape)

    def forward():
        return attention(q, k, v, problem["scale"], problem["causal"])

    def loss():
        return float(np.sum(t["do"] * forward()))

    ref = {"o": forward(), "dq": gradient(loss, q), "dk": gradient(loss, k),
           "dv": gradient(loss, v)}
    worst = 0.0
    for n, r in ref.items():
        error = np.abs(t[n] - r).max() / np.abs(r).max()
        print(f"{n} {error:.2e}", end=" ")
        worst = max(worst, error)
    print()
    sys.exit(not worst <= tolerance)


main()
