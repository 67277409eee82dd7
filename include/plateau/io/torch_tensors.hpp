#pragma once
/// The tensors of a file that torch.save wrote, told from its pickle without running anything.
///     zip { NAME/data.pkl: a pickle of a dictionary of tensors | NAME/data/KEY: the elements of a storage }
/// @see torch/serialization.py; https://docs.python.org/3/library/pickletools.html

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/io/tensor_table.hpp>

namespace plateau::io {

struct torch_tensors {
    /// Types are spelled as safetensors spells them. A tensor whose elements do not lie row after row in the file
    /// begins behind the file's end: in `gathered`.
    tensor_table tensors;
    std::vector<std::byte> gathered;
};

/// Reads the pickle. It is a closed reader: what a pickle may call is nothing but the few names of PyTorch that stand
/// for a plain tensor, which are known here by name and never called.
/// @param file   the bytes of the whole file
/// @param where  the file, for messages
/// @throws file_error on a pickle that asks for anything else (named), on values that are no tensors, tensors beyond
///         their storage, compressed or big-endian files, and the form before PyTorch 1.6 (with a command)
torch_tensors read_torch_tensors(std::span<std::byte const> file, std::string const& where);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/torch_tensors.ipp>
#endif
