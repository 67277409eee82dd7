#pragma once
/// Bodies of io/safetensors_file.hpp.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <plateau/core/dtype.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/io/safetensors_file.hpp>
#include <plateau/io/safetensors_header.hpp>
#include <plateau/io/tensor_table.hpp>
#if PLATEAU_TORCH_FILES
#include <plateau/io/torch_tensors.hpp>
#endif

namespace plateau::io {

PLATEAU_INLINE safetensors_file::safetensors_file(std::filesystem::path const& path) : file_{path} {
    std::string const where = path.string();
    auto const text = file_.text();  // a zip, or what torch.save wrote before PyTorch 1.6, begins so
    if (text.starts_with("<!") || text.starts_with("<html") || text.starts_with("<HTML"))
        throw file_error(where, ": this is an HTML page: the download failed; fetch the file again");
    bool const safetensors = text.size() > 8 && text[8] == '{' && text[7] == '\0';
    bool const torch = (where.ends_with(".bin") && !safetensors) || text.starts_with("PK\3\4") ||
                       text.starts_with("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19");
    if (!torch) {
        header_ = parse_safetensors_header(file_.bytes(), where);
        return;
    }
#if PLATEAU_TORCH_FILES
    auto read = read_torch_tensors(file_.bytes(), where);
    header_.tensors = std::move(read.tensors);
    gathered_ = std::move(read.gathered);
#else
    throw file_error(
        where,
        ": this is a file of PyTorch, which programs read that link plateau::compiled or define "
        "PLATEAU_TORCH_FILES as 1; save it as safetensors with\n  python3 -c \"import sys, transformers as t; "
        "d = sys.argv[1]; t.AutoModelForCausalLM.from_pretrained(d).save_pretrained(d)\" '",
        path.parent_path().string(), "'");
#endif
}

PLATEAU_INLINE std::span<std::byte const> safetensors_file::bytes_of(stored_tensor const& at) const {
    auto const mapped = file_.bytes();
    if (gathered_.empty() || at.begin < mapped.size()) return mapped.subspan(at.begin, at.size);
    return std::span{gathered_}.subspan(at.begin - mapped.size(), at.size);
}

PLATEAU_INLINE dtype safetensors_file::stored_type(stored_tensor const& at) const {
    if (auto const stored = safetensors_dtype(at.info.stored)) return *stored;
    throw file_error(table().describe(at), " is stored as ", at.info.stored, "; weights must be F64, F32, F16 or BF16");
}

}  // namespace plateau::io
