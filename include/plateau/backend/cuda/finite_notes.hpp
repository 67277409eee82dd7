#pragma once
/// Notes of values that are not finite, left on the device layer by layer and read once.

#include <array>

#include <plateau/backend/cuda/elementwise.hpp>
#include <plateau/backend/cuda/memory.hpp>

namespace plateau::backend {

/// A cell on the device for each layer: waiting for what it says after every layer would cost more than the layer.
class finite_notes_on_device {
public:
    /// Has the device note the first row of x that holds something infinite or NaN. @param x  [R, D]
    /// @return −1: it is not known yet
    template <class T>
    index after_layer(cuda_context const& ctx, int layer, int layers, device_view<T, 2> x) {
        if (cells_.size() < layers) cells_ = allocate<index>(ctx, std::array<index, 1>{layers}), ++moves_;
        note_not_finite<T>(ctx, x, {cells_.data() + layer, {1}});
        return -1;
    }

    /// The first of the layers [first, last) that left such a row. Waits for the stream.
    noted_row first(cuda_context const& ctx, int first, int last) const {
        if (first == last) return {};
        auto const found = to_host(ctx, cells_);
        for (int layer = first; layer < last; ++layer) {
            if (found(layer) >= 0) return {layer, found(layer)};
        }
        return {};
    }

    /// How often its memory has moved.
    index moves() const { return moves_; }

private:
    device_buffer<index, 1> cells_;
    index moves_ = 0;
};

}  // namespace plateau::backend
