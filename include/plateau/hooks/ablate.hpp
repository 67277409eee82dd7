#pragma once
/// Ablations: an activation replaced by zero, by a mean, by that of another example.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/rng.hpp>
#include <plateau/hooks/selection.hpp>

namespace plateau::hooks {

/// x ← 0.
template <class T>
hook_set<T> zero_ablate(std::string pattern, selection where_to = {}) {
    return edit<T>(
        std::move(pattern), std::move(where_to),
        [](site const&, row_id const&, index, std::size_t width) {
        static thread_local std::vector<T> zeros;
        if (zeros.size() < width) zeros.resize(width);
        return vector_edit<T>{{zeros.data(), width}};
        },
        depends_on::position);
}

/// x ← v, the same for all rows. @param v  [D], or [E] for each selected head, or [H · E] for the heads one after the
/// other
/// @throws shape_error, when it acts, if v does not fit
template <class T>
hook_set<T> set_to(std::string pattern, std::vector<T> v, selection where_to = {}) {
    return edit<T>(
        std::move(pattern), std::move(where_to),
        [v = std::move(v)](site const& at, row_id const&, index head, std::size_t width) {
        return vector_edit<T>{detail::share_of<T>(v, at, head, width)};
        },
        depends_on::position);
}

/// x ← the mean of examples. Summed in double in their order, rounded once.
/// @param examples  [n, width], n > 0, width as v of `set_to`      @throws usage_error without examples
template <class T>
hook_set<T> mean_ablate(std::string pattern, tensor::view<T const, 2> examples, selection where_to = {}) {
    if (examples.extent(0) == 0) throw usage_error("mean ablation of ", pattern, " needs an example at least");
    std::vector<T> mean;
    for (index i = 0; i < examples.extent(1); ++i) {
        double sum = 0;
        for (index n = 0; n < examples.extent(0); ++n) sum += static_cast<double>(examples(n, i));
        mean.push_back(static_cast<T>(sum / static_cast<double>(examples.extent(0))));
    }
    return set_to<T>(std::move(pattern), std::move(mean), std::move(where_to));
}

/// x ← one of the examples, drawn for each site, prompt and position (all heads of a row from the same one): a function
/// of these and the seed alone.
/// @param examples  [n, width], n > 0, width as v of `set_to`; copied      @throws usage_error without examples
template <class T>
hook_set<T> resample_ablate(std::string pattern, tensor::view<T const, 2> examples, std::uint64_t seed,
                            selection where_to = {}) {
    index const count = examples.extent(0), width = examples.extent(1);
    if (count == 0) throw usage_error("resample ablation of ", pattern, " needs an example at least");
    std::vector<T> all;
    for (index n = 0; n < count; ++n) all.insert(all.end(), examples[n].data(), examples[n].data() + width);
    return edit<T>(
        std::move(pattern), std::move(where_to),
        [all = std::move(all), count, width, seed](site const& at, row_id const& row, index head,
                                                   std::size_t of_vector) {
        std::uint64_t key =
            counter_rng{seed}.at(static_cast<std::uint64_t>(at.layer + 1) << 8 | static_cast<std::uint64_t>(at.id));
        for (index const part : {row.its_prompt(), row.position})
            key = counter_rng{key}.at(static_cast<std::uint64_t>(part));
        auto const chosen = static_cast<index>(counter_rng{key}.below(static_cast<std::uint64_t>(count)));
        std::span<T const> const example{all.data() + chosen * width, static_cast<std::size_t>(width)};
        return vector_edit<T>{detail::share_of<T>(example, at, head, of_vector)};
        },
        depends_on::prompt);
}

}  // namespace plateau::hooks
