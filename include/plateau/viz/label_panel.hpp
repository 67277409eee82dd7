#pragma once
/// The panel of labels over a surface: which token is the likeliest where, and where that changes.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <plateau/metrics/label_map.hpp>
#include <plateau/viz/plane_frame.hpp>

namespace plateau::viz {

/// Labels over one grid. Nothing is copied but the texts.
struct label_map {
    std::string title;
    tensor::view<index const, 2> labels;  ///< [rows, columns]; row 0 at the bottom
    std::vector<place_mark> anchors;
};

/// Which labels have a colour of their own: those that cover most. Ten light hues that dark lines and letters stand out
/// on.
class label_colours {
public:
    struct entry {
        index label;
        double share;  ///< of all points of all maps
    };

    /// @param maps  over grids of any extents
    explicit label_colours(std::span<tensor::view<index const, 2> const> maps) {
        std::vector<index> all;
        for (auto const& map : maps) {
            for (index r = 0; r < map.extent(0); ++r)
                all.insert(all.end(), map[r].data(), map[r].data() + map.extent(1));
        }
        std::sort(all.begin(), all.end());
        for (std::size_t at = 0; at < all.size();) {
            auto const end =
                std::upper_bound(all.begin() + static_cast<std::ptrdiff_t>(at), all.end(), all[at]) - all.begin();
            entries_.push_back({all[at], static_cast<double>(end - static_cast<std::ptrdiff_t>(at)) /
                                             static_cast<double>(all.size())});
            at = static_cast<std::size_t>(end);
        }
        std::stable_sort(entries_.begin(), entries_.end(),
                         [](auto const& x, auto const& y) { return x.share > y.share; });
    }

    static constexpr std::size_t named = 10;
    /// All labels, by share descending, then ascending; the first `named` have colours of their own.
    std::vector<entry> const& entries() const { return entries_; }

    /// Greys for labels without a colour: neighbours seldom have the same one.
    colour operator()(index label) const {
        for (std::size_t i = 0; i < std::min(entries_.size(), named); ++i) {
            if (entries_[i].label == label) return hue(i);
        }
        constexpr std::array<colour, 3> greys{rgb(0xE4E6E9), rgb(0xD3D7DC), rgb(0xC2C7CE)};
        return greys[static_cast<std::size_t>(label % 3 + 3) % 3];
    }

    /// @see Tol 2021, "Colour schemes", light scheme, and two more
    static constexpr colour hue(std::size_t i) {
        constexpr std::array<colour, named> hues{rgb(0x77AADD), rgb(0xEE8866), rgb(0xEEDD88), rgb(0x44BB99),
                                                 rgb(0xFFAABB), rgb(0x99DDFF), rgb(0xBBCC33), rgb(0xC5A8E0),
                                                 rgb(0xAAAA00), rgb(0xD9B38C)};
        return hues[i];
    }

private:
    std::vector<entry> entries_;
};

namespace detail {

/// A cell of every region that is as far from its rim as any, and that distance in cells (chessboard).
struct interior {
    index row = 0, column = 0, depth = 0;
};

inline std::vector<interior> interiors_of(metrics::label_regions<index> const& regions, index rows, index columns) {
    std::vector<index> depth(regions.region.size());
    auto const at = [&](index r, index c) { return static_cast<std::size_t>(r * columns + c); };
    auto const look = [&](index r, index c, index dr, index dc) {  // one more than the neighbour, 1 at the rim
        index const nr = r + dr, nc = c + dc;
        bool const inside =
            nr >= 0 && nr < rows && nc >= 0 && nc < columns && regions.region[at(nr, nc)] == regions.region[at(r, c)];
        return inside ? depth[at(nr, nc)] + 1 : 1;
    };
    for (index r = 0; r < rows; ++r) {
        for (index c = 0; c < columns; ++c)
            depth[at(r, c)] = std::min({look(r, c, -1, -1), look(r, c, -1, 0), look(r, c, -1, 1), look(r, c, 0, -1)});
    }
    std::vector<interior> best(static_cast<std::size_t>(regions.count()));
    for (index r = rows - 1; r >= 0; --r) {
        for (index c = columns - 1; c >= 0; --c) {
            auto& d = depth[at(r, c)];
            d = std::min({d, look(r, c, 1, 1), look(r, c, 1, 0), look(r, c, 1, -1), look(r, c, 0, 1)});
            auto& top = best[static_cast<std::size_t>(regions.region[at(r, c)])];
            if (d > top.depth) top = {r, c, d};
        }
    }
    return best;
}

}  // namespace detail

/// Cells in the colours of their labels, lines where labels differ, and the name of the label in every region it has
/// room in.
/// @param area  as in draw_slice      @param name  of a label      @throws shape_error, domain_error
inline void draw_labels(canvas& to, rectangle area, map_grid const& grid, label_map const& map,
                        label_colours const& colours, std::function<std::string(index)> const& name) {
    auto const rows = static_cast<index>(grid.v.size()), columns = static_cast<index>(grid.u.size());
    tensor::require_extents(map.labels.extents(), {rows, columns}, "the labels of a map");
    auto const frame = map_axes(area, grid);
    cell_edges const cells{area, rows, columns};
    draw_cells(to, cells, [&](index r, index c) { return colours(map.labels(r, c)); });
    double const cell = std::min(area.width / static_cast<double>(columns), area.height / static_cast<double>(rows));
    pen const boundary{palette::ink, std::clamp(0.35 * cell, 0.5, 1.3)};
    for (index r = 0; r < rows; ++r) {
        for (index c = 0; c < columns; ++c) {
            if (c > 0 && map.labels(r, c - 1) != map.labels(r, c))
                to.line({{cells.x(c), cells.y(r)}, {cells.x(c), cells.y(r + 1)}}, boundary);
            if (r > 0 && map.labels(r - 1, c) != map.labels(r, c))
                to.line({{cells.x(c), cells.y(r)}, {cells.x(c + 1), cells.y(r)}}, boundary);
        }
    }
    auto const regions = metrics::regions_of(map.labels);
    auto const middles = detail::interiors_of(regions, rows, columns);
    text_style const style{.size = 11, .across = horizontal::centre, .along = vertical::middle};
    std::vector<rectangle> taken;  // the anchors' names come on top of everything
    for (auto const& mark : map.anchors) taken.push_back({frame.x(mark.u) - 8, frame.y(mark.v) - 16, 34, 24});
    for (std::size_t i = 0; i < middles.size(); ++i) {
        auto const& at = middles[i];
        std::string const words = name(regions.label[i]);
        point const middle{(cells.x(at.column) + cells.x(at.column + 1)) / 2,
                           (cells.y(at.row) + cells.y(at.row + 1)) / 2};
        double const width = to.text_width(words, style), room = static_cast<double>(2 * at.depth - 1) * cell;
        if (room < 16 || width > 1.5 * room) continue;
        for (double const off : {0.0, 24.0, -24.0}) {  // beside an anchor's name, if the region is large enough
            rectangle const box{middle.x - width / 2, middle.y + off - 7, width, 14};
            bool const clear = std::none_of(taken.begin(), taken.end(), [&](rectangle const& other) {
                return box.left < other.right() && other.left < box.right() && box.top < other.bottom() &&
                       other.top < box.bottom();
            });
            if (box.left < area.left || box.right() > area.right() || !clear || 2 * std::abs(off) > room - 14) continue;
            to.text({middle.x, middle.y + off}, words, style);
            taken.push_back(box);
            break;
        }
    }
    draw_map_frame(to, frame, map.title, "α  (from A to B)", "β  (towards C)", map.anchors);
}

}  // namespace plateau::viz
