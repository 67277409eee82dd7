#pragma once
/// Stored tensors asked for by name and shape, with an account of which were used.

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/name_index.hpp>
#include <plateau/core/names.hpp>
#include <plateau/models/quantization.hpp>
#include <plateau/models/tensor_source.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::models {

/// Names and shapes that a configuration implies, asked of a checkpoint. A tensor that nobody asks for is an error: it
/// would change the numbers if it meant something.
template <class T>
class tensor_requests {
public:
    /// @param source  kept as a reference
    explicit tensor_requests(tensor_source<T> const& source) : source_{source} {}

    tensor_source<T> const& source() const { return source_; }

    std::string quantization;  ///< "quant_method" of the configuration, for messages; empty if there is none

    /// Names of `in_prefix` are looked up under the first of `prefixes` under which the checkpoint has `probe`. All
    /// names may have a prefix more, that of a model which held this one; or stand below "model.language_model.".
    void find_prefix(std::string const& probe, std::span<std::string_view const> prefixes) {
        for (std::string_view const outer :
             {"", "model.", "language_model.", "base_model.model.", "pretrained_model."}) {
            for (auto const prefix : prefixes) {
                if (take_prefix(outer, concat({outer, prefix}), probe)) return;
            }
        }
        if (take_prefix("", "model.language_model.", probe)) return;
        fail_missing(concat({prefixes.front(), probe}),
                     ": is this a checkpoint of the family that its configuration names?");
    }
    std::string in_prefix(std::string_view name) const { return concat({prefix_, name}); }
    std::string top_level(std::string_view name) const { return concat({outer_, name}); }
    /// What comes before the names that the family has; usually nothing.
    std::string const& outer_prefix() const { return outer_; }

    /// Marks a tensor as used. @throws file_error if it is missing or has another shape
    void require(std::string const& name, std::vector<index> const& expected) {
        if (!source_.contains(name)) {
            fail_missing(name, concat({"; its nearest names are ", join(nearest_names(name, source_.names()))}));
        }
        if (!source_.fits(name, expected)) {
            throw file_error(source_.where(), ": the tensor ", name, " has shape ", shape_text(source_.shape(name)),
                             ", the configuration implies ", shape_text(expected));
        }
        used_.add(name);
    }

    /// A vector, on the host. @throws as require; numeric_error on a value that is not finite
    tensor::buffer<T, 1> values(std::string const& name, index count) {
        require(name, {count});
        tensor::buffer<T, 1> result({count});
        source_.read_rows(name, 0, count, result.flat());
        return result;
    }

    /// True of a tensor that is stored, not made when it is asked for.
    bool lists(std::string const& name) const {
        auto const names = source_.names();
        return std::find(names.begin(), names.end(), name) != names.end();
    }

    /// Marks tensors that carry nothing: matches of the pattern. @return those that nobody had marked
    std::vector<std::string> ignore(std::string const& pattern) {
        std::vector<std::string> fresh;
        for (auto const& name : source_.names()) {
            if (matches(pattern, name) && used_.add(name).second) fresh.push_back(name);
        }
        return fresh;
    }

    /// Marks the tensors outside of the prefix, those of the top level apart that begin with `kept`. @return how many
    std::size_t ignore_outside(std::string_view kept) {
        std::size_t count = 0;
        for (auto const& name : source_.names()) {
            if (name.starts_with(prefix_) || name.starts_with(outer_.empty() ? kept : std::string_view{outer_}))
                continue;
            count += used_.add(name).second ? 1 : 0;
        }
        return count;
    }

    /// @throws file_error naming tensors that nothing asked for
    void require_all_used() const {
        std::vector<std::string> extra;
        for (auto const& name : source_.names()) {
            if (!used_.contains(name)) extra.push_back(name);
        }
        if (extra.empty()) return;
        std::size_t const shown = std::min<std::size_t>(extra.size(), 5);
        std::string const more = extra.size() > shown ? concat({" and ", extra.size() - shown, " more"}) : "";
        throw file_error(source_.where(), ": the configuration has no place for the tensors ",
                         join({extra.begin(), extra.begin() + static_cast<std::ptrdiff_t>(shown)}), more,
                         ": is config.json of another model?");
    }

private:
    /// @param otherwise  what to say if the names that are there do not tell why
    [[noreturn]] void fail_missing(std::string const& name, std::string const& otherwise) const {
        auto const why = why_missing(quantization, source_.names(), source_.where());
        throw file_error(source_.where(), ": the tensor ", name, " is missing", why.empty() ? otherwise : why);
    }

    bool take_prefix(std::string_view outer, std::string const& prefix, std::string const& probe) {
        if (!source_.contains(prefix + probe)) return false;
        outer_ = outer;
        prefix_ = prefix;
        return true;
    }

    tensor_source<T> const& source_;
    std::string outer_, prefix_;
    name_index used_;
};

}  // namespace plateau::models
