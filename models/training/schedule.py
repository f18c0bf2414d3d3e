"""What the three trainings share: learning rate, averaged weights, checkpoints, the device."""

import copy
import math
import os
import time

import torch

# A step that took longer was kept waiting by something else; no more of it counts as training.
LONGEST_STEP_S = 10.0


def device():
    """The GPU if there is one."""
    if torch.cuda.is_available():
        torch.backends.cudnn.benchmark = True
        return torch.device("cuda")
    return torch.device("cpu")


def settings(where, small, large):
    """Batch and learning rate: `small` for a processor, `large` for a GPU."""
    return large if where.type == "cuda" else small


class Run:
    """A training of so many minutes that can be broken off and taken up again.

    Keeps the weights' running average beside the network; that is what is exported. The learning
    rate warms up and falls along a cosine that ends with the time.
    """

    def __init__(self, checkpoint, network, optimiser, minutes, rate, *, decay, warm_up=400,
                 save_every=3.0):
        self.checkpoint, self.network, self.optimiser = checkpoint, network, optimiser
        self.minutes, self.rate, self.decay, self.warm_up = minutes, rate, decay, warm_up
        self.save_every = save_every
        self.average = copy.deepcopy(network).eval()
        self.spent, self.step = 0.0, 0
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        if checkpoint.exists():
            self._restore()
        self.saved, self.mark = self.spent, time.monotonic()

    def _restore(self):
        where = next(self.network.parameters()).device
        saved = torch.load(self.checkpoint, map_location=where)
        self.network.load_state_dict(saved["network"])
        self.average.load_state_dict(saved["average"])
        if saved["optimiser"]:
            self.optimiser.load_state_dict(saved["optimiser"])
        self.spent, self.step = saved["minutes"], saved["step"]
        print(f"resumed at {self.spent:.1f} min, step {self.step}", flush=True)

    @property
    def goes_on(self):
        return self.spent < self.minutes

    def set_rate(self):
        warm = min(1.0, (self.step + 1) / self.warm_up)
        part = min(self.spent / self.minutes, 1.0)
        rate = self.rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * part)))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        return rate

    def stepped(self):
        """Counts a step: averages, tells the time, saves now and then."""
        self.step += 1
        keep = min(self.decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for kept, new in zip(self.average.state_dict().values(),
                                 self.network.state_dict().values()):
                if kept.dtype.is_floating_point:
                    kept.lerp_(new.to(kept.dtype), 1 - keep)
                else:
                    kept.copy_(new)
        now = time.monotonic()
        self.spent += min(now - self.mark, LONGEST_STEP_S) / 60
        self.mark = now
        if self.spent - self.saved > self.save_every or not self.goes_on:
            self.save()

    def save(self):
        """Writes beside and renames: a checkpoint is whole or not there."""
        waiting = self.checkpoint.with_suffix(".new")
        torch.save({"network": self.network.state_dict(), "average": self.average.state_dict(),
                    "optimiser": self.optimiser.state_dict(), "minutes": self.spent,
                    "step": self.step}, waiting)
        os.replace(waiting, self.checkpoint)
        self.saved = self.spent
