// One program of both kinds of files: the same bits.
#include <cstdio>
#include <cstring>

#include "numbers.hpp"

int main(int, char** argv) {
    auto const a = by_headers(argv[1]), b = by_library(argv[1]);
    bool const same = a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
    std::printf("%zu numbers, %s\n", a.size(), same ? "the same bits" : "DIFFERENT");
    return same ? 0 : 1;
}
