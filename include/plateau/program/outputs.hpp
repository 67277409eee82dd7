#pragma once
/// The files of one run, checked against the manifest: shapes and keys as told, nothing left that it did not write.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <ostream>
#include <ranges>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <plateau/core/output_set.hpp>
#include <plateau/io/npy.hpp>
#include <plateau/program/compiled.hpp>
#include <plateau/program/manifest.hpp>
#include <plateau/program/report/page.hpp>
#include <plateau/statistics/interval.hpp>
#include <plateau/viz/canvas.hpp>

namespace plateau::statistics {

/// [value, low, high] in a summary.
inline void to_json(nlohmann::ordered_json& json, estimate const& x) { json = {x.value, x.low, x.high}; }

}  // namespace plateau::statistics

namespace plateau::program {

/// Files under temporary names until `publish`. Every mistake against the manifest is a std::logic_error: the program
/// is wrong, not its user.
class outputs {
public:
    /// @throws file_error if the folder cannot be made
    outputs(manifest const& leaves, std::filesystem::path const& folder) : leaves_{leaves}, set_{folder} {}

    std::filesystem::path const& folder() const { return set_.directory(); }

    /// How long an axis is. Bound to `absent`, it is left out of the shapes that have it.
    static constexpr index absent = -1;
    void axis(std::string const& letter, index extent);
    /// The same of one whose things lie at places, or have names, for the page.
    void axis(std::string const& letter, std::vector<double> const& places);
    void axis(std::string const& letter, std::vector<std::string> const& names);

    /// Has report.html written too, from all that follows. @throws config_error if this build has no pages
    void begin_page();
    /// Null without one.
    report::page* page() { return page_.get(); }

    /// Whether the manifest tells this file.
    bool tells(std::string const& name) const;

    /// An array of the shape and the type that the manifest tells; told as "float", of the floats that it is given.
    /// @param values  in C order
    template <class Values>
    void array(std::string const& name, Values const& values) {
        array(name, std::span{&values, 1}, std::identity{});
    }

    /// The same of the values of many things, one after the other, never all in memory at once:
    ///     out.array("max_slope.npy", layers, &sweep::transitions::max_slope)
    template <class Things, class Take>
    void array(std::string const& name, Things const& things, Take const& take) {
        auto const& told = find(name);
        if (told.holds.starts_with("float64")) return put<double>(told, name, things, take);
        if (told.holds.starts_with("float ")) {
            using values = std::invoke_result_t<Take const&, std::ranges::range_reference_t<Things const>>;
            using value = std::ranges::range_value_t<std::remove_cvref_t<values>>;
            if constexpr (std::is_floating_point_v<value>) return put<value>(told, name, things, take);
        }
        require(told.holds.starts_with("int64"), name + " is told as " + told.holds);
        put<std::int64_t>(told, name, things, take);
    }

    void text(std::string const& name, std::string const& content) { open(name).write(content); }

    /// The stream of a file that is written bit by bit.
    atomic_file& open(std::string const& name);

    /// A picture, if this build draws any. @param draw  writes it to a stream
    template <class Draw>
    void picture(std::string const& name, Draw const& draw) {
        if (viz::can_draw && page_) {
            std::ostringstream bytes;
            draw(bytes);
            page_->add_picture(find(name), name, bytes.view());
            open(name).write(bytes.view());
        } else if (viz::can_draw) {
            draw(open(name).stream());
        } else {
            std::cerr << name << " is not drawn: this build has no cairo\n";
        }
    }

    /// Makes everything visible at once, and removes what an earlier run left and this one did not write: it would
    /// contradict what stands here now. Doubles of the summary have the fewest digits that give back the same bits;
    /// NaN and infinities become null.
    /// @param summary  its keys are those of `common` and what the manifest tells
    void publish(nlohmann::ordered_json summary, nlohmann::ordered_json const& own);

private:
    static void require(bool holds, std::string const& what) {
        if (!holds) throw std::logic_error("the manifest is not kept: " + what);
    }

    file const& find(std::string const& name) const;

    std::vector<index> shape_of(file const& told) const;

    template <class Stored, class Things, class Take>
    void put(file const& told, std::string const& name, Things const& things, Take const& take) {
        auto const shape = shape_of(told);
        index size = 1, written = 0;
        for (index const extent : shape) size *= extent;
        auto& to = open(name);
        to.write(io::npy_prefix(io::npy_descr<Stored>, shape));
        auto* const kept = page_ ? page_->keep(told, name, shape) : nullptr;
        for (auto const& one : things) {
            auto&& values = std::invoke(take, one);
            using value = std::remove_cvref_t<decltype(*std::ranges::begin(values))>;
            written += static_cast<index>(std::ranges::size(values));
            if (kept) {
                for (auto const& v : values) kept->add(static_cast<double>(v));
            }
            if constexpr (std::is_same_v<value, Stored> && std::ranges::contiguous_range<decltype(values)>) {
                to.write(std::as_bytes(std::span<Stored const>{std::ranges::data(values), std::ranges::size(values)}));
            } else {
                std::vector<Stored> stored;
                for (auto const& v : values) stored.push_back(static_cast<Stored>(v));
                to.write(std::as_bytes(std::span<Stored const>{stored}));
            }
        }
        require(size == written,
                name + " is told as " + told.holds + ", and has " + std::to_string(written) + " values");
    }

    bool tells_key(std::string const& key) const;

    void remove_stale() const;

    manifest leaves_;
    output_set set_;
    std::map<std::string, index> extents_;
    std::set<std::string> written_;
    std::unique_ptr<report::page> page_;
};

}  // namespace plateau::program

#if !PLATEAU_PROGRAM_COMPILED
#include <plateau/program/impl/outputs.ipp>
#endif
