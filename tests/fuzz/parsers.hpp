#pragma once
/// Every parser of files that people bring, as a function of bytes: what the fuzzers and the regression corpus run.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <plateau/backend/cpu/context.hpp>
#include <plateau/core/error.hpp>
#include <plateau/io/gguf_checkpoint.hpp>
#include <plateau/io/json_reader.hpp>
#include <plateau/io/npy.hpp>
#include <plateau/io/npz_reader.hpp>
#include <plateau/io/safetensors.hpp>
#include <plateau/io/tokenizer.hpp>
#include <plateau/io/tokenizer/pattern.hpp>
#include <plateau/io/tokenizer/pattern_syntax.hpp>
#include <plateau/io/torch_tensors.hpp>
#include <plateau/models/families.hpp>
#include <plateau/sae/load_sae.hpp>

namespace plateau::testing {

/// Bytes as a file, in memory alone.
class file_of_bytes {
public:
    explicit file_of_bytes(std::span<std::byte const> bytes) : descriptor_{::memfd_create("parser", 0)} {
        if (descriptor_ < 0) throw std::runtime_error("there is no memory for a file");
        rewrite(bytes);
    }
    ~file_of_bytes() { ::close(descriptor_); }
    file_of_bytes(file_of_bytes const&) = delete;
    file_of_bytes& operator=(file_of_bytes const&) = delete;

    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
    void rewrite(std::span<std::byte const> bytes) const {
        if (::write(descriptor_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
            throw std::runtime_error("a file in memory cannot be written");
    }

    int descriptor_;
};

namespace fuzz {

inline constexpr std::string_view where = "the input";
inline constexpr std::string_view sentence =
    " The house\u00a0at 12 o'clock, it's\r\n  ▁naïve <s>x</s>\t한국 🙂.";

inline std::string_view text_of(std::span<std::byte const> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

/// Elements of a tensor that are decoded at most; a header can ask for more than there is time for.
inline constexpr index most_elements = 1 << 16;

/// All elements of tensors that are not too large, as float and as double.
template <class Tensors>
void read_all(Tensors const& tensors) {
    for (auto const& name : tensors.names()) {
        auto const& info = tensors.info(name);
        index const count = io::element_count(info);
        if (count > most_elements) continue;
        try {
            std::vector<float> values(static_cast<std::size_t>(count));
            tensors.read(name, std::span{values});
            std::vector<double> wide(static_cast<std::size_t>(count));
            tensors.read(name, std::span{wide});
            if (!info.shape.empty() && info.shape[0] > 1) {
                auto const row = static_cast<std::size_t>(count / info.shape[0]);
                tensors.read_rows(name, info.shape[0] - 1, 1, std::span{values}.first(row));
            }
        } catch (error const&) {  // a value that is not finite: the others are read all the same
        }
    }
}

/// A sentence to ids and back, and every id alone.
inline void use(io::tokenizer const& words) {
    auto const ids = words.encode(sentence);
    words.decode(ids);
    words.decode(ids, io::special_tokens::skipped);
    for (token_id id = 0; id < words.size() && id < 300; ++id) {
        try {
            words.token_text(id);
        } catch (domain_error const&) {  // a hole in the vocabulary
        }
    }
}

inline void json(std::span<std::byte const> bytes) {
    auto const document = io::parse_json(text_of(bytes), std::string{where});
    std::vector<io::json const*> open{&document.root()};
    while (!open.empty()) {
        auto const& value = *open.back();
        open.pop_back();
        io::describe(value);
        if (value.is_object() || value.is_array()) {
            for (auto const& child : io::elements_of(value)) open.push_back(&child);
        }
    }
}

inline void safetensors(std::span<std::byte const> bytes) {
    file_of_bytes const file{bytes};
    read_all(io::safetensors_file{file.path()});
}

/// A folder of files, rewritten for every input: those of an input stand one behind the other, zero bytes between them.
class folder_of_bytes {
public:
    explicit folder_of_bytes(std::vector<char const*> names) : names_{std::move(names)} {
        std::filesystem::path const memory{"/dev/shm"};  // where there is one: a hundred times as fast as a disk
        auto const above = std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path();
        std::string name = (above / "plateau-parsers-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("there is no folder for parsers");
        path_ = name;
    }
    ~folder_of_bytes() { std::filesystem::remove_all(path_); }
    folder_of_bytes(folder_of_bytes const&) = delete;
    folder_of_bytes& operator=(folder_of_bytes const&) = delete;

    std::filesystem::path const& path() const { return path_; }

    void write(char const* name, std::string_view text) const {
        std::FILE* const to = std::fopen((path_ / name).c_str(), "wb");
        if (to == nullptr || std::fwrite(text.data(), 1, text.size(), to) != text.size() || std::fclose(to) != 0)
            throw std::runtime_error("a file for parsers cannot be written");
    }

    /// Files that an input does not reach are not there.
    void rewrite(std::string_view input) const {
        for (auto const* const name : names_) {
            if (input.data() == nullptr) {
                std::filesystem::remove(path_ / name);
                continue;
            }
            auto const end = std::min(input.find('\0'), input.size());
            write(name, input.substr(0, end));
            input = end < input.size() ? input.substr(end + 1) : std::string_view{};
        }
    }

private:
    std::vector<char const*> names_;
    std::filesystem::path path_;
};

/// A safetensors file of these tensors of F32, all ones.
inline std::string tensors_of_ones(std::vector<std::pair<char const*, std::vector<int>>> const& tensors) {
    std::string header = "{";
    std::size_t bytes = 0;
    for (auto const& [name, shape] : tensors) {
        std::size_t size = 4;
        std::string extents;
        for (int const extent : shape) {
            size *= static_cast<std::size_t>(extent);
            extents += (extents.empty() ? "" : ",") + std::to_string(extent);
        }
        header += (header.size() > 1 ? ",\"" : "\"") + std::string{name} + R"(":{"dtype":"F32","shape":[)" + extents +
                  R"(],"data_offsets":[)" + std::to_string(bytes) + "," + std::to_string(bytes + size) + "]}";
        bytes += size;
    }
    header += '}';
    header.resize((header.size() + 7) / 8 * 8, ' ');
    std::string size(8, '\0');
    for (int i = 0; i < 8; ++i) size[static_cast<std::size_t>(i)] = static_cast<char>(header.size() >> 8 * i & 0xFF);
    std::string elements;
    for (std::size_t i = 0; i < bytes; ++i) elements += "\0\0\x80\x3f"[i % 4];
    return size + header + elements;
}

/// An index beside one shard, which has the tensors a and b.
inline void safetensors_index(std::span<std::byte const> bytes) {
    static folder_of_bytes const folder{{"model.safetensors.index.json"}};
    static bool const made = (folder.write("shard-1.safetensors", tensors_of_ones({{"a", {2}}, {"b", {1}}})), true);
    if (made) folder.rewrite(text_of(bytes));
    read_all(io::safetensors_checkpoint{folder.path()});
}

inline void gguf(std::span<std::byte const> bytes) {
    file_of_bytes const file{bytes};
    io::gguf_file const opened{file.path()};
    read_all(opened);
}

inline void gguf_model(std::span<std::byte const> bytes) {
    file_of_bytes const file{bytes};
    read_all(io::gguf_checkpoint{file.path()});
}

inline void gguf_tokenizer(std::span<std::byte const> bytes) {
    file_of_bytes const file{bytes};
    io::gguf_file const opened{file.path()};
    use(io::tokenizer::from_gguf(opened));
}

inline void torch_file(std::span<std::byte const> bytes) {
    auto const read = io::read_torch_tensors(bytes, std::string{where});
    for (auto const& tensor : read.tensors.all()) io::to_string(tensor.info.shape);
}

/// A zip file of entries that are stored as they are.
inline std::string stored_zip(std::vector<std::pair<std::string, std::string_view>> const& entries) {
    auto const number = [](std::size_t value, int bytes) {
        std::string text;
        for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i & 0xFF);
        return text;
    };
    std::string all, directory;
    for (auto const& [name, content] : entries) {
        auto const sum = crc32(0, reinterpret_cast<Bytef const*>(content.data()), static_cast<uInt>(content.size()));
        auto const common = number(0, 2) + number(0, 2) + number(0, 4) + number(sum, 4) + number(content.size(), 4) +
                            number(content.size(), 4) + number(name.size(), 2) + number(0, 2);
        directory += number(0x02014b50, 4) + number(20, 2) + number(20, 2) + common + number(0, 8) + number(0, 2) +
                     number(all.size(), 4) + name;
        all += number(0x04034b50, 4) + number(20, 2) + common + name;
        all += content;
    }
    auto const begin = all.size();
    return all + directory + number(0x06054b50, 4) + number(0, 4) + number(entries.size(), 2) +
           number(entries.size(), 2) + number(directory.size(), 4) + number(begin, 4) + number(0, 2);
}

/// A pickle beside two storages of 64 bytes.
inline void torch_pickle(std::span<std::byte const> bytes) {
    std::string const elements(64, '\0');
    auto const file = stored_zip(
        {{"a/data.pkl", text_of(bytes)}, {"a/data/0", elements}, {"a/data/1", elements}, {"a/version", "3\n"}});
    torch_file(std::as_bytes(std::span{file}));
}

inline void npy(std::span<std::byte const> bytes) {
    auto const array = io::parse_npy(bytes, std::string{where});
    io::integers(array, std::string{where});
}

inline void npz(std::span<std::byte const> bytes) {
    file_of_bytes const file{bytes};
    io::npz_reader const arrays{file.path()};
    for (auto const& name : arrays.names()) {
        try {
            arrays.read(name);
        } catch (error const&) {  // the others are read all the same
        }
    }
}

inline void configuration(std::span<std::byte const> bytes) {
    models::parse_model_config(text_of(bytes), std::string{where});
}

inline void tokenizer_json(std::span<std::byte const> bytes) {
    use(io::tokenizer::from_json(text_of(bytes), std::string{where}));
}

/// What may lie beside a tokenizer.json.
inline void tokenizer_config(std::span<std::byte const> bytes) {
    static folder_of_bytes const folder{{"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"}};
    static bool const made =
        (folder.write("tokenizer.json", R"({"model":{"type":"BPE","vocab":{"a":0,"b":1,"<s>":2},"merges":[]},)"
                                        R"("added_tokens":[{"id":2,"content":"<s>","special":true}]})"),
         true);
    if (made) folder.rewrite(text_of(bytes));
    use(io::tokenizer::from_folder(folder.path()));
}

/// tokenizer.json with what may lie beside it.
inline void tokenizer_folder(std::span<std::byte const> bytes) {
    static folder_of_bytes const folder{
        {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"}};
    folder.rewrite(text_of(bytes));
    use(io::tokenizer::from_folder(folder.path()));
}

/// vocab.json and merges.txt with what may lie beside them.
inline void vocabulary_folder(std::span<std::byte const> bytes) {
    static folder_of_bytes const folder{
        {"vocab.json", "merges.txt", "tokenizer_config.json", "added_tokens.json", "config.json"}};
    folder.rewrite(text_of(bytes));
    use(io::tokenizer::from_folder(folder.path()));
}

inline void pattern(std::span<std::byte const> bytes) {
    io::word_pattern const words{io::pcre_of_oniguruma(text_of(bytes), std::string{where})};
    words.split(sentence, [](std::string_view, bool) {});
}

/// The configuration of a sparse autoencoder of 4 inputs and 8 features, beside the tensors of the simplest kind.
inline void sae_of(folder_of_bytes const& folder, char const* weights,
                   std::vector<std::pair<char const*, std::vector<int>>> const& tensors,
                   std::span<std::byte const> bytes) {
    if (!std::filesystem::exists(folder.path() / weights)) folder.write(weights, tensors_of_ones(tensors));
    folder.rewrite(text_of(bytes));
    static auto const cpu = backend::cpu_context{1};
    sae::load_sae<float>(folder.path(), cpu);
}

inline void sae_configuration(std::span<std::byte const> bytes) {
    static folder_of_bytes const folder{{"cfg.json", "activation_scaler.json"}};
    sae_of(folder, "sae_weights.safetensors", {{"W_enc", {4, 8}}, {"W_dec", {8, 4}}, {"b_enc", {8}}, {"b_dec", {4}}},
           bytes);
}

inline void sparsify_configuration(std::span<std::byte const> bytes) {
    static folder_of_bytes const folder{{"cfg.json"}};
    sae_of(folder, "sae.safetensors",
           {{"encoder.weight", {8, 4}}, {"encoder.bias", {8}}, {"W_dec", {8, 4}}, {"b_dec", {4}}}, bytes);
}

inline void dictionary_configuration(std::span<std::byte const> bytes) {
    static folder_of_bytes const folder{{"config.json"}};
    sae_of(folder, "ae.safetensors",
           {{"encoder.weight", {8, 4}}, {"encoder.bias", {8}}, {"decoder.weight", {4, 8}}, {"bias", {4}}}, bytes);
}

}  // namespace fuzz

/// A parser by the name of its corpus.
struct fuzzed_parser {
    char const* name;
    void (*run)(std::span<std::byte const>);
};

inline constexpr std::array fuzzed_parsers{
    fuzzed_parser{"json", fuzz::json},
    fuzzed_parser{"safetensors", fuzz::safetensors},
    fuzzed_parser{"safetensors_index", fuzz::safetensors_index},
    fuzzed_parser{"gguf", fuzz::gguf},
    fuzzed_parser{"gguf_model", fuzz::gguf_model},
    fuzzed_parser{"gguf_tokenizer", fuzz::gguf_tokenizer},
    fuzzed_parser{"torch_file", fuzz::torch_file},
    fuzzed_parser{"torch_pickle", fuzz::torch_pickle},
    fuzzed_parser{"npy", fuzz::npy},
    fuzzed_parser{"npz", fuzz::npz},
    fuzzed_parser{"configuration", fuzz::configuration},
    fuzzed_parser{"tokenizer_json", fuzz::tokenizer_json},
    fuzzed_parser{"tokenizer_config", fuzz::tokenizer_config},
    fuzzed_parser{"tokenizer_folder", fuzz::tokenizer_folder},
    fuzzed_parser{"vocabulary_folder", fuzz::vocabulary_folder},
    fuzzed_parser{"pattern", fuzz::pattern},
    fuzzed_parser{"sae_configuration", fuzz::sae_configuration},
    fuzzed_parser{"sparsify_configuration", fuzz::sparsify_configuration},
    fuzzed_parser{"dictionary_configuration", fuzz::dictionary_configuration},
};

/// What a parser may do with bytes: take them, or say what is wrong with them. Anything else leaves this function as
/// another exception, or ends the process. Returns whether it took them.
inline bool parses(fuzzed_parser const& parser, std::span<std::byte const> bytes) {
    try {
        parser.run(bytes);
        return true;
    } catch (error const& said) {
        if (std::string_view{said.what()}.empty()) throw std::logic_error("an error without a message");
        return false;
    }
}

}  // namespace plateau::testing
