#pragma once
/// A directory for the files of one test, removed at its end; and the message of an expected exception.

#include <atomic>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

#include <unistd.h>

namespace plateau::testing {

class scratch_dir {
public:
    scratch_dir() {
        static std::atomic<int> count{0};
        path_ = std::filesystem::temp_directory_path() /
                ("plateau-test-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
        std::filesystem::create_directories(path_);
    }
    ~scratch_dir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    scratch_dir(scratch_dir const&) = delete;
    scratch_dir& operator=(scratch_dir const&) = delete;

    std::filesystem::path const& path() const { return path_; }
    std::filesystem::path operator/(std::string const& name) const { return path_ / name; }

    /// Writes a file, with the directories above it. Returns its path.
    std::filesystem::path write(std::string const& name, std::string_view bytes) const {
        auto const file = path_ / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        return file;
    }

    /// The number of entries, whatever their names.
    long entries() const { return static_cast<long>(std::distance(std::filesystem::directory_iterator(path_), {})); }

private:
    std::filesystem::path path_;
};

/// The bytes of a file; empty if there is none.
inline std::string bytes_of(std::filesystem::path const& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

/// What `action` throws as Error says; a text that no test expects if it throws something else, or nothing.
template <class Error, class Action>
std::string message_of(Action action) {
    try {
        action();
    } catch (Error const& error) {
        return error.what();
    } catch (std::exception const& error) {
        return std::string("ANOTHER EXCEPTION: ") + error.what();
    }
    return "NO EXCEPTION";
}

}  // namespace plateau::testing
