"""The joint fit by gradient descent, for people who study the method: all Gaussians, all five parameters at once."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from audio_gs.codec.kinds import TONE
from audio_gs.codec.kinds.base import Table

from ..log import FitLog
from ..options import EncoderOptions
from ..tones.pursuit import RECONSTRUCTION, Pursuit
from . import checkpoint
from .checkpoint import FitProblem, FitState
from .model import PARAMETERS, GaussianModel, choose_device, loss_function
from .resolution import coarsen
from .steps import rounds_left, starting_count, steps_for

_STAGE = "joint fit"
_SOFT_UNTIL, _HARD_FROM = 0.3, 0.8
"""Shares of the steps before which the quantiser is out of the loop and after which it is in it whole. In between
it tightens, since Gaussians that feel the lattice all at once jump about on it and never settle."""
_RATE_FROM_PURSUIT, _RATE_FROM_AFAR = 0.002, 0.1
_WEIGHT_RATE = 3.0
"""Learning rate of weight and phase by that of time, frequency and spread."""
_PLACE = ("time", "frequency", "spread")


def joint_fit(
    start: Table,
    signal: npt.NDArray[np.float64],
    layout: tuple[int, int],
    step: float,
    options: EncoderOptions,
    wanted: int,
    log: FitLog,
    progress: Callable[[float], None] | None = None,
) -> Table:
    """The Gaussians after `steps_for(options)` steps of Adam on the loss of their rendering, with a quantiser in the
    loop that tightens from none to the bitstream's; or after the steps left of a fit that `options.resume` names.

    Returns the best quantised state since Gaussians were last added; without adding, it is never worse than the start.

    start    on the lattice; with adaptive adding, its weakest make room for those to be added
    signal   output steps, shape (samples,)
    layout   smallest scale, scales
    step     amplitude step in the unit of alpha
    wanted   Gaussians at the end, at most; adaptive adding goes up to them

    OptionsError for a checkpoint that does not fit, AudioGsError if one cannot be written.
    """
    problem = FitProblem(options, signal, layout, step, wanted)
    # Threads would make sums depend on their number, and on busy cores cost more than such short tensors gain.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        fit = _JointFit(problem, steps_for(options), log)
        if options.resume is None:
            fit.begin(start)
        else:
            fit.restore(checkpoint.load(options.resume, problem))
        return fit.run(progress)
    finally:
        torch.set_num_threads(threads)


class _JointFit:
    def __init__(self, problem: FitProblem, steps: int, log: FitLog) -> None:
        self.options, self.signal, self.wanted = problem.options, problem.signal, problem.wanted
        self.problem, self.steps, self.log = problem, steps, log
        self.device = choose_device(self.options.device)
        # A copy, for the signal is not to be written to, which PyTorch would warn of.
        self.target = torch.tensor(self.signal, dtype=torch.float32, device=self.device)
        self.energy = float(np.sum(self.signal**2))
        self.loss_of = loss_function(self.options.loss)
        self.model = self._model(TONE.empty())
        self.optimiser = self._adam()
        rate = self.options.learning_rate
        if rate is None:
            rate = _RATE_FROM_PURSUIT if self.options.initialisation == "pursuit" else _RATE_FROM_AFAR
        self._rate = rate
        self.done = 0
        self.best, self.best_loss = TONE.empty(), math.inf
        self.history: list[tuple[float, ...]] = []

    def begin(self, start: Table) -> None:
        count = starting_count(self.options, self.wanted)
        if len(start) > count and self.options.adaptive_every:
            energy = (start["amplitude"] + RECONSTRUCTION) ** 2 * np.where(start["bin"] == 0, 1.0, 0.5)
            start = start[np.sort(np.argsort(-energy, kind="stable")[:count])]
        self.model = self._model(coarsen(start, self.options, len(self.signal)))
        self.optimiser = self._adam()

    def run(self, progress: Callable[[float], None] | None) -> Table:
        if self.done == 0:
            with torch.no_grad():
                estimate = self.model()
                self._note(float(self.loss_of(estimate, self.target)), estimate, 1.0)
        while len(self.model.weight):
            hardness = self._hardness()
            self.optimiser.zero_grad()
            estimate = self.model(hardness)
            loss = self.loss_of(estimate, self.target)
            if self.done > 0:
                self._note(float(loss.detach()), estimate.detach(), hardness)
            if self.done >= self.steps:
                break
            loss.backward()  # type: ignore[no-untyped-call]
            if hardness == 1:
                # A Gaussian at the border of two places would hop between them for ever.
                for name in _PLACE:
                    getattr(self.model, name).grad = None
            self._set_rates()
            self.optimiser.step()
            self.model.stay_legal()
            self.done += 1
            every = self.options.adaptive_every
            if every and self.done % every == 0 and self.done <= self.steps - every:
                self._add()
            every = self.options.checkpoint_every
            if every and self.done % every == 0 and self.options.log_dir is not None:
                checkpoint.save(checkpoint.checkpoint_path(self.options.log_dir, self.done), self.state(), self.problem)
            if progress is not None:
                progress(self.done / self.steps)
        return self.best

    def state(self) -> FitState:
        values = [getattr(self.model, name) for name in PARAMETERS]
        adam = [self._adam_state(value) for value in values]

        def stacked(tensors: list[Tensor]) -> npt.NDArray[np.float32]:
            return np.stack([tensor.numpy(force=True) for tensor in tensors]).astype(np.float32)

        return FitState(
            step=self.done,
            parameters=stacked(values),
            start=stacked([self.model.start_length, self.model.start_centre]),
            moments=np.stack([stacked([state[name] for state in adam]) for name in ("exp_avg", "exp_avg_sq")]),
            updates=stacked([state["step"] for state in adam]),
            best=self.best,
            best_loss=self.best_loss,
            history=np.array(self.history, np.float64).reshape(-1, checkpoint.HISTORY_COLUMNS),
        )

    def restore(self, state: FitState) -> None:
        self.model = self._model(TONE.empty(state.start.shape[1]))
        self.model.start_length, self.model.start_centre = torch.as_tensor(state.start, device=self.device)
        for name, values in zip(PARAMETERS, state.parameters, strict=True):
            getattr(self.model, name).data = torch.as_tensor(values, device=self.device)
        self.optimiser = self._adam()
        for i, name in enumerate(PARAMETERS):
            moments = [torch.as_tensor(moment[i], device=self.device) for moment in state.moments]
            self._set_adam_state(getattr(self.model, name), torch.as_tensor(state.updates[i]), *moments)
        self.done = state.step
        self.best, self.best_loss = state.best, state.best_loss
        for number, loss, snr_db, gaussians, hardness in state.history:
            self._log(int(number), float(loss), float(snr_db), int(gaussians), float(hardness))

    def _model(self, table: Table) -> GaussianModel:
        model = GaussianModel(table, len(self.signal), *self.problem.layout, self.problem.step_weight).to(self.device)
        model.keep_bits(self.options)
        return model

    def _adam(self) -> torch.optim.Adam:
        places = [getattr(self.model, name) for name in _PLACE]
        return torch.optim.Adam([{"params": [self.model.weight, self.model.phase]}, {"params": places}])

    def _set_rates(self) -> None:
        """Half a cosine down to 0 at the last step."""
        rate = self._rate * 0.5 * (1 + math.cos(math.pi * self.done / self.steps))
        weights, places = self.optimiser.param_groups
        weights["lr"], places["lr"] = _WEIGHT_RATE * rate, rate

    def _hardness(self) -> float:
        if not self.steps:
            return 1.0
        return min(1.0, max(0.0, (self.done / self.steps - _SOFT_UNTIL) / (_HARD_FROM - _SOFT_UNTIL)))

    def _adam_state(self, value: Tensor) -> dict[str, Tensor]:
        state = self.optimiser.state.get(value)
        if not state:
            zeros = torch.zeros_like(value)
            return {"step": torch.zeros(()), "exp_avg": zeros, "exp_avg_sq": zeros}
        return dict(state)

    def _set_adam_state(self, value: Tensor, updates: Tensor, first: Tensor, second: Tensor) -> None:
        self.optimiser.state[value] = {"step": updates.clone(), "exp_avg": first.clone(), "exp_avg_sq": second.clone()}

    def _note(self, loss: float, estimate: Tensor, hardness: float) -> None:
        gaussians = int(self.model.sounding().sum())
        error = float(((estimate - self.target).double() ** 2).sum())
        snr_db = 10 * math.log10(self.energy / error) if self.energy > 0 and error > 0 else math.inf
        self._log(self.done, loss, snr_db, gaussians, hardness)
        if hardness == 1 and loss < self.best_loss:
            self.best, self.best_loss = self.model.table(), loss

    def _log(self, number: int, loss: float, snr_db: float, gaussians: int, hardness: float) -> None:
        self.history.append((number, loss, snr_db, gaussians, hardness))
        self.log.record(_STAGE, number, loss, snr_db, gaussians, hardness)

    def _add(self) -> None:
        """Takes out what has fallen silent and adds Gaussians where the error is largest."""
        keep = self.model.sounding()
        with torch.no_grad():
            residual = self.signal - self.model(self._hardness()).double().numpy(force=True)
        waiting = self.wanted - int(keep.sum())
        share = math.ceil(waiting / (1 + rounds_left(self.options, self.done, self.steps)))
        new = TONE.empty()
        if share > 0:
            pursuit = Pursuit(residual, *self.problem.layout, self.problem.step_weight)
            new = coarsen(pursuit.picked(share, 0.0).table(), self.options, len(self.signal))
        before = [self._adam_state(getattr(self.model, name)) for name in PARAMETERS]
        self.model.keep(keep)
        self.model.extend(new)
        self.optimiser = self._adam()
        for name, state in zip(PARAMETERS, before, strict=True):
            fresh = torch.zeros(len(new), device=self.device)
            moments = [torch.cat([state[moment][keep], fresh]) for moment in ("exp_avg", "exp_avg_sq")]
            self._set_adam_state(getattr(self.model, name), state["step"], *moments)
        # A sum of fewer Gaussians may have been better for now; the wanted ones are to be kept all the same.
        self.best_loss = math.inf
