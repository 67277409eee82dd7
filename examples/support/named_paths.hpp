#pragma once
// The paths that programs know by name.

#include <span>
#include <string>
#include <vector>

#include <plateau/paths/additive_map.hpp>
#include <plateau/paths/arc.hpp>
#include <plateau/paths/exp_map.hpp>
#include <plateau/paths/linear.hpp>
#include <plateau/paths/slerp.hpp>
#include <plateau/paths/slerp_rescaled.hpp>
#include <plateau/sweep/along.hpp>

namespace program {

using plateau::index;
namespace paths = plateau::paths;

inline constexpr char const* paths_text =
    "Paths (t = alpha from 0 to 1, m the mean of all prompts' activations at the write site):\n"
    "  linear          the straight line\n"
    "  arc             that line pushed out to |A-m| from m: ends at B only if |B-m| = |A-m|   (Janiak et al., code)\n"
    "  arc-to-b        the same with the distance from m going from |A-m| to |B-m|\n"
    "  slerp           spherical interpolation of the vectors as they are\n"
    "  slerp-rescaled  spherical in direction, linear in norm\n"
    "  slerp-folded    that with the angle acos|cos|, as published   (Shinkle & Heimersheim)\n"
    "  rotation        A turned towards B at its own norm, up to the angle between them   (da Silva & Heimersheim)\n"
    "  rotation-added  its additive twin: A + |A| sin(angle) along the same tangent\n";

inline std::vector<std::string> const& path_names() {
    static std::vector<std::string> const names{"linear",         "arc",          "arc-to-b", "slerp",
                                                "slerp-rescaled", "slerp-folded", "rotation", "rotation-added"};
    return names;
}

/// A map that takes an angle, as a path from 0 to the whole angle between a and b.
template <class Map>
struct turned {
    Map map;
    double whole;

    template <class T>
    void operator()(double t, std::span<T> out) const {
        map(t * whole, out);
    }
};

/// Named paths of pairs. @param mean  [width], kept as a reference; used by arcs alone
template <class T>
plateau::sweep::path_writer<T> named_path(std::string const& name, std::span<T const> mean) {
    using ends = std::span<T const>;
    auto const along = [&](auto make) { return plateau::sweep::paths_of<T>(make); };
    if (name == "linear") return along([](ends a, ends b) { return paths::linear<T>{a, b}; });
    if (name == "arc") return along([mean](ends a, ends b) { return paths::arc<T>{a, b, mean}; });
    if (name == "arc-to-b")
        return along([mean](ends a, ends b) { return paths::arc<T>{a, b, mean, paths::arc_radius::interpolated}; });
    if (name == "slerp") return along([](ends a, ends b) { return paths::slerp<T>{a, b}; });
    if (name == "slerp-rescaled") return along([](ends a, ends b) { return paths::slerp_rescaled<T>{a, b}; });
    if (name == "slerp-folded")
        return along([](ends a, ends b) { return paths::slerp_rescaled<T>{a, b, paths::slerp_angle::folded}; });
    if (name == "rotation")
        return along([](ends a, ends b) { return turned<paths::exp_map<T>>{{a, b}, paths::angle(a, b)}; });
    if (name == "rotation-added")
        return along([](ends a, ends b) { return turned<paths::additive_map<T>>{{a, b}, paths::angle(a, b)}; });
    throw plateau::usage_error("--path '" + name + "' is not known; see --help");
}

/// Mean over prompts of their activations [N, width], formed in double.
template <class T>
std::vector<T> mean_of(plateau::tensor::view<T const, 2> activations) {
    std::vector<double> sum(static_cast<std::size_t>(activations.extent(1)));
    for (index i = 0; i < activations.extent(0); ++i) {
        for (std::size_t k = 0; k < sum.size(); ++k)
            sum[k] += static_cast<double>(activations(i, static_cast<index>(k)));
    }
    std::vector<T> mean;
    for (double const one : sum) mean.push_back(static_cast<T>(one / static_cast<double>(activations.extent(0))));
    return mean;
}

}  // namespace program
