#pragma once
/// Transposed weights, for cotangents: packed when the first one asks, shared by all threads.

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <type_traits>
#include <vector>

#include <plateau/backend/backends.hpp>

namespace plateau::nn {

/// Wᵀ of the weights of a model, as weights that products take.
template <class Context, class T>
class transposes {
public:
    using weight = typename Context::template weight<T>;

    /// @param ctx  kept as a reference
    explicit transposes(Context const& ctx) : ctx_{ctx} {}

    /// @param of  to live as long      @throws memory_error
    weight const& operator()(weight const& of) {
        std::lock_guard const lock{guard_};
        auto& known = known_[&of];
        if (!known) known = std::unique_ptr<weight>(new weight(transposed(of)));
        return *known;
    }

    /// Gives them back. @pre nobody uses one
    void forget() { known_.clear(); }

private:
    weight transposed(weight const& of) const {
        bool const narrow = of.is_bf16();
        weight result{ctx_, of.inputs(), of.outputs(), narrow ? dtype::bf16 : dtype_of<T>};
        auto const writer = result.writer();
        constexpr index step = 32 / decltype(result.writer())::input_step * decltype(result.writer())::input_step;
        for (index first = 0; first < of.outputs(); first += step) {
            std::vector<index> numbers;
            for (index n = first; n < std::min(first + step, of.outputs()); ++n) numbers.push_back(n);
            auto rows = backend::allocate<T>(ctx_, std::array{static_cast<index>(numbers.size()), of.inputs()});
            backend::gather_rows<T>(ctx_, of, numbers, rows);
            auto const on_host = backend::to_host(ctx_, rows);
            if constexpr (std::is_same_v<T, float>) {
                if (narrow) {
                    tensor::buffer<bfloat16, 2> rounded(on_host.extents());
                    std::transform(on_host.flat().begin(), on_host.flat().end(), rounded.data(),
                                   [](float x) { return bfloat16{x}; });
                    writer.inputs(first, rounded);
                    continue;
                }
            }
            writer.inputs(first, on_host);
        }
        return result;
    }

    Context const& ctx_;
    std::mutex guard_;
    std::map<weight const*, std::unique_ptr<weight>> known_;
};

}  // namespace plateau::nn
