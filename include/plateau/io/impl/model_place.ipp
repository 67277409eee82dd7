#pragma once
/// Bodies of io/model_place.hpp.

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/names.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/model_place.hpp>
#include <plateau/io/printable.hpp>

namespace plateau::io {

namespace detail {

struct foreign_file {
    std::string_view pattern;
    std::string_view tells;  ///< what it means, and the way out
};

// the first that fits is told
inline constexpr foreign_file foreign_files[]{
    {"adapter_config.json",
     "is of a PEFT adapter, which is a change of another model; merge it into that one with\n  python3 -c \"import "
     "peft; "
     "peft.AutoPeftModelForCausalLM.from_pretrained('@').merge_and_unload().save_pretrained('@-merged')\"\n"
     "and give '@-merged', with the tokenizer.json of the model below"},
    {"*.gguf", "is a model of its own: give that file instead of its folder"},
    {"model-*-of-*.safetensors", "is a part of a model whose list, model.safetensors.index.json, is missing: fetch it"},
    {"pytorch_model-*-of-*.bin", "is a part of a model whose list, pytorch_model.bin.index.json, is missing: fetch it"},
    {"*.safetensors", "does not have the name model.safetensors of a model's weights: rename it if it is one"},
    {"tf_model*.h5",
     "is TensorFlow's; convert it with transformers 4, the last that reads it\n  pip install 'transformers<5' "
     "tensorflow "
     "&& python3 -c \"import transformers as t; "
     "t.AutoModelForCausalLM.from_pretrained('@', from_tf=True).save_pretrained('@')\""},
    {"flax_model*.msgpack",
     "is Flax's; convert it with transformers 4, the last that reads it\n  pip install 'transformers<5' flax && "
     "python3 "
     "-c \"import transformers as t; t.AutoModelForCausalLM.from_pretrained('@', "
     "from_flax=True).save_pretrained('@')\""},
    {"consolidated*.pth",
     "is Meta's own format of Llama; fetch the model in Hugging Face's, or convert it with transformers 4\n  "
     "pip install 'transformers<5' && python3 -m transformers.models.llama.convert_llama_weights_to_hf --input_dir '@' "
     "--output_dir '@-hf' --model_size 7B      (the size that it has)"},
    {"zero_to_fp32.py",
     "is of a checkpoint of DeepSpeed; gather its parts with\n  python3 '@/zero_to_fp32.py' '@' '@' "
     "--safe_serialization"},
    {"*.distcp",
     "is a part of a checkpoint of PyTorch's FSDP; gather the parts with\n  accelerate merge-weights '@' '@'"},
    {"*.onnx", "is a graph of ONNX, which does not hold a model's weights by name: fetch its model.safetensors"},
    {"onnx", "holds graphs of ONNX, which do not hold a model's weights by name: fetch its model.safetensors"},
    {"*.pt*", "is PyTorch's, but not pytorch_model.bin of a Hugging Face folder: save it with save_pretrained"},
    {"*.ckpt", "is PyTorch's, but not pytorch_model.bin of a Hugging Face folder: save it with save_pretrained"},
    {"*.ot", "is of rust-bert: fetch the model's model.safetensors"},
};

PLATEAU_INLINE bool is_there(std::filesystem::path const& path) {
    std::error_code none;
    return std::filesystem::exists(path, none);
}

PLATEAU_INLINE bool is_folder(std::filesystem::path const& path) {
    std::error_code none;
    return std::filesystem::is_directory(path, none);
}

/// What lies in a folder, sorted; nothing if it is none.
PLATEAU_INLINE std::vector<std::filesystem::path> entries_of(std::filesystem::path const& folder) {
    std::vector<std::filesystem::path> all;
    std::error_code none;
    for (auto const& entry : std::filesystem::directory_iterator(folder, none)) all.push_back(entry.path());
    std::sort(all.begin(), all.end());
    return all;
}

PLATEAU_INLINE std::string list_of(std::vector<std::filesystem::path> const& paths) {
    constexpr std::size_t most = 8;
    std::string text;
    for (std::size_t i = 0; i < paths.size() && i < most; ++i) text += concat({"\n  ", paths[i].string()});
    return paths.size() > most ? concat({text, "\n  and ", paths.size() - most, " more"}) : text;
}

/// The folder of the cache that a path lies in, as itself, as snapshots, as refs or below refs; empty if there is none.
PLATEAU_INLINE std::filesystem::path cache_of(std::filesystem::path const& path) {
    if (is_folder(path / "snapshots")) return path;
    for (auto at = path; at.has_relative_path() && at.has_filename(); at = at.parent_path()) {
        bool const right = at.filename() == "refs" || (at.filename() == "snapshots" && at == path);
        if (right && is_folder(at.parent_path() / "snapshots")) return at.parent_path();
    }
    return {};
}

/// The snapshot that a file below refs names; empty if it is not there.
PLATEAU_INLINE std::filesystem::path snapshot_of(std::filesystem::path const& cache, std::filesystem::path const& ref) {
    std::string hash = read_text(ref);
    while (!hash.empty() && static_cast<unsigned char>(hash.back()) <= ' ') hash.pop_back();
    constexpr char const* hexadecimal = "0123456789abcdef";
    if (hash.empty() || hash.size() > 64 || hash.find_first_not_of(hexadecimal) != std::string::npos) return {};
    auto const folder = cache / "snapshots" / hash;
    return is_folder(folder) ? folder : std::filesystem::path{};
}

/// "org/name" of models--org--name, the revision that is wanted behind it.
PLATEAU_INLINE std::string download_command(std::filesystem::path const& cache, std::string_view revision) {
    auto name = cache.filename().string();
    if (name.starts_with("models--")) name.erase(0, 8);
    if (auto const at = name.find("--"); at != std::string::npos) name.replace(at, 2, "/");
    return concat({"\n  hf download ", name, " --revision ", revision});
}

PLATEAU_INLINE void refuse_folder(std::filesystem::path const& path) {
    std::string const where = path.string();
    std::vector<std::filesystem::path> models;
    for (auto const& entry : entries_of(path)) {
        if (is_there(entry / "config.json") || is_folder(entry / "snapshots")) models.push_back(entry);
    }
    if (!models.empty()) throw file_error(where, ": this is a folder of models; give one of", list_of(models));
    auto const foreign = foreign_format(path);
    if (!foreign.empty())
        throw file_error(where, ": there is no config.json of a Hugging Face model here, but ", foreign);
    throw file_error("cannot read ", (path / "config.json").string(),
                     ": there is no such file; give a Hugging Face folder (config.json, weights, tokenizer.json) or a "
                     "GGUF file");
}

PLATEAU_INLINE void refuse_file(std::filesystem::path const& path) {
    std::string const where = path.string();
    auto const name = path.filename().string();
    auto const folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
    for (auto const* pattern : {"*.safetensors", "*.bin", "*.json", "*.txt", "*.model"}) {
        if (!matches(pattern, name)) continue;
        if (is_there(folder / "config.json"))
            throw file_error(where, ": this is one file of a model; give its folder, ", folder.string());
        throw file_error(where,
                         ": this is one file; a model is a folder that has config.json, weights and "
                         "tokenizer.json, or a GGUF file");
    }
    for (auto const& one : foreign_files) {
        if (matches(one.pattern, name)) throw file_error(where, " ", command_for(one.tells, folder));
    }
}

}  // namespace detail

PLATEAU_INLINE std::string command_for(std::string_view command, std::filesystem::path const& folder) {
    std::string text;
    for (char const letter : command) {
        if (letter == '@') text += folder.string();
        else text += letter;
    }
    return text;
}

PLATEAU_INLINE std::string foreign_format(std::filesystem::path const& folder) {
    auto const there = detail::entries_of(folder);
    for (auto const& one : detail::foreign_files) {
        for (auto const& entry : there) {
            auto const name = entry.filename().string();
            if (matches(one.pattern, name)) return concat({entry.string(), " ", command_for(one.tells, folder)});
        }
    }
    return {};
}

PLATEAU_INLINE std::vector<std::filesystem::path> cached_revisions(std::filesystem::path const& folder) {
    std::vector<std::filesystem::path> all;
    auto const given = folder.has_filename() ? folder : folder.parent_path();
    auto const cache = detail::cache_of(given);
    if (cache.empty()) return all;
    for (auto const& ref : detail::entries_of(cache / "refs")) {
        if (!detail::is_folder(ref) && !detail::snapshot_of(cache, ref).empty()) all.push_back(ref);
    }
    return all;
}

PLATEAU_INLINE model_place resolve_model(std::filesystem::path const& path) {
    auto const given = path.has_filename() ? path : path.parent_path();
    if (detail::is_there(given / "config.json")) return {path, {}};
    auto const cache = detail::cache_of(given);
    if (cache.empty()) return {path, {}};
    if (!detail::is_folder(given)) {
        auto const snapshot = detail::is_there(given) ? detail::snapshot_of(cache, given) : cache;
        if (!snapshot.empty() && snapshot != cache) return {snapshot, {}};
        throw file_error(path.string(), ": the cache does not hold this revision; fetch it with",
                         detail::download_command(cache, given.filename().string()), "\nor give one of these",
                         detail::list_of(cached_revisions(cache)));
    }
    auto const main = cache / "refs" / "main";
    auto const snapshots = detail::entries_of(cache / "snapshots");
    auto const named = detail::is_there(main) ? detail::snapshot_of(cache, main) : std::filesystem::path{};
    if (named.empty() && snapshots.size() != 1) {
        auto choice = cached_revisions(cache);
        choice.insert(choice.end(), snapshots.begin(), snapshots.end());
        if (!choice.empty())
            throw file_error(path.string(),
                             ": this is a folder of the Hugging Face cache with several revisions, none of "
                             "them main; give one of",
                             detail::list_of(choice));
        throw file_error(path.string(),
                         ": this is a folder of the Hugging Face cache without a snapshot; fetch one with",
                         detail::download_command(cache, "main"));
    }
    auto const& taken = named.empty() ? snapshots.front() : named;
    return {taken,
            concat({path.string(), ": this is a folder of the Hugging Face cache; ",
                    named.empty() ? "its only snapshot is taken, " : "its revision main is taken, ", taken.string()})};
}

PLATEAU_INLINE model_place find_model(std::filesystem::path const& path) {
    auto place = resolve_model(path);
    if (!detail::is_there(place.path)) {
        throw file_error("there is no model at ", path.string(), ": give a Hugging Face folder or a GGUF file");
    }
    if (detail::is_folder(place.path)) {
        bool const adapted = detail::is_there(place.path / "adapter_config.json");
        if (!detail::is_there(place.path / "config.json")) detail::refuse_folder(place.path);
        if (adapted) throw file_error(place.path.string(), ": ", foreign_format(place.path));
    } else if (place.path.extension() != ".gguf" && !mapped_file{place.path}.text().starts_with("GGUF")) {
        detail::refuse_file(place.path);
    }
    return place;
}

}  // namespace plateau::io
