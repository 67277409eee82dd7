#pragma once
/// Every parser of files that people bring, as a function of bytes: what the fuzzers and the regression corpus run.

#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include <plateau/core/error.hpp>
#include <plateau/io/gguf_checkpoint.hpp>
#include <plateau/io/json_reader.hpp>
#include <plateau/io/npy.hpp>
#include <plateau/io/npz_reader.hpp>
#include <plateau/io/safetensors.hpp>
#include <plateau/io/tokenizer.hpp>
#include <plateau/io/tokenizer/json.hpp>
#include <plateau/io/tokenizer/pattern.hpp>
#include <plateau/io/tokenizer/pattern_syntax.hpp>
#include <plateau/models/families.hpp>
#include <plateau/sae/sae_config.hpp>

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

/// An index beside one shard, which has the tensors a and b.
inline void safetensors_index(std::span<std::byte const> bytes) {
    struct folder {
        std::filesystem::path path;
        folder() {
            std::string name = (std::filesystem::temp_directory_path() / "plateau-index-XXXXXX").string();
            if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("there is no folder for an index");
            path = name;
            std::string header = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                                 R"("b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})";
            header.resize((header.size() + 7) / 8 * 8, ' ');
            std::string shard(8, '\0');
            shard[0] = static_cast<char>(header.size());
            write("shard-1.safetensors", shard + header + std::string(12, '\0'));
        }
        ~folder() { std::filesystem::remove_all(path); }
        void write(char const* name, std::string_view text) const {
            std::FILE* const to = std::fopen((path / name).c_str(), "wb");
            std::fwrite(text.data(), 1, text.size(), to);
            std::fclose(to);
        }
    };
    static folder const scratch;
    scratch.write("model.safetensors.index.json", text_of(bytes));
    read_all(io::safetensors_checkpoint{scratch.path});
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

inline void tokenizer_config(std::span<std::byte const> bytes) {
    static std::string const plain = R"({"model":{"type":"BPE","vocab":{"a":0,"b":1,"<s>":2},"merges":[]},)"
                                     R"("added_tokens":[{"id":2,"content":"<s>","special":true}]})";
    auto spec = io::parse_tokenizer_json(plain, std::string{where});
    io::apply_tokenizer_config(spec, text_of(bytes), std::string{where});
    use(io::tokenizer{std::move(spec)});
}

inline void pattern(std::span<std::byte const> bytes) {
    io::word_pattern const words{io::pcre_of_oniguruma(text_of(bytes), std::string{where})};
    words.split(sentence, [](std::string_view, bool) {});
}

inline void sae_configuration(std::span<std::byte const> bytes) {
    auto const document = io::parse_json(text_of(bytes), std::string{where});
    sae::read_sae_config(document.root(), std::string{where});
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
    fuzzed_parser{"npy", fuzz::npy},
    fuzzed_parser{"npz", fuzz::npz},
    fuzzed_parser{"configuration", fuzz::configuration},
    fuzzed_parser{"tokenizer_json", fuzz::tokenizer_json},
    fuzzed_parser{"tokenizer_config", fuzz::tokenizer_config},
    fuzzed_parser{"pattern", fuzz::pattern},
    fuzzed_parser{"sae_configuration", fuzz::sae_configuration},
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
