"""Compares readers of number plates on labelled pictures, each on one thread.

    python3 tests/readers/compare.py PICTURES [--program target/release/edge-daemon]

PICTURES holds an `index.csv` with the columns `file`, `plate_text` and `region` (CN, RU, EU), one row
per plate. Each reader sees the same pictures, one reader after another. A plate is read where any
text that a reader finds in the picture is the whole plate: separators and case do not matter, and but
for China O is 0 and I is 1, since some countries write them alike. The readers of others come from
PyPI, each into an environment of its own below `target/`, which is made once. The times hold no
decoding; for others they are processor time, for ours the time that passed, so that a busy machine
flatters the others.
"""

import argparse
import collections
import csv
import json
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
ENVIRONMENTS = HERE.parents[1] / "target" / "tmp" / "readers"
REGIONS = ("CN", "RU", "EU")
PEERS = {"rapidocr": "RapidOCR 1.4 (PP-OCRv4)", "hyperlpr": "HyperLPR 0.0.2"}


def labelled(folder):
    """The plates of each picture as (region, text)."""
    plates = collections.defaultdict(list)
    with open(folder / "index.csv", encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            plates[str(folder / row["file"])].append((row["region"], row["plate_text"]))
    return plates


def tidy(region, text):
    """The text as texts of this region are compared."""
    text = re.sub(r"[^0-9A-Z\u4e00-\u9fff]", "", text.upper())
    return text if region == "CN" else text.translate(str.maketrans("OI", "01"))


def shares_read(plates, texts):
    """By region the share of plates read whole, the mean over distinct plates."""
    right = collections.defaultdict(lambda: collections.defaultdict(list))
    for file, wanted in plates.items():
        for region, text in wanted:
            found = {tidy(region, other) for other in texts.get(file, ())}
            right[region][text].append(tidy(region, text) in found)
    return {region: statistics.mean(map(statistics.mean, of_one.values()))
            for region, of_one in right.items()}


def run_ours(program, files):
    """Texts by file, times in ms, and resident memory in MB."""
    command = [program, "plate", "test", "--json", "--threads", "1", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # The first child of this process, and so the largest up to now.
    resident = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    if not reports:
        raise RuntimeError(done.stderr.strip() or f"{program} said nothing")
    reports = [report for report in reports if "error" not in report]
    texts = {report["file"]: [plate["text"] for plate in report["plates"]] for report in reports}
    times = [report["ms"]["detect"] + report["ms"]["read"] for report in reports]
    return texts, times, resident


def run_peer(name, files):
    """The same of a peer."""
    python = install(name) / "bin" / "python"
    with subprocess.Popen([python, HERE / "peer.py", name], text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as peer:
        peer.stdin.write("\n".join(files))
        peer.stdin.close()
        texts, times, resident = {}, [], None
        for line in map(json.loads, peer.stdout):
            if "file" in line:
                texts[line["file"]] = line["texts"]
                times.append(line["cpu_ms"])
                progress(f"{name}: {len(times)} of {len(files)}")
            else:
                resident = line["resident_mb"]
    progress("")
    if peer.returncode or resident is None:
        raise RuntimeError(f"it ended with {peer.returncode} after {len(times)} pictures")
    return texts, times, resident


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def install(name):
    """The environment of a peer; it is made where it is not there yet."""
    place = ENVIRONMENTS / name
    requirements, made_of = HERE / f"{name}.txt", place / "made-of"
    wanted = requirements.read_text()
    if made_of.exists() and made_of.read_text() == wanted:
        return place
    progress(f"installing {PEERS[name]}")
    venv.create(place, clear=True, with_pip=True)
    subprocess.run([place / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check",
                    "--requirement", requirements], check=True)
    made_of.write_text(wanted)
    return place


def report(name, plates, measured, ours=None):
    """Prints a line, and returns what others are compared with: ms in the median, MB."""
    texts, times, resident = measured
    right, median = shares_read(plates, texts), statistics.median(times)
    shares = "  ".join(f"{right[region]:.3f}" if region in right else "    -" for region in REGIONS)
    line = f"{name:<26}  {shares}  {median:>8.1f}  {resident:>7.0f}"
    if ours:
        line += f"  {median / ours[0]:>6.1f}  {resident / ours[1]:>6.1f}"
    print(line, flush=True)
    return median, resident


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("pictures", type=pathlib.Path)
    parser.add_argument("--program", default="target/release/edge-daemon")
    args = parser.parse_args()
    if not (args.pictures / "index.csv").exists():
        print(f"readers are not compared: {args.pictures} has no index.csv that says what its plates are")
        return
    plates = labelled(args.pictures)
    files = list(plates)
    print(f"{len(files)} pictures, {sum(map(len, plates.values()))} plates; whole plates read by region,"
          " time per picture (median), resident memory, and these as multiples of ours")
    print(f"{'':<26}  {'  '.join(f'{region:>5}' for region in REGIONS)}  {'ms':>8}  {'MB':>7}"
          f"  {'x ms':>6}  {'x MB':>6}")
    ours = report("Gatehouse", plates, run_ours(args.program, files))
    for name, title in PEERS.items():
        try:
            report(title, plates, run_peer(name, files), ours)
        except (RuntimeError, subprocess.CalledProcessError, OSError) as error:
            print(f"{title} (wants PyPI and python3-venv): {error}")


if __name__ == "__main__":
    main()
