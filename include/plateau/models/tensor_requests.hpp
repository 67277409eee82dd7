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

    /// Names of `in_prefix` are looked up under the first of `prefixes` under which the checkpoint has `probe`.
    void find_prefix(std::string const& probe, std::span<std::string_view const> prefixes) {
        for (auto const prefix : prefixes) {
            if (!source_.contains(concat({prefix, probe}))) continue;
            prefix_ = prefix;
            return;
        }
        throw file_error(source_.where(), ": there is no tensor ", prefixes.front(), probe,
                         ": is this a checkpoint of the family that its configuration names?");
    }
    std::string in_prefix(std::string_view name) const { return concat({prefix_, name}); }

    /// Marks a tensor as used. @throws file_error if it is missing or has another shape
    void require(std::string const& name, std::vector<index> const& expected) {
        if (!source_.contains(name)) {
            throw file_error(source_.where(), ": the tensor ", name, " is missing; its nearest names are ",
                             join(nearest_names(name, source_.names())));
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

    /// Marks tensors that carry nothing: matches of the pattern.
    void ignore(std::string const& pattern) {
        for (auto const& name : source_.names()) {
            if (matches(pattern, name)) used_.add(name);
        }
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
    tensor_source<T> const& source_;
    std::string prefix_;
    name_index used_;
};

}  // namespace plateau::models
