"""Writes fitted networks as one ONNX graph, from the columns and the start's quantiles to the forecast's quantiles.

The graph holds what `FittedNetworks.quantiles` does after the start: inputs, every member, their mean. It computes in
float64, so that columns may be large against their spread. The start stays outside: it is a line of arithmetic that
whoever serves the graph has.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from footprint.impact.distribution import LEVELS
from footprint.impact.network import (
    INPUT_LIMIT,
    LOG_SCALE_LIMIT,
    MEDIAN,
    NO_STRETCH,
    FittedNetworks,
    LocationScaleHead,
    MonotoneHead,
    Network,
    NetworkInputs,
)

OPSET = 18
IR_VERSION = 10  # readable by runtimes of 2024 and later

_COLUMNS, _SCALE, _START, _ANSWER = "x", "scale_bps", "start_quantiles_bps", "quantiles_bps"


def export_onnx(fitted: FittedNetworks, path: Path) -> None:
    """Write `onnx_bytes` to a file that is whole or absent."""
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(onnx_bytes(fitted))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def onnx_bytes(fitted: FittedNetworks) -> bytes:
    """A serialised ONNX model of the last stage.

    Inputs, float64: `x` (n, p), the raw columns, nan where unknown; `scale_bps` (n, 1), `Rows.scale_bps`;
    `start_quantiles_bps` (n, 99), of the fitted start. Output, float64: `quantiles_bps` (n, 99). The metadata holds
    `target`, `x_names` and `levels` as JSON.
    """
    graph = _Graph()
    inputs = graph.inputs(fitted.inputs)
    start = graph.add("Div", _START, _SCALE)
    members = fitted.members[-1]
    total = graph.add("Sum", *(graph.head(m.head, start, graph.network(m.network, inputs)) for m in members))
    graph.add("Mul", graph.add("Mul", total, graph.constant(1.0 / len(members))), _SCALE, output=_ANSWER)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "footprint_networks",
            [_value(_COLUMNS, len(fitted.x_names)), _value(_SCALE, 1), _value(_START, len(LEVELS))],
            [_value(_ANSWER, len(LEVELS))],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="footprint",
    )
    about = {"target": fitted.target, "x_names": fitted.x_names, "levels": LEVELS.tolist()}
    helper.set_model_props(model, {name: json.dumps(value) for name, value in about.items()})
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def _value(name: str, width: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["n", width])


class _Graph:
    """Nodes and constants in the order they were added; every method gives the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: int) -> str:
        node = helper.make_node(operator, list(inputs), [output or f"t{len(self.nodes)}"])
        node.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
        self.nodes.append(node)
        return node.output[0]

    def constant(self, value: np.ndarray | float) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def columns(self, values: str, positions: np.ndarray | range) -> str:
        return self.add("Gather", values, self.constant(np.asarray(positions, np.int64)), axis=1)

    def limited(self, values: str, limit: float) -> str:
        return self.add("Clip", values, self.constant(-limit), self.constant(limit))

    def inputs(self, inputs: NetworkInputs) -> str:
        """`NetworkInputs.__call__`."""
        centre, unknown = self.constant(inputs.centre), self.add("IsNaN", _COLUMNS)
        deviation = self.add("Sub", self.add("Where", unknown, centre, _COLUMNS), centre)
        standardised = self.limited(self.add("Mul", deviation, self.constant(inputs.gain)), INPUT_LIMIT)
        flags = self.add("Cast", self.columns(unknown, inputs.flagged), to=TensorProto.DOUBLE)
        return self.add("Concat", standardised, flags, axis=1)

    def network(self, network: Network, inputs: str) -> str:
        """`Network.__call__`."""
        hidden = inputs
        for index, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
            if index:
                hidden = self.add("Mul", hidden, self.add("Sigmoid", hidden))
            hidden = self.add("Add", self.add("MatMul", hidden, self.constant(weight)), self.constant(bias))
        return hidden

    def head(self, head: LocationScaleHead | MonotoneHead, start: str, outputs: str) -> str:
        """`quantiles` of either head."""
        middle = self.add("Add", self.columns(start, range(MEDIAN, MEDIAN + 1)), self.columns(outputs, range(1)))
        if isinstance(head, LocationScaleHead):
            scale = self.add("Exp", self.limited(self.columns(outputs, range(1, 2)), LOG_SCALE_LIMIT))
            return self.add("Add", middle, self.add("Mul", scale, self.constant(head.residual_quantiles)))
        count = len(head.segment)
        raised = self.add("Add", self.columns(outputs, 1 + head.segment), self.constant(NO_STRETCH))
        rises = self.add("Sub", self.columns(start, range(1, count + 1)), self.columns(start, range(count)))
        increments = self.add("Mul", rises, self.add("Softplus", raised))
        along = self.constant(np.array(1, np.int64))
        below = self.add("CumSum", self.columns(increments, range(MEDIAN)), along, reverse=1)
        above = self.add("CumSum", self.columns(increments, range(MEDIAN, count)), along)
        return self.add("Concat", self.add("Sub", middle, below), middle, self.add("Add", middle, above), axis=1)
