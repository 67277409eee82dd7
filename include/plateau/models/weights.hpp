#pragma once
/// The choice of a model's weights: those of its checkpoint, or a baseline's.

#include <cstdint>
#include <memory>
#include <type_traits>

#include <plateau/models/open.hpp>
#include <plateau/models/random_weights.hpp>
#include <plateau/models/shuffled_weights.hpp>

namespace plateau {

/// A choice of weights. What makes them is reached through it: a program that never names a baseline does not compile
/// one.
class weights {
public:
    static weights const stored;    ///< those of the checkpoint
    static weights const random;    ///< the family's own initialisation: a folder needs config.json alone
    static weights const shuffled;  ///< those of the checkpoint, every tensor's elements permuted

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

    friend constexpr bool operator==(weights const&, weights const&) = default;

private:
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
    return std::make_shared<models::random_weights<T>>(opened.config, seed);
}
template <class T>
std::shared_ptr<models::tensor_source<T> const> shuffled_of(models::checkpoint<T> const& opened, std::uint64_t seed) {
    return std::make_shared<models::shuffled_weights<T>>(*opened.weights, seed);
}

}  // namespace detail

inline constexpr weights weights::stored{true, nullptr, nullptr};
inline constexpr weights weights::random{false, detail::random_of<float>, detail::random_of<double>};
inline constexpr weights weights::shuffled{true, detail::shuffled_of<float>, detail::shuffled_of<double>};

}  // namespace plateau
