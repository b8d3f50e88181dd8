"""What can be told about a Keras model without running it: its shapes; from TensorFlow's graph matrix products, and what the backward pass needs.

Left out on purpose: other backends, temporaries, operations that are no matrix products (they are few).
"""

import math


def shapes_only(build):
    """Build a Keras model whose variables have shapes and never values, to count what would fill no memory here.

    Args:
        build: called without arguments; gives the model.

    Returns:
        what `build` gave. It cannot be run.
    """
    import keras

    with keras.StatelessScope(initialize_variables=False):
        model = build()
    keras.backend.clear_session()  # or Keras would give them values as soon as another model is built
    return model


def matrix_products(model, batch: int, context: int, training: bool = False) -> int:
    """Operations in the matrix products of one pass: a multiplication and an addition for each weight and row.

    Args:
        model: takes token ids (batch, context) and gives logits (batch, context, vocabulary).
        batch, context: the shape of the ids.
        training: count the backward pass too.
    """
    graph = _training_graph(model, batch, context)[0] if training else _forward_graph(model, batch, context)
    return sum(_products(operation) for operation in graph.get_operations())


def kept_for_backward(model, batch: int, context: int) -> int:
    """Bytes that the backward part of a training step reads from the forward part: the activations in memory between the two.

    Args:
        model, batch, context: as for `matrix_products`.
    """
    graph, split = _training_graph(model, batch, context)
    operations = graph.get_operations()
    forward, kept = set(operations[:split]), {}
    for operation in operations[split:]:
        for tensor in operation.inputs:
            while tensor.op.type in ("Reshape", "Identity", "ExpandDims"):  # the same bytes under another name
                tensor = tensor.op.inputs[0]
            # variables are not activations, not even transposed ones
            if tensor.op in forward and tensor.op.type not in (
                "Const",
                "Placeholder",
                "ReadVariableOp",
                "Transpose",
                "Cast",
            ):
                kept[tensor.name] = tensor.shape.num_elements() * tensor.dtype.size
    return sum(kept.values())


def _forward_graph(model, batch, context):
    import tensorflow as tf

    return tf.function(model).get_concrete_function(tf.TensorSpec((batch, context), "int32")).graph


def _training_graph(model, batch, context):
    """The graph of a training step, and how many of its operations belong to the forward pass."""
    import keras
    import tensorflow as tf

    crossentropy, split = keras.losses.SparseCategoricalCrossentropy(from_logits=True), []

    @tf.function
    def step(ids):
        with tf.GradientTape() as tape:
            loss = crossentropy(ids, model(ids))
        split.append(len(tf.compat.v1.get_default_graph().get_operations()))
        return tape.gradient(loss, model.trainable_variables)

    return step.get_concrete_function(tf.TensorSpec((batch, context), "int32")).graph, split[-1]


def _products(operation) -> int:
    if operation.type == "Einsum":
        letters = operation.get_attr("equation").decode().partition("->")[0].split(",")
        sizes = {}
        for names, tensor in zip(letters, operation.inputs, strict=True):
            sizes |= dict(zip(names, tensor.shape, strict=True))
        return 2 * math.prod(sizes.values()) if len(letters) > 1 else 0
    if operation.type in ("MatMul", "BatchMatMulV2"):
        transposed = operation.get_attr("transpose_a" if operation.type == "MatMul" else "adj_x")
        inner = operation.inputs[0].shape[-2 if transposed else -1]
        return 2 * operation.outputs[0].shape.num_elements() * inner
    return 0
