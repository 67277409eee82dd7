#pragma once
/// Paths by name, each with the line that tells what it is.

#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/paths/additive_map.hpp>
#include <plateau/paths/angle.hpp>
#include <plateau/paths/arc.hpp>
#include <plateau/paths/exp_map.hpp>
#include <plateau/paths/grid.hpp>
#include <plateau/paths/linear.hpp>
#include <plateau/paths/slerp.hpp>
#include <plateau/paths/slerp_rescaled.hpp>
#include <plateau/sweep/activations.hpp>
#include <plateau/sweep/along.hpp>
#include <plateau/sweep/interpolate.hpp>

namespace plateau::sweep {

/// A name and what it means, with t from 0 to 1 and m the mean of all prompts' activations at the write site.
struct path_name {
    char const* name;
    char const* what;
};
inline constexpr std::array<path_name, 8> path_names{{
    {"linear", "the straight line"},
    {"arc", "that line pushed out to |A-m| from m: ends at B only if |B-m| = |A-m| (Janiak et al., code)"},
    {"arc-to-b", "the same with the distance from m going from |A-m| to |B-m|"},
    {"slerp", "spherical interpolation of the vectors as they are"},
    {"slerp-rescaled", "spherical in direction, linear in norm"},
    {"slerp-folded", "that with the angle acos|cos|, as published (Shinkle & Heimersheim)"},
    {"rotation", "A turned towards B at its own norm, up to the angle between them (da Silva & Heimersheim)"},
    {"rotation-added", "its additive twin: A + |A| sin(angle) along the same tangent"},
}};

/// A map that takes an angle, as a path from 0 to the whole angle between a and b.
template <class Map>
struct turned {
    Map map;
    double whole;

    template <class T>
    void operator()(double t, std::span<T> out) const {
        map(t * whole, out);
    }
    template <class T>
    void derivative(double t, std::span<T> out) const {
        map.derivative(t * whole, out);
        for (T& one : out) one = static_cast<T>(static_cast<double>(one) * whole);
    }
};

/// Calls along(make) with what makes the path of a name of two activations, and gives what it gives.
/// @param mean  [width], kept as a reference; used by arcs alone      @throws usage_error on a name that none has
template <class T, class Along>
path_writer<T> with_named_path(std::string const& name, std::span<T const> mean, Along const& along) {
    using ends = std::span<T const>;
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
    std::string known;
    for (auto const& one : path_names) known += (known.empty() ? "" : ", ") + std::string(one.name);
    throw usage_error("there is no path '", name, "'; there are ", known);
}

/// Named paths of pairs. @see with_named_path
template <class T>
path_writer<T> named_path(std::string const& name, std::span<T const> mean) {
    return with_named_path<T>(name, mean, [](auto make) { return paths_of<T>(make); });
}
/// dx/dt of named paths. @see with_named_path
template <class T>
path_writer<T> named_derivative(std::string const& name, std::span<T const> mean) {
    return with_named_path<T>(name, mean, [](auto make) { return derivatives_of<T>(make); });
}

/// The mean that the path of a name is about, [width]: of all prompts' activations at a site; none unless it is an arc.
template <class T>
std::vector<double> path_mean_of(model<T> const& model, prompt_list const& prompts, std::string const& name,
                                 std::string const& site) {
    if (!name.starts_with("arc")) return {};
    auto const mean = mean_activation(last_activations(model, prompts, site));
    return {mean.begin(), mean.end()};
}

/// A named path of the pairs of one sweep, and its points on an even grid. Stays where it is while they are used.
template <class T>
struct path_points {
    std::vector<T> mean;  ///< of all prompts' activations; none unless the path is about it
    path_writer<T> path;
    engine::point_writer<T> points;

    /// @param known  the mean, where it is known: of more sweeps over the same prompts
    path_points(model<T> const& model, prompt_list const& prompts, std::string const& name, std::string const& site,
                index steps, std::vector<double> known = {})
        : path_points{name, known.empty() ? path_mean_of(model, prompts, name, site) : std::move(known), steps} {}
    path_points(std::string const& name, std::vector<double> const& about, index steps)
        : mean(about.begin(), about.end()), path{named_path<T>(name, mean)},
          points{name == "linear" ? straight_lines<T>(steps) : at_grid<T>(path, paths::even_grid(0, 1, steps))} {}
    path_points(path_points const&) = delete;
    path_points& operator=(path_points const&) = delete;
};

}  // namespace plateau::sweep
