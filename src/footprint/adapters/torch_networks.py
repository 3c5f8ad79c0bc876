"""Ensembles of small networks, trained with torch; what is fitted holds plain arrays (`impact/network.py`).

Rows are few and overlap, so most of the design is against overfitting: networks start as the parametric forecast that
they correct, in every step each of them sees a random third of its inputs (as trees draw columns), and the weights of a
stage are a running mean over the last steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from footprint.errors import ModelError
from footprint.impact.distribution import LEVELS
from footprint.impact.interface import ImpactModel
from footprint.impact.linear_mean import known_rows
from footprint.impact.network import (
    LOG_SCALE_LIMIT,
    MEDIAN,
    NO_STRETCH,
    FittedNetworks,
    LocationScaleHead,
    MonotoneHead,
    Network,
    NetworkMember,
    fit_inputs,
    location_and_scale,
)
from footprint.impact.residuals import weighted_quantiles
from footprint.impact.rows import Rows

Kind = Literal["quantile", "heteroscedastic"]

_KNOTS = np.array([0, *range(4, 99, 5), 98])  # 1, 5, 10, ..., 95, 99 % on the 99 levels
_SEGMENT = np.searchsorted(_KNOTS, np.arange(len(LEVELS) - 1), side="right") - 1
_MIDDLE = int(np.searchsorted(_KNOTS, MEDIAN))
_KNOT_LEVELS = torch.tensor(LEVELS[_KNOTS], dtype=torch.float32)
_DEGREES = 4.0  # of freedom of the likelihood: tails as fat as those of returns
_HALF_OF_T4 = 0.741  # median of |t| with these degrees


@dataclass(frozen=True, slots=True)
class NeuralImpact:
    """Networks of two hidden layers that correct a parametric forecast, in units of the row's noise scale.

    Args:
        start: the parametric model that the networks correct.
        kind: "quantile" learns a shift of the start's median and stretches of the quantiles around it by pinball loss;
            "heteroscedastic" learns a location and a log-scale by Student-t likelihood and takes the shape from the
            quantiles of its residuals.
        members: networks of the ensemble, each with random weights and an order of the rows of its own.
        stages: passes over the rows to choose from on held-out folds.
        hidden: width of both hidden layers.
        column_share: random share of the inputs that a network sees in a step.
        unit_share: random share of the hidden units that a network uses in a step (dropout).
        learning_rate, weight_decay, batch: of AdamW (Loshchilov, Hutter 2019).
        average_passes: passes over which the running mean of the weights forgets (Polyak, Juditsky 1992).
        device: "cpu", or "cuda" where there is one.
        seed: of every random draw.
    """

    start: ImpactModel
    kind: Kind = "quantile"
    members: int = 5
    stages: tuple[int, ...] = (8, 16, 32)
    hidden: int = 32
    column_share: float = 0.35
    unit_share: float = 0.8
    learning_rate: float = 2e-3
    weight_decay: float = 0.1
    batch: int = 256
    average_passes: float = 2.0
    device: str = "cpu"
    seed: int = 7

    @property
    def name(self) -> str:
        """neural_quantile or neural_heteroscedastic."""
        return f"neural_{self.kind}"

    @property
    def is_local(self) -> bool:
        """What it learns holds near its rows."""
        return True

    def fit(self, rows: Rows, target: str) -> FittedNetworks:
        """Train all members to the last stage; single-threaded and deterministic.

        Raises:
            ModelError: fewer than 50 rows with a known outcome; the device is not there.
        """
        device = _device(self.device)
        rows = known_rows(rows, target, self.name)
        scale, weights = rows.scale_bps(target), rows.tape_weights()
        start = self.start.fit(rows, target)
        inputs = fit_inputs(rows.x, weights)
        sample = _Sample(inputs(rows.x), start.quantiles(rows) / scale[:, None], rows.outcome(target) / scale, weights)
        with _one_thread():
            stages = list(_train(self, sample, device))
        head = _monotone_head if self.kind == "quantile" else _location_scale_head
        members = tuple(tuple(NetworkMember(n, head(n, sample)) for n in networks) for networks in stages)
        return FittedNetworks(target, start, rows.x_names, inputs, self.stages, members)


@dataclass(frozen=True, slots=True)
class _Sample:
    """Training rows in noise scales: inputs (n, k), the start's quantiles (n, 99), outcomes (n,), tape weights (n,)."""

    inputs: np.ndarray
    start: np.ndarray
    outcome: np.ndarray
    weights: np.ndarray


def _monotone_head(network: Network, sample: _Sample) -> MonotoneHead:
    return MonotoneHead(_SEGMENT)


def _location_scale_head(network: Network, sample: _Sample) -> LocationScaleHead:
    location, scale = location_and_scale(sample.start, network(sample.inputs))
    return LocationScaleHead(weighted_quantiles((sample.outcome - location) / scale, sample.weights, LEVELS))


def _train(model: NeuralImpact, sample: _Sample, device: torch.device) -> Iterator[list[Network]]:
    """The members' networks after each stage; all members are trained by the same batched products."""
    # drawn on the cpu whatever the device, so that the device changes nothing but rounding
    generator = torch.Generator().manual_seed(model.seed)
    loss, needed, first_outputs = _task(model.kind, sample)
    inputs, start, outcome, weights = (
        torch.tensor(values, dtype=torch.float32, device=device)
        for values in (sample.inputs, needed, sample.outcome, sample.weights)
    )
    layers = _layers(model, inputs.shape[1], first_outputs, generator, device)
    matrices, biases = layers[0::2], layers[1::2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": model.weight_decay}, {"params": biases, "weight_decay": 0.0}],
        lr=model.learning_rate,
    )
    steps = max(1, len(inputs) // model.batch)
    kept = 1.0 - 1.0 / (1.0 + model.average_passes * steps)
    running, mass = [torch.zeros_like(p) for p in layers], 0.0
    for passes in range(1, model.stages[-1] + 1):
        order = torch.rand(model.members, len(inputs), generator=generator).argsort(dim=1).to(device)
        for batch in order.tensor_split(steps, dim=1):
            masks = _masks(model, inputs.shape[1], generator, device)
            outputs = _forward(matrices, biases, inputs[batch], masks)
            optimizer.zero_grad()
            # a sum over members: their gradients do not mix
            (weights[batch] * loss(outputs, start[batch], outcome[batch])).mean(dim=1).sum().backward()
            optimizer.step()
            with torch.no_grad():
                for mean, weight in zip(running, layers, strict=True):
                    mean.lerp_(weight, 1.0 - kept)
            mass = 1.0 - kept * (1.0 - mass)
        if passes in model.stages:
            yield _networks([(mean / mass).cpu().numpy().astype(np.float64) for mean in running])


def _layers(
    model: NeuralImpact, inputs: int, first_outputs: np.ndarray, generator: torch.Generator, device: torch.device
) -> list[Tensor]:
    """Matrix and bias of each layer in turn, with the member as first axis; the last layer says `first_outputs`."""
    layers = []
    for size in (inputs, model.hidden):
        matrix = torch.randn(model.members, size, model.hidden, generator=generator) / size**0.5
        layers += [matrix, torch.zeros(model.members, 1, model.hidden)]
    bias = torch.tensor(first_outputs, dtype=torch.float32).repeat(model.members, 1, 1)
    layers += [torch.zeros(model.members, model.hidden, len(first_outputs)), bias]
    return [layer.to(device).requires_grad_() for layer in layers]


def _masks(model: NeuralImpact, inputs: int, generator: torch.Generator, device: torch.device) -> list[Tensor]:
    """What each layer's inputs are multiplied by in a step, shape (members, 1, inputs): 0, or 1 / share."""
    shares = ((inputs, model.column_share), (model.hidden, model.unit_share), (model.hidden, model.unit_share))
    drawn = (torch.rand(model.members, 1, size, generator=generator) < share for size, share in shares)
    return [(mask / share).to(device) for mask, (_, share) in zip(drawn, shares, strict=True)]


def _forward(matrices: list[Tensor], biases: list[Tensor], inputs: Tensor, masks: list[Tensor]) -> Tensor:
    """Outputs, shape (members, batch, outputs), for inputs of shape (members, batch, inputs)."""
    hidden = inputs * masks[0]
    for matrix, bias, mask in zip(matrices[:-1], biases[:-1], masks[1:], strict=True):
        hidden = functional.silu(torch.baddbmm(bias, hidden, matrix)) * mask
    return torch.baddbmm(biases[-1], hidden, matrices[-1])


def _networks(layers: list[np.ndarray]) -> list[Network]:
    """One network a member."""
    return [
        Network(tuple(matrix[m] for matrix in layers[0::2]), tuple(bias[m, 0] for bias in layers[1::2]))
        for m in range(len(layers[0]))
    ]


_Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def _task(kind: Kind, sample: _Sample) -> tuple[_Loss, np.ndarray, np.ndarray]:
    """Loss of each row, what it needs of the start, shape (n, j), and the outputs that training begins with."""
    if kind == "quantile":
        return _pinball, sample.start[:, _KNOTS], np.zeros(len(_KNOTS))
    median = sample.start[:, [MEDIAN]]
    spread = np.median(np.abs(sample.outcome - median[:, 0])) / _HALF_OF_T4
    return _student_t, median, np.array([0.0, np.log(spread)])


def _pinball(outputs: Tensor, start: Tensor, outcome: Tensor) -> Tensor:
    """Mean pinball loss over the knots; the quantiles are those of `MonotoneHead`."""
    increments = start.diff(dim=-1) * functional.softplus(outputs[..., 1:] + NO_STRETCH)
    middle = start[..., _MIDDLE, None] + outputs[..., :1]
    below = increments[..., :_MIDDLE].flip(-1).cumsum(-1).flip(-1)
    above = increments[..., _MIDDLE:].cumsum(-1)
    error = outcome[..., None] - torch.cat([middle - below, middle, middle + above], dim=-1)
    levels = _KNOT_LEVELS.to(error.device)
    return torch.maximum(levels * error, (levels - 1.0) * error).mean(dim=-1)


def _student_t(outputs: Tensor, start: Tensor, outcome: Tensor) -> Tensor:
    """Negative log-likelihood of a Student t around the start's median, without its constant."""
    log_scale = outputs[..., 1].clamp(-LOG_SCALE_LIMIT, LOG_SCALE_LIMIT)
    standardised = (outcome - start[..., 0] - outputs[..., 0]) * torch.exp(-log_scale)
    return log_scale + 0.5 * (_DEGREES + 1.0) * torch.log1p(standardised**2 / _DEGREES)


def _device(name: str) -> torch.device:
    there = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
    if name not in there:
        raise ModelError(f"device {name!r} is not there, allowed: {' or '.join(there)}")
    return torch.device(name)


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
