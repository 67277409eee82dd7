#pragma once
/// Matrices of a backend as the host sees them.

#include <type_traits>
#include <vector>

#include <plateau/backend/backends.hpp>

namespace plateau::nn {

/// Lets host code write, read and change matrices of a backend: themselves where the backend computes on the host,
/// copies where it does not, in memory that is kept. Calls may be nested. @throws memory_error, and what the backend
/// says of copies
template <class Context, class T>
class host_access {
public:
    using rows_view = tensor::view<T, 2, typename Context::space>;
    using host_rows = tensor::view<T, 2>;
    static constexpr bool direct = std::is_same_v<typename Context::space, tensor::host_space>;

    /// @param ctx  kept as a reference
    explicit host_access(Context const& ctx) : ctx_{&ctx} {}

    /// Calls f with rows that x becomes. What x holds is not seen.
    template <class F>
    void write(rows_view x, F&& f) {
        if constexpr (direct) return f(x);
        else with_copy(x, f, false, true);
    }

    /// Calls f with x.
    template <class F>
    void read(rows_view x, F&& f) {
        if constexpr (direct) return f(x);
        else with_copy(x, f, true, false);
    }

    /// Calls f with x, and takes over what f changes.
    template <class F>
    void change(rows_view x, F&& f) {
        if constexpr (direct) return f(x);
        else with_copy(x, f, true, true);
    }

private:
    /// Copies are a stack: the last one made ends first.
    struct place {
        host_access& owner;
        ~place() { --owner.in_use_; }
    };

    template <class F>
    void with_copy(rows_view x, F& f, bool there, bool back) {
        if (in_use_ == copies_.size()) copies_.emplace_back();
        auto& memory = copies_[in_use_];
        if (memory.size() < x.size()) memory = tensor::buffer<T, 1>::for_overwrite({x.size()});
        host_rows const rows{memory.data(), x.extents()};
        ++in_use_;
        place const taken{*this};
        if (there) download<T>(*ctx_, x, rows);
        f(rows);
        if (back) upload<T>(*ctx_, rows, x);
    }

    Context const* ctx_;
    std::vector<tensor::buffer<T, 1>> copies_;
    std::size_t in_use_ = 0;
};

}  // namespace plateau::nn
