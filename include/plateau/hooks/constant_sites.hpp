#pragma once
/// Sites at which tangents are held at zero: the parts of a model that a derivative takes for constant.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/hooks/site.hpp>

namespace plateau::hooks {

/// A set of sites, and of gates: the factor act(z) of a gated MLP, act(z)/z of another. What is frozen keeps the value
/// that it has at the point, and its tangent is zero; scales freeze the divisors of norms, patterns the attention's.
class constant_sites {
public:
    constant_sites() = default;

    /// @param parts  of attn_out, pattern, mlp_out, gate, norm_scale, each in all layers, or patterns of site names
    /// @param sites  of the model      @throws site_error on a name that is neither, or that the model does not have
    constant_sites(std::vector<std::string> const& parts, std::vector<site> const& sites);

    bool empty() const { return masks_.empty() && !gates_; }
    bool holds(site_id id, int layer) const {
        auto const slot = static_cast<std::size_t>(layer + 1);
        return slot < masks_.size() && (masks_[slot] >> static_cast<unsigned>(id) & 1) != 0;
    }
    bool holds_gates() const { return gates_; }

    friend bool operator==(constant_sites const&, constant_sites const&) = default;

private:
    std::vector<std::uint64_t> masks_ = {};  // of the top level, then of each layer
    bool gates_ = false;
};

}  // namespace plateau::hooks

#if !PLATEAU_COMPILED
#include <plateau/hooks/impl/constant_sites.ipp>
#endif
