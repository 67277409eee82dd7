#if (!defined(PLATEAU_HAS_MINIZIP) || PLATEAU_HAS_MINIZIP) && __has_include(<minizip/zip.h>)
#include <plateau/io/npz.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/atomic_file.hpp>
#include <plateau/core/error.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace plateau::testing;
using namespace plateau::io;
using plateau::atomic_file;
using plateau::file_error;
using plateau::shape_error;

namespace {

std::string from_hex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    }
    return bytes;
}

/// numpy.savez_compressed(f, q=numpy.arange(3)), NumPy 2.4: deflated, with zip64 fields.
std::string numpy_deflated() {
    return from_hex(
        "504b03042d000000080000002100f74012eaffffffffffffffff05001400712e6e70790100100098000000000000004c00000000000000"
        "9b"
        "ec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9369a1aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f9"
        "1a"
        "c63a9a3a0ab50a14002e06286084d24c501a00504b01022d032d000000080000002100f74012ea4c000000980000000500000000000000"
        "00"
        "000000800100000000712e6e7079504b0506000000000100010033000000830000000000");
}

void write_sample(std::filesystem::path const& path) {
    atomic_file file{path};
    npz_writer npz{file};
    npz.add("blocks.0.hook_resid_post", std::vector<float>{1, 2, 3, 4, 5, 6}, {1, 2, 3});
    npz.add("tokens", std::vector<std::int64_t>{7, -8}, {2});
    npz.add("none", std::vector<double>{}, {0, 4});
    npz.add("scalar", std::vector<double>{2.5}, {});
    npz.close();
    file.commit();
}

}  // namespace

TEST_CASE("arrays come back by name", "[io][npz]") {
    scratch_dir const dir;
    write_sample(dir / "a.npz");
    npz_reader const npz{dir / "a.npz"};
    CHECK(npz.names() == std::vector<std::string>{"blocks.0.hook_resid_post", "tokens", "none", "scalar"});
    auto const resid = npz.read<float>("blocks.0.hook_resid_post");
    CHECK(resid.shape == std::vector<plateau::index>{1, 2, 3});
    CHECK(resid.values == std::vector<float>{1, 2, 3, 4, 5, 6});
    CHECK(npz.read<std::int64_t>("tokens").values == std::vector<std::int64_t>{7, -8});
    CHECK(npz.read<double>("none").shape == std::vector<plateau::index>{0, 4});
    CHECK(npz.read<double>("scalar").values == std::vector<double>{2.5});
    CHECK(npz.contains("tokens"));
    CHECK_FALSE(npz.contains("tokens.npy"));
    CHECK_THAT(message_of<file_error>([&] { npz.read("absent"); }), contains("no array \"absent\""));
    CHECK_THAT(message_of<file_error>([&] { npz.read<double>("tokens"); }), contains("a.npz[tokens]"));
}

TEST_CASE("equal arrays make equal bytes, written whole or in pieces", "[io][npz]") {
    scratch_dir const dir;
    write_sample(dir / "a.npz");
    write_sample(dir / "b.npz");
    CHECK(bytes_of(dir / "a.npz") == bytes_of(dir / "b.npz"));

    std::mt19937 random{5};
    std::vector<std::uint32_t> values(100'000);
    for (auto& value : values) value = random();
    for (auto const pieces : {1u, 7u, 300'000u}) {
        atomic_file file{dir / ("pieces" + std::to_string(pieces) + ".npz")};
        npz_writer npz{file};
        npz.begin("x", "<u4", {1000, 100});
        for (auto rest = std::as_bytes(std::span(values)); !rest.empty();) {
            auto const now = std::min<std::size_t>(rest.size(), pieces);
            npz.write(rest.first(now));
            rest = rest.subspan(now);
        }
        npz.end();
        npz.close();
        file.commit();
    }
    CHECK(bytes_of(dir / "pieces1.npz") == bytes_of(dir / "pieces300000.npz"));
    CHECK(bytes_of(dir / "pieces7.npz") == bytes_of(dir / "pieces300000.npz"));
    CHECK(npz_reader{dir / "pieces7.npz"}.read<std::uint32_t>("x").values == values);
}

TEST_CASE("NumPy's compressed files are read", "[io][npz]") {
    scratch_dir const dir;
    npz_reader const npz{dir.write("n.npz", numpy_deflated())};
    CHECK(npz.names() == std::vector<std::string>{"q"});
    CHECK(npz.read<std::int64_t>("q").values == std::vector<std::int64_t>{0, 1, 2});
}

TEST_CASE("misuse of the writer is an error and publishes nothing", "[io][npz]") {
    scratch_dir const dir;
    {
        atomic_file file{dir / "a.npz"};
        npz_writer npz{file};
        std::vector<float> const four{1, 2, 3, 4};
        auto const bytes = std::as_bytes(std::span(four));
        CHECK_THROWS_AS(npz.write(bytes), file_error);
        CHECK_THROWS_AS(npz.end(), file_error);
        CHECK_THROWS_AS(npz.begin("bad", "<f4", {-1}), shape_error);
        npz.begin("x", "<f4", {3});
        CHECK_THROWS_AS(npz.begin("y", "<f4", {3}), file_error);
        CHECK_THROWS_AS(npz.write(bytes), shape_error);
        CHECK_THAT(message_of<shape_error>([&] { npz.end(); }), contains("12 bytes"));
        CHECK_THROWS_AS(npz.close(), file_error);
        npz.write(bytes.first(12));
        npz.end();
        CHECK_THAT(message_of<file_error>([&] { npz.add("x", four, {4}); }), contains("used twice"));
    }
    CHECK(dir.entries() == 0);
}

TEST_CASE("a full disk is an error of the writer", "[io][npz]") {
    if (!std::filesystem::exists("/dev/full")) PLATEAU_SKIP("there is no /dev/full");
    CHECK_THAT(message_of<file_error>([] {
                   atomic_file file{"/dev/full"};
                   npz_writer npz{file};
                   npz.add("x", std::vector<float>(100'000), {100'000});
                   npz.close();
                   file.commit();
               }),
               contains("/dev/full") && contains("No space left"));
}

TEST_CASE("damaged files are refused", "[io][npz]") {
    scratch_dir const dir;
    write_sample(dir / "a.npz");
    auto const read_all = [&](std::string const& bytes) {
        auto const path = dir.write("damaged.npz", bytes);
        return message_of<file_error>([&] {
            npz_reader const npz{path};
            for (auto const& name : npz.names()) npz.read(name);
        });
    };
    CHECK_THAT(read_all(""), contains("not a whole zip"));
    CHECK_THAT(read_all(std::string(1000, 'x')), contains("not a whole zip"));
    CHECK(read_all(std::string("PK\x05\x06") + std::string(18, '\0')) == "NO EXCEPTION");
    CHECK_THAT(message_of<file_error>([&] { npz_reader{dir / "absent.npz"}; }), contains("absent.npz"));
    std::mt19937 random{9};
    for (std::string const& whole : {bytes_of(dir / "a.npz"), numpy_deflated()}) {
        for (std::size_t size = 0; size<whole.size(); size += whole.size()> 400 ? 13 : 1) {
            CAPTURE(size);
            CHECK_THAT(read_all(whole.substr(0, size)), contains("damaged.npz"));
        }
        for (int i = 0; i < 500; ++i) {
            std::string damaged = whole;
            damaged[random() % damaged.size()] = static_cast<char>(random());
            CHECK_FALSE(read_all(damaged).starts_with("ANOTHER"));
        }
    }
    std::string content = bytes_of(dir / "a.npz");
    content[content.find("\x93NUMPY") + 128] ^= 1;  // the first element
    CHECK_THAT(read_all(content), contains("blocks.0.hook_resid_post") && contains("checksum"));
}

TEST_CASE("sizes and places beyond 32 bits are read from the zip64 fields", "[io][npz]") {
    // The end of a zip with 5 GiB before its last entry cannot lie in a test; its records can, shifted to small places.
    scratch_dir const dir;
    write_sample(dir / "a.npz");
    std::string bytes = bytes_of(dir / "a.npz");
    std::size_t const end = bytes.rfind("PK\x05\x06");
    auto const number = [&](std::size_t at, std::size_t count) {
        std::uint64_t value = 0;
        std::memcpy(&value, bytes.data() + at, count);
        return value;
    };
    std::uint64_t const entries = number(end + 10, 2), directory_bytes = number(end + 12, 4),
                        directory = number(end + 16, 4);
    // Every entry: sizes and place become "full", the real ones go into the extra field.
    std::string wide_directory;
    for (std::size_t at = directory, i = 0; i < entries; ++i) {
        std::uint64_t const name = number(at + 28, 2), extra = number(at + 30, 2);
        std::string head = bytes.substr(at, 46 + name);
        std::uint64_t const fields[] = {number(at + 24, 4), number(at + 20, 4), number(at + 42, 4)};
        for (std::size_t field : {20, 24, 42}) std::memset(head.data() + field, 0xFF, 4);
        std::uint16_t const id[] = {1, 24}, extra_bytes = 28;
        std::memcpy(head.data() + 30, &extra_bytes, 2);
        head.append(reinterpret_cast<char const*>(id), 4).append(reinterpret_cast<char const*>(fields), 24);
        wide_directory += head;
        at += 46 + name + extra;
    }
    std::string record = "PK\x06\x06" + std::string(52, '\0');
    std::uint64_t const size = wide_directory.size();
    std::memcpy(record.data() + 32, &entries, 8);
    std::memcpy(record.data() + 40, &size, 8);
    std::memcpy(record.data() + 48, &directory, 8);
    std::string locator = "PK\x06\x07" + std::string(16, '\0');
    std::uint64_t const record_at = directory + size;
    std::memcpy(locator.data() + 8, &record_at, 8);
    std::string tail = bytes.substr(end);
    std::memset(tail.data() + 16, 0xFF, 4);
    REQUIRE(directory_bytes == end - directory);
    npz_reader const npz{dir.write("wide.npz", bytes.substr(0, directory) + wide_directory + record + locator + tail)};
    CHECK(npz.names().size() == entries);
    CHECK(npz.read<std::int64_t>("tokens").values == std::vector<std::int64_t>{7, -8});
}
#endif
