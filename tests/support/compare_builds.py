#!/usr/bin/env python3
"""Runs an old and a new build of the programs beside each other on one machine and reports every difference.

    python3 tests/support/compare_builds.py --old OLD_BUILD --new NEW_BUILD [--models DIR_OR_GGUF ...] [--quick]
        [--only PROGRAM,...] [--allow FILE] [--keep DIR] [--jobs N]
    python3 tests/support/compare_builds.py --old OLD_BUILD --self-test     (what is planted is found, nothing else)

A build is a CMake build folder with <build>/examples/NAME; its sources are what its CMakeCache.txt names. Each case
runs one program and then the other, the old one first in every other case, each in a folder of its own with the same
relative paths. Compared are the set of files left, every file byte for byte (of summary.json the values of seconds,
load_seconds, points_per_second and peak_memory aside: the keys must be there), stdout without the number of "N points
per second", stderr, the exit status, --help and --version. Folders of the builds read <build>, <source>, <run> in
texts. The cases, in compare_builds_cases.py: of each program a base case in every dtype on every instruction set of
this machine, threads varied, and more option sets on the best one, which together leave every file that --help names;
small models of all families and a GGUF file; runs that must fail; with --models, a case per program on each of them.
stable_regions_on_cpu, the program on the emulated CUDA device, runs where both builds have it. It cannot print how
many bytes came to the host: tests/backend/cuda/engine_test.cpp counts them (cuda_on_cpu::bytes_given).

Beside it: peak memory above the least of a program's runs that compute nothing, the ratio new to old as median and
worst of its base cases (MORE: above 1.1, and by more than 1 MB; what is below this script's own 25 MB cannot be told);
titles of TEST_CASEs and ctest names that the new build has lost; gaps, which are no differences but limits of what was
compared: files that --help names and no case left, runs that were meant to fail and did not, programs without cases.
--allow FILE: one regular expression a line, then " # " and a reason. A line of stdout, stderr or --help, or a lost
title, that matches one may differ, and is reported with its reason; never a file.
Exit status: 0 if nothing else differs, 1 otherwise.
"""
import argparse
import collections
import concurrent.futures
import difflib
import os
import pathlib
import re
import shlex
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

import compare_builds_cases as table

DEVICE_PROGRAM = "stable_regions_on_cpu"
SETS = ("portable", "avx2", "avx512", "avx512_bf16")
SET = "PLATEAU_INSTRUCTION_SET"
TIMES = re.compile(r'("(?:seconds|load_seconds|points_per_second|peak_memory)": )[-+.\deE]+')
RATES = re.compile(r"[\d.]+( (?:points|tokens|patches) per second)")
Case = collections.namedtuple("Case", "program kind words env")  # kind: text, base, more, family, model, device, wrong
Result = collections.namedtuple("Result", "status out err files peak")


class Build:
    """One of the two builds: where its programs and sources are, and how a case runs with it."""

    def __init__(self, path, work):
        self.path, self.work = pathlib.Path(path).resolve(), work
        cache = (self.path / "CMakeCache.txt").read_text()
        self.source = pathlib.Path(re.search(r"^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$", cache, re.M)[1])
        folders = [(str(work), "<run>"), (str(self.path), "<build>"), (str(self.source), "<source>")]
        self.folders = sorted(folders, key=lambda pair: -len(pair[0]))

    def program(self, name):
        return self.path / ("tests/backend/cuda" if name == DEVICE_PROGRAM else "examples") / name

    def normal(self, content):
        """Bytes as text, without this build's folders."""
        text = content.decode(errors="backslashreplace")
        for folder, name in self.folders:
            text = re.sub(re.escape(folder) + r"(/case-\w+)?", name, text)
        return text

    def run(self, case, number, inputs):
        folder = self.work / f"case-{number}"
        folder.mkdir(parents=True)
        (folder / "in").symlink_to(inputs)
        (folder / "data").symlink_to(self.source / "examples/data")
        marks = dict((word[1:].split(":", 1) + [""])[:2] for word in case.words if word.startswith("@"))
        command = [str(self.program(case.program)), *(word for word in case.words if not word.startswith("@"))]
        if "limit" in marks:
            command = ["sh", "-c", f'ulimit -f {marks["limit"]}; exec "$@"', "sh", *command]
        env = {key: value for key, value in os.environ.items() if not key.startswith("PLATEAU_")}
        env |= {"PLATEAU_DATA": "data", "ASAN_OPTIONS": "detect_leaks=0", "TERM": "dumb"} | case.env
        env |= dict([marks["env"].split("=")] if "env" in marks else [])
        if "baked" in marks:
            del env["PLATEAU_DATA"]
        texts = [folder.with_suffix(".out"), folder.with_suffix(".err")]
        with open("/dev/full" if "full" in marks else texts[0], "wb") as out, open(texts[1], "wb") as err:
            process = subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            timer = threading.Timer(900, process.kill)
            timer.start()
            _, status, used = os.wait4(process.pid, 0)
            timer.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
        files = {str(file.relative_to(folder)): file for file in sorted(folder.rglob("*"))
                 if file.is_file() and not file.relative_to(folder).parts[0] in ("in", "data")}
        out, err = (self.normal(text.read_bytes()) if text.exists() else "" for text in texts)
        return Result(process.returncode, RATES.sub(r"N\1", out), err, files, used.ru_maxrss)

    def remove(self, number):
        shutil.rmtree(self.work / f"case-{number}")
        for suffix in (".out", ".err"):
            (self.work / f"case-{number}").with_suffix(suffix).unlink(missing_ok=True)


def say_where(name, old, new):
    """Where two files differ first, in the terms of their kind."""
    at = next((i for i, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
    if len(old) != len(new):
        return f"{name}: {len(old)} bytes are {len(new)} now, the first that differs is {at}"
    if old[:6] == b"\x93NUMPY" == new[:6]:
        begin = 10 + struct.unpack("<H", old[8:10])[0]
        size = int((re.search(rb"'descr': '[<|]\w(\d)'", old[:begin]) or [0, b"1"])[1])
        if at >= begin:
            wrong = sum(old[i:i + size] != new[i:i + size] for i in range(begin, len(old), size))
            first = (at - begin) // size
            return f"{name}: {wrong} of {(len(old) - begin) // size} numbers differ, the first is number {first}"
    if name.endswith((".csv", ".json")):
        line = old[:at].count(b"\n")
        return f"{name}: line {line + 1}: {old.splitlines()[line]!r} is {new.splitlines()[line]!r} now"
    return f"{name}: byte {at} differs, {sum(a != b for a, b in zip(old, new))} in all"


class Comparison:
    """What has been compared, what differs, and what was left out."""

    def __init__(self, allowed):
        self.allowed, self.reasons = allowed, collections.Counter()
        self.runs, self.failed, self.files = (collections.Counter() for _ in range(3))
        self.differences, self.left = collections.defaultdict(list), collections.defaultdict(set)
        self.start, self.peaks, self.named = {}, collections.defaultdict(list), {}
        self.gaps, self.guard = [], threading.Lock()

    def differs(self, program, where, what):
        self.differences[program].append(f"{where}: {what}")

    def line(self, program, where, what, line):
        """A line of text that one of the two has alone."""
        for pattern, reason in self.allowed:
            if pattern.search(line):
                self.reasons[reason] += 1
                return
        self.differs(program, where, f"{what} {line[:200]}")

    def texts(self, program, where, what, old, new):
        if old != new:
            for line in list(difflib.unified_diff(old.split("\n"), new.split("\n"), n=0, lineterm=""))[2:]:
                if line[0] in "-+":
                    self.line(program, where, f"{what}: {line[0]}", line[1:])

    def results(self, case, where, old, new):
        program = case.program
        self.runs[program] += 1
        self.failed[program] += old.status != 0
        if old.status != new.status:
            self.differs(program, where, f"exit status {old.status} is {new.status} now")
        self.texts(program, where, "stdout", old.out, new.out)
        self.texts(program, where, "stderr", old.err, new.err)
        for name in sorted(old.files.keys() ^ new.files.keys()):
            which = "old" if name in old.files else "new"
            self.differs(program, where, f"{name} is left by the {which} one alone")
        self.left[program] |= {pathlib.Path(name).name for name in old.files}
        if (case.kind == "wrong") != (old.status != 0) and "@either" not in case.words:
            self.gaps.append(f"{where}: the old program ends with {old.status} {old.err.strip()[:150]}")
        if case.kind in ("text", "wrong"):
            self.start[program] = tuple(map(min, self.start.get(program, (old.peak, new.peak)), (old.peak, new.peak)))
        if case.words == ["--help"]:
            self.named[program] = files_named(old.out)
        if case.kind in ("base", "model"):
            self.peaks[program].append((old.peak, new.peak))

    def memory(self, program):
        """What the last column of the report says."""
        before, after = self.start.get(program, (0, 0))
        own = [(max(old - before, 0), max(new - after, 0)) for old, new in self.peaks[program]]
        ratios = [new / old for old, new in own if old > 0]
        if not ratios:
            return ""
        more = any(new > 1.1 * old and new - old > 1000 for old, new in own)
        return f"{statistics.median(ratios):.3f}, {max(ratios):.3f}{'  MORE' if more else ''}"


def words_of(program, text, threads):
    """The words of a case, with --out and --threads where they are meant but not said."""
    words = shlex.split(text)
    if program not in table.FREE:
        if "--out" not in words and "@noout" not in words:
            words += ["--out", "out.npz" if program == "activations" else "out"]
        if threads and "--threads" not in words:
            words += ["--threads", str(threads)]
    return words


def models_in(path):
    path = pathlib.Path(path).resolve()
    if path.is_file() or (path / "config.json").exists():
        return [path]
    return sorted([file for file in path.rglob("*.gguf")] + [file.parent for file in path.rglob("config.json")])


def base_cases(program, sets, quick):
    if program in table.FREE:
        combinations = [("", name) for name in sets]
    else:
        combinations = [(dtype, name) for name in sets for dtype in ("fp32", "fp64", "bf16")
                        if not quick or name == sets[-1] or dtype == "fp32"]
    for number, (dtype, name) in enumerate(combinations):
        for threads in (1, 2) if (dtype, name) == ("fp32", sets[-1]) else (1 + number % 2,):
            words = words_of(program, table.CASES[program][0], threads) + (["--dtype", dtype] if dtype else [])
            yield Case(program, "base", words, {SET: name})


def wrong_cases(number, program, quick, cuda):
    """With --quick every other one of a program's own, and a third of those that are the same for all programs."""
    for text in table.WRONG[program][number % 2::2] if quick else table.WRONG[program]:
        yield Case(program, "wrong", words_of(program, text, 0), {})
    if program not in table.FREE:
        for text in table.WRONG_EVERYWHERE[number % 3::3] if quick else table.WRONG_EVERYWHERE:
            words = words_of(program, f"{table.NEEDED.get(program, '')} {text}", 0)
            yield Case(program, "more" if cuda and "cuda" in text else "wrong", words, {})


def cases_of(o, sets, golden, cuda):
    """All cases. golden: the folder of small models; cuda: there is a device."""
    for number, program in enumerate(table.CASES):
        if program not in table.FREE:
            yield from (Case(program, "text", [word], {}) for word in ("--version", "--help"))
        yield from base_cases(program, sets, o.quick)
        yield from (Case(program, "more", words_of(program, text, 2), {}) for text in table.CASES[program][1:])
        yield from wrong_cases(number, program, o.quick, cuda)
    for model in sorted(golden.glob("models/*")) + [golden / "gguf/tiny_llama.gguf"]:
        for program, text in table.FAMILIES[:1 if o.quick else None]:
            if "--weights" not in text or model.is_dir():
                words = words_of(program, f"{text} --model in/golden/{model.relative_to(golden)}", 2)
                yield Case(program, "family", words, {})
    for model in [shlex.quote(str(one)) for path in o.models for one in models_in(path)]:
        for program, text in table.EXTRA.items():
            words = words_of(program, text.replace("MODEL", model) if "MODEL" in text else f"{text} --model {model}", 2)
            for dtype in ("fp32", "bf16", "fp64") if program == "stable_regions" and not o.quick else ("fp32",):
                yield Case(program, "model", words + ["--dtype", dtype], {})
    for text in table.ON_DEVICE[:1 if o.quick else None]:
        yield Case(DEVICE_PROGRAM, "device", words_of(DEVICE_PROGRAM, text, 1), {})


def files_named(text):
    """The files that a --help says are left."""
    names = set(re.findall(r"[\w.]+\.(?:npy|npz|csv|a?png|json|html)\b", text[text.find("written to --out"):]))
    return names - {"FILE.npy", "cfg.json", "config.json", "generation_config.json"}


def titles_of(program):
    for arguments in (["--list-test-names-only"], ["--list-tests", "--verbosity", "quiet"]):
        lines = subprocess.run([program, *arguments], capture_output=True, text=True, check=False).stdout.splitlines()
        if lines:
            return {line.strip() for line in lines}
    return set()


def compare_tests(old, new, result):
    """Titles of test cases and names of tests that the new build has lost."""
    titles, programs, names = [], [], []
    for build in (old, new):
        sources = "\n".join(file.read_text(errors="replace") for file in (build.source / "tests").rglob("*.[ch]pp"))
        found = re.findall(r'\b(?:TEST_CASE|SCENARIO)\w*\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', sources)
        titles.append({"".join(re.findall(r'"((?:[^"\\]|\\.)*)"', one)) for one in found})
        tests = (build.path / "tests").rglob("*_tests")
        programs.append({file.name: file for file in tests if file.is_file() and os.access(file, os.X_OK)})
        listed = subprocess.run(["ctest", "-N"], cwd=build.path, capture_output=True, text=True, check=False).stdout
        names.append(set(re.findall(r"^ *Test +#\d+: (.*)$", listed, re.M)))
    before = {title for name in programs[0].keys() & programs[1].keys() for title in titles_of(programs[0][name])}
    after = {title for program in programs[1].values() for title in titles_of(program)} if before else set()
    for what, before, after in (("TEST_CASEs in the sources", *titles),
                                ("tests that the programs list", before, after), ("ctest", *names)):
        print(f"tests: {what}: {len(before)} old, {len(after)} new, {len(before - after)} lost")
        for title in sorted(before - after):
            result.line("(tests)", what, "lost:", title)


def run_case(case, number, builds, inputs, result, keep):
    old, new = builds
    if number % 2:
        before, after = (build.run(case, number, inputs) for build in (old, new))
    else:
        after, before = (build.run(case, number, inputs) for build in (new, old))
    where = shlex.join([f"{key}={value}" for key, value in case.env.items()] + [case.program, *case.words])
    with result.guard:
        result.results(case, where, before, after)
        for name in sorted(before.files.keys() & after.files.keys()):
            contents = [files[name].read_bytes() for files in (before.files, after.files)]
            if pathlib.Path(name).name == "summary.json":
                contents = [TIMES.sub(r"\1T", build.normal(one)).encode() for build, one in zip(builds, contents)]
            result.files[case.program] += 1
            if contents[0] != contents[1]:
                result.differs(case.program, where, say_where(name, *contents))
    if not keep:
        for build in builds:
            build.remove(number)


def run_all(o, result, work):
    builds = old, new = Build(o.old, work / "old"), Build(o.new, work / "new")
    inputs = work / "in"
    table.write_inputs(inputs, old.source)
    probe = Case("generate", "wrong", shlex.split("--prompt a --max-new-tokens 1 --threads 1"), {})
    ends = [old.run(probe._replace(env={SET: name}), f"probe-{name}", inputs).status for name in SETS]
    sets = [name for name, end in zip(SETS, ends) if end == 0]
    cuda = old.run(probe._replace(words=probe.words + ["--backend", "cuda"]), "probe-cuda", inputs).status == 0
    cases = list(cases_of(o, sets, inputs / "golden", cuda))
    cases += [probe._replace(env={SET: name}) for name in SETS if name not in sets]
    if o.only:
        cases = [case for case in cases if case.program in o.only.split(",")]
    for name in sorted({case.program for case in cases}):
        there = [build.program(name).exists() for build in builds]
        if not all(there):
            cases = [case for case in cases if case.program != name]
            if there[0] and name != DEVICE_PROGRAM:
                result.differs(name, "the program", "the new build has none")
            else:
                result.gaps.append(f"{name}: the {'new' if there[0] else 'old'} build has none")
    known = set(table.CASES) | {DEVICE_PROGRAM}
    others = {one.name for one in (old.path / "examples").iterdir() if one.is_file() and os.access(one, os.X_OK)}
    result.gaps += [f"{name}: this script has no cases" for name in sorted(others - known)]
    print(f"{len(cases)} cases; instruction sets: {' '.join(sets)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        jobs = [pool.submit(run_case, *pair[::-1], builds, inputs, result, o.keep) for pair in enumerate(cases)]
        for done, job in enumerate(concurrent.futures.as_completed(jobs), 1):
            job.result()
            if done % 100 == 0:
                print(f"  {done} cases", flush=True)
    for program, names in result.named.items():
        for name in sorted(names):
            pattern = re.escape(name).replace("NAME", r"\w+").replace(r"\.K\.", r"\.\d+\.")
            if not any(re.fullmatch(pattern, file) for file in result.left[program]):
                result.gaps.append(f"{program}: {name} is in --help, and no case left it"
                                   f"{table.NEVER_LEFT.get((program, name), '')}")
    if not o.only:
        compare_tests(old, new, result)


def report(result, seconds):
    for program, lines in sorted(result.differences.items()):
        if lines:
            print(f"\n{program}:", *sorted(set(lines)), sep="\n  ")
    print(*["\ngaps:"] * bool(result.gaps), *result.gaps, sep="\n  ")
    print(f"\n{'program':24}{'runs':>6}{'failing':>9}{'files':>7}{'differences':>13}   memory: median, worst")
    for program in sorted(result.runs.keys() | {name for name, lines in result.differences.items() if lines}):
        print(f"{program:24}{result.runs[program]:6}{result.failed[program]:9}{result.files[program]:7}"
              f"{len(result.differences[program]):13}   {result.memory(program)}")
    for reason, count in result.reasons.items():
        print(f"allowed: {count} lines: {reason}")
    print(f"{sum(result.runs.values())} pairs of runs, {sum(result.failed.values())} of them failing as they should, "
          f"{sum(result.files.values())} files, {sum(map(len, result.differences.values()))} differences, "
          f"{len(result.gaps)} gaps, {seconds:.0f} s")


def compare(o):
    allowed = []
    for line in pathlib.Path(o.allow).read_text().splitlines() if o.allow else []:
        if line.strip() and not line.startswith("#"):
            pattern, _, reason = line.partition(" # ")
            if not reason.strip():
                sys.exit(f"{o.allow}: '{line}' has no reason: write PATTERN # REASON")
            allowed.append((re.compile(pattern.strip()), reason.strip()))
    result, start = Comparison(allowed), time.time()
    with tempfile.TemporaryDirectory(prefix="compare_builds.") as scratch:
        work = pathlib.Path(o.keep or scratch).resolve()
        if o.keep and work.exists() and any(work.iterdir()):
            sys.exit(f"{work} is not empty: give --keep another folder")
        run_all(o, result, work)
    report(result, time.time() - start)
    return result


# What the self-test plants: what the report must say, and Python that runs after the real program ended with `status`.
PLANTED = {
    "stable_regions": ("distances.npy: 1 of ", "flip('out/distances.npy', -5)"),
    "slice_2d": ("slice.png: byte ", "flip('out/slice.png', -40)"),
    "depth": ("summary.json: line ", "replace('out/summary.json', '\"layers\": 18', '\"layers\": 19')"),
    "evaluate": ("stderr: + and more", "status and print('and more', file=sys.stderr)"),
    "generate": ("exit status 2 is 3 now", "status = 3 if status == 2 else status"),
    "region_count": ("stdout: + more", "print('more')"),
    "predict_jump": ("out/more is left by the new one alone", "os.path.isdir('out') and open('out/more', 'w')"),
    "emergence": ("", ""),
}
WRAPPER = """#!/usr/bin/env python3
import os, subprocess, sys
def replace(name, old, new):
    if os.path.exists(name):
        text = open(name).read()
        open(name, 'w').write(text.replace(old, new))
def flip(name, at):
    if os.path.exists(name):
        data = bytearray(open(name, 'rb').read())
        data[at] ^= 1
        open(name, 'wb').write(data)
status = subprocess.call([{program!r}] + sys.argv[1:])
{planted}
sys.stdout.flush()
sys.exit(status)
"""


def self_test(o):
    """Plants one kind of difference in each of some programs, none in another: each must be found, and nothing else."""
    problems = []
    with tempfile.TemporaryDirectory(prefix="compare_builds.") as folder:
        folder, old = pathlib.Path(folder), pathlib.Path(o.old).resolve()
        (folder / "build/examples").mkdir(parents=True)
        shutil.copy(old / "CMakeCache.txt", folder / "build")
        for program, (_, planted) in PLANTED.items():
            wrapper = folder / "build/examples" / program
            wrapper.write_text(WRAPPER.format(program=str(old / "examples" / program), planted=planted))
            wrapper.chmod(0o755)
        o.new, o.quick, o.only, o.allow, o.keep = folder / "build", True, ",".join(PLANTED), None, None
        found = compare(o).differences
        for program, (text, _) in PLANTED.items():
            good = [bool(text) and text in line for line in found[program]]
            if not all(good) or bool(good) != bool(text):
                problems.append(f"{program}: {sum(good)} of {len(good)} differences say '{text}'")
        o.allow, o.only = folder / "allow", "evaluate,generate,emergence"
        o.allow.write_text("^and more$ # planted\n")
        second = compare(o)
        if second.differences["evaluate"] or not second.differences["generate"] or not second.reasons["planted"]:
            problems.append("--allow does not allow what it names, and that alone")
    print("self-test: " + ("; ".join(problems) or "every planted difference was found, and nothing else"))
    return 1 if problems else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", required=True, help="the build to compare with")
    parser.add_argument("--new", help="the build that is to do the same")
    parser.add_argument("--models", nargs="+", default=[], help="models, or folders of models")
    parser.add_argument("--quick", action="store_true", help="fewer combinations, families and runs that fail")
    parser.add_argument("--only", help="programs, separated by commas")
    parser.add_argument("--allow", help="regular expressions of texts that may differ, with reasons")
    parser.add_argument("--keep", help="an empty or new folder for inputs and outputs, which stay there")
    parser.add_argument("--jobs", type=int, default=1, help="cases that run at once")
    parser.add_argument("--self-test", action="store_true", help="show that planted differences are found")
    o = parser.parse_args()
    if o.self_test:
        sys.exit(self_test(o))
    if not o.new:
        parser.error("--new is needed")
    sys.exit(1 if any(compare(o).differences.values()) else 0)


if __name__ == "__main__":
    main()
