#pragma once
/// Cotangents behind the rows of a sweep: what numbers at a read site owe to the write site.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/carried_tangents.hpp>

namespace plateau::engine {

/// Where the cotangents of a point start, what they take for constant, and where they go.
template <class T>
struct cotangent_request {
    index count = 1;                                                                  ///< k, of each point
    std::vector<hooks::constant_sites> sets = std::vector<hooks::constant_sites>(1);  ///< at most 255 of them
    std::vector<std::uint8_t> set = std::vector<std::uint8_t>(1);                     ///< [k], which of these
    std::string read = "ln_final.hook_out";
    /// Writes cotangent i of a point of a pair to `out`, [width] of the read site at the last position. Called
    /// concurrently.
    std::function<void(index pair, index point, index i, std::span<T> out)> start;
    /// Receives Jᵀv of the written positions, [positions, width] of the write site. Called concurrently.
    std::function<void(index pair, index point, index i, tensor::view<T const, 2>)> take;
    hooks::hook_set<T> changes = {};    ///< what interventions do to them: to cotangents what they do to tangents
    index kept_bytes = index{1} << 31;  ///< memory for the values of all layers, of all threads; rows that need more
                                        ///< keep each layer's input, and compute the layer again on the way back
};

/// k cotangents behind every point of a sweep.
template <class T>
class carried_cotangents final : public companion<T> {
public:
    /// @param sites  of the model      @throws as carried_tangents
    carried_cotangents(cotangent_request<T> request, std::vector<hooks::site> const& sites)
        : request_{std::move(request)}, sites_{sites} {
        detail::require_sets(request_.count, request_.sets, request_.set);
        detail::require_rows_of_tangents(hooks::find_site(sites, request_.read));
    }

    void begin(point_rows<T> const& rows) override {
        rows_ = &rows;
        detail::require_rows_of_tangents(rows.where.at);
        auto const brings = hooks::patch<T>(request_.read, [this](hooks::rows_at<T>& here) {
            auto const to = here.change();
            std::vector<T> own(static_cast<std::size_t>(here.shape[0] * here.shape[1]));
            for (index t = 0; t < here.count(); ++t) {
                auto const& id = here.rows[static_cast<std::size_t>(t)];
                if (!id.last) continue;
                request_.start(id.item, id.point, id.tangent, own);
                for (std::size_t i = 0; i < own.size(); ++i) to[t].data()[i] += own[i];
            }
        });
        auto const takes = hooks::capture<T>(rows.where.at.name(), [this](hooks::rows_at<T>& here) {
            auto const from = here.read();
            take(here.rows, {from.data(), {from.extent(0), here.shape[0] * here.shape[1]}, {from.stride(0), 1}});
        });
        auto const behind = brings | request_.changes;
        plan_ = hooks::plan<T>{rows.where.direct ? behind : behind | takes, sites_};
    }

    hooks::plan<T> const& plan() const { return plan_; }
    bool ends_with_rows() const { return rows_->where.direct; }

    /// True if a block whose values take so much keeps the layers' inputs alone.
    bool computes_again(index bytes) const {
        bool const again = bytes > request_.kept_bytes / std::max(1, rows_->model.threads());
        if (again) computed_again_.store(true, std::memory_order_relaxed);
        return again;
    }
    /// True if some block did.
    bool computed_again() const { return computed_again_.load(std::memory_order_relaxed); }
    hooks::site const& write() const { return rows_->where.at; }

    /// Hands cotangents over that have come to the write site. @param g  [t, width]
    void take(std::span<hooks::row_id const> ids, tensor::view<T const, 2> g) const {
        for (index t = 0; t < static_cast<index>(ids.size());) {
            auto const& id = ids[static_cast<std::size_t>(t)];
            auto const& span = rows_->spans[static_cast<std::size_t>(id.item)];
            request_.take(id.item, id.point, id.tangent, g.rows(t + span.first - span.start, span.count));
            t += id.length - span.start;
        }
    }

    index tangents() const override { return request_.count; }

    /// The cotangents of a block's first rows.
    void fill(nn::tangent_block& block, nn::rows const& values, index observed, tangent_part const& part) const {
        detail::follow_rows(block, values, observed, {request_.sets, request_.set, part});
    }

private:
    cotangent_request<T> request_;
    std::vector<hooks::site> const& sites_;
    point_rows<T> const* rows_ = nullptr;
    hooks::plan<T> plan_;
    mutable std::atomic<bool> computed_again_{false};
};

PLATEAU_COMPILED_CLASS(carried_cotangents);

}  // namespace plateau::engine
