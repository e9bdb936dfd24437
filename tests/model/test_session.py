"""Where graphs run, and what is said when they do not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import make
import numpy as np
import onnx
import onnxruntime
import pytest

from rsvlm_geo.errors import MissingDependencyError, ModelWarning, PackError, ProviderError
from rsvlm_geo.model import load_model, open_session, providers
from rsvlm_geo.model.providers import PROVIDERS


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make.write_toy_pack(tmp_path_factory.mktemp("s") / "toy")
    return folder / "onnx/vision_encoder.onnx"


@pytest.fixture(autouse=True)
def _fresh_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "_said", set())


def changed(graph: Path, out: Path, change: Any) -> Path:
    model = onnx.load(graph)
    change(model)
    out.write_bytes(model.SerializeToString())
    return out


def test_a_session_says_where_it_runs(graph: Path) -> None:
    session = open_session(graph, "cpu", 1)
    assert session.provider == "cpu"
    assert session.inputs["pixel_values"].shape == ("b", 3, 8, 8)
    out = session(pixel_values=np.zeros((2, 3, 8, 8), np.float32))
    assert out["image_features"].shape == (2, 4, 16)


@pytest.mark.parametrize("name", [n for n in PROVIDERS if n != "cpu"])
def test_a_provider_that_is_not_there_is_an_error(graph: Path, name: str) -> None:
    if name in providers.available(onnxruntime):
        pytest.skip(f"{name} is here")
    with pytest.raises(ProviderError, match=f"provider '{name}' is not in this onnxruntime") as e:
        open_session(graph, name)
    assert "--provider auto" in str(e.value) and "doctor" in str(e.value)


def test_cuda_names_driver_wheel_and_major(graph: Path) -> None:
    if "cuda" in providers.available(onnxruntime):
        pytest.skip("CUDA is here")
    with pytest.raises(ProviderError) as caught:
        load_model(graph.parent.parent, provider="cuda")
    for word in ("driver", "rsvlm-geo[gpu]", "CUDA 13", "cuDNN 9"):
        assert word in str(caught.value)


def test_an_unknown_provider(graph: Path) -> None:
    with pytest.raises(ProviderError, match="no provider 'gpu'; take auto or one of tensorrt"):
        open_session(graph, "gpu")


class FakeRuntime(SimpleNamespace):
    """An ONNX Runtime with CUDA built in; ``behave`` decides what a session does."""

    def __init__(self, behave: str) -> None:
        super().__init__(__version__="9.9")
        self.behave = behave
        self.asked: list[list[str]] = []
        self.SessionOptions = onnxruntime.SessionOptions

    def get_available_providers(self) -> list[str]:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def preload_dlls(self, directory: str | None = None) -> None:
        print("Failed to load libcublas")

    def InferenceSession(self, path: str, options: Any, providers: Any, **more: Any) -> Any:
        names = [p if isinstance(p, str) else p[0] for p in providers]
        self.asked.append(names)
        if names[0] == "CUDAExecutionProvider":
            assert more["enable_fallback"] == 0
            if self.behave == "raise":
                raise RuntimeError("CUDA failure 35: CUDA driver version is insufficient")
            if self.behave == "silent":
                names = ["CPUExecutionProvider"]
        real = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return SimpleNamespace(
            get_providers=lambda: names, get_inputs=real.get_inputs, get_outputs=real.get_outputs,
            get_overridable_initializers=real.get_overridable_initializers, run=real.run,
        )  # fmt: skip


@pytest.mark.parametrize("behave", ["raise", "silent"])
def test_cuda_that_does_not_start_is_an_error_and_prints_nothing(
    graph: Path, behave: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = FakeRuntime(behave)
    monkeypatch.setattr(providers, "import_onnxruntime", lambda: fake)
    with pytest.raises(ProviderError, match="nvidia-smi"):
        open_session(graph, "cuda")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("behave", ["raise", "silent"])
def test_auto_falls_back_and_says_so(
    graph: Path, behave: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeRuntime(behave)
    monkeypatch.setattr(providers, "import_onnxruntime", lambda: fake)
    with pytest.warns(ModelWarning, match="not using cuda: .*nvidia-smi"):
        session = open_session(graph, "auto")
    assert session.provider == "cpu"
    assert [names[0] for names in fake.asked] == ["CUDAExecutionProvider", "CPUExecutionProvider"]


def test_auto_takes_cuda_when_it_runs(graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "import_onnxruntime", lambda: FakeRuntime("run"))
    assert open_session(graph, "auto").provider == "cuda"


def test_options_of_a_card() -> None:
    options = providers.provider_options("cuda", 1, 2048)
    assert options["device_id"] == "1" and options["gpu_mem_limit"] == str(2048 << 20)
    assert providers.provider_options("cpu", 1, 2048) == {}


def test_two_wheels_in_one_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "installed_wheels", lambda: ("onnxruntime", "onnxruntime-gpu"))
    with pytest.warns(ModelWarning, match=r"pip uninstall -y onnxruntime onnxruntime-gpu && pip"):
        providers.import_onnxruntime()


def test_an_emptied_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "require", lambda name, extra: SimpleNamespace())
    with pytest.raises(MissingDependencyError, match=r"installed but empty.*pip uninstall"):
        providers.import_onnxruntime()


def test_an_opset_too_new(graph: Path, tmp_path: Path) -> None:
    def newer(model: onnx.ModelProto) -> None:
        model.opset_import[0].version = 99

    path = changed(graph, tmp_path / "new.onnx", newer)
    with pytest.raises(PackError, match=r"new\.onnx is newer than onnxruntime .*--opset 18"):
        open_session(path)


def test_an_operator_nobody_has(graph: Path, tmp_path: Path) -> None:
    def strange(model: onnx.ModelProto) -> None:
        model.graph.node[3].op_type = "Frobnicate"

    path = changed(graph, tmp_path / "op.onnx", strange)
    with pytest.raises(ProviderError, match=r"op\.onnx needs an operator that cpu .*Frobnicate"):
        open_session(path)


def test_a_kernel_the_provider_lacks(tmp_path: Path) -> None:
    from onnx import TensorProto as T
    from onnx import helper as h

    kind = T.INT16
    graph = h.make_graph(
        [h.make_node("Relu", ["x"], ["y"])], "g",
        [h.make_tensor_value_info("x", kind, ["n"])], [h.make_tensor_value_info("y", kind, ["n"])],
    )  # fmt: skip
    path = tmp_path / "relu.onnx"
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 18)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ProviderError, match=r"relu\.onnx needs an operator.*another\s+provider"):
        open_session(path)


def test_what_is_no_graph(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    with pytest.raises(PackError, match="no graph at"):
        open_session(path)
    path.write_bytes(b"nonsense")
    with pytest.raises(PackError, match=r"cannot load .*x\.onnx"):
        open_session(path)


def test_threads_and_spinning(graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSVLM_THREADS", "1")
    monkeypatch.setenv("RSVLM_SPINNING", "0")
    options = open_session(graph, "cpu").ort.get_session_options()
    assert options.intra_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    options = open_session(graph, "cpu", 2, spinning=True).ort.get_session_options()
    assert options.intra_op_num_threads == 2
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "1"
