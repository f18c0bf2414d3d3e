"""Training samples in shards on disk, written by workers and read by trainers at the same time.

A worker owns the shards whose names begin with its number and replaces its oldest when its part of
the ring is full. A shard is several arrays, one file each; its last file, the one that readers look
for, appears only when the others are there, and goes first when the shard goes.
"""

import multiprocessing
import os
import queue
import signal
import sys
import threading
import time

import cv2
import numpy as np
import torch

# Bytes of samples that a trainer keeps on a GPU.
ROOM = 10 << 30


def write_shard(folder, worker, number, ring, arrays, mark):
    """Writes a shard's arrays, `mark` last, and removes the one that leaves the worker's ring."""
    def path(which, name):
        return folder / f"{worker:02d}-{which:05d}.{name}.npy"

    for name in sorted(arrays, key=lambda name: name == mark):
        waiting = folder / f"unfinished-{worker:02d}"
        with open(waiting, "wb") as file:
            np.save(file, arrays[name])
        os.replace(waiting, path(number, name))
    for name in sorted(arrays, key=lambda name: name != mark):
        path(number - ring, name).unlink(missing_ok=True)


def _work(folder, worker, ring, rounds, mark, make):
    cv2.setNumThreads(1)
    draw = make(worker)
    number = 0
    while not rounds or number < rounds:
        write_shard(folder, worker, number, ring, draw(), mark)
        number += 1
        print(f"worker {worker}: shard {number}", flush=True)


def write_shards(folder, workers, ring, rounds, mark, make):
    """Lets `workers` processes keep `ring` shards in all fresh; each ends after `rounds`, 0: never.

    `make(worker)` gives a worker's function that draws one shard's arrays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mine = max(1, ring // workers)
    if workers == 1:
        _work(folder, 0, mine, rounds, mark, make)
        return
    # Whoever ends this process ends the workers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    context = multiprocessing.get_context("fork")
    started = [context.Process(target=_work, daemon=True,
                               args=(folder, number, mine, rounds, mark, make))
               for number in range(workers)]
    for process in started:
        process.start()
    for process in started:
        process.join()
    if any(process.exitcode for process in started):
        raise SystemExit("a worker failed")


class Shards:
    """Random batches over all shards present; new ones are taken in as they appear."""

    REFRESH = 50

    def __init__(self, folder, seed, names):
        self.folder, self.names = folder, names
        self.rng = np.random.default_rng(seed)
        self.drawn = 0
        self.open = {}
        self.refresh()

    def refresh(self):
        """Opens the shards that are there now: the first array stays on disk, the rest is read."""
        found = {}
        for path in sorted(self.folder.glob(f"*.{self.names[0]}.npy")):
            try:
                found[path] = self.open.get(path) or [
                    np.load(path.with_name(path.name.replace(f".{self.names[0]}.", f".{name}.")),
                            mmap_mode="r" if name == self.names[0] else None)
                    for name in self.names
                ]
            except FileNotFoundError:
                continue  # Its turn to be replaced came between the two.
        if not found:
            raise SystemExit(f"no shards in {self.folder}")
        self.open = found

    def batch(self, size):
        """Rows of each array, drawn over all shards."""
        if self.drawn % self.REFRESH == 0:
            self.refresh()
        self.drawn += 1
        shards = list(self.open.values())
        picks = self.rng.integers(len(shards), size=size)
        parts = []
        for which in np.unique(picks):
            count = int((picks == which).sum())
            rows = np.sort(self.rng.integers(len(shards[which][0]), size=count))
            parts.append([array[rows] for array in shards[which]])
        return [np.concatenate(part) for part in zip(*parts)]


class Resident:
    """Random batches of the shards, all kept where the network is; the oldest rows make room.

    On a GPU no batch travels, and what left the ring on the disk is still seen.
    """

    REFRESH_S = 5.0

    def __init__(self, folder, names, where, room):
        """`room`: bytes of memory to use."""
        self.folder, self.names, self.where, self.room = folder, names, where, room
        self.taken, self.kept, self.count = set(), None, 0
        self.looked = -self.REFRESH_S
        self.refresh()

    def refresh(self):
        """Takes in the shards that are new."""
        self.looked = time.monotonic()
        for path in sorted(self.folder.glob(f"*.{self.names[0]}.npy")):
            if path in self.taken:
                continue
            try:
                self._keep([np.load(path.with_name(
                    path.name.replace(f".{self.names[0]}.", f".{name}."))) for name in self.names])
            except FileNotFoundError:
                continue  # Its turn to be replaced came between the two.
            self.taken.add(path)
        if self.kept is None:
            raise SystemExit(f"no shards in {self.folder}")

    def _keep(self, arrays):
        if self.kept is None:
            rows = self.room // sum(array[0].nbytes for array in arrays)
            self.kept = [torch.empty((rows, *array.shape[1:]), device=self.where,
                                     dtype=torch.from_numpy(array[:0]).dtype) for array in arrays]
        places = (torch.arange(len(arrays[0]), device=self.where) + self.count) % len(self.kept[0])
        for kept, array in zip(self.kept, arrays):
            kept[places] = torch.from_numpy(array).to(self.where)
        self.count += len(arrays[0])

    def batch(self, size):
        """Rows of each array, drawn over all that is kept."""
        if time.monotonic() - self.looked > self.REFRESH_S:
            self.refresh()
        rows = torch.randint(min(self.count, len(self.kept[0])), (size,), device=self.where)
        return [kept[rows] for kept in self.kept]


class Ahead:
    """What `make` gives, made in another thread a few calls ahead, so that nobody waits for it."""

    def __init__(self, make, depth=6):
        self.ready = queue.Queue(depth)
        self.make = make
        threading.Thread(target=self._fill, daemon=True).start()

    def _fill(self):
        try:
            while True:
                self.ready.put((self.make(), None))
        except BaseException as error:  # Told to whoever waits for the next one.
            self.ready.put((None, error))

    def __call__(self):
        made, error = self.ready.get()
        if error:
            raise error
        return made


def batches_of(folder, seed, names, size, where):
    """A function that gives one batch after the other as tensors on `where`."""
    if where.type == "cuda":
        kept = Resident(folder, names, where, ROOM)
        return lambda: kept.batch(size)
    shards = Shards(folder, seed, names)
    return Ahead(lambda: [torch.from_numpy(part) for part in shards.batch(size)])
