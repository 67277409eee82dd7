#pragma once
/// Names of PyTorch in a pickle of plain tensors: element types, and what rebuilds a tensor from its storage.

namespace plateau::io::detail {

struct torch_type {
    char const *storage, *type;  ///< torch.STORAGEStorage, torch.TYPE
    char const* stored;          ///< as safetensors spells it
    unsigned width;              ///< bytes
};

inline constexpr torch_type torch_types[]{
    {"Float", "float32", "F32", 4},
    {"BFloat16", "bfloat16", "BF16", 2},
    {"Half", "float16", "F16", 2},
    {"Double", "float64", "F64", 8},
    {"Long", "int64", "I64", 8},
    {"Int", "int32", "I32", 4},
    {"Short", "int16", "I16", 2},
    {"Char", "int8", "I8", 1},
    {"Byte", "uint8", "U8", 1},
    {"Bool", "bool", "BOOL", 1},
    {"ComplexFloat", "complex64", "C64", 8},
    {"", "float8_e4m3fn", "F8_E4M3", 1},
    {"", "float8_e5m2", "F8_E5M2", 1},
    {"", "uint16", "U16", 2},
    {"", "uint32", "U32", 4},
    {"", "uint64", "U64", 8},
};

/// What a pickle may name beside the types.
enum torch_name : int { ordered_dict, size, untyped, parameter, tensor, tensor_v2, tensor_v3, first_type };
inline constexpr char const* torch_names[first_type][2]{
    {"collections", "OrderedDict"},         {"torch", "Size"},
    {"torch.storage", "UntypedStorage"},    {"torch._utils", "_rebuild_parameter"},
    {"torch._utils", "_rebuild_tensor"},    {"torch._utils", "_rebuild_tensor_v2"},
    {"torch._utils", "_rebuild_tensor_v3"},
};

}  // namespace plateau::io::detail
