#pragma once
/// Derivatives of a model at a prompt, and models of parts of one's own that have them.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <plateau/engine/carry_tangents.hpp>
#include <plateau/engine/model.hpp>

namespace plateau {

namespace detail {

/// The point of a sweep that is the prompt's own run.
template <class T>
engine::point_writer<T> own_activation() {
    return [](index, index, tensor::view<T const, 2> from, tensor::view<T const, 2>, tensor::view<T, 2> out) {
        std::copy_n(from.data(), from.extent(1), out.data());
    };
}

}  // namespace detail

template <class T>
tensor::buffer<T, 2> model<T>::jvp(std::vector<token_id> const& prompt, tensor::view<T const, 2> directions,
                                   derivative_of const& what) const {
    auto const read = hooks::find_site(sites(), what.read), write = hooks::find_site(sites(), what.write);
    index const written = write.heads * write.width, width = read.heads * read.width;
    if (directions.extent(1) != written)
        throw shape_error("directions at ", what.write, " are ", written, " wide, not ", directions.extent(1));
    tensor::buffer<T, 2> all({directions.extent(0), width});
    engine::tangent_request<T> request;
    request.count = directions.extent(0);
    request.sets = {hooks::constant_sites{what.constant, sites()}};
    request.set.assign(static_cast<std::size_t>(request.count), 0);
    request.start = [&](index, index, index i, auto, auto, tensor::view<T, 2> out) {
        std::copy_n(directions[i].data(), written, out.data());
    };
    request.reads = hooks::capture<T>(what.read, [&](hooks::rows_at<T>& here) {
        auto const rows = here.read();
        for (index t = 0; t < here.count(); ++t)
            std::copy_n(rows[t].data(), width, all[here.rows[static_cast<std::size_t>(t)].tangent].data());
    });
    engine::carry_tangents<T>(*engine_, {prompt}, {{0, 0}},
                              {1, detail::own_activation<T>(), {.write = what.write, .read = what.read}},
                              std::move(request));
    return all;
}

template <class T>
tensor::buffer<T, 2> model<T>::vjp(std::vector<token_id> const& prompt, tensor::view<T const, 2> cotangents,
                                   derivative_of const& what) const {
    auto const read = hooks::find_site(sites(), what.read), write = hooks::find_site(sites(), what.write);
    index const written = write.heads * write.width, width = read.heads * read.width;
    if (cotangents.extent(1) != width)
        throw shape_error("cotangents at ", what.read, " are ", width, " wide, not ", cotangents.extent(1));
    tensor::buffer<T, 2> all({cotangents.extent(0), written});
    engine::cotangent_request<T> request;
    request.count = cotangents.extent(0);
    request.sets = {hooks::constant_sites{what.constant, sites()}};
    request.set.assign(static_cast<std::size_t>(request.count), 0);
    request.read = what.read;
    request.start = [&](index, index, index i, std::span<T> out) {
        std::copy_n(cotangents[i].data(), width, out.data());
    };
    request.take = [&](index, index, index i, tensor::view<T const, 2> g) {
        std::copy_n(g.data(), written, all[i].data());
    };
    engine::carry_cotangents<T>(*engine_, {prompt}, {{0, 0}},
                                {1, detail::own_activation<T>(), {.write = what.write, .read = what.read}},
                                std::move(request));
    return all;
}

template <class T>
tensor::buffer<T, 2> model<T>::jacobian(std::vector<token_id> const& prompt, derivative_of const& what) const {
    auto const write = hooks::find_site(sites(), what.write);
    index const width = write.heads * write.width;
    tensor::buffer<T, 2> units({width, width});
    for (index i = 0; i < width; ++i) units(i, i) = T{1};
    auto const columns = jvp(prompt, units, what);
    tensor::buffer<T, 2> all({columns.extent(1), width});
    for (index i = 0; i < width; ++i) {
        for (index w = 0; w < columns.extent(1); ++w) all(w, i) = columns(i, w);
    }
    return all;
}

/// As the model that its constructor makes, with derivatives: every part has jvp() beside forward().
///     auto const mine = plateau::differentiable(cpu, std::move(my_transformer));
template <class Context, class M, class T = typename M::value_type>
model<T> differentiable(std::shared_ptr<Context const> ctx, M transformer, models::model_texts texts = {}) {
    auto computer = backend::computer_of(*ctx);
    using concrete = engine::engine_on<Context, T, M>;
    auto made = shared<concrete>(std::move(ctx), std::move(transformer));
    made->make_tangents_by([](engine::engine<T> const& engine) {
        return engine::tangent_runners_on(static_cast<concrete const&>(engine));
    });
    return {std::move(made), std::move(computer), std::move(texts)};
}
template <class M, class T = typename M::value_type>
model<T> differentiable(backend::cpu_context const& ctx, M transformer, models::model_texts texts = {}) {
    return differentiable(shared<backend::cpu_context const>(ctx), std::move(transformer), std::move(texts));
}

}  // namespace plateau
