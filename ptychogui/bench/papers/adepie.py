"""AD-ePIE: ePIE with its gradients by automatic differentiation, step by step beside ePIE with them written out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ptychogui.engine.constraints import Constraints
from ptychogui.engine.crew import Shard
from ptychogui.engine.gradient import automatic
from ptychogui.engine.problem import Problem, problem
from ptychogui.engine.solvers.base import Plan, Update, iterate
from ptychogui.engine.solvers.epie import EPIE
from ptychogui.engine.start.data import FromData
from ptychogui.engine.state import State
from ptychogui.job import Job
from ptychogui.types import Dataset


class ADEPIE(EPIE):
    """AD-ePIE of Kandel et al., Opt. Express 27, 18653 (2019), section 3.2."""

    def step(self, problem: Problem, state: State, memory: Any, shard: Shard, done: int) -> Update:
        """ePIE's step, its gradients taken by automatic differentiation."""
        update = super().step(problem, state, memory, shard, done)
        found = automatic(problem, state, shard, with_probe=done >= self.probe_start)
        return replace(update, obj=found.obj, probe=found.probe)


def farthest_apart(dataset: Dataset, epochs: int) -> float:
    """The largest relative distance of object or probe between ePIE and AD-ePIE, over all steps of some epochs.

    In double precision, one frame a step, the probe kept in the first epoch.
    """
    shared = {"epochs": epochs, "batch": 1, "probe_start": 1}
    loops, states = [], []
    for solver in (EPIE.read(shared), ADEPIE.read(shared)):
        task = problem(dataset, Job().model, torch.device("cpu"), torch.float64)
        state = FromData().state(task, dataset, None, 0)
        states.append(state)
        loops.append(iterate(task, state, Plan((solver,), Constraints())))
    apart = []
    for _ in zip(*loops, strict=True):
        for first, second in ((states[0].obj, states[1].obj), (states[0].probe, states[1].probe)):
            apart.append(float((first - second).norm() / first.norm()))
    return float(np.max(apart))
