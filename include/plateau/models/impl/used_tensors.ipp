#pragma once
/// Bodies of models/used_tensors.hpp.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/names.hpp>
#include <plateau/models/quantization.hpp>
#include <plateau/models/used_tensors.hpp>

namespace plateau::models {

namespace detail {

/// Whether a tensor below `outer` is of a head for values or classes.
PLATEAU_INLINE bool is_other_head(std::string_view name, std::string_view outer) {
    if (name.starts_with(outer)) name.remove_prefix(outer.size());
    for (auto const* part :
         {"v_head.", "value_head.", "score.", "classifier.", "qa_outputs.", "multiple_choice_head."}) {
        if (name.starts_with(part)) return true;
    }
    return false;
}

}  // namespace detail

PLATEAU_INLINE used_tensors::used_tensors(std::string where, std::vector<std::string> names)
    : where_{std::move(where)}, names_{std::move(names)} {}

PLATEAU_INLINE bool used_tensors::lists(std::string_view name) const {
    for (auto const& one : names_) {
        if (one == name) return true;
    }
    return false;
}

PLATEAU_INLINE void used_tensors::find_prefix(std::string const& probe,
                                              std::array<std::string_view, 2> const& prefixes) {
    prefix_ = prefixes[0];
    if (names_.empty()) return;
    for (auto const* outer : {"", "model.", "language_model.", "base_model.", "base_model.model.", "pretrained_model.",
                              "model.language_model.", "model.text_model."}) {
        bool const part = std::string_view{outer}.starts_with("model.") && outer[6] != '\0';  // the head stands beside
        for (auto const& prefix : prefixes) {
            outer_ = part ? "" : outer;
            prefix_ = part ? outer : concat({outer, prefix});
            if (lists(in_prefix(probe))) return;
        }
    }
    std::string found;
    for (auto const& prefix : prefixes) {
        auto const end = concat({".", prefix, probe});
        for (auto const& name : names_) {
            if (!name.ends_with(end)) continue;
            outer_ = name.substr(0, name.size() - end.size() + 1);
            prefix_ = concat({outer_, prefix});
            found += concat({found.empty() ? "" : " and ", outer_});
        }
        if (found == outer_ && !found.empty()) {
            notices += concat({where_, ": the names of its tensors begin with ", outer_, ", which is passed over\n"});
            return;
        }
        if (!found.empty()) {
            throw file_error(where_, ": this is more than one model: names of tensors begin with ", found,
                             "; save the one that is meant alone");
        }
    }
    fail_missing(concat({prefixes[0], probe}), ": is this a checkpoint of the family that its configuration names?");
}

PLATEAU_INLINE void used_tensors::ignore(std::string const& pattern) {
    for (auto const& name : names_) {
        if (matches(pattern, name)) used_.add(name);
    }
}

PLATEAU_INLINE void used_tensors::ignore_other_parts(io::model_config const& config, std::string_view head) {
    std::string heads;
    std::size_t others = 0;
    for (auto const& name : names_) {
        if (used_.contains(name)) continue;
        std::string_view own = name;
        if (own.starts_with(outer_)) own.remove_prefix(outer_.size());
        bool const of_head = detail::is_other_head(name, outer_);
        bool const aside = !config.text_of.empty() && !name.starts_with(prefix_) && !own.starts_with(head) &&
                           (outer_.empty() || own.size() == name.size());
        if (!of_head && !aside) continue;
        used_.add(name);
        if (of_head) heads += concat({heads.empty() ? "" : ", ", name});
        else ++others;
    }
    if (!heads.empty()) {
        notices += concat(
            {where_, ": the tensors ", heads, " are of a head for values or classes, which feeds nothing here\n"});
    }
    if (!config.text_of.empty()) {
        notices += concat({where_, ": of a model of type ", config.text_of, " the text part is taken (",
                           config.model_type, "); ", others, " tensors of its other parts feed nothing here\n"});
    }
}

PLATEAU_INLINE void used_tensors::note_head(std::string const& head) {
    notices += concat({where_, ": the configuration ties the unembedding to the embedding, but ", head,
                       " is stored too and differs: it is used, as transformers 5 does\n"});
}

PLATEAU_INLINE void used_tensors::fail_missing(std::string const& name, std::string_view otherwise) const {
    auto why = why_missing(quantization, names_, where_);
    if (why.empty()) why = otherwise;
    for (auto const* head : {"lm_head.weight", "embed_out.weight"}) {
        if (!why.empty() || name != top_level(head)) continue;
        why = "; the model was saved without its unembedding, as a model of another task or by AutoModel";
        for (auto const& one : names_) {
            if (detail::is_other_head(one, outer_)) {
                why += concat({" (", one, " is of another head)"});
                break;
            }
        }
        why += ": give the language model that it was made from, or save it by AutoModelForCausalLM";
    }
    if (why.empty()) why = concat({"; its nearest names are ", join(nearest_names(name, names_))});
    throw file_error(where_, ": the tensor ", name, " is missing", why);
}

PLATEAU_INLINE void used_tensors::require_all_used() const {
    std::vector<std::string> extra;
    for (auto const& name : names_) {
        if (!used_.contains(name)) extra.push_back(name);
    }
    if (extra.empty()) return;
    auto const why = why_missing({}, extra, where_);
    std::size_t const shown = std::min<std::size_t>(extra.size(), 5), all = extra.size();
    extra.resize(shown);
    std::string const more = all > shown ? concat({" and ", all - shown, " more"}) : "";
    throw file_error(where_, ": the configuration has no place for the tensors ", join(extra), more,
                     why.empty() ? ": is config.json of another model?" : why);
}

}  // namespace plateau::models
