"""Makes golden/gguf: small files written by the Python package gguf, and the values that it reads from them.

    pip install gguf numpy        (made with gguf 0.19)
    python make_tokenizer_golden.py; python make_gguf_golden.py

golden/gguf/
    every_type.gguf       random blocks of every supported type, and metadata of every value type
    every_type.f32        float32: gguf.quants.dequantize of each tensor (F64: as GGUFReader gives it, rounded), in the order of their names
    split-*-of-*.gguf     the tensors of every_type.gguf in three parts, as GGUFWriter splits
    tiny_llama.gguf       a Llama with the row order of llama.cpp's converter, and the tokenizer of golden/tokenizer/digits.json
    tiny_llama.f32        float32: its tensors in the order of their Hugging Face names, in Hugging Face's row order
"""
import json
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader, GGUFWriter, GGUFValueType, TokenType
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize, quantize

FOLDER = Path(__file__).parent / "gguf"
draw = np.random.default_rng(20)


# Where the binary16 scales of a block are.
SCALES = {Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q5_1: [0, 2], Type.Q8_0: [0], Type.Q2_K: [80, 82], Type.Q3_K: [108], Type.Q4_K: [0, 2],
          Type.Q5_K: [0, 2], Type.Q6_K: [208], Type.IQ4_NL: [0], Type.IQ4_XS: [0]}


def halves(count, draw=draw):
    """Finite binary16 numbers of every exponent, subnormal ones and both zeros too."""
    bits = draw.integers(0, 0x7C00, count).astype(np.uint16) | (draw.integers(0, 2, count).astype(np.uint16) << 15)
    bits[:2] = [0x0000, 0x8000][:count]
    return bits.view(np.uint8).reshape(count, 2)


def blocks(kind, count, draw=draw):
    """Random bytes with finite scales."""
    data = draw.integers(0, 256, (count, GGML_QUANT_SIZES[kind][1]), dtype=np.uint8)
    for number, at in enumerate(SCALES[kind]):
        data[:, at:at + 2] = halves(count, draw) if number == 0 else draw.permutation(halves(count, draw))
    return data


def values_of(tensor):
    """Of a tensor as GGUFReader gives it."""
    return tensor.data if tensor.tensor_type == Type.F64 else dequantize(tensor.data, tensor.tensor_type)


def write(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def every_type():
    whole = GGUFWriter(FOLDER / "every_type.gguf", "none")
    add_every_type(whole, draw, np.random.default_rng(21))
    write(whole)
    parts = GGUFWriter(FOLDER / "split.gguf", "none", split_max_tensors=6)
    add_every_type(parts, np.random.default_rng(20), np.random.default_rng(21))
    write(parts)
    tensors = {t.name: values_of(t) for t in GGUFReader(FOLDER / "every_type.gguf").tensors}
    assert all(np.isfinite(values).all() for values in tensors.values())
    np.concatenate([tensors[name].ravel().astype("<f4") for name in sorted(tensors)]).tofile(FOLDER / "every_type.f32")


def add_every_type(writer, draw, later):
    for kind, value in [("uint8", 200), ("int8", -100), ("uint16", 60000), ("int16", -30000), ("uint32", 4000000000), ("int32", -2000000000),
                        ("uint64", 2**63), ("int64", -2**62), ("float32", 0.1), ("float64", 0.1), ("bool", True), ("string", "Größe")]:
        getattr(writer, "add_" + kind)("test." + kind, value)
    writer.add_array("test.strings", ["", "a", "ß"])
    writer.add_array("test.integers", [1, -2, 3])
    writer.add_array("test.floats", [0.5, -0.25])
    writer.add_key_value("test.bytes", [1, 2, 255], GGUFValueType.ARRAY, sub_type=GGUFValueType.UINT8)
    writer.add_tensor("f32", draw.standard_normal((2, 3, 5)).astype(np.float32))
    writer.add_tensor("f16", halves(21, draw).reshape(7, 3, 2).view(np.float16).reshape(7, 3))
    bf16 = draw.integers(0, 0x7F80, 11).astype(np.uint16) | (draw.integers(0, 2, 11).astype(np.uint16) << 15)
    writer.add_tensor("bf16", bf16.view(np.uint8), raw_dtype=Type.BF16)
    for kind in (Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0, Type.Q4_K, Type.Q6_K):
        rows, columns = (2, 3) if GGML_QUANT_SIZES[kind][0] == 256 else (5, 4)
        writer.add_tensor(kind.name.lower(), blocks(kind, rows * columns, draw).reshape(rows, -1), raw_dtype=kind)
    for kind in (Type.Q2_K, Type.Q3_K, Type.Q5_K, Type.IQ4_NL, Type.IQ4_XS):
        rows, columns = (2, 3) if GGML_QUANT_SIZES[kind][0] == 256 else (5, 4)
        writer.add_tensor(kind.name.lower(), blocks(kind, rows * columns, later).reshape(rows, -1), raw_dtype=kind)
    writer.add_tensor("f64", later.standard_normal((5, 7)))


def permute(weights, heads):
    """LlamaModel.permute of llama.cpp's convert_hf_to_gguf.py."""
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def tiny_llama():
    tokenizer = json.loads((FOLDER.parent / "tokenizer" / "digits.json").read_text(encoding="utf-8"))
    tokens = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].get)
    special = {token["content"] for token in tokenizer["added_tokens"]}
    width, mlp, heads, kv_heads, head = 32, 32, 3, 1, 8
    writer = GGUFWriter(FOLDER / "tiny_llama.gguf", "llama")
    writer.add_context_length(128)
    writer.add_block_count(1)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(mlp)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_rope_freq_base(50000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.CONTROL if token in special else TokenType.NORMAL for token in tokens])
    writer.add_token_merges(tokenizer["model"]["merges"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_add_bos_token(True)
    expected = {}

    def add(stored, name, shape, kind=Type.F32, permuted_heads=0):
        data = quantize(draw.standard_normal(shape).astype(np.float32), kind)
        expected[name] = dequantize(data, kind)
        # Blocks lie within rows, so permuting rows of blocks permutes rows of values.
        writer.add_tensor(stored, permute(data, permuted_heads) if permuted_heads else data, raw_dtype=None if kind == Type.F32 else kind)

    add("token_embd.weight", "model.embed_tokens.weight", (len(tokens), width), Type.Q4_0)
    add("output_norm.weight", "model.norm.weight", (width,))
    block, layer = "blk.0.", "model.layers.0."
    add(block + "attn_norm.weight", layer + "input_layernorm.weight", (width,))
    add(block + "attn_q.weight", layer + "self_attn.q_proj.weight", (heads * head, width), Type.Q8_0, heads)
    add(block + "attn_q.bias", layer + "self_attn.q_proj.bias", (heads * head,), Type.F32, heads)
    add(block + "attn_k.weight", layer + "self_attn.k_proj.weight", (kv_heads * head, width), Type.Q4_1, kv_heads)
    add(block + "attn_k.bias", layer + "self_attn.k_proj.bias", (kv_heads * head,), Type.F32, kv_heads)
    add(block + "attn_v.weight", layer + "self_attn.v_proj.weight", (kv_heads * head, width), Type.Q5_0)
    add(block + "attn_v.bias", layer + "self_attn.v_proj.bias", (kv_heads * head,))
    add(block + "attn_output.weight", layer + "self_attn.o_proj.weight", (width, heads * head))
    add(block + "ffn_norm.weight", layer + "post_attention_layernorm.weight", (width,))
    add(block + "ffn_gate.weight", layer + "mlp.gate_proj.weight", (mlp, width), Type.Q5_1)
    add(block + "ffn_up.weight", layer + "mlp.up_proj.weight", (mlp, width), Type.BF16)
    add(block + "ffn_down.weight", layer + "mlp.down_proj.weight", (width, mlp), Type.F16)
    write(writer)
    np.concatenate([expected[name].astype(np.float32).ravel() for name in sorted(expected)]).astype("<f4").tofile(FOLDER / "tiny_llama.f32")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    every_type()
    tiny_llama()
