#pragma once
/// Bodies of io/model_place.hpp.

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/name_index.hpp>
#include <plateau/core/names.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/model_place.hpp>
#include <plateau/io/path_text.hpp>

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

/// The names of what lies in a folder, sorted; nothing if it is none.
PLATEAU_INLINE std::vector<std::string> names_in(std::string const& folder) {
    name_index all;
    std::error_code none;
    for (auto at = std::filesystem::directory_iterator(folder, none); at != std::filesystem::directory_iterator{};
         at.increment(none))
        all.add(last_part(at->path().native()));
    return all.names();
}

PLATEAU_INLINE std::string list_of(std::vector<std::string> const& paths) {
    constexpr std::size_t most = 8;
    std::string text;
    for (std::size_t i = 0; i < paths.size() && i < most; ++i) text += concat({"\n  ", paths[i]});
    return paths.size() > most ? concat({text, "\n  and ", paths.size() - most, " more"}) : text;
}

/// The folder of the cache that a path lies in, as itself, as snapshots, as refs or below refs; empty if there is none.
PLATEAU_INLINE std::string cache_of(std::string const& path) {
    if (is_folder(under(path, "snapshots"))) return path;
    bool lowest = true;
    for (auto at = path; at.size() > 1; at = parent(at), lowest = false) {
        auto const name = last_part(at);
        auto const above = parent(at);
        if ((name == "refs" || (name == "snapshots" && lowest)) && is_folder(under(above, "snapshots"))) return above;
    }
    return {};
}

/// The snapshot that a file below refs names; empty if it is not there.
PLATEAU_INLINE std::string snapshot_of(std::string const& cache, std::string const& ref) {
    if (is_folder(ref) || !is_there(ref)) return {};
    std::string hash = read_text(ref);
    while (hash.ends_with('\n')) hash.pop_back();
    if (hash.empty() || hash.size() > 64 || hash.find_first_not_of("0123456789abcdef") != std::string::npos) return {};
    auto const folder = under(cache, concat({"snapshots/", hash}));
    return is_folder(folder) ? folder : std::string{};
}

/// The revision that a file below refs stands for: "refs/pr/7" of refs/refs/pr/7.
PLATEAU_INLINE std::string revision_of(std::string const& cache, std::string const& ref) {
    auto const refs = under(cache, "refs/");
    return ref.starts_with(refs) ? ref.substr(refs.size()) : last_part(ref);
}

/// What fetches org/name, whose folder is models--org--name.
PLATEAU_INLINE std::string download_command(std::string const& cache) {
    auto name = last_part(cache);
    if (name.starts_with("models--")) name.erase(0, 8);
    if (auto const at = name.find("--"); at != std::string::npos) name.replace(at, 2, "/");
    return concat({"\n  hf download ", name});
}

/// @throws file_error always: a folder without config.json
[[noreturn]] PLATEAU_INLINE void refuse_folder(std::string const& path) {
    std::vector<std::string> models;
    for (auto const& name : names_in(path)) {
        auto const one = under(path, name);
        if (is_there(under(one, "config.json")) || is_folder(under(one, "snapshots"))) models.push_back(one);
    }
    if (!models.empty()) throw file_error(path, ": this is a folder of models; give one of", list_of(models));
    if (auto const hub = under(path, "hub"); is_folder(hub)) refuse_folder(hub);  // of the Hugging Face cache
    auto const broken = broken_link(path, "config.json");
    if (!broken.empty()) throw file_error(broken);
    auto const foreign = foreign_format(path);
    if (!foreign.empty())
        throw file_error(path, ": there is no config.json of a Hugging Face model here, but ", foreign);
    throw file_error("cannot read ", under(path, "config.json"),
                     ": there is no such file; give a Hugging Face folder (config.json, weights, tokenizer.json) or a "
                     "GGUF file");
}

/// @throws file_error on a file that belongs to a model, or to another format
PLATEAU_INLINE void refuse_file(std::string const& path) {
    auto const folder = parent(path);
    if (last_part(path).starts_with("adapter_")) {
        for (auto const& one : foreign_files) {
            if (one.pattern == "adapter_config.json") throw file_error(path, " ", command_for(one.tells, folder));
        }
    }
    for (std::string_view const end : {".safetensors", ".bin", ".json", ".txt", ".model"}) {
        if (!path.ends_with(end)) continue;
        if (is_there(under(folder, "config.json")))
            throw file_error(path, ": this is one file of a model; give its folder, ", folder);
        throw file_error(path,
                         ": this is one file; a model is a folder that has config.json, weights and tokenizer.json, "
                         "or a GGUF file");
    }
    for (auto const& one : foreign_files) {
        if (matches(one.pattern, last_part(path))) throw file_error(path, " ", command_for(one.tells, folder));
    }
}

}  // namespace detail

PLATEAU_INLINE std::string command_for(std::string_view command, std::string const& folder) {
    std::string text{command};
    for (auto at = text.find('@'); at != std::string::npos; at = text.find('@', at + folder.size()))
        text.replace(at, 1, folder);
    return text;
}

PLATEAU_INLINE std::string broken_link(std::string const& folder, std::string_view name) {
    std::error_code none;
    auto const path = detail::under(folder, name);
    if (detail::is_there(path) || !std::filesystem::is_symlink(path, none)) return {};
    auto const above = detail::parent(folder);
    bool const cached = detail::last_part(above) == "snapshots";
    return concat({path, " is a link to a file that is not there; fetch it again",
                   cached ? concat({" with", detail::download_command(detail::parent(above)), " --revision ",
                                    detail::last_part(folder), " --force-download"})
                          : ""});
}

PLATEAU_INLINE std::string foreign_format(std::string const& folder) {
    auto const names = detail::names_in(folder);
    for (auto const& name : names) {
        if (!matches("*.safetensors", name) && !matches("*.bin", name) && !matches("*.index.json", name)) continue;
        if (auto const broken = broken_link(folder, name); !broken.empty()) return broken;
    }
    for (auto const& one : detail::foreign_files) {
        for (auto const& name : names) {
            if (matches(one.pattern, name))
                return concat({detail::under(folder, name), " ", command_for(one.tells, folder)});
        }
    }
    return {};
}

PLATEAU_INLINE std::vector<std::string> cached_revisions(std::string folder) {
    while (folder.ends_with('/')) folder.pop_back();
    std::vector<std::string> all;
    auto const cache = detail::cache_of(folder), refs = detail::under(cache, "refs");
    if (cache.empty()) return all;
    for (auto const& name : detail::names_in(refs)) {
        auto const ref = detail::under(refs, name);
        if (!detail::snapshot_of(cache, ref).empty()) all.push_back(ref);
    }
    return all;
}

PLATEAU_INLINE model_place resolve_model(std::string path) {
    // a model, or no part of the cache: as it stands
    while (path.ends_with('/') && path.size() > 1) path.pop_back();
    if (detail::is_there(detail::under(path, "config.json"))) return {path, {}};
    auto const cache = detail::cache_of(path);
    if (cache.empty()) return {path, {}};
    // refs/REVISION names a snapshot that is there, or is told how to be fetched
    bool const whole = detail::is_folder(path);
    auto taken = detail::snapshot_of(cache, whole ? detail::under(cache, "refs/main") : path);
    if (!whole) {
        if (!taken.empty()) return {taken, {}};
        auto const others = cached_revisions(cache);
        throw file_error(path, ": the cache does not hold this revision; fetch it with",
                         detail::download_command(cache), " --revision ", detail::revision_of(cache, path),
                         others.empty() ? "" : "\nor give one of these", detail::list_of(others));
    }
    // the whole cache of a model: main, else the only snapshot, else the choice is the user's
    auto const* which = "its revision main";
    if (taken.empty()) {
        auto const snapshots = detail::under(cache, "snapshots");
        auto choice = cached_revisions(cache);
        auto const names = detail::names_in(snapshots);
        for (auto const& name : names) choice.push_back(detail::under(snapshots, name));
        if (choice.empty())
            throw file_error(path, ": this is a folder of the Hugging Face cache without a snapshot; fetch one with",
                             detail::download_command(cache), " --revision main");
        if (names.size() > 1)
            throw file_error(path,
                             ": this is a folder of the Hugging Face cache with several revisions, none of them "
                             "main; give one of",
                             detail::list_of(choice));
        which = "its only snapshot";
        taken = choice.back();
    }
    return {taken, concat({path, ": this is a folder of the Hugging Face cache; ", which, " is taken, ", taken, "\n"})};
}

PLATEAU_INLINE std::string no_model_at(std::string const& given) {
    if (given.empty()) return "the path of the model is empty: give a Hugging Face folder or a GGUF file";
    auto const slash = given.find('/');
    bool const is_name = slash != std::string::npos && slash > 0 && slash + 1 < given.size() && given[0] != '.' &&
                         given.find_first_of("/ \\", slash + 1) == std::string::npos && !given.ends_with(".gguf");
    return concat(
        {"there is no model at ", given, ": give a Hugging Face folder or a GGUF file",
         is_name ? "; if it is a name on huggingface.co, give the folder that this prints\n  hf download " : "",
         is_name ? given : ""});
}

PLATEAU_INLINE model_place find_model(std::string const& given) {
    auto place = resolve_model(given);
    auto const& path = place.path;
    if (!detail::is_there(path)) throw file_error(no_model_at(given));
    if (detail::is_folder(path)) {
        if (!detail::is_there(detail::under(path, "config.json"))) detail::refuse_folder(path);
        if (detail::is_there(detail::under(path, "adapter_config.json")))
            throw file_error(path, ": ", foreign_format(path));
    } else if (!path.ends_with(".gguf") && !mapped_file{path}.text().starts_with("GGUF")) {
        detail::refuse_file(path);
    }
    return place;
}

}  // namespace plateau::io
