#pragma once
/// Tangents behind the rows of a sweep: directions at the write site, and what becomes of them.

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/point_blocks.hpp>
#include <plateau/hooks/constant_sites.hpp>
#include <plateau/nn/duals.hpp>

namespace plateau::engine {

namespace detail {

/// @throws usage_error unless every one of `count` tangents has one of the sets
inline void require_sets(index count, std::vector<hooks::constant_sites> const& sets,
                         std::vector<std::uint8_t> const& set) {
    if (count < 1 || static_cast<index>(set.size()) != count)
        throw usage_error("tangents need a set of constant sites each: there are ", count, " and ", set.size());
    for (auto const number : set) {
        if (number >= sets.size()) throw usage_error("there is no set ", number, " of constant sites");
    }
}

/// @throws site_error on sites whose tangents are not rows: scores, patterns
inline void require_rows_of_tangents(hooks::site const& at) {
    if (at.axes == hooks::site_axes::keys)
        throw site_error("tangents at ", at.name(), " are not defined: keys that a row does not see have none");
}

/// Tangents of each point, what they take for constant, and those of them that travel now.
struct tangent_sets {
    std::span<hooks::constant_sites const> sets;
    std::vector<std::uint8_t> const& set;
    tangent_part part;
};

/// The tangents of each point among the first `observed` rows of a block.
inline void follow_rows(nn::tangent_block& block, nn::rows const& values, index observed, tangent_sets const& of) {
    block = {};
    block.sets = of.sets;
    std::vector<token_id> tokens;
    for (auto const& part : values.sequences) {
        if (part.first_row >= observed) break;
        auto id = values.ids[static_cast<std::size_t>(part.first_row)];
        if (id.reference_copy) continue;
        tokens.clear();
        for (index r = part.first_row; r < part.first_row + part.rows; ++r)
            tokens.push_back(static_cast<token_id>(values.tokens[static_cast<std::size_t>(r)]));
        for (id.tangent = of.part.first; id.tangent < of.part.first + of.part.count; ++id.tangent) {
            block.rows.add(id, tokens, part.prefix);
            for (index r = part.first_row; r < part.first_row + part.rows; ++r) {
                block.of.push_back(r);
                block.set.push_back(of.set[static_cast<std::size_t>(id.tangent)]);
            }
        }
    }
}

}  // namespace detail

/// Where the tangents of a point start, and what they take for constant.
template <class T>
struct tangent_request {
    using const_rows = tensor::view<T const, 2>;

    index count = 1;                                                                  ///< k, of each point
    std::vector<hooks::constant_sites> sets = std::vector<hooks::constant_sites>(1);  ///< at most 255 of them
    std::vector<std::uint8_t> set = std::vector<std::uint8_t>(1);                     ///< [k], which of these
    /// Writes tangent i of a point of a pair to `out`, [positions, width] as written, given the pair's activations as a
    /// point_writer is. Called concurrently.
    std::function<void(index pair, index point, index i, const_rows from, const_rows to, tensor::view<T, 2> out)> start;
    hooks::hook_set<T> changes = {};  ///< what interventions do to tangents
    hooks::hook_set<T> reads = {};    ///< hooks that look at tangents, row_id::tangent says which; behind the write
};

/// k tangents behind every point of a sweep.
template <class T>
class carried_tangents final : public companion<T> {
public:
    /// @param sites  of the model
    /// @throws usage_error on a request whose parts do not fit; site_error on sites that the model does not have, or
    /// whose tangents are not rows: scores, patterns
    carried_tangents(tangent_request<T> request, std::vector<hooks::site> const& sites)
        : request_{std::move(request)}, sites_{sites} {
        detail::require_sets(request_.count, request_.sets, request_.set);
        for (auto const& hook : request_.reads.hooks()) {
            for (auto const& at : hooks::matching_sites(sites, hook.pattern)) detail::require_rows_of_tangents(at);
        }
    }

    void begin(point_rows<T> const& rows) override {
        rows_ = &rows;
        detail::require_rows_of_tangents(rows.where.at);
        auto const writes = hooks::patch<T>(rows.where.at.name(), [this](hooks::rows_at<T>& here) {
            auto const to = here.change();
            write(here.rows, {to.data(), {to.extent(0), here.shape[0] * here.shape[1]}, {to.stride(0), 1}});
        });
        auto const after = request_.changes | request_.reads;
        plan_ = hooks::plan<T>{rows.where.direct ? after : writes | after, sites_};
    }

    hooks::plan<T> const& plan() const { return plan_; }
    bool starts_with_rows() const { return rows_->where.direct; }

    /// Writes tangents as they start; rows of positions that are not written stay as they are. @param out  [t, width]
    void write(std::span<hooks::row_id const> ids, tensor::view<T, 2> out) const {
        for (index t = 0; t < static_cast<index>(ids.size());) {
            auto const& id = ids[static_cast<std::size_t>(t)];
            auto const& pair = rows_->pairs[static_cast<std::size_t>(id.item)];
            auto const& span = rows_->spans[static_cast<std::size_t>(id.item)];
            request_.start(id.item, id.point, id.tangent, rows_->endpoint(pair.from, id.item),
                           rows_->endpoint(pair.to, id.item), out.rows(t + span.first - span.start, span.count));
            t += id.length - span.start;
        }
    }

    index tangents() const override { return request_.count; }

    /// The tangents of a block's first rows.
    void fill(nn::tangent_block& block, nn::rows const& values, index observed, tangent_part const& part) const {
        detail::follow_rows(block, values, observed, {request_.sets, request_.set, part});
    }

private:
    tangent_request<T> request_;
    std::vector<hooks::site> const& sites_;
    point_rows<T> const* rows_ = nullptr;
    hooks::plan<T> plan_;
};

PLATEAU_COMPILED_CLASS(carried_tangents);

}  // namespace plateau::engine
