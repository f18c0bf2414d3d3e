"""Reads pictures with a reader of plates from PyPI, on one thread.

    python peer.py rapidocr|hyperlpr < names > lines.jsonl

One line per picture, `{"file", "texts", "cpu_ms"}`: all texts it shows, and the processor time that
reading took, without decoding. A last line says how much memory was resident at most,
`{"resident_mb"}`.
"""

import contextlib
import json
import resource
import sys
import time

import cv2


def rapidocr():
    """PP-OCRv4: finds and reads text of any kind, line by line."""
    from rapidocr_onnxruntime import RapidOCR

    engine = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)
    return lambda picture: [text for _, text, _ in engine(picture)[0] or []]


def hyperlpr():
    """A cascade, a segmenter and a sequence reader for Chinese plates."""
    from hyperlpr import HyperLPR_plate_recognition

    def read(picture):
        try:
            return [found[0] for found in HyperLPR_plate_recognition(picture)]
        except (cv2.error, ValueError):
            # It fails on some plates at a picture's edge.
            return []

    return read


def main():
    cv2.setNumThreads(1)
    # What they print while they work is not ours.
    with contextlib.redirect_stdout(sys.stderr):
        read = {"rapidocr": rapidocr, "hyperlpr": hyperlpr}[sys.argv[1]]()
    for name in sys.stdin.read().splitlines():
        picture = cv2.imread(name)
        begun = time.process_time()
        with contextlib.redirect_stdout(sys.stderr):
            texts = read(picture)
        spent = time.process_time() - begun
        line = {"file": name, "texts": texts, "cpu_ms": spent * 1e3}
        print(json.dumps(line, ensure_ascii=False), flush=True)
    print(json.dumps({"resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
