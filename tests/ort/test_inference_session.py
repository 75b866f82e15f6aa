"""The names of ONNX Runtime, side by side with ONNX Runtime itself: the same script runs with either."""

from __future__ import annotations

import copy
import pickle
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnxruntime
import pytest
from onnx import TensorProto, helper
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

import sardonyx
from sardonyx.lowering.sdx import MAGIC

X = load_iris().data.astype(np.float32)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier as skl2onnx writes it, with a ZipMap at its end."""
    from skl2onnx import to_onnx

    labels = np.array(["setosa", "versicolor", "virginica"])[load_iris().target]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = to_onnx(LogisticRegression(max_iter=300).fit(X, labels), X[:1])
    model.doc_string, model.model_version, model.domain = "about flowers", 3, "test.example"
    helper.set_model_props(model, {"author": "nobody"})
    file = tmp_path_factory.mktemp("model") / "iris.onnx"
    file.write_bytes(model.SerializeToString())
    return file


@pytest.fixture(scope="module", params=[onnxruntime, sardonyx], ids=["onnxruntime", "sardonyx"])
def ort(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_a_script(ort: Any, path: Path) -> None:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    assert "CPUExecutionProvider" in ort.get_available_providers()
    session = ort.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])
    (given,), (label, probabilities) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type, given.shape) == ("X", "tensor(float)", [None, 4])
    assert (label.name, label.type, label.shape) == ("output_label", "tensor(string)", [None])
    assert (probabilities.type, probabilities.shape) == ("seq(map(string,tensor(float)))", [])
    labels, maps = session.run([label.name, probabilities.name], {given.name: X[:2]}, ort.RunOptions())
    assert labels.tolist() == ["setosa", "setosa"]
    assert [list(m) for m in maps] == [["setosa", "versicolor", "virginica"]] * 2
    assert abs(sum(maps[0].values()) - 1) < 1e-6
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert session.get_overridable_initializers() == []


def test_metadata(ort: Any, path: Path) -> None:
    meta = ort.InferenceSession(path.read_bytes()).get_modelmeta()
    assert (meta.producer_name, meta.domain, meta.description, meta.version) == (
        "skl2onnx", "test.example", "about flowers", 3)  # fmt: skip
    assert meta.custom_metadata_map == {"author": "nobody"}
    assert isinstance(meta.graph_name, str)


def softmax() -> bytes:
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", 4]) for n in "xy")
    graph = helper.make_graph([helper.make_node("Softmax", ["x"], ["y"])], "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    content: bytes = model.SerializeToString()
    return content


def test_bound_inputs_and_values(ort: Any) -> None:
    session = ort.InferenceSession(softmax())
    binding = session.io_binding()
    binding.bind_cpu_input("x", X[:3])
    binding.bind_output("y")
    session.run_with_iobinding(binding)
    (y,) = binding.copy_outputs_to_cpu()
    value = ort.OrtValue.ortvalue_from_numpy(X[:3])
    assert (value.shape(), value.device_name(), value.is_tensor()) == ([3, 4], "cpu", True)
    (again,) = session.run_with_ort_values(["y"], {"x": value})
    np.testing.assert_array_equal(again.numpy(), y)
    np.testing.assert_array_equal(session.run(None, {"x": X[:3]})[0], y)


def test_answers_are_onnx_runtimes(path: Path) -> None:
    ours, theirs = (m.InferenceSession(path).run(None, {"X": X}) for m in (sardonyx, onnxruntime))
    assert ours[0].tolist() == theirs[0].tolist()
    for a, b in zip(ours[1], theirs[1], strict=True):
        assert list(a) == list(b)
        np.testing.assert_allclose(list(a.values()), list(b.values()), rtol=1e-5, atol=1e-6)


def errors(ort: Any) -> Any:

    return ort.capi.onnxruntime_pybind11_state


def test_errors_have_the_same_names(ort: Any, path: Path) -> None:
    known = errors(ort)
    with pytest.raises(known.NoSuchFile, match="nowhere"):
        ort.InferenceSession("nowhere.onnx")
    with pytest.raises(known.InvalidProtobuf):
        ort.InferenceSession(b"this is no model")
    session = ort.InferenceSession(path)
    with pytest.raises(known.InvalidArgument):
        session.run(None, {"X": X[:, :2]})
    with pytest.raises((known.InvalidArgument, ValueError)):
        session.run(["nothing"], {"X": X})
    with pytest.raises((known.InvalidArgument, ValueError)):
        session.run(None, {"Y": X})
    with pytest.raises(TypeError):
        ort.InferenceSession(3)


def test_errors_are_ours_too() -> None:
    known = errors(sardonyx)
    assert issubclass(known.InvalidArgument, sardonyx.InputError)
    kinds = [getattr(known, name) for name in known.__all__]
    raised = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(raised) > 8
    assert all(issubclass(kind, sardonyx.SardonyxError) for kind in raised)


def unknown_operator() -> bytes:
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N"]) for n in "xy")
    graph = helper.make_graph([helper.make_node("Nonsense", ["x"], ["y"], domain="nobody")], "g", [x], [y])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("nobody", 1)]
    content: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()
    return content


def test_an_unknown_operator_is_refused(ort: Any) -> None:
    known = errors(ort)
    with pytest.raises((known.Fail, known.InvalidGraph, known.NotImplemented)):
        ort.InferenceSession(unknown_operator())


def test_missing_text_is_written_out(ort: Any) -> None:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import StringTensorType

    texts = np.array([["a"], ["b"], ["nan"]], object)
    model = to_onnx(OneHotEncoder().fit(texts), initial_types=[("X", StringTensorType([None, 1]))])
    session = ort.InferenceSession(model.SerializeToString())
    (y,) = session.run(None, {"X": np.array([["a"], [np.nan]], object)})
    assert y.tolist() == [[1, 0, 0], [0, 0, 1]]


def test_what_means_nothing_is_accepted_with_a_warning(path: Path) -> None:
    options = sardonyx.SessionOptions()
    options.log_severity_level = 3  # changes nothing: not worth a word
    with pytest.warns(UserWarning, match="enable_profiling means nothing"):
        options.enable_profiling = True
    with pytest.warns(UserWarning, match="session.intra_op.allow_spinning"):
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    with pytest.raises(AttributeError, match="no setting 'threads'; it has intra_op_num_threads"):
        options.threads = 2
    with pytest.warns(UserWarning, match="CUDAExecutionProvider"):
        session = sardonyx.InferenceSession(path, options, providers=[("CUDAExecutionProvider", {"device_id": 0})])
    assert session.get_providers() == ["CPUExecutionProvider"]


def test_threads_are_honoured(path: Path) -> None:
    options = sardonyx.SessionOptions()
    options.intra_op_num_threads = 1
    assert "up to 1 threads" in sardonyx.InferenceSession(path, options).explain()


def external(directory: Path, location: str) -> Path:
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", 2]) for n in "xy")
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2, 2], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", "0"), ("length", "16")):
        weight.external_data.add(key=key, value=value)
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [x], [y], [weight])
    file = directory / "model.onnx"
    file.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString())
    return file


def test_external_data_lie_beside_the_model(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    np.array([1, 2, 3, 4], np.float32).tofile(inside / "w.bin")
    np.array([1, 2, 3, 4], np.float32).tofile(tmp_path / "secret.bin")
    session = sardonyx.InferenceSession(external(inside, "w.bin"))
    assert session.run(None, {"x": np.eye(2, dtype=np.float32)})[0].tolist() == [[1, 2], [3, 4]]
    (inside / "link.bin").symlink_to(tmp_path / "secret.bin")
    for hostile in ("../secret.bin", str(tmp_path / "secret.bin"), "link.bin", "missing.bin", ""):
        file = external(inside, hostile)
        with pytest.raises(sardonyx.ModelError, match=r"model\.onnx: the model's external data cannot be read"):
            sardonyx.load(file)
    with pytest.raises(sardonyx.ModelError, match=r"in other files \(w\.bin\); load it by its path"):
        sardonyx.load(external(inside, "w.bin").read_bytes())  # bytes have no folder


@pytest.mark.parametrize("opset", [7, 9, 11, 13, 18])
@pytest.mark.parametrize("ir", [3, 4, 8])
def test_old_opsets_and_formats(opset: int, ir: int) -> None:
    """Before IR 4, initializers are inputs too."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2])
    w = helper.make_tensor_value_info("w", TensorProto.FLOAT, [2, 2])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 2])
    weight = onnx.numpy_helper.from_array(np.array([[1, 2], [3, 4]], np.float32), "w")
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"] if opset < 11 else ["x", "w"], ["g"]),
        helper.make_node("Softmax", ["g"], ["y"], axis=1),
    ]
    bias = onnx.numpy_helper.from_array(np.zeros(2, np.float32), "b")
    inputs = [x, w, helper.make_tensor_value_info("b", TensorProto.FLOAT, [2])] if ir < 4 else [x]
    graph = helper.make_graph(nodes, "g", inputs, [y], [weight, bias])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
    rows = {"x": np.array([[1, 0], [0.5, -1]], np.float32)}
    ours, theirs = (m.InferenceSession(model.SerializeToString()) for m in (sardonyx, onnxruntime))
    assert [i.name for i in ours.get_inputs()] == ["x"]
    np.testing.assert_allclose(ours.run(None, rows)[0], theirs.run(None, rows)[0], rtol=1e-6)


def test_values_are_arrays(ort: Any) -> None:
    value = ort.OrtValue.ortvalue_from_numpy(X[:2])
    assert (value.data_type(), value.element_type(), value.shape()) == ("tensor(float)", 1, [2, 4])
    assert value.tensor_size_in_bytes() == X[:2].nbytes
    assert not value.is_sparse_tensor()
    assert not value.is_tensor_sequence()
    empty = ort.OrtValue.ortvalue_from_shape_and_type([2, 4], np.float32)
    empty.update_inplace(X[:2])
    np.testing.assert_array_equal(empty.numpy(), X[:2])
    assert ort.OrtValue.ortvalue_from_shape_and_type([1], 11).numpy().dtype == np.float64


def doubling() -> bytes:
    """A model of one operator."""
    text = '<ir_version: 9, opset_import: ["": 18]> g (float[N,4] x) => (float[N,4] y) { y = Add(x, x) }'
    content: bytes = onnx.parser.parse_model(text).SerializeToString()
    return content


def test_memory_is_bound_by_address(ort: Any) -> None:
    session, x, y = ort.InferenceSession(doubling()), X[:3].copy(), np.zeros((3, 4), np.float32)
    binding = session.io_binding()
    binding.bind_input("x", "cpu", 0, np.float32, x.shape, x.ctypes.data)
    binding.bind_output("y", "cpu", 0, np.float32, y.shape, y.ctypes.data)
    session.run_with_iobinding(binding)
    np.testing.assert_array_equal(y, 2 * x)
    value = ort.OrtValue.ortvalue_from_numpy(np.zeros((3, 4), np.float32))
    binding.clear_binding_outputs()
    binding.bind_ortvalue_output("y", value)
    session.run_with_iobinding(binding)
    np.testing.assert_array_equal(value.numpy(), 2 * x)
    np.testing.assert_array_equal(binding.get_outputs()[0].numpy(), 2 * x)


def test_memory_that_does_not_fit_is_refused() -> None:
    session, y = sardonyx.InferenceSession(doubling()), np.zeros((3, 4))
    binding, state = session.io_binding(), sardonyx.capi.onnxruntime_pybind11_state
    binding.bind_cpu_input("x", X[:3])
    binding.bind_output("y", "cpu", 0, np.float64, y.shape, y.ctypes.data)
    with pytest.raises(state.InvalidArgument, match=r"float32 of shape \[3, 4\]; it is bound to float64"):
        session.run_with_iobinding(binding)
    with pytest.raises(state.InvalidArgument, match="needs its element_type and shape"):
        binding.bind_output("y", "cpu", 0, buffer_ptr=y.ctypes.data)
    with pytest.raises(state.InvalidArgument, match="text has no address"):
        binding.bind_input("x", "cpu", 0, np.object_, [3, 4], y.ctypes.data)
    with pytest.raises(state.InvalidArgument, match="there is no device"):
        binding.bind_input("x", "cuda", 0, np.float32, [3, 4], y.ctypes.data)
    with pytest.raises(state.InvalidArgument, match="give the same"):
        sardonyx.OrtValue.ortvalue_from_numpy(y).update_inplace(y[:1])


def test_what_scripts_say_by_the_way(ort: Any) -> None:
    options = ort.SessionOptions()
    options.add_free_dimension_override_by_name("batch", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ours says that it means nothing
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    ort.set_seed(0)
    ort.set_default_logger_verbosity(0)
    ort.disable_telemetry_events()
    assert ort.get_version_string()
    assert ort.get_build_info()
    session = ort.InferenceSession(doubling(), options)
    session.disable_fallback()
    session.enable_fallback()


def test_what_cannot_be_is_refused() -> None:
    options, state = sardonyx.SessionOptions(), sardonyx.capi.onnxruntime_pybind11_state
    with pytest.raises(state.InvalidArgument, match="no entry"):
        options.get_session_config_entry("nothing")
    with pytest.raises(state.NotImplemented, match=r"custom\.so"):
        options.register_custom_ops_library("custom.so")
    with pytest.raises(state.NotImplemented, match="part of the file"):
        options.add_initializer("w", sardonyx.OrtValue.ortvalue_from_numpy(np.zeros(1)))


def test_a_call_in_another_thread(ort: Any) -> None:
    session, done, heard = ort.InferenceSession(doubling()), threading.Event(), []

    def hear(results: Any, user_data: Any, error: str) -> None:
        heard.append((results, user_data, error))
        done.set()

    session.run_async(["y"], {"x": X[:2]}, hear, "mine")
    assert done.wait(20)
    ((results, user_data, error),) = heard
    np.testing.assert_array_equal(results[0], 2 * X[:2])
    assert (user_data, error) == ("mine", "")


def test_many_threads_call_one_session(ort: Any) -> None:
    session, results = ort.InferenceSession(doubling()), [np.zeros(0)] * 8

    def call(i: int) -> None:
        for _ in range(20):
            (results[i],) = session.run(None, {"x": X[i : i + 3]})

    threads = [threading.Thread(target=call, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, result in enumerate(results):
        np.testing.assert_array_equal(result, 2 * X[i : i + 3])


WRONG: dict[str, tuple[Any, Any, str]] = {
    "missing": (None, {}, r"Required inputs \(\['x'\]\) are missing from input feed"),
    "unknown input": (None, {"x": X[:1], "q": X[:1]}, "Invalid input name: q"),
    "unknown output": (["q"], {"x": X[:1]}, "Invalid output name:q"),
    "rank": (None, {"x": X[0]}, "Invalid rank for input: x"),
    "size": (None, {"x": X[:, :2]}, "Got invalid dimensions for input: x"),
    "type": (None, {"x": X[:1].astype(np.float64) + 0.1}, r"Unexpected input data type. Actual: \(tensor\(double\)\)"),
}


@pytest.mark.parametrize("case", WRONG)
def test_errors_begin_alike(ort: Any, case: str) -> None:
    names, feeds, text = WRONG[case]
    with pytest.raises((errors(ort).InvalidArgument, ValueError), match=text):
        ort.InferenceSession(doubling()).run(names, feeds)


def test_values_are_fed_and_outputs_asked_for_twice(ort: Any) -> None:
    session = ort.InferenceSession(doubling())
    value = ort.OrtValue.ortvalue_from_numpy(X[:2])
    for result in session.run(["y", "y"], {"x": value}):
        np.testing.assert_array_equal(result, 2 * X[:2])


def test_numbers_among_texts_are_written_out(ort: Any) -> None:
    node = helper.make_node(
        "LabelEncoder", ["x"], ["y"], domain="ai.onnx.ml", keys_strings=["1", "2.5", "a"], values_int64s=[1, 2, 3]
    )
    x, y = (
        helper.make_tensor_value_info(n, t, ["N"]) for n, t in (("x", TensorProto.STRING), ("y", TensorProto.INT64))
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(helper.make_graph([node], "g", [x], [y]), opset_imports=opsets, ir_version=9)
    texts = np.array([1, 2.5, "a", "é"], object)
    assert ort.InferenceSession(model.SerializeToString()).run(None, {"x": texts})[0].tolist() == [1, 2, 3, -1]


def test_names_that_are_bound_must_be_the_models(ort: Any) -> None:
    with pytest.raises(RuntimeError, match="nothing"):
        ort.InferenceSession(doubling()).io_binding().bind_cpu_input("nothing", X)


def test_sessions_are_copied_and_pickled() -> None:
    session = sardonyx.InferenceSession(doubling())
    for other in (copy.copy(session), copy.deepcopy(session), pickle.loads(pickle.dumps(session))):
        np.testing.assert_array_equal(other.run(None, {"x": X})[0], 2 * X)


def test_more_names_of_its_modules(ort: Any) -> None:
    state = ort.capi.onnxruntime_pybind11_state
    assert "CPUExecutionProvider" in state.get_available_providers()
    options = state.SessionOptions()
    options.execution_order = ort.ExecutionOrder.DEFAULT
    assert options.log_severity_level == ort.SessionOptions().log_severity_level
    assert ort.OrtValue.ortvalue_from_numpy_with_onnx_type(np.zeros(2, np.uint16), TensorProto.BFLOAT16).shape() == [2]


def parsed(text: str, ir: int = 8) -> bytes:
    content: bytes = onnx.parser.parse_model(
        f'<ir_version: {ir}, opset_import: ["": 18, "ai.onnx.ml": 3]> {text}'
    ).SerializeToString()
    return content


OVERRIDABLE = """g (float[N,2] x, float[2] w, float b) => (float[N,2] y) <float[2] w = {1, 2}, float b = {0.5}> {
    z = Mul(x, w) y = Add(z, b) }"""


def test_values_in_the_file_may_be_given(ort: Any) -> None:
    session = ort.InferenceSession(parsed(OVERRIDABLE))
    assert [arg.name for arg in session.get_inputs()] == ["x"]
    found = {arg.name: (arg.type, arg.shape) for arg in session.get_overridable_initializers()}
    assert found == {"w": ("tensor(float)", [2]), "b": ("tensor(float)", [])}
    x, w, b = X[:3, :2], np.array([3, -1], np.float32), np.array(2, np.float32)
    for feeds, y in (({}, x * [1, 2] + 0.5), ({"w": w}, x * w + 0.5), ({"w": w, "b": b}, x * w + b)):
        (result,) = session.run(None, {"x": x, **feeds})
        np.testing.assert_allclose(result, y, rtol=1e-6)
    with pytest.raises((errors(ort).InvalidArgument, ValueError)):
        session.run(None, {"x": x, "w": X[0]})
    assert ort.InferenceSession(parsed(OVERRIDABLE, ir=3)).get_overridable_initializers() == []


def test_sequences_and_maps_of_other_types_are_refused() -> None:
    text = "g (seq(float[N]) x) => (float[M] y) { y = ConcatFromSequence<axis=0>(x) }"
    session = sardonyx.InferenceSession(parsed(text))
    (y,) = session.run(None, {"x": [np.array([1.0, 2.0]), np.array([3], np.float32)]})
    assert y.dtype == np.float32
    with pytest.raises(sardonyx.InputError, match="a sequence of float32"):
        session.run(None, {"x": [np.array([0.1])]})
    text = 'g (map(int64,float) x) => (float[1,3] y) { y = ai.onnx.ml.CastMap<map_form="SPARSE", max_map=3>(x) }'
    session = sardonyx.InferenceSession(parsed(text))
    assert session.run(None, {"x": {1: 2.0}})[0].tolist() == [[0, 2, 0]]
    with pytest.raises(sardonyx.InputError, match="keys are integers"):
        session.run(None, {"x": {"1": 2.0}})


def test_texts_in_a_list_are_written_out(ort: Any) -> None:
    session = ort.InferenceSession(parsed("g (string[N] x) => (string[N] y) { y = Identity(x) }"))
    for given, expected in ((["a", "b"], ["a", "b"]), ([1, 2], ["1", "2"]), ([None], ["None"])):
        assert session.run(None, {"x": given})[0].tolist() == expected


def test_settings_have_types(ort: Any) -> None:
    options = ort.SessionOptions()
    for name, value in (("intra_op_num_threads", "a"), ("graph_optimization_level", "x"), ("execution_mode", 3)):
        with pytest.raises(TypeError):
            setattr(options, name, value)
    assert str(ort.ExecutionMode.ORT_PARALLEL) == "ExecutionMode.ORT_PARALLEL"
    session = ort.InferenceSession(doubling(), providers=["CPUExecutionProvider"])
    with pytest.raises(TypeError):
        session.run(None, {"x": X}, 5)


def test_a_call_in_another_thread_needs_inputs() -> None:
    session = sardonyx.InferenceSession(doubling())
    with pytest.raises(ValueError, match="Required inputs"):
        session.run_async(None, {}, print, None)
    with pytest.raises(TypeError, match="cannot be called"):
        session.run_async(None, {"x": X}, None, None)  # type: ignore[arg-type]


def test_values_are_arrays_to_others(ort: Any) -> None:
    value = ort.OrtValue.ortvalue_from_numpy(X[:2])
    np.testing.assert_array_equal(np.asarray(value), X[:2])
    np.testing.assert_array_equal(np.from_dlpack(value), X[:2])


def test_other_devices(ort: Any) -> None:
    device = ort.OrtDevice.make("cpu", 0)
    assert (device.device_type(), device.device_id()) == (0, 0)
    info = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(info, None)
    assert issubclass(errors(ort).NotFound, Exception)


def test_what_is_for_other_devices_says_so() -> None:
    with pytest.raises(AttributeError, match="ahead of time"):
        _ = sardonyx.LoraAdapter
    with pytest.raises(sardonyx.capi.onnxruntime_pybind11_state.NotImplemented, match="SciPy"):
        sardonyx.SparseTensor.sparse_coo_from_numpy([2], np.ones(1), np.zeros(1, np.int64), None)
    with pytest.raises(sardonyx.InputError, match="no device 'cuda'"):
        sardonyx.OrtDevice.make("cuda", 0)


def test_more_of_its_modules() -> None:
    from sardonyx.capi import _pybind_state, onnxruntime_inference_collection

    assert onnxruntime_inference_collection.InferenceSession is sardonyx.InferenceSession
    assert _pybind_state.get_device() == "CPU"


def test_opsets_of_a_future_are_refused() -> None:
    model = onnx.load_model_from_string(doubling())
    model.opset_import[0].version = 999
    with pytest.raises(sardonyx.ModelError, match="opset 999"):
        sardonyx.InferenceSession(model.SerializeToString())


def test_a_compiled_program_is_sent_to_load(tmp_path: Path) -> None:
    path = tmp_path / "model.sdx"
    path.write_bytes(MAGIC + bytes(100))
    with pytest.raises(errors(sardonyx).InvalidProtobuf, match=r"model\.sdx failed: .*sardonyx\.load runs it"):
        sardonyx.InferenceSession(path)
