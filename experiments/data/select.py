#!/usr/bin/env python3
"""Chooses the bundled data: `python3 select.py SOURCE` writes what lies beside this file.

SOURCE holds `gue/mouse/2/{train,dev,test}.csv` and `virus/` (`manifest.tsv` and one FASTA
per genome). The choice is deterministic: nothing here is random, and nothing depends on the
order of a folder. Standard library only.

Rules for the genomes
1. Only records with a GenBank or RefSeq accession, from sources that name a licence (SOURCES).
2. Clusters and splits stay as the source manifest has them; a cluster is in one split.
3. Per class and split: the shortest genome of each cluster, clusters with the shortest such
   genome first, until the budget of that class and split is used; then a second and a third
   genome per cluster in the same order. So the budget holds many clusters and few near
   relatives; the price is that many clusters of large genomes are left out. The training
   split of `other` keeps a budget of its own for genomes above 30 kb (adeno- and
   baculoviruses), because dev and test hold some too.
"""

import csv
import hashlib
import re
import shutil
import struct
import sys
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent

SOURCES = {
    "broadinstitute/catch",
    "gbouras13/pharokka",
    "tomasMasson/baculovirus_phylogenomics",
    "Dreycey/PhageFilter",
}

# Class, split, shortest and longest genome in nucleotides, bytes of gzip: 2.4 MB in all.
BUDGETS = [
    ("phage", "train", 0, 10**9, 800_000),
    ("phage", "dev", 0, 10**9, 300_000),
    ("phage", "test", 0, 10**9, 240_000),
    ("other", "train", 0, 30_000, 380_000),
    ("other", "train", 30_001, 10**9, 240_000),
    ("other", "dev", 0, 10**9, 200_000),
    ("other", "test", 0, 10**9, 240_000),
]
PARTS = [(label, split) for label in ("phage", "other") for split in ("train", "dev", "test")]

GENOMES_PER_CLUSTER = 3

# GenBank: one letter and 5 digits, or two letters and 6 or 8; RefSeq: two letters,
# underscore, 6 or 9 digits. A version may follow.
ACCESSION = re.compile(r"([A-Z]\d{5}|[A-Z]{2}\d{6}|[A-Z]{2}\d{8}|[A-Z]{2}_\d{6}|[A-Z]{2}_\d{9})(\.\d+)?")


def gzip_bytes(data):
    """Deflate at level 9 in a gzip frame without name or time."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    body = deflate.compress(data) + deflate.flush()
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff" + body + struct.pack("<II", zlib.crc32(data), len(data))


def one_line_fasta(path):
    """The record with its sequence on one line: a break every 80 letters costs 5 % of gzip."""
    header, *lines = path.read_text().splitlines()
    assert header.startswith(">") and not any(line.startswith(">") for line in lines), path
    return header, "".join(lines)


def candidates(virus):
    with open(virus / "manifest.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    fit = [row for row in rows if row["source"] in SOURCES and ACCESSION.fullmatch(row["accession"])]
    return rows, sorted(fit, key=lambda row: (int(row["length"]), row["accession"]))


def part(rows, label, split):
    return [row for row in rows if (row["class"], row["split"]) == (label, split)]


def rounds(rows):
    """The shortest genome of each cluster, then the second shortest, then the third."""
    clusters = {}
    for row in rows:
        clusters.setdefault(row["cluster"], []).append(row)
    for turn in range(GENOMES_PER_CLUSTER):
        for genomes in clusters.values():
            if turn < len(genomes):
                yield genomes[turn]


def choose(virus, fit):
    chosen = []
    for label, split, shortest, longest, budget in BUDGETS:
        used = 0
        fitting = [row for row in part(fit, label, split) if shortest <= int(row["length"]) <= longest]
        for row in rounds(fitting):
            header, sequence = one_line_fasta(virus / row["file"])
            assert hashlib.sha256(sequence.encode()).hexdigest() == row["sha256_seq"], row["file"]
            data = gzip_bytes(f"{header}\n{sequence}\n".encode())
            if used + len(data) <= budget:
                used += len(data)
                name = f"{label}/{row['accession']}.fasta.gz"
                chosen.append((dict(row, file=name, sha256_gz=hashlib.sha256(data).hexdigest()), data))
    return sorted(chosen, key=lambda item: item[0]["file"])


def write_virus(chosen, target):
    for label in ("phage", "other"):
        shutil.rmtree(target / label, ignore_errors=True)
        (target / label).mkdir(parents=True)
    for row, data in chosen:
        (target / row["file"]).write_bytes(data)
    with open(target / "manifest.tsv", "w", newline="") as file:
        table = csv.DictWriter(file, list(chosen[0][0]), delimiter="\t", lineterminator="\n")
        table.writeheader()
        table.writerows(row for row, _ in chosen)


def write_mouse(source, target):
    """Byte for byte, and a table of what they are."""
    target.mkdir(parents=True, exist_ok=True)
    lines = ["| file | rows | class 0 / 1 | bytes | sha256 |", "|---|---|---|---|---|"]
    for split in ("train", "dev", "test"):
        data = (source / f"{split}.csv").read_bytes()
        (target / f"{split}.csv").write_bytes(data)
        labels = [row["label"] for row in csv.DictReader(data.decode().splitlines())]
        shares = f"{labels.count('0')} / {labels.count('1')}"
        lines.append(
            f"| gue/mouse/2/{split}.csv | {len(labels)} | {shares} | {len(data)} | {hashlib.sha256(data).hexdigest()} |"
        )
    return lines


def virus_table(rows, chosen):
    lines = [
        "| class | split | genomes | clusters | of clusters | nucleotides | shortest / longest | gzip bytes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for label, split in PARTS:
        here = [(row, data) for row, data in chosen if (row["class"], row["split"]) == (label, split)]
        lengths = [int(row["length"]) for row, _ in here]
        of = {row["cluster"] for row in part(rows, label, split)}
        cells = [
            label,
            split,
            len(here),
            len({row["cluster"] for row, _ in here}),
            len(of),
            sum(lengths),
            f"{min(lengths)} / {max(lengths)}",
            sum(len(data) for _, data in here),
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def source_table(chosen):
    lines = ["| source | revision | genomes |", "|---|---|---|"]
    counts = {}
    for row, _ in chosen:
        key = (row["source"], row["rev"])
        counts[key] = counts.get(key, 0) + 1
    lines += [f"| {source} | {rev} | {count} |" for (source, rev), count in sorted(counts.items())]
    return lines


def splice(text, name, lines):
    """Replaces what stands between `<!-- name -->` and `<!-- /name -->`."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, rest = text.split(start)
    _, after = rest.split(end)
    return f"{before}{start}\n" + "\n".join(lines) + f"\n{end}{after}"


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: python3 select.py SOURCE, the folder that holds gue/ and virus/")
    source = Path(sys.argv[1])
    rows, fit = candidates(source / "virus")
    chosen = choose(source / "virus", fit)
    write_virus(chosen, HERE / "virus")
    mouse = write_mouse(source / "gue/mouse/2", HERE / "gue/mouse/2")
    readme = HERE / "README.md"
    text = readme.read_text()
    for name, lines in [("mouse", mouse), ("virus", virus_table(rows, chosen)), ("sources", source_table(chosen))]:
        text = splice(text, name, lines)
    readme.write_text(text)


if __name__ == "__main__":
    main()
