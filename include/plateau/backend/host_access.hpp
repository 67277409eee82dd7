#pragma once
/// Rows of a backend as the host sees them.

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <vector>

#include <plateau/backend/backends.hpp>

namespace plateau::backend {

/// Memory for copies of rows on the host, kept from one to the next. Nothing where the backend computes there.
template <class Context, class T>
class host_copies {
public:
    /// @param ctx  kept as a reference
    explicit host_copies(Context const& ctx) : ctx_{&ctx} {}

    Context const& context() const { return *ctx_; }

    /// Memory for one more copy. @pre given back in the reverse order
    tensor::view<T, 2> take(std::array<index, 2> extents) {
        if (in_use_ == copies_.size()) copies_.emplace_back();
        auto& memory = copies_[in_use_++];
        if (memory.size() < extents[0] * extents[1]) {
            memory = tensor::buffer<T, 1>::for_overwrite({extents[0] * extents[1]});
        }
        return {memory.data(), extents};
    }
    void give_back() { --in_use_; }

private:
    Context const* ctx_;
    std::vector<tensor::buffer<T, 1>> copies_;
    std::size_t in_use_ = 0;
};

/// Lets host code write, read and change rows of a backend: themselves where the backend computes on the host, a copy
/// where it does not, which is made when it is first asked for. Several may be in use, the last one made ends first.
/// @throws memory_error, and what the backend says of copies
template <class Context, class T>
class host_rows {
public:
    using rows_view = tensor::view<T, 2, typename Context::space>;
    static constexpr bool direct = std::is_same_v<typename Context::space, tensor::host_space>;

    host_rows(host_copies<Context, T>& copies, rows_view x) : copies_{copies}, x_{x} {}
    host_rows(host_rows const&) = delete;
    host_rows& operator=(host_rows const&) = delete;
    ~host_rows() {
        if (taken_) copies_.give_back();
    }

    /// What the rows hold.
    tensor::view<T, 2> read() { return seen(true); }
    /// The same, to be changed until `finish`.
    tensor::view<T, 2> change() {
        auto const rows = seen(true);
        changed_ = true;
        return rows;
    }
    /// Rows to be filled until `finish`: what they hold is not seen.
    tensor::view<T, 2> write() {
        auto const rows = seen(false);
        changed_ = true;
        return rows;
    }
    /// Hands changed rows back to the backend. What was read before is no longer valid.
    void finish() {
        if constexpr (!direct) {
            if (changed_) upload<T>(copies_.context(), copy_, x_);
            there_ = false;
        }
        changed_ = false;
    }

private:
    tensor::view<T, 2> seen([[maybe_unused]] bool values) {
        if constexpr (direct) {
            return x_;
        } else {
            if (!taken_) copy_ = copies_.take(x_.extents()), taken_ = true;
            if (values && !there_) download<T>(copies_.context(), x_, copy_);
            there_ = true;
            return copy_;
        }
    }

    host_copies<Context, T>& copies_;
    rows_view x_;
    tensor::view<T, 2> copy_;
    bool taken_ = false, there_ = false, changed_ = false;
};

/// Lets f fill a result that the host wants: in its own place where the backend computes on the host, else in the
/// backend's memory, from where it is copied. @param f  (view of the backend's space) -> void
template <class V, std::size_t Rank, class Context, class F>
void fill_for_host(Context const& ctx, tensor::view<V, Rank> result, F const& f) {
    if constexpr (std::is_same_v<typename Context::space, tensor::host_space>) {
        f(result);
    } else {
        auto found = allocate<V>(ctx, result.extents());
        f(found.view());
        auto const copy = to_host(ctx, found);
        std::copy_n(copy.data(), copy.size(), result.data());
    }
}

}  // namespace plateau::backend
