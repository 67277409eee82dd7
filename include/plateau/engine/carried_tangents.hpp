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

/// Where the tangents of a point start, and what they take for constant.
template <class T>
struct tangent_request {
    using const_rows = tensor::view<T const, 2>;

    index count = 1;                                                                  ///< k, of each point
    std::vector<hooks::constant_sites> sets = std::vector<hooks::constant_sites>(1);  ///< at most 255 of them
    std::vector<std::uint8_t> set = std::vector<std::uint8_t>(1);                     ///< [k], which of these
    /// Writes tangent i of a point of a pair, [width], given the pair's activations as a point_writer is. Called
    /// concurrently.
    std::function<void(index pair, index point, index i, const_rows from, const_rows to, std::span<T> out)> start;
    hooks::hook_set<T> reads = {};  ///< hooks that look at tangents, row_id::tangent says which; behind the write
};

/// k tangents behind every point of a sweep.
template <class T>
class carried_tangents final : public companion<T> {
public:
    /// @param sites  of the model
    /// @throws usage_error on a request whose parts do not fit; site_error on sites that the model does not have, or
    /// whose
    ///         tangents are not rows: scales, scores, patterns and the copies of the residual stream for single heads
    PLATEAU_RARE carried_tangents(tangent_request<T> request, std::vector<hooks::site> const& sites)
        : request_{std::move(request)}, sites_{sites} {
        if (request_.count < 1 || static_cast<index>(request_.set.size()) != request_.count) {
            throw usage_error("tangents need a set of frozen sites each: there are ", request_.count, " and ",
                              request_.set.size());
        }
        for (auto const number : request_.set) {
            if (number >= request_.sets.size()) throw usage_error("there is no set ", number, " of frozen sites");
        }
        for (auto const& hook : request_.reads.hooks()) {
            for (auto const& at : hooks::matching_sites(sites, hook.pattern)) require_rows(at);
        }
    }

    void begin(point_rows<T> const& rows) override {
        rows_ = &rows;
        require_rows(rows.where.at);
        auto const writes = hooks::patch<T>(rows.where.at.name(), [this](hooks::rows_at<T>& here) {
            auto const to = here.change();
            index const width = here.shape[0] * here.shape[1];
            for (index t = 0; t < here.count(); ++t) {
                write(here.rows[static_cast<std::size_t>(t)], {to[t].data(), static_cast<std::size_t>(width)});
            }
        });
        plan_ = hooks::plan<T>{rows.where.direct ? request_.reads : writes | request_.reads, sites_};
    }

    hooks::plan<T> const& plan() const { return plan_; }
    bool starts_with_rows() const { return rows_->where.direct; }

    /// The tangent of a row of tangents as it starts.
    void write(hooks::row_id const& id, std::span<T> out) const {
        auto const& pair = rows_->pairs[static_cast<std::size_t>(id.item)];
        request_.start(id.item, id.point, id.tangent, rows_->endpoint(pair.from, id.item),
                       rows_->endpoint(pair.to, id.item), out);
    }

    /// The tangents of a block's first rows. @throws usage_error where a point has several positions
    void fill(nn::tangent_block& block, nn::rows const& values, index observed) const {
        block = {};
        block.sets = request_.sets;
        for (auto const& part : values.sequences) {
            if (part.first_row >= observed) break;
            auto id = values.ids[static_cast<std::size_t>(part.first_row)];
            if (id.reference_copy) continue;
            if (part.rows != 1) {
                throw usage_error("derivatives are of the last position alone: rows of this sweep carry ", part.rows);
            }
            auto const token = static_cast<token_id>(values.tokens[static_cast<std::size_t>(part.first_row)]);
            for (id.tangent = 0; id.tangent < request_.count; ++id.tangent) {
                block.rows.add(id, {&token, 1}, part.prefix);
                block.of.push_back(part.first_row);
                block.set.push_back(request_.set[static_cast<std::size_t>(id.tangent)]);
            }
        }
    }

private:
    static void require_rows(hooks::site const& at) {
        using hooks::site_id;
        bool const scale = at.axes != hooks::site_axes::keys && at.width == 1 && at.name().ends_with("hook_scale");
        if (at.axes != hooks::site_axes::keys && !scale && !hooks::explicit_only(at.id)) return;
        if (at.id == site_id::mlp_in) return;
        throw site_error("tangents at ", at.name(),
                         " are not defined: it is a scale, scores, a pattern, or a copy for single heads");
    }

    tangent_request<T> request_;
    std::vector<hooks::site> const& sites_;
    point_rows<T> const* rows_ = nullptr;
    hooks::plan<T> plan_;
};

PLATEAU_COMPILED_CLASS(carried_tangents);

}  // namespace plateau::engine
