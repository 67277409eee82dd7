"""Makes golden/torch: small files of torch.save, whole and not to be read, and the tensors of the whole ones as safetensors.

    pip install torch safetensors        (made with torch 2.14)
    python make_torch_files.py

NAME.bin and NAME.safetensors hold the same tensors. refused_NAME.bin must be refused; none of them does harm if it is not.
"""
import io
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).parent / "torch"


def tensors():
    torch.manual_seed(0)
    shared = torch.randn(3, 4)
    return OrderedDict({
        "f32": shared, "again": shared, "row": shared[1], "columns": shared.t(), "some": torch.arange(24.).reshape(2, 3, 4)[:, ::2, 1:],
        "permuted": torch.arange(24.).reshape(2, 3, 4).permute(2, 0, 1), "repeated": torch.tensor([1.5, 2.5]).expand(3, 2),
        "parameter": torch.nn.Parameter(torch.randn(5)), "scalar": torch.tensor(2.25), "none": torch.zeros(0, 3),
        "f64": torch.randn(2, dtype=torch.float64), "f16": torch.randn(3).half(), "bf16": torch.randn(3).bfloat16(),
        "i64": torch.tensor([-1, 2**40]), "i32": torch.tensor([[7]], dtype=torch.int32), "i16": torch.tensor([3], dtype=torch.int16),
        "i8": torch.tensor([-3], dtype=torch.int8), "u8": torch.tensor([200], dtype=torch.uint8), "bool": torch.tensor([True, False]),
        "f8": torch.tensor([1., 2.]).to(torch.float8_e4m3fn), "größe": torch.ones(1)})


class evil:
    def __reduce__(self): return (print, ("a pickle was run",))


class object_with_state:
    def __init__(self): self.x = 1


def archive(pickled, order=b"little", compression=zipfile.ZIP_STORED, data=b"\0" * 16):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file:
        for name, content in (("data.pkl", pickled), ("byteorder", order), ("data/0", data), ("version", b"3\n")):
            file.writestr(zipfile.ZipInfo("archive/" + name), content, compression)
    return out.getvalue()


def of(size, stride, offset=0, kind="FloatStorage", name=b"x", marks=()):
    """A dictionary of one tensor on a storage of four floats."""
    class place:
        pass

    class pickler(pickle.Pickler):
        def persistent_id(self, one):
            return ("storage", getattr(torch, kind), "0", "cpu", 4) if isinstance(one, place) else None

        def reducer_override(self, one):
            return (torch._utils._rebuild_tensor_v2, (one.where, offset, size, stride, False, OrderedDict(), *marks)) if isinstance(one, tensor) else NotImplemented

    class tensor:
        where = place()

    out = io.BytesIO()
    pickler(out, 2).dump({name.decode(): tensor()})
    return out.getvalue()


for protocol in (2, 3, 4, 5):
    file = FOLDER / f"protocol_{protocol}.bin"
    state = tensors()
    state._metadata = OrderedDict({"": {"version": 1}})
    torch.save(state if protocol % 2 == 0 else dict(state), file, pickle_protocol=protocol)
save_file({name: one.detach().clone(memory_format=torch.contiguous_format).reshape(one.shape) for name, one in tensors().items()}, FOLDER / "tensors.safetensors")

torch.save({"x": torch.ones(2)}, FOLDER / "refused_older.bin", _use_new_zipfile_serialization=False)
torch.save({"epoch": 3, "model": {"x": torch.ones(2)}, "optimizer": {"state": {0: {"step": torch.ones(1)}}}}, FOLDER / "refused_training.bin")
for name, content in {
        "call": archive(pickle.dumps({"x": evil()}, 2)), "call_4": archive(pickle.dumps({"x": evil()}, 4)),
        "object": archive(pickle.dumps({"x": object_with_state()}, 2)), "big_endian": archive(of((2,), (1,)), b"big"),
        "compressed": archive(of((2,), (1,)), compression=zipfile.ZIP_DEFLATED), "list": archive(pickle.dumps([1, 2], 2)),
        "number": archive(pickle.dumps({"x": 1}, 2)), "numbered": archive(pickle.dumps({0: 1}, 2)), "nested": archive(pickle.dumps({"state_dict": {"x": 1}}, 2)),
        "beyond": archive(of((5,), (1,))), "beyond_stride": archive(of((2, 2), (3, 1))), "beyond_offset": archive(of((2,), (1,), 3)),
        "negative": archive(of((2,), (-1,), 1)), "negated": archive(of((2,), (1,), marks=({"neg": True},))), "ranks": archive(of((2, 1), (1,))), "huge": archive(of((2**40, 2**40), (0, 0))),
        "bomb": archive(of((2**33, 2), (0, 1))), "overflow": archive(of((2**62, 4), (0, 0))), "offset": archive(of((1,), (1,), -1)),
        "storage": archive(of((1,), (1,), kind="QInt8Storage")), "text": archive(b"I1\n."), "endless": archive(b"\x80\x02(((((")}.items():
    (FOLDER / f"refused_{name}.bin").write_bytes(content)
(FOLDER / "one.bin").write_bytes(archive(of((2, 2), (1, 2))))
