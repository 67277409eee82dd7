// encode_texts TOKENIZER TEXTS IDS DECODED [REPEATS]: the program behind golden/compare_tokenizers.py.
//
// TOKENIZER  tokenizer.json, a folder, or a GGUF file
// TEXTS      for each text its size in bytes as a 32-bit integer, then the bytes
// IDS        written: for each text the number of its ids, then the ids, 32-bit integers
// DECODED    written: for each text what its ids decode to without special tokens, then with them, in the form of TEXTS
//
// Prints the seconds that encoding all texts takes, text by text on one thread, once for each repeat after a first one.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/io/tokenizer.hpp>

using plateau::io::tokenizer;

namespace {

void put(std::ofstream& file, std::size_t number) {
    auto const word = static_cast<std::int32_t>(number);
    file.write(reinterpret_cast<char const*>(&word), sizeof word);
}

std::vector<std::string_view> texts_of(std::string_view bytes) {
    std::vector<std::string_view> texts;
    while (bytes.size() >= 4) {
        std::uint32_t size = 0;
        std::memcpy(&size, bytes.data(), sizeof size);
        texts.push_back(bytes.substr(4, size));
        bytes.remove_prefix(4 + texts.back().size());
    }
    return texts;
}

int run(char** arguments, int repeats) {
    std::filesystem::path const path = arguments[1];
    auto const tokens = path.extension() == ".json" ? tokenizer::from_json_file(path) : tokenizer::of_model(path);
    plateau::io::mapped_file const file{arguments[2]};
    auto const texts = texts_of(file.text());
    std::vector<std::vector<plateau::token_id>> ids(texts.size());
    for (int repeat = 0; repeat <= repeats; ++repeat) {
        auto const start = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < texts.size(); ++i) ids[i] = tokens.encode(texts[i]);
        std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - start;
        if (repeat > 0) std::printf("%.6f\n", seconds.count());
    }
    std::ofstream listed(arguments[3], std::ios::binary), decoded(arguments[4], std::ios::binary);
    for (auto const& list : ids) {
        put(listed, list.size());
        listed.write(reinterpret_cast<char const*>(list.data()), static_cast<std::streamsize>(4 * list.size()));
        for (auto const special : {plateau::io::special_tokens::skipped, plateau::io::special_tokens::shown}) {
            auto const text = tokens.decode(list, special);
            put(decoded, text.size());
            decoded.write(text.data(), static_cast<std::streamsize>(text.size()));
        }
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 5) {
        std::fprintf(stderr, "usage: encode_texts TOKENIZER TEXTS IDS DECODED [REPEATS]\n");
        return 2;
    }
    try {
        return run(arguments, count > 5 ? std::atoi(arguments[5]) : 1);
    } catch (std::exception const& error) {
        std::fprintf(stderr, "encode_texts: %s\n", error.what());
        return 1;
    }
}
