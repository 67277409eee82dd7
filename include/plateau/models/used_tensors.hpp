#pragma once
/// The account of a checkpoint's tensors: under which names they stand, which were used, which feed nothing.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/name_index.hpp>
#include <plateau/io/config/schema.hpp>

namespace plateau::models {

class used_tensors {
public:
    /// @param where,names  of the source: the tensors that are stored, none of a source that makes them when asked
    used_tensors(std::string where, std::vector<std::string> names);

    std::string quantization;  ///< "quant_method" of the configuration, for messages; empty if there is none
    std::string notices;       ///< lines on what was chosen or passed over, each with its end

    /// Names of `in_prefix` are looked up under the first of `prefixes` under which there is `probe`. All names may
    /// have a prefix more, that of a model which held this one; or stand below "model.language_model.". Without names
    /// it is the first. @throws file_error if there is none
    void find_prefix(std::string const& probe, std::array<std::string_view, 2> const& prefixes);
    std::string in_prefix(std::string_view name) const { return concat({prefix_, name}); }
    std::string top_level(std::string_view name) const { return concat({outer_, name}); }

    /// True of a tensor that is stored.
    bool lists(std::string_view name) const;

    void mark(std::string const& name) { used_.add(name); }
    /// Marks tensors that carry nothing: matches of the pattern.
    void ignore(std::string const& pattern);
    /// Passes over tensors that feed nothing here, with a line: heads of other tasks, and of a whole everything beside
    /// its text. @param head  of names that are kept in sight
    void ignore_other_parts(io::model_config const& config, std::string_view head);
    /// A line on a head that is stored beside the embedding that it is tied to.
    void note_head(std::string const& head);

    /// @throws file_error always: that a tensor is missing, and why
    [[noreturn]] void fail_missing(std::string const& name, std::string_view otherwise = {}) const;
    /// @throws file_error naming tensors that nothing asked for
    void require_all_used() const;

private:
    std::string where_;
    std::vector<std::string> names_;  // sorted
    std::string outer_, prefix_;
    name_index used_;
};

}  // namespace plateau::models

#if !PLATEAU_COMPILED
#include <plateau/models/impl/used_tensors.ipp>
#endif
