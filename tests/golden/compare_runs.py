"""How far two runs of `stable_regions` on the same pairs are apart: what a dtype, a path or a backend changes.

    stable_regions --dtype fp32 --out a ... ; stable_regions --dtype bf16 --out b ... ; python3 compare_runs.py a b

The first is the reference. Needs numpy.
"""
import os
import sys

import numpy as np


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    a, b = ({name: np.load(os.path.join(folder, name + ".npy")) for name in ("distances", "relative", "max_slope", "alpha_jump", "tokens", "pairs")}
            for folder in sys.argv[1:])
    if not (np.array_equal(a["tokens"], b["tokens"]) and np.array_equal(a["pairs"], b["pairs"]) and a["distances"].shape == b["distances"].shape):
        sys.exit("the two runs are not of the same pairs and steps")
    good = ~(np.isnan(a["max_slope"]) | np.isnan(b["max_slope"]))
    steps = a["relative"].shape[1]
    errors = {
        "d(alpha) / d(1), absolute": np.abs(a["relative"] - b["relative"])[good].max(axis=1),
        "d(1), relative": np.abs(b["distances"][good, -1] / a["distances"][good, -1] - 1),
        "max slope, relative": np.abs(b["max_slope"] / a["max_slope"] - 1)[good],
        "alpha of the jump, absolute": np.abs(a["alpha_jump"] - b["alpha_jump"])[good],
    }
    print(f"{good.sum()} pairs x {steps} steps")
    print(f"{'per pair':<30}{'median':>10}{'q95':>10}{'largest':>10}")
    for name, error in errors.items():
        print(f"{name:<30}" + "".join(f"{np.quantile(error, q):>10.2g}" for q in (0.5, 0.95, 1)))
    moved = (errors["alpha of the jump, absolute"] > 0.5 / (steps - 1)).mean()
    print(f"jump at another step: {moved:.1%} of the pairs")
    for q in (0.25, 0.5, 0.75):
        print(f"max slope, quantile {q}: {np.quantile(a['max_slope'][good], q):.4f} and {np.quantile(b['max_slope'][good], q):.4f}")


if __name__ == "__main__":
    main()
