"""Every family with options drawn at random: the program `derivatives` against torch.func.jvp and vjp of transformers in double precision.

    python check_derivatives.py build/examples/derivatives [--seeds 3] [--families olmo gemma2]

Tiny random checkpoints as in check_families. For each seed every site of the family is once written to and once read from, with a partner drawn at
random, at the last position, a span, or the suffix in which the prompts differ; the parts taken for constant are drawn too. One line per family and
site: how often it was written and read, and the largest error in units of the largest magnitude. Exits with 1 if one is above 1e-10 in fp64, or in
fp32 above both 3e-5 and twice the error of PyTorch's own fp32. Needs torch, transformers, safetensors.
"""
import argparse
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM

import check_families
import family_models as f
import true_double
from site_graph import SiteGraph

SETS = ("attn_out", "pattern", "mlp_out", "gate", "norm_scale", "pattern+gate+norm_scale", "attn_out+gate", "mlp_out+norm_scale")
WHERE = (("last", []), ("-3:", ["--position=-3:"]), ("2:5", ["--position", "2:5"]), ("suffix", ["--mode", "suffix"]))


def writable(site):
    return site.startswith("blocks.") or site in ("hook_embed", "hook_pos_embed")


def short(site):
    return re.sub(r"^blocks\.\d+\.", "", site)


def products(graph, tokens, case, double):
    """[J u, J^T v] for no set and each set, by torch.func."""
    kind = torch.float64 if double else torch.float32
    x, u, v = (case[n].to(kind) for n in ("x", "u", "v"))
    out = []
    for constant in [()] + [s.split("+") for s in case["frozen"]]:
        read = lambda x: graph.run(tokens, case["write"], x, case["positions"], constant)[case["read"]]
        forward = torch.func.jvp(read, (x,), (u,))[1]
        backward = torch.func.vjp(read, x)[1](v)[0]
        out.append((forward.detach().double().numpy(), backward.detach().double().numpy()))
    return out


def errors(got, want, small):
    """Largest error over the largest magnitude, or over what is small: a thousandth of the derivative with nothing held, and `small` of J u and J^T v."""
    worst = 0.0
    for k, pair in enumerate(want):
        for i, expected in enumerate(pair):
            largest = max(np.abs(expected).max(), 1e-3 * np.abs(want[0][i]).max(), small[i])
            worst = max(worst, np.abs(got[k][i] - expected).max() / largest)
    return worst


def computed(program, folder, case, dtype):
    np.save(folder / "u.npy", case["u"].numpy()[None] if len(case["u"]) > 1 else case["u"].numpy()[0])
    np.save(folder / "v.npy", case["v"].numpy())
    out = folder / f"out_{dtype}"
    command = [program, "--model", folder, "--tokens", folder / "tokens.npy", "--steps", "3", "--write-site", case["write"], "--read-site", case["read"],
               "--direction", folder / "u.npy", "--cotangent", folder / "v.npy", "--vectors", "--frozen", ",".join(case["frozen"]), "--dtype", dtype,
               "--out", out, *case["how"]]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return done.stderr.strip()
    jvp, held, vjp, held_back = (np.load(out / f"{n}.npy").astype(np.float64) for n in ("jvp", "frozen_jvp", "vjp", "frozen_vjp"))
    backward = lambda a: a[0, 1].reshape(case["u"].shape)
    return [(jvp[0, 1], backward(vjp))] + [(held[k, 0, 1], backward(held_back[k])) for k in range(len(case["frozen"]))]


def check(family, seed, program, table):
    make, options = check_families.OPTIONS[family]
    r = random.Random(f"derivatives {family} {seed}")
    drawn = check_families.draw_options(options, r)
    if drawn.get("layer_norm_epsilon") == 1e12:
        drawn["layer_norm_epsilon"] = 1e-5                     # everything divided by a million: nothing to see
    model = AutoModelForCausalLM.from_config(make(**drawn), dtype=torch.float32).eval()
    f.randomise(model, seed)
    model.config._attn_implementation = "eager"
    g = torch.Generator().manual_seed(seed)
    tokens = torch.randint(0, f.VOCAB, (2, 8), generator=g)
    tokens[1, :4] = tokens[0, :4]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model.save_pretrained(folder)
        np.save(folder / "tokens.npy", tokens.numpy())
        with true_double.everywhere(model.config.model_type):
            double = true_double.build(model.config, dict(model.state_dict()))
            graph, single = SiteGraph(double), SiteGraph(model)
            with torch.no_grad():
                sites = list(graph.run(tokens[0]))
        order = {site: i for i, site in enumerate(listed(program, folder))}
        sites = sorted((s for s in sites if s in order), key=order.get)
        kinds = sorted({short(s) for s in sites})
        failures = []
        for kind in kinds:
            for role in ("write", "read"):
                for _ in range(6):                             # others, where what is read does not depend on what is written
                    own = r.choice([s for s in sites if short(s) == kind])
                    others = [s for s in sites if (order[s] > order[own] if role == "write" else order[s] < order[own] and writable(s))]
                    if not others or role == "write" and not writable(own):
                        continue
                    write, read = (own, r.choice(others)) if role == "write" else (r.choice(others), own)
                    problem = one(graph, single, folder, program, tokens, r, write, read, table)
                    if problem:
                        failures.append(f"{family} seed {seed} {drawn} {problem}")
                    if problem is not None:
                        break
        return failures


def listed(program, folder):
    """The sites in firing order."""
    done = subprocess.run([Path(program).parent / "activations", "--model", folder, "--list"], capture_output=True, text=True, check=True)
    return [line.split()[0] for line in done.stdout.splitlines() if line.startswith(("blocks.", "hook_", "ln_final", "unembed"))]


def one(graph, single, folder, program, tokens, r, write, read, table):
    """"" where all agree, what does not, or None where the derivative is zero."""
    where, how = r.choice(WHERE)
    positions = {"last": slice(-1, None), "-3:": slice(-3, None), "2:5": slice(2, 5), "suffix": slice(4, None)}[where]
    family = graph.config.model_type
    case = dict(write=write, read=read, positions=positions, how=how, frozen=r.sample(SETS, 2))
    with true_double.everywhere(family):
        with torch.no_grad():
            graph.run(tokens[0], write, None, positions)
            a = graph.found
            graph.run(tokens[1], write, None, positions)
            b = graph.found
            case["x"] = 0.5 * a + 0.5 * b
            value = graph.run(tokens[0])[read]
            width = len(value)
        g = torch.Generator().manual_seed(r.randrange(10 ** 9))
        case["u"], case["v"] = torch.randn(a.shape, generator=g, dtype=torch.float64), torch.randn(width, generator=g, dtype=torch.float64)
        want = products(graph, tokens[0], case, True)
    change = 1e-3 * (value.norm() / case["x"].norm()).item()                    # what comes out hardly depends on what goes in
    small = [change * case["u"].abs().max().item(), change * case["v"].abs().max().item()]
    if width == 1:                                                              # a single number may be a difference of large ones
        small[0] = max(small[0], 0.1 * (np.linalg.norm(want[0][1]) / case["v"].norm() * case["u"].norm()).item())
    found = {}
    for dtype, bound in (("fp64", 1e-10), ("fp32", 3e-5)):
        got = computed(program, folder, case, dtype)
        if isinstance(got, str):
            if "degenerate" in got and np.abs(want[0][0]).max() == 0:
                return None
            return f"{where} {write} -> {read}: {got}"
        found[dtype] = errors(got, want, small)
        if dtype == "fp32" and found[dtype] > bound:
            bound = 2 * errors(products(single, tokens[0], case, False), want, small)
        if not found[dtype] <= bound:
            return f"{where} {write} -> {read} {case['frozen']} {dtype}: {found[dtype]:.1e}, allowed {bound:.1e}"
    for role, site in (("write", write), ("read", read)):
        entry = table.setdefault((family, short(site)), dict(write=0, read=0, fp64=0.0, fp32=0.0))
        entry[role] += 1
        for dtype in found:
            entry[dtype] = max(entry[dtype], found[dtype])
    return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--families", nargs="+", default=list(check_families.OPTIONS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    table, failures = {}, []
    for family in arguments.families:
        for seed in range(arguments.first, arguments.first + arguments.seeds):
            failures += check(family, seed, arguments.program, table)
    print(f"{'family':10} {'site':30} {'written':>8} {'read':>6} {'fp64':>8} {'fp32':>8}")
    for (family, site), e in sorted(table.items()):
        print(f"{family:10} {site:30} {e['write']:8} {e['read']:6} {e['fp64']:8.1e} {e['fp32']:8.1e}")
    print("\n".join(failures) if failures else "all agree")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
