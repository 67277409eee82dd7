#pragma once
/// Rotary positions as summary.json tells them.

#include <algorithm>
#include <cstddef>
#include <vector>

#include <nlohmann/json.hpp>

#include <plateau/models/assemble.hpp>

namespace plateau::program {

/// Type and parameters under the names of config.json; `dimensions`, the coordinates w of a head that rotate; and
/// where they are not all 1 `factors` [w/2], which divide the frequencies theta^(-2i/w) of the pairs i. Null without
/// rotary positions.
inline nlohmann::ordered_json rope_summary(io::model_config const& config) {
    auto const used = models::make_rope(config);
    if (used == nullptr) return nullptr;
    auto const& told = config.rope;
    bool const linear = told.kind == io::rope_kind::linear, llama3 = told.kind == io::rope_kind::llama3;
    nlohmann::ordered_json all{{"type", linear   ? "linear"
                                        : llama3 ? "llama3"
                                                 : "default"},
                               {"theta", told.theta},
                               {"dimensions", 2 * used->half()}};
    if (linear || llama3) all["factor"] = told.factor;
    if (llama3) {
        all["low_freq_factor"] = told.low_freq_factor;
        all["high_freq_factor"] = told.high_freq_factor;
        all["original_max_position_embeddings"] = told.original_context;
    }
    auto factors = nn::rope::standard(2 * used->half(), told.theta).frequencies();
    for (std::size_t i = 0; i < factors.size(); ++i) factors[i] /= used->frequencies()[i];
    if (std::ranges::any_of(factors, [](double factor) { return factor != 1; })) all["factors"] = factors;
    return all;
}

}  // namespace plateau::program
