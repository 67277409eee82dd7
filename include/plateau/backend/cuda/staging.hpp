#pragma once
/// The way of host tensors to the device through pinned memory: several pieces at a time, from several threads.

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>

#include <plateau/backend/cuda/runtime.hpp>

namespace plateau::backend::cuda {

/// A few pieces of pinned memory, made when they are first wanted. A host thread fills one while the device reads
/// others.
class staging {
public:
    static constexpr std::size_t piece_bytes = std::size_t{4} << 20;

    /// @param stream  of the current device
    explicit staging(stream_handle stream) : stream_{stream}, device_{current_device()} {}
    staging(staging const&) = delete;
    staging& operator=(staging const&) = delete;

    /// Calls fill(pinned memory) on a piece of piece_bytes that nobody uses, on any number of threads at once; then
    /// send(pinned memory, stream), one thread at a time, which gives the stream what reads it. @throws memory_error,
    /// device_error
    template <class Fill, class Send>
    void pass(Fill const& fill, Send const& send) {
        use_device(device_);  // a new thread's is the first one
        piece_guard const taken{*this, take()};
        fill(taken.piece.memory.get());
        std::lock_guard const lock{guard_};
        send(taken.piece.memory.get(), stream_);
        record(*taken.piece.read, stream_);
    }

private:
    struct release_memory {
        void operator()(void* memory) const { release_pinned(memory); }
    };
    struct piece {
        std::unique_ptr<void, release_memory> memory;
        std::optional<owned_event> read;  ///< recorded after the copies from it
        bool taken = false;

        piece() = default;
        ~piece() {
            if (read) end_reading();
        }
        void end_reading() noexcept {
            try {
                wait(*read);
            } catch (error const&) {  // a stream that failed reads nothing any more
            }
        }
    };
    struct piece_guard {
        staging& all;
        staging::piece& piece;
        ~piece_guard() {
            {
                std::lock_guard const lock{all.guard_};
                piece.taken = false;
            }
            all.given_back_.notify_one();
        }
    };

    /// A piece that the device has read. Waits with the lock held: the others could not give anything to the stream
    /// anyway that the copies waited for are not ahead of.
    piece& take() {
        std::unique_lock lock{guard_};
        std::array<piece, 4>::iterator found;
        given_back_.wait(lock, [&] {
            for (std::size_t i = 0; i < pieces_.size(); ++i) {  // round robin: the one whose copies are oldest
                found = pieces_.begin() + static_cast<std::ptrdiff_t>((next_ + i) % pieces_.size());
                if (!found->taken) return true;
            }
            return false;
        });
        next_ = static_cast<std::size_t>(found - pieces_.begin()) + 1;
        if (!found->read) found->read.emplace();
        if (found->memory) wait(*found->read);
        else found->memory.reset(allocate_pinned(piece_bytes));
        found->taken = true;
        return *found;
    }

    stream_handle stream_;
    int device_;
    std::mutex guard_;  // of all below, and of the calls to CUDA
    std::condition_variable given_back_;
    std::array<piece, 4> pieces_;
    std::size_t next_ = 0;
};

}  // namespace plateau::backend::cuda
