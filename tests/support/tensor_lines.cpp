/// Prints what a file of weights holds: "NAME DTYPE D0xD1… HEX", a line a tensor, HEX the SHA-256 of its bytes.

#include <exception>
#include <iostream>

#include <plateau/io/safetensors.hpp>
#include <plateau/io/stored_weights.hpp>
#include <plateau/program/weights_hash.hpp>

int main(int argc, char** argv) {
    try {
        for (int i = 1; i < argc; ++i) {
            plateau::io::safetensors_checkpoint const file{argv[i]};
            for (auto const& name : file.names()) {
                auto const& info = file.info(name);
                std::cout << plateau::io::detail::spelling_of(info, info.shape) << ' '
                          << plateau::program::sha256_of(file.bytes(name), file.is_mapped(name)) << '\n';
            }
        }
        return 0;
    } catch (std::exception const& problem) {
        std::cerr << problem.what() << '\n';
        return 1;
    }
}
