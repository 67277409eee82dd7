// decode_gguf FILE.gguf VALUES TYPE: the program behind golden/check_gguf_blocks.py.
//
// VALUES  written: every tensor of the file in the order of their names, as TYPE: float32 or float64
//
// Prints for each tensor its name and the nanoseconds that an element takes, the best of five.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include <plateau/io/gguf.hpp>

namespace {

template <class T>
void decode(plateau::io::gguf_file const& file, char const* path) {
    std::ofstream out(path, std::ios::binary);
    for (auto const& name : file.names()) {
        std::vector<T> values(static_cast<std::size_t>(element_count(file.info(name))));
        double best = 1e9;
        for (int repeat = 0; repeat < 5; ++repeat) {
            auto const start = std::chrono::steady_clock::now();
            file.read(name, std::span<T>{values});
            std::chrono::duration<double> const seconds = std::chrono::steady_clock::now() - start;
            best = std::min(best, seconds.count());
        }
        std::printf("%s %.3f\n", name.c_str(), best * 1e9 / static_cast<double>(values.size()));
        out.write(reinterpret_cast<char const*>(values.data()),
                  static_cast<std::streamsize>(values.size() * sizeof(T)));
    }
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 4) {
        std::fprintf(stderr, "usage: decode_gguf FILE.gguf VALUES float32|float64\n");
        return 2;
    }
    try {
        plateau::io::gguf_file const file{arguments[1]};
        if (std::string(arguments[3]) == "float64") decode<double>(file, arguments[2]);
        else decode<float>(file, arguments[2]);
        return 0;
    } catch (std::exception const& error) {
        std::fprintf(stderr, "decode_gguf: %s\n", error.what());
        return 1;
    }
}
