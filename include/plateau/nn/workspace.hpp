#pragma once
/// Work matrices of a block of rows, each under a name.

#include <array>
#include <utility>
#include <vector>

#include <plateau/backend/backends.hpp>

namespace plateau::nn {

/// The name of a work matrix: an object of its own, known by its address. A part of your own names its buffers
/// likewise:
///     inline constexpr nn::work_buffer squared{"squared"};      …      auto const y = l.matrix(squared, width);
struct work_buffer {
    char const* name;
};

inline constexpr work_buffer residual_buffer{"residual"};  ///< [R, D]: the residual stream
inline constexpr work_buffer norm_out_buffer{"norm out"};  ///< [R, D]: what a part reads, and the unembedding
inline constexpr work_buffer added_buffer{"added"};        ///< [R, D]: what a part adds
inline constexpr work_buffer logits_buffer{"logits"};      ///< [R, V]

/// Memory of work matrices, which grows to the largest block and is used again for block after block.
template <class Context, class T>
class workspace {
public:
    using rows_view = tensor::view<T, 2, typename Context::space>;

    /// @param ctx  kept as a reference
    explicit workspace(Context const& ctx) : ctx_{&ctx} {}

    /// The work matrix [rows, width] of a name. Contents stay until somebody else uses it. @throws memory_error
    rows_view matrix(work_buffer const& which, index rows, index width) {
        return {reserve(which, rows, width).data(), {rows, width}};
    }

    /// Memory for a work matrix of that size. @throws memory_error
    auto& reserve(work_buffer const& which, index rows, index width) {
        auto& memory = memory_of(which);
        if (memory.size() < rows * width) {
            memory = {};
            ++moves_;
            memory = backend::allocate<T>(*ctx_, std::array{rows * width});
        }
        return memory;
    }

    /// Gives back the memory of all of them.
    void release() { matrices_.clear(); }

    /// How often memory has moved.
    index moves() const { return moves_; }

private:
    using buffer = typename Context::template buffer<T, 1>;

    struct work_matrix {
        work_buffer const* name;
        buffer memory;
    };

    buffer& memory_of(work_buffer const& which) {
        for (auto& one : matrices_) {
            if (one.name == &which) return one.memory;
        }
        matrices_.push_back({&which, {}});
        return matrices_.back().memory;
    }

    Context const* ctx_;
    std::vector<work_matrix> matrices_;
    index moves_ = 0;
};

}  // namespace plateau::nn
