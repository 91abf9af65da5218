"""A writer of ONNX graphs over integers: values with Python's operators, the shifts of SPEC.md, loops and branches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

BOOL: int = TensorProto.BOOL
INT16: int = TensorProto.INT16
INT32: int = TensorProto.INT32
INT64: int = TensorProto.INT64
UINT32: int = TensorProto.UINT32
UINT64: int = TensorProto.UINT64

OPSET = 18
"""The first version with integer BitwiseAnd; all that runs newer ones runs it."""
IR_VERSION = 8

_TO_THE_END = int(np.iinfo(np.int64).max)
_TO_THE_START = int(np.iinfo(np.int64).min)
_INT32_OFFSET = 1 << 31


class Value:
    """A tensor of a graph, with the operators of its type of element; a number beside it is a constant of that type."""

    def __init__(self, graph: Graph, name: str, dtype: int) -> None:
        self.graph = graph
        self.name = name
        self.dtype = dtype

    def _with(self, op: str, other: Value | int, dtype: int | None = None, **attributes: Any) -> Value:
        operands = [self, self.graph.value(other, self.dtype)]
        return self.graph.node(op, operands, dtype or self.dtype, **attributes)

    def __add__(self, other: Value | int) -> Value:
        return self._with("Add", other)

    def __sub__(self, other: Value | int) -> Value:
        return self._with("Sub", other)

    def __mul__(self, other: Value | int) -> Value:
        return self._with("Mul", other)

    def __floordiv__(self, other: Value | int) -> Value:
        """Only of numbers that are not negative: ONNX rounds towards zero."""
        return self._with("Div", other)

    def __neg__(self) -> Value:
        return self.graph.node("Neg", [self], self.dtype)

    def __and__(self, other: Value | int) -> Value:
        return self._with("And" if self.dtype == BOOL else "BitwiseAnd", other)

    def __xor__(self, other: Value | int) -> Value:
        return self._with("BitwiseXor", other)

    def __or__(self, other: Value | int) -> Value:
        return self._with("BitwiseOr", other)

    def __lt__(self, other: Value | int) -> Value:
        return self._with("Less", other, BOOL)

    def __le__(self, other: Value | int) -> Value:
        return self._with("LessOrEqual", other, BOOL)

    def __gt__(self, other: Value | int) -> Value:
        return self._with("Greater", other, BOOL)

    def __ge__(self, other: Value | int) -> Value:
        return self._with("GreaterOrEqual", other, BOOL)

    def equals(self, other: Value | int) -> Value:
        return self._with("Equal", other, BOOL)

    def minimum(self, other: Value | int) -> Value:
        return self._with("Min", other)

    def maximum(self, other: Value | int) -> Value:
        return self._with("Max", other)

    def to(self, dtype: int) -> Value:
        """In another type of integers; what does not fit loses its high bits."""
        return self if dtype == self.dtype else self.graph.node("Cast", [self], dtype, to=dtype)

    def shift_right(self, bits: Value | int, rounding: Value | int = 0) -> Value:
        """Of an int64: x + rounding as int32 holds it, >> bits towards minus infinity; bits is 0..31.

        ONNX shifts unsigned numbers only, so what is shifted is 2^31 more.
        """
        lifted = self + rounding + _INT32_OFFSET if isinstance(rounding, Value) else self + (rounding + _INT32_OFFSET)
        unsigned = lifted.to(UINT32)
        if isinstance(bits, int):
            return unsigned.unsigned_shift(bits, "RIGHT").to(INT64) - (_INT32_OFFSET >> bits)
        shift = bits.to(UINT32)
        lift = self.graph.constant(_INT32_OFFSET, UINT32).unsigned_shift(shift, "RIGHT").to(INT64)
        return unsigned.unsigned_shift(shift, "RIGHT").to(INT64) - lift

    def unsigned_shift(self, bits: Value | int, direction: str) -> Value:
        """Of an unsigned type, by as many bits of that type; what leaves it is lost."""
        return self._with("BitShift", bits, direction=direction)

    def shift_left(self, bits: Value | int) -> Value:
        """Of an int64."""
        power = self.graph.constant(1, UINT64).unsigned_shift(self.graph.value(bits, INT64).to(UINT64), "LEFT")
        return self * power.to(INT64)

    # ---- shapes ----

    def shape(self) -> Value:
        return self.graph.node("Shape", [self], INT64)

    def length(self, axis: int = 0) -> Value:
        """One dimension, int64, shape (1,); -1 is the last."""
        end = {} if axis == -1 else {"end": axis + 1}
        return self.graph.node("Shape", [self], INT64, start=axis, **end)

    def reshape(self, *shape: Value | int) -> Value:
        """0 keeps a dimension, -1 is what is left; values are int64 of shape () or (1,)."""
        return self.graph.node("Reshape", [self, self.graph.vector(*shape)], self.dtype)

    def flat(self) -> Value:
        return self.reshape(-1)

    def scalar(self) -> Value:
        """Of one element: the same with shape ()."""
        return self.graph.node("Squeeze", [self], self.dtype)

    def unsqueeze(self, *axes: int) -> Value:
        return self.graph.node("Unsqueeze", [self, self.graph.vector(*axes)], self.dtype)

    def slice(self, start: Value | int | None, end: Value | int | None, axis: int = 0, step: int = 1) -> Value:
        """As Python's; None is as far as it goes."""
        if start is None:
            start = 0 if step > 0 else _TO_THE_END
        if end is None:
            end = _TO_THE_END if step > 0 else _TO_THE_START
        bounds = [self.graph.vector(number) for number in (start, end, axis, step)]
        return self.graph.node("Slice", [self, *bounds], self.dtype)

    def reversed(self, axis: int = 0) -> Value:
        return self.slice(None, None, axis, -1)

    def transpose(self, *axes: int) -> Value:
        return self.graph.node("Transpose", [self], self.dtype, perm=list(axes))

    # ---- elements ----

    def take(self, indices: Value | int, axis: int = 0) -> Value:
        """Slices along an axis; of single elements `pick` is faster."""
        return self.graph.node("Gather", [self, self.graph.value(indices, INT64)], self.dtype, axis=axis)

    def pick(self, indices: Value) -> Value:
        """Elements of a vector, of the indices' shape."""
        chosen = self.graph.node("GatherElements", [self, indices.flat()], self.dtype, axis=0)
        return self.graph.node("Reshape", [chosen, indices.shape()], self.dtype)

    def select(self, condition: Value) -> Value:
        """The slices along axis 0 where a vector of conditions holds."""
        return self.graph.node("Compress", [self, condition], self.dtype, axis=0)

    def scatter_add(self, indices: Value, updates: Value) -> Value:
        """A vector, with updates added at the places that the indices, of the same shape, name; a place may come more
        than once. ScatterND, which would add whole slices, does not do that reliably on several threads."""
        operands = [self, indices.flat(), updates.flat()]
        return self.graph.node("ScatterElements", operands, self.dtype, axis=0, reduction="add")

    def clip(self, low: Value | int, high: Value | int) -> Value:
        limits = [self.graph.value(limit, self.dtype) for limit in (low, high)]
        return self.graph.node("Clip", [self, *limits], self.dtype)

    def sum(self, axis: int) -> Value:
        return self.graph.node("ReduceSum", [self, self.graph.vector(axis)], self.dtype, keepdims=0)


class Graph:
    """A graph on its way to being a model. Names are numbers in the order of writing, so equal calls give equal
    models."""

    def __init__(self) -> None:
        self._scopes: list[list[NodeProto]] = [[]]
        self._inputs: list[ValueInfoProto] = []
        self._constants: dict[tuple[int, tuple[int, ...], bytes], str] = {}
        self._initializers: list[TensorProto] = []
        self._names = 0

    def _name(self) -> str:
        self._names += 1
        return f"v{self._names}"

    def input(self, name: str, dtype: int, shape: Sequence[str | int], doc: str) -> Value:
        """An input of the graph."""
        self._inputs.append(helper.make_tensor_value_info(name, dtype, shape, doc_string=doc))
        return Value(self, name, dtype)

    def constant(self, values: npt.ArrayLike, dtype: int, name: str | None = None) -> Value:
        """A constant; those of equal contents are one, under the first one's name."""
        array = np.asarray(values, helper.tensor_dtype_to_np_dtype(dtype))
        key = dtype, array.shape, array.tobytes()
        if key not in self._constants:
            self._constants[key] = name or f"c{len(self._constants)}"
            self._initializers.append(numpy_helper.from_array(array, self._constants[key]))
        return Value(self, self._constants[key], dtype)

    def value(self, number: Value | int, dtype: int) -> Value:
        """A value as it is, a number as a constant of shape ()."""
        return number if isinstance(number, Value) else self.constant(number, dtype)

    def vector(self, *numbers: Value | int) -> Value:
        """Numbers as one int64 vector; values have shape () or (1,)."""
        known = [number for number in numbers if isinstance(number, int)]
        if len(known) == len(numbers):
            return self.constant(known, INT64)
        parts = [self.node("Reshape", [self.value(n, INT64), self.constant([1], INT64)], INT64) for n in numbers]
        return parts[0] if len(parts) == 1 else self.concat(*parts)

    def node(self, op: str, inputs: Sequence[Value], dtype: int, **attributes: Any) -> Value:
        """The output of a new node, of this type."""
        output = Value(self, self._name(), dtype)
        self._append(op, [value.name for value in inputs], [output.name], **attributes)
        return output

    def _append(self, op: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        """Nodes are called after their first outputs: onnxruntime 1.20 mixes up those without a name."""
        self._scopes[-1].append(helper.make_node(op, inputs, outputs, name=outputs[0], **attributes))

    def concat(self, *values: Value, axis: int = 0) -> Value:
        return self.node("Concat", values, values[0].dtype, axis=axis)

    def where(self, condition: Value, yes: Value | int, no: Value | int) -> Value:
        """One of the two is a value, which has the type of the result."""
        dtype = yes.dtype if isinstance(yes, Value) else no.dtype if isinstance(no, Value) else INT64
        return self.node("Where", [condition, self.value(yes, dtype), self.value(no, dtype)], dtype)

    def indices(self, condition: Value) -> Value:
        """Where a vector of conditions holds, int64, shape (n,)."""
        return self.node("NonZero", [condition], INT64).flat()

    def range(self, start: Value | int, end: Value | int, dtype: int = INT64) -> Value:
        """Numbers from start to before end, which have shape ()."""
        limits = [self.value(number, dtype).to(dtype) for number in (start, end, 1)]
        return self.node("Range", limits, dtype)

    def zeros(self, *shape: Value | int) -> Value:
        """Of int64."""
        zero = numpy_helper.from_array(np.zeros(1, np.int64))
        return self.node("ConstantOfShape", [self.vector(*shape)], INT64, value=zero)

    def loop(
        self,
        trips: Value,
        states: Sequence[Value],
        body: Callable[[Value, list[Value]], tuple[list[Value], list[Value]]],
    ) -> tuple[list[Value], list[Value]]:
        """What the states are after so many trips, and what the trips gave, stacked along a new axis 0.

        `body` gets the trip's number and the states, and returns the states after it and what it gives.
        """
        number, going = Value(self, self._name(), INT64), Value(self, self._name(), BOOL)
        inner = [Value(self, self._name(), state.dtype) for state in states]
        self._scopes.append([])
        after, given = body(number, inner)
        on = self.node("Identity", [going], BOOL)
        # An output of a body must be one of its own nodes.
        outputs = [on, *(self.node("Identity", [value], value.dtype) for value in (*after, *given))]
        heads = [
            helper.make_tensor_value_info(number.name, INT64, []),
            helper.make_tensor_value_info(going.name, BOOL, []),
            *(helper.make_tensor_value_info(state.name, state.dtype, None) for state in inner),
        ]
        graph = self._subgraph("body", heads, outputs)
        results = [Value(self, self._name(), value.dtype) for value in (*after, *given)]
        # Not every runtime takes a loop without a condition.
        inputs = [value.name for value in (trips, self.constant(True, BOOL), *states)]
        self._append("Loop", inputs, [value.name for value in results], body=graph)
        return results[: len(states)], results[len(states) :]

    def branches(
        self, condition: Value, yes: Callable[[], Sequence[Value]], no: Callable[[], Sequence[Value]]
    ) -> list[Value]:
        """What one of two functions gives, which give as many values of the same types."""
        graphs = []
        for name, choice in (("then", yes), ("else", no)):
            self._scopes.append([])
            outputs = [self.node("Identity", [value], value.dtype) for value in choice()]
            graphs.append(self._subgraph(name, [], outputs))
        results = [Value(self, self._name(), output.dtype) for output in outputs]
        names = [result.name for result in results]
        self._append("If", [condition.name], names, then_branch=graphs[0], else_branch=graphs[1])
        return results

    def _subgraph(self, name: str, inputs: list[ValueInfoProto], outputs: Sequence[Value]) -> GraphProto:
        infos = [helper.make_tensor_value_info(value.name, value.dtype, None) for value in outputs]
        return helper.make_graph(self._scopes.pop(), name, inputs, infos)

    def model(self, name: str, output: tuple[str, Value, Sequence[str | int], str], **properties: Any) -> ModelProto:
        """The finished model with one output: its name, value, shape and description."""
        label, value, shape, doc = output
        self._append("Identity", [value.name], [label])
        info = helper.make_tensor_value_info(label, value.dtype, shape, doc_string=doc)
        graph = helper.make_graph(self._scopes[0], name, self._inputs, [info], self._initializers)
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION, **properties)
