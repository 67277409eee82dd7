#pragma once
/// The choice of a model's weights: those of its checkpoint, or a baseline's.

#include <cstdint>
#include <memory>
#include <type_traits>

#include <plateau/core/shared.hpp>
#include <plateau/models/open.hpp>
#include <plateau/models/random_weights.hpp>
#include <plateau/models/shuffled_weights.hpp>

namespace plateau {

/// The choices by name. Of a base that is a template, so that what makes a baseline is compiled by those alone who name
/// it.
template <class Weights>
struct weights_by_name {
    static Weights const stored;    ///< those of the checkpoint
    static Weights const random;    ///< the family's own initialisation: a folder needs config.json alone
    static Weights const shuffled;  ///< those of the checkpoint, every tensor's elements permuted
};

/// A choice of weights.
class weights : public weights_by_name<weights> {
public:
    /// False if the checkpoint's tensors are not read, and need not be there.
    constexpr bool need_tensors() const { return need_tensors_; }

    /// The tensors. @param opened  outlives them      @param seed  of a baseline
    template <class T>
    std::shared_ptr<models::tensor_source<T> const> of(models::checkpoint<T> const& opened, std::uint64_t seed) const {
        auto const make = [this] {
            if constexpr (std::is_same_v<T, float>) return floats_;
            else return doubles_;
        }();
        return make == nullptr ? opened.weights : make(opened, seed);
    }

    friend constexpr bool operator==(weights const& a, weights const& b) { return a.floats_ == b.floats_; }

private:
    friend weights_by_name<weights>;

    template <class T>
    using maker = std::shared_ptr<models::tensor_source<T> const> (*)(models::checkpoint<T> const&, std::uint64_t);

    constexpr weights(bool need_tensors, maker<float> floats, maker<double> doubles)
        : need_tensors_{need_tensors}, floats_{floats}, doubles_{doubles} {}

    bool need_tensors_;
    maker<float> floats_;
    maker<double> doubles_;
};

namespace detail {

template <class T>
std::shared_ptr<models::tensor_source<T> const> random_of(models::checkpoint<T> const& opened, std::uint64_t seed) {
    return shared<models::random_weights<T>>(opened.config, seed);
}
template <class T>
std::shared_ptr<models::tensor_source<T> const> shuffled_of(models::checkpoint<T> const& opened, std::uint64_t seed) {
    return shared<models::shuffled_weights<T>>(*opened.weights, seed);
}

PLATEAU_COMPILED_FUNCTION(random_of);
PLATEAU_COMPILED_FUNCTION(shuffled_of);

}  // namespace detail

template <class W>
inline constexpr W weights_by_name<W>::stored{true, nullptr, nullptr};
template <class W>
inline constexpr W weights_by_name<W>::random{false, detail::random_of<float>, detail::random_of<double>};
template <class W>
inline constexpr W weights_by_name<W>::shuffled{true, detail::shuffled_of<float>, detail::shuffled_of<double>};

}  // namespace plateau
