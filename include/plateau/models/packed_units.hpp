#pragma once
/// Weights of a checkpoint that are packed anew whenever their turn comes.

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <plateau/models/layer_turns.hpp>
#include <plateau/models/weight_filler.hpp>
#include <plateau/tensor/pages.hpp>

namespace plateau::models {

/// Which pieces of a weight_filler belong to a unit, and the memory that they fill.
struct packed_unit {
    index first = 0, end = 0;
    index bytes = 0;  ///< of that memory
    std::vector<std::span<std::byte>> memory = {};
};

/// Units that are filled from where they are stored, as in a model that holds all of them: so their values are the
/// same. Memory keeps its addresses, its pages come and go.
template <class Context, class T>
class packed_units final : public weight_units {
public:
    /// @param source  what the filler reads, to be kept alive
    packed_units(weight_filler<Context, T> filler, std::vector<packed_unit> units, int threads,
                 std::shared_ptr<void const> source)
        : source_{std::move(source)}, filler_{std::move(filler)}, units_{std::move(units)}, threads_{threads} {
        for (auto const& unit : units_) {
            for (auto const& one : unit.memory) tensor::whole_pages{one.data(), one.size()}.prefer_large();
        }
    }

    void bring(int unit) override {
        auto const& which = units_[static_cast<std::size_t>(unit)];
        filler_.fill(
            threads_, [] {}, which.first, which.end);
        filler_.source().drop_pages();
    }
    void drop(int unit) override {
        for (auto const& one : units_[static_cast<std::size_t>(unit)].memory) {
            tensor::whole_pages{one.data(), one.size()}.give_back();
        }
    }

private:
    std::shared_ptr<void const> source_;
    weight_filler<Context, T> filler_;
    std::vector<packed_unit> units_;
    int threads_;
};

}  // namespace plateau::models
