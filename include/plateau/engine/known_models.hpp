#pragma once
/// The models whose types this build knows: what needs more of a model than its engine asks here.

#include <memory>
#include <vector>

#include <plateau/backend/backends.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/shared.hpp>
#include <plateau/engine/engine_on.hpp>
#include <plateau/engine/tangent_runner_on.hpp>
#include <plateau/models/transformer.hpp>

namespace plateau::engine {

/// Backends whose models, as `load` makes them, are known here by their type.
template <class Context>
inline constexpr bool known_by_type = false;
template <>
inline constexpr bool known_by_type<backend::cpu_context> = true;

/// Runners for an engine whose types are known, one for each thread.
template <class Context, class T, class M>
std::vector<std::unique_ptr<block_runner<T>>> tangent_runners_on(engine_on<Context, T, M> const& engine) {
    std::vector<std::unique_ptr<block_runner<T>>> all;
    using transposes_type = nn::transposes<Context, T>;
    auto transposes = engine.template kept_for_derivatives<transposes_type>(
        [&] { return shared<transposes_type>(engine.context()); });
    for (int i = 0; i < engine.threads(); ++i) {
        // where layers take turns, those of a layer are forgotten behind it
        if (engine.facts().turns != nullptr) transposes = shared<transposes_type>(engine.context());
        all.push_back(std::unique_ptr<block_runner<T>>{
            new tangent_runner_on<Context, T, M>{engine.context(), engine.model(), transposes}});
    }
    return all;
}

/// Runners that know `carried_tangents`, one for each thread, for a model that `load` or `assemble` made, or
/// `differentiable`. @throws usage_error for other models
template <class T>
std::vector<std::unique_ptr<block_runner<T>>> tangent_runners(engine<T> const& engine) {
    if (engine.makes_tangents() != nullptr) return engine.makes_tangents()(engine);
    using cpu = backend::cpu_context;
    if (auto const* const known = dynamic_cast<engine_on<cpu, T, models::transformer<cpu, T>> const*>(&engine)) {
        return tangent_runners_on(*known);
    }
    throw usage_error(
        "this model has no derivatives: those that `load` makes have them, those of parts of your own where "
        "`differentiable` makes them");
}

/// Bytes that the values of a row take in all layers, kept for cotangents. @throws as tangent_runners
template <class T>
index kept_row_bytes(engine<T> const& engine) {
    auto const runners = tangent_runners(engine);
    return dynamic_cast<keeps_values const&>(*runners.front()).kept_row_bytes();
}

PLATEAU_COMPILED_FUNCTION(tangent_runners);

}  // namespace plateau::engine
