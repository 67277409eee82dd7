#pragma once
/// One block of rows through the layers: its start, its layers, its read-outs.

#include <functional>
#include <span>
#include <vector>

#include <plateau/hooks/plan.hpp>
#include <plateau/nn/rows.hpp>

namespace plateau::engine {

/// Starts and ends of straight lines, in the memory of some backend.
class line_ends {
public:
    virtual ~line_ends() = default;
};

/// Where the rows of a block start. Without anything of this: as the embeddings of their tokens.
template <class T>
struct row_start {
    line_ends const* lines = nullptr;                    ///< of the points that the first rows are
    std::vector<index> line_of = {};                     ///< by row: points that are made where the rows are
    std::vector<double> fractions = {};                  ///< by row: where on its line
    std::function<void(tensor::view<T, 2>)> write = {};  ///< fills the rows after those, [R − points, D], on the host
    std::vector<nn::sequence> kept = {};                 ///< or: rows of the block before, together, as they were left
    hooks::site const* shown_at = nullptr;               ///< the site whose hooks see them first

    bool embeds() const { return line_of.empty() && !write && kept.empty(); }
};

template <class T>
struct point_rows;

/// Tangents [first, first + count) of each point.
struct tangent_part {
    index first = 0, count = 0;
};

/// What travels behind the rows of points: for a runner that knows it.
template <class T>
class companion {
public:
    static constexpr index most_together = 1024;  ///< tangents of a point: beyond it they come in parts

    virtual ~companion() = default;
    /// Tangents, or cotangents, of each point.
    virtual index tangents() const = 0;

    /// Somebody looks at the rows too: their hooks are called before those of their tangents.
    bool rows_are_seen = false;
    /// Before the first block of points. @param rows  to live as long as the blocks run
    virtual void begin(point_rows<T> const& rows) = 0;
};

/// One block of rows through the layers.
template <class T>
struct block_run {
    nn::rows const& rows;
    hooks::plan<T> const* plan = nullptr;  ///< who looks; null for nobody
    index observed = -1;                   ///< rows that hooks see, the first ones; −1 for all
    row_start<T> start = {};
    int first = 0, last = 0;      ///< layers [first, last)
    int keys_and_values_of = -1;  ///< a layer of which these are recorded after that, and no more of it; −1 for none
    bool read_out = false;        ///< the final norm too, of the observed rows
    bool logits = false;          ///< and the unembedding
    char const* item = "prompt";  ///< what a row's item is called in messages
    plateau::engine::companion<T> const* companion = nullptr;  ///< of the rows that hooks see; null for none
    tangent_part part = {};                                    ///< of its tangents: rows have been seen before those
                                                               ///< that are not the first
    std::function<bool(int layer)> enter = {};                 ///< asked before each layer: false ends the run
    std::function<void(int layer)> left = {};                  ///< told after each layer

    /// Reads out what hooks of the plan want.
    void read_out_for_plan() {
        read_out = plan->wants_from(hooks::site_id::ln_final_scale);
        logits = plan->wants_from(hooks::site_id::unembed_out);
    }
};

}  // namespace plateau::engine
